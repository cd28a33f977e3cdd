"""Which cases are looked at blind: drawn before they are done, the same in every process, with a share that tapers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import NOW, World, pay, world
from trueup.backends.bodies import FolderBodies
from trueup.declare.read import read_programme
from trueup.enforce.autonomy.drawing import done_alone, unit_of
from trueup.enforce.autonomy.rung import Rung, note_basis
from trueup.enforce.gate import Gate
from trueup.enforce.request import Request
from trueup.enforce.steps import State
from trueup.evidence.risk.review import review_plan
from trueup.evidence.risk.watch import Promise

ALL = {"share": 1.0, "drawn": True}
TERMS = "{level: act, wrong_at_most: 10%, sure: 95%, detect: {rise_to: 90%, within: 4w, labels_after: 1w}}"


def promising(root: Path, terms: str = TERMS) -> World:
    """A workflow that acts alone and promises to notice a rise."""
    at = world(root)
    file = root / "workflows" / "payments.yaml"
    text = file.read_text("utf-8").replace("{level: act}", terms).replace(", per_day: 3", "")
    file.write_text(text, "utf-8")
    return replace(at, programme=read_programme(root, date(2024, 5, 6)).programme)


def gate(at: World, runner: str, key: bytes = b"k" * 32) -> Gate:
    bodies = FolderBodies(at.root / f"bodies-{key[:1].hex()}", lambda: key)
    return Gate(at.programme, at.policy, at.ledger, bodies, at.clock, runner)


def done(at: World, through: Gate, case: str, action: Callable[..., Request] = pay, step: str = "") -> Any:
    """Act for a case; return what the verdict says of the draw."""
    assert through.call(action(case=case), f"{case}{step}", at.tool).state is State.DONE
    review: Any = at.last("action.judged").data.get("review")
    return review


def test_the_draw_stands_in_the_verdict_before_anything_is_done(tmp_path: Path) -> None:
    at = promising(tmp_path)
    seen: list[object] = []
    gate(at, "one").call(pay(case="c"), "c", lambda _: seen.append(at.last("action.judged").data["review"]))
    (review,) = seen
    assert review == {"unit": unit_of(FolderBodies(tmp_path / "bodies-6b", lambda: b"k" * 32), "payments", "c"), **ALL}


def test_a_share_is_drawn_by_a_hash_that_says_the_same_in_every_process(tmp_path: Path) -> None:
    at = promising(tmp_path)
    plan = review_plan(Promise(0.1, 1 - 0.95), 0.9, 80, 4, 1)
    assert plan.needed is not None
    assert plan.needed < 20
    one, two, foreign = gate(at, "one"), gate(at, "two"), gate(at, "three", b"f" * 32)
    drawn = [done(at, (one, two)[n % 2], f"c{n}") for n in range(80)]
    assert all(draw["drawn"] and draw["share"] == 1 for draw in drawn[: plan.needed])
    shares = [draw["share"] for draw in drawn]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(max(plan.share, plan.needed / 80))
    for draw in drawn:
        assert draw["drawn"] == (int(draw["unit"][:16], 16) < draw["share"] * 2**64)
    late = [draw for draw in drawn if draw["share"] < 1]
    expected = sum(draw["share"] for draw in late)
    spread = sum(draw["share"] * (1 - draw["share"]) for draw in late)
    assert abs(sum(draw["drawn"] for draw in late) - expected) < 4 * spread**0.5
    # The case again, by whichever process: its draw was made.
    again = {n: done(at, gate(at, "four"), f"c{n}", step="/again") for n in (0, 40, 79)}
    assert again == {n: drawn[n] for n in again}
    # Nobody without the key foresees it.
    others = [done(at, foreign, f"c{n}", step="/foreign") for n in range(30, 34)]
    assert {one["unit"] for one in others}.isdisjoint({draw["unit"] for draw in drawn})
    # What is drawn is kept, so that an answer can be held against it; nothing else is.
    assert len(list(FolderBodies(tmp_path / "bodies-6b", lambda: b"k" * 32).kept())) == 1, "one amount, one text"


@pytest.mark.parametrize(
    ("terms", "action"),
    [
        ("{level: act}", pay),
        (TERMS, lambda **more: Request("erp.read", **more)),
    ],
)
def test_nothing_is_drawn_where_nothing_is_promised_or_nothing_done(
    tmp_path: Path, terms: str, action: Callable[..., Request]
) -> None:
    at = promising(tmp_path, terms)
    assert done(at, gate(at, "one"), "c", action) is None


def test_what_a_person_decides_is_not_drawn(tmp_path: Path) -> None:
    at = promising(tmp_path)
    assert gate(at, "one").call(Request("mail.send", {"to": "a"}, case="c"), "m", at.tool).state is State.HELD
    assert "review" not in at.last("action.judged").data


def test_without_a_rise_to_notice_everything_is_looked_at(tmp_path: Path) -> None:
    at = promising(tmp_path, "{level: act, wrong_at_most: 10%}")
    through = gate(at, "one")
    assert {done(at, through, f"c{n}")["share"] for n in range(30)} == {1.0}


def test_another_model_is_looked_at_from_the_beginning(tmp_path: Path) -> None:
    at = promising(tmp_path)
    file = tmp_path / "workflows" / "payments.yaml"
    through = gate(at, "one")
    for n in range(30):
        done(at, through, f"c{n}")
    assert done(at, through, "last")["share"] < 1
    file.write_text(file.read_text("utf-8") + "model: {name: another}\n", "utf-8")
    changed = replace(at, programme=read_programme(tmp_path, date(2024, 5, 6)).programme)
    fallen = note_basis(changed.programme, "payments", at.ledger, at.clock.now())
    assert (fallen.level, list(done_alone(at.ledger, "payments", fallen, at.clock.now()))) == ("draft", [])
    assert len(list(done_alone(at.ledger, "payments", Rung(), at.clock.now()))) == 31


def test_the_volume_is_that_of_the_last_four_weeks(tmp_path: Path) -> None:
    at = promising(tmp_path)
    through = gate(at, "one")
    for n in range(30):
        done(at, through, f"c{n}")
    at.clock.move(weeks=30)
    # One a week is too little to notice anything in time: everything is looked at again.
    assert done(at, through, "late")["share"] == 1
    assert at.clock.now() - NOW == timedelta(weeks=30)

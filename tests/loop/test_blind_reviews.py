"""From what was done alone to a label: listed without the answer, compared with it, counted with its share."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from tests.running import Ran, run_trueup
from trueup.enforce.autonomy.outcomes import Outcomes
from trueup.enforce.request import Request
from trueup.evidence.risk.watch import watched_all
from trueup.kernel.progress import silent
from trueup.loop.autonomy.blind import blind_reviews
from trueup.loop.autonomy.evidence import standing_of
from trueup.sdk import governed
from trueup.workspace import opened

DETECT = "detect: {rise_to: 90%, within: 4w, labels_after: 2d}"
WORKFLOW = """\
workflow: Payments
use_case: pay
owners: {business: owner, prompts: owner, knowledge: owner, incidents: owner, escalation: chief}
autonomy: {level: act, may_reach: act, wrong_at_most: 10%, sure: 95%, DETECT}
actions:
  pay: {tool: pay, impact: medium, approval: never}
  note: {tool: note, impact: low, approval: never}
"""
LATER = "2024-05-07"
SECRET = "what was done"


def programme(root: Path, terms: str = WORKFLOW) -> Path:
    (root / "use-cases").mkdir()
    (root / "use-cases" / "pay.yaml").write_text("use_case: Pay\nowner: owner\nstage: production\n", "utf-8")
    return write(root, workflow=terms.replace("DETECT", DETECT))


def act(root: Path, cases: int, *, tools: tuple[str, ...] = ("pay",), wrong: int = 0, start: int = 0) -> None:
    """Do something alone for each case; the last `wrong` of them fail."""
    with governed(root, "payments", clock=Clock()) as gate:
        for n in range(start, start + cases):
            for tool in tools:
                request = Request(
                    tool, {"amount": n, "memo": SECRET}, case=f"case {n}", requester="bot", confidence=0.9
                )
                if n - start < cases - wrong:
                    gate.call(request, f"{tool}/{n}", lambda _: "done")
                else:
                    with pytest.raises(OSError, match="no"):
                        gate.call(request, f"{tool}/{n}", _fails)


def _fails(_: Any) -> None:
    raise OSError("no")


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def reviews(root: Path, as_of: str = LATER) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("autonomy", "reviews", root, "--as-of", as_of).data["reviews"]
    return found


def answered(root: Path, review: str, answer: Any, by: str = "clerk", as_of: str = LATER) -> Ran:
    file = root / "answer.json"
    file.write_text(answer if isinstance(answer, str) else json.dumps(answer), "utf-8")
    return run("autonomy", "label", root, review, "--by", by, "--answer", file, "--as-of", as_of)


def test_the_list_names_the_case_and_nothing_of_the_answer(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 3, wrong=1)
    listed = run("autonomy", "reviews", root, "--as-of", LATER)
    assert [(one["case"], one["actions"], one["overdue"]) for one in listed.data["reviews"]] == [
        ("case 0", ["pay"], False),
        ("case 1", ["pay"], False),
    ], "what failed has no outcome to look at"
    assert SECRET not in listed.out
    assert set(listed.data["reviews"][0]) == {"id", "workflow", "case", "actions", "since", "due", "overdue"}
    assert {one["due"][:10] for one in listed.data["reviews"]} == {"2024-05-08"}
    late = run("autonomy", "reviews", root, "--as-of", "2024-05-09")
    assert (late.data["overdue"], len(late.data["reviews"])) == (2, 2)
    text = run_trueup("autonomy", "reviews", root, "--as-of", "2024-05-09").out
    assert text.count("OVERDUE") == 2
    assert SECRET not in text
    assert run("autonomy", "reviews", root, "--as-of", "2024-05-01").data["reviews"] == []
    found = run("check", root, "--with-data", "--as-of", "2024-05-09").data["findings"]
    (overdue,) = [one for one in found if one["code"] == "RUN06"]
    assert "2 are overdue, the oldest since 2024-05-08" in overdue["detail"]


def test_an_answer_is_held_against_what_was_done_in_what_it_names(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 4)
    ids = [one["id"] for one in reviews(root)]
    same, part, other, extra = (
        answered(root, review, answer).data
        for review, answer in zip(
            ids,
            ({"amount": 0, "memo": SECRET}, {"amount": 1.0}, {"amount": 7}, {"amount": 3, "account": "x"}),
            strict=True,
        )
    )
    assert [one["wrong"] for one in (same, part, other, extra)] == [False, False, True, True]
    assert reviews(root) == []
    entry = run("ledger", "entry", root, str(other["entry"])).data["entry"]
    assert {key: entry["data"][key] for key in ("case", "wrong", "blind", "share", "how", "confidence")} == {
        "case": "case 2",
        "wrong": True,
        "blind": True,
        "share": 1.0,
        "how": "answer",
        "confidence": 0.9,
    }
    assert answered(root, ids[0], {"amount": 0}).error["code"] == "no-such-review", "a label is given once"


def test_what_was_drawn_is_labelled_and_not_recorded_beside(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 2)
    said = ("record", root, "outcome", "--workflow", "payments", "--right", "--by", "clerk", "--as-of", LATER)
    waits = run(*said, "--case", "case 0")
    assert waits.error["code"] == "drawn-for-review"
    (first, _) = reviews(root)
    assert f"trueup autonomy label DIR {first['id']}" in waits.error["hint"]
    answered(root, first["id"], {"amount": 0})
    assert run(*said, "--case", "case 0", "--blind", "0.5").error["code"] == "reviewed-before"
    assert run(*said, "--case", "another").exit_code == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "no-label"),
        ("[1]", "bad-arguments"),
        ('{"amount": NaN}', "bad-arguments"),
        ('{"amount": 1, "amount": 2}', "bad-arguments"),
        ("", "bad-arguments"),
    ],
)
def test_an_answer_that_says_nothing_is_no_label(tmp_path: Path, answer: Any, code: str) -> None:
    root = programme(tmp_path)
    act(root, 1)
    (waiting,) = reviews(root)
    assert answered(root, waiting["id"], answer).error["code"] == code
    assert len(reviews(root)) == 1


def test_who_looks_is_somebody_and_says_one_thing(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 2, tools=("pay", "note"))
    waiting = reviews(root)
    assert [one["actions"] for one in waiting] == [["pay", "note"]] * 2
    first, second = waiting[0]["id"], waiting[1]["id"]
    label = ("autonomy", "label", root, first, "--as-of", LATER)
    assert run(*label, "--by", "nobody", "--right").error["code"] == "unknown-person"
    assert run(*label, "--by", "clerk").error["code"] == "no-label"
    assert run("autonomy", "label", root, "r-none", "--by", "clerk", "--right").error["code"] == "no-such-review"
    assert answered(root, first, {"amount": 0}).error["code"] == "several-steps"
    missing = run(*label, "--by", "clerk", "--answer", root / "none.json")
    assert missing.error["code"] == "cannot-read"
    seen = run(*label, "--by", "clerk", "--wrong")
    assert (seen.data["wrong"], seen.data["how"]) == (True, "seen")
    assert "is right" in run_trueup("autonomy", "label", root, second, "--by", "clerk", "--right", "--as-of", LATER).out


def test_what_was_asked_for_by_somebody_is_reviewed_by_another(tmp_path: Path) -> None:
    root = programme(tmp_path)
    with governed(root, "payments", clock=Clock()) as gate:
        gate.call(Request("pay", {"amount": 1}, case="c", requester="Clerk"), "s", lambda _: "done")
    (waiting,) = reviews(root)
    assert answered(root, waiting["id"], {"amount": 1}).error["code"] == "own-request"
    assert answered(root, waiting["id"], {"amount": 1}, by="lead").data["wrong"] is False


def test_wrong_labels_take_the_level_back_and_the_watch_streams_as_it_would_at_once(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 9)
    said = []
    for one in reviews(root):
        said.append(answered(root, one["id"], {"amount": -1}).data)
        if "fell" in said[-1]:
            break
    assert 2 < len(said) < 9
    assert said[-1]["fell"]["to"] == "approve"
    assert reviews(root) == [], "what was done at the level that is gone is nobody's to look at any more"
    with opened(root, silent) as bench:
        outcomes = Outcomes(bench.ledger, "payments").more()
        standing = standing_of(bench, "payments", datetime(2024, 5, 8, tzinfo=UTC))
    assert standing is not None
    assert standing.promise is not None
    state = watched_all(standing.promise, [one.wrong for one in outcomes])
    assert state.alarmed
    assert not watched_all(standing.promise, [one.wrong for one in outcomes[:-1]]).alarmed


def test_what_a_label_says_is_weighed_by_its_share_over_all_that_was_done(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 26)
    listed = reviews(root)
    assert 9 < len(listed) < 26
    for n, one in enumerate(listed):
        number = int(one["case"].split()[1])
        answered(root, one["id"], {"amount": number if n % 4 else -1})
    with opened(root, silent) as bench:
        at = datetime(2024, 5, 8, tzinfo=UTC)
        blind = blind_reviews(bench, "payments", at)
        shares = {one.case: one.share for one in Outcomes(bench.ledger, "payments").more()}
    assert (blind.done, blind.drawn, blind.reviewed, len(blind.waiting)) == (26, len(listed), len(listed), 0)
    expected = sum(1 / shares[one["case"]] for n, one in enumerate(listed) if n % 4 == 0) / 26
    assert blind.weighted is not None
    assert blind.weighted.estimate == pytest.approx(expected)
    assert blind.delay == pytest.approx((datetime(2024, 5, 7, tzinfo=UTC) - Clock().at) / timedelta(days=1))


def test_labels_of_a_model_that_is_gone_say_nothing_of_the_next(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root, 2)
    first, second = (one["id"] for one in reviews(root))
    answered(root, first, {"amount": 0})
    file = root / "workflows" / "payments.yaml"
    file.write_text(file.read_text("utf-8") + "model: {name: another}\n", "utf-8")
    at = datetime(2024, 5, 8, tzinfo=UTC)
    with opened(root, silent) as bench:
        standing = standing_of(bench, "payments", at)
    # Nobody has acted since: the review says already what the gate will write down.
    assert standing is not None
    assert (standing.evidence.reviewed, standing.evidence.in_force, standing.verdict.move) == (0, "draft", "down")
    assert "is another one" in standing.verdict.because
    with governed(root, "payments", clock=Clock(at)) as gate:
        gate.call(Request("pay", {"amount": 1}, case="new"), "new", lambda _: "done")
    assert reviews(root, "2024-05-08") == []
    assert answered(root, second, {"amount": 1}, as_of="2024-05-08").error["code"] == "no-such-review"
    with opened(root, silent) as bench:
        standing = standing_of(bench, "payments", at + timedelta(days=1))
    assert standing is not None
    assert (standing.evidence.reviewed, standing.rung.cause) == (0, "basis")

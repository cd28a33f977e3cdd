"""Recorded requests under a candidate policy: what would be held, denied or allowed, and what nobody can know."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import NOW, Clock, pay, world, write
from tests.running import Ran, run_trueup
from trueup.enforce.attempt import Attempt
from trueup.enforce.rehearsal.replay import ALL_UNTRUSTED
from trueup.enforce.rehearsal.replay import replay as replayed_by
from trueup.enforce.request import Request
from trueup.enforce.steps import State, StepIds
from trueup.enforce.untrusted.provenance import Provenance
from trueup.kernel.progress import silent
from trueup.sdk import governed
from trueup.workspace import bodies_of, opened

KEEPS = "keep_requests: true\nactions:\n"


def recorded(root: Path, *, keeps: bool = True) -> Path:
    """A programme at the level act that was asked eight times, and has answered allow, hold and deny."""
    programme = write(root / "programme")
    if keeps:
        file = programme / "workflows" / "payments.yaml"
        file.write_text(file.read_text("utf-8").replace("actions:\n", KEEPS, 1), "utf-8")
    with governed(programme, "payments", clock=Clock()) as gate:
        for step, request in {
            "a": pay(120),
            "b": pay(400, case="C2"),
            "c": pay(900),
            "d": Request("erp.note", {"text": "x"}),
            "e": Request("mail.send", {"to": "a@b.example", "body": "hello"}),
            "f": pay(50, untrusted=("amount",)),
            "g": Request("erp.hidden"),
            "h": Request("erp.pay", {"amount": float("nan")}),
        }.items():
            gate.call(request, step, lambda _: None)
    return programme


def candidate(programme: Path, *changes: tuple[str, str]) -> Path:
    """Return a copy of the declared files, changed."""
    folder = programme.parent / "candidate"
    shutil.copytree(programme, folder, ignore=shutil.ignore_patterns(".trueup"), dirs_exist_ok=True)
    file = folder / "workflows" / "payments.yaml"
    text = file.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, "utf-8")
    return folder


def replay(programme: Path, *more: str | Path) -> Ran:
    return run_trueup("gate", programme, "payments", "--replay", "--as-of", "2024-05-07", *more, "--json")


def changes(ran: Ran) -> dict[str, tuple[str, str]]:
    return {item["step"]: (item["was"], item["would"]) for item in ran.data["changed"]}


def size(programme: Path) -> int:
    with opened(programme, silent) as bench:
        return bench.ledger.size()


def test_under_the_same_policy_everything_gets_the_same_answer_and_nothing_is_recorded(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    before = size(programme)
    ran = replay(programme)
    assert ran.exit_code == 0
    assert (ran.data["n"], ran.data["same"], ran.data["changed"], ran.data["unknown"]) == (8, 8, [], [])
    assert {(item["was"], item["n"]) for item in ran.data["counts"]} == {("allow", 3), ("hold", 2), ("deny", 3)}
    assert size(programme) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("{at_most: 500}", "{at_most: 100}"), {"a": ("allow", "deny"), "b": ("allow", "deny")}),
        (("{at_most: 500}", "{at_most: 1000}"), {"c": ("deny", "allow")}),
        (("level: act", "level: approve"), {"a": ("allow", "hold"), "b": ("allow", "hold")}),
        (
            ("level: act", "level: shadow"),
            {"a": ("allow", "deny"), "b": ("allow", "deny"), "d": ("allow", "deny"), "e": ("hold", "deny")}
            | {"f": ("hold", "deny")},
        ),
        (("per_day: 3", "per_day: 1"), {"b": ("allow", "deny"), "f": ("hold", "deny")}),
        (("erp.note", "erp.memo"), {"d": ("allow", "deny")}),
        (("  note:", "  remark:"), {}),
        (("tool: erp.read", "tool: erp.hidden"), {"g": ("deny", "allow")}),
    ],
)
def test_another_policy_shows_what_it_would_change(
    tmp_path: Path, change: tuple[str, str], expected: dict[str, tuple[str, str]]
) -> None:
    programme = recorded(tmp_path)
    ran = replay(programme, "--under", candidate(programme, change))
    assert changes(ran) == expected
    assert ran.data["unknown"] == []


def test_own_policies_of_the_candidate_judge_too(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    folder = candidate(programme)
    (folder / "policies").mkdir()
    own = 'forbid(principal, action, resource) when { context has case && context.case == "C2" };'
    (folder / "policies" / "own.cedar").write_text(own, "utf-8")
    [changed] = replay(programme, "--under", folder).data["changed"]
    assert (changed["step"], changed["would"], changed["decisive"]) == ("b", "deny", "policies/own.cedar#1")


def test_without_their_arguments_only_what_does_not_depend_on_them_is_known(tmp_path: Path) -> None:
    programme = recorded(tmp_path, keeps=False)
    ran = replay(programme)
    # Held ones are kept for who has to see them; a note has no limits; an unlisted tool is none whatever is asked.
    assert {item["step"]: item["because"] for item in ran.data["unknown"]} == dict.fromkeys(
        "abc", "its arguments were not kept"
    )
    assert (ran.data["n"], ran.data["same"]) == (8, 5)
    assert "`keep_requests: true`" in run_trueup("gate", programme, "payments", "--replay").out
    assert changes(replay(programme, "--under", candidate(programme, ("level: act", "level: draft")))) == {
        "d": ("allow", "hold")
    }


def test_erased_arguments_are_said_to_be_erased(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    [digest] = [item.entry.data["digest"] for item in intents(programme) if item.entry.data["step"] == "a"]
    ran = run_trueup("ledger", "erase", programme, digest, "--by", "chief", "--because", "asked for", "--json")
    assert ran.exit_code == 0, ran
    [unknown] = replay(programme).data["unknown"]
    assert (unknown["step"], unknown["was"], unknown["because"]) == ("a", "allow", "its arguments were erased")
    assert bodies_of(programme).get(digest) is None


def intents(programme: Path) -> list[Any]:
    with opened(programme, silent) as bench:
        return list(bench.ledger.entries("action.intended"))


def test_the_span_is_that_of_the_requests(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    assert replay(programme, "--since", "2024-05-06T12:00:01Z").data["n"] == 0
    assert replay(programme, "--since", "2024-05-06").data["n"] == 8


def test_wrong_questions_are_refused(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    assert run_trueup("gate", programme, "payments", "--json").error["code"] == "one-question"
    assert replay(programme, "--request", programme / "programme.yaml").error["code"] == "one-question"
    assert replay(programme, "--under", tmp_path / "nowhere").error["code"] == "not-a-programme"
    broken = candidate(programme)
    (broken / "policies").mkdir()
    (broken / "policies" / "own.cedar").write_text("forbid(", "utf-8")
    assert replay(programme, "--under", broken).error["code"] == "no-policy"


def test_a_person_reads_what_changes(tmp_path: Path) -> None:
    programme = recorded(tmp_path)
    under = candidate(programme, ("{at_most: 500}", "{at_most: 100}"))
    said = run_trueup("gate", programme, "payments", "--replay", "--under", under, "--as-of", "2024-05-07").out
    assert "8 recorded requests of 'payments', judged again at the level act:" in said
    assert "allow -> deny     2" in said
    assert "pay  a  allow -> deny: payments.pay.limits.amount.at_most" in said


OWN = 'forbid(principal, action, resource) when { context.untrusted.contains("to") };'
LEFT = 'forbid(principal, action, resource) when { context.untrusted.contains("body") };'


@pytest.mark.parametrize(("own", "expected"), [(OWN, {"m": ("hold", "deny")}), (LEFT, {})])
def test_of_what_nobody_vouches_for_the_record_says_which_arguments(
    tmp_path: Path, own: str, expected: dict[str, tuple[str, str]]
) -> None:
    programme = write(tmp_path / "programme")
    with governed(programme, "payments", clock=Clock()) as gate:
        gate.call(Request("mail.send", {"to": "a@b.example", "body": "hi"}, untrusted=("to",)), "m", lambda _: None)
    folder = candidate(programme)
    (folder / "policies").mkdir()
    (folder / "policies" / "own.cedar").write_text(own, "utf-8")
    ran = replay(programme, "--under", folder)
    assert changes(ran) == expected
    assert [item for item in ran.data["changed"] if "assumed" in item] == []


def test_where_the_record_does_not_say_which_all_are_taken_for_it_and_the_answer_says_so(tmp_path: Path) -> None:
    place = world(tmp_path)
    asked = Request("mail.send", {"to": "a@b.example", "body": "hi"}, untrusted=("to",))
    kept = place.bodies.digest(asked.body)
    place.bodies.put(kept, asked.body)
    attempt = Attempt(place.policy, StepIds.of("payments", "m"), "m", NOW, "one")
    intended = attempt.intended(replace(asked, untrusted=()), kept, {})
    place.ledger.append([intended, attempt.judged(place.policy.judge(asked))])
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.cedar").write_text(LEFT, "utf-8")
    [changed] = replayed_by(place.policy, place.ledger, place.bodies, None, NOW).to_json()["changed"]
    assert (changed["would"], changed["assumed"]) == ("deny", ALL_UNTRUSTED)


def test_as_many_names_are_on_record_as_an_entry_holds(tmp_path: Path) -> None:
    place = world(tmp_path)
    names = tuple(f"{n}-" + "\U0001f4a5" * 190 for n in range(120))
    sources = tuple(f"{n}-" + "\U0001f4a5" * 190 for n in range(20))
    asked = Request("mail.send", dict.fromkeys(names, "x"), untrusted=names, sources=sources)
    assert place.gate().call(asked, "m", place.tool).state is State.HELD
    on_record = place.last("action.intended").data["untrusted"]
    assert isinstance(on_record, list)
    assert 0 < len(on_record) < 120


def test_of_very_many_origins_an_approver_reads_the_first_and_how_many_more_there_are(tmp_path: Path) -> None:
    place = world(tmp_path)
    trail = Provenance("answer my mail")
    addresses = [f"someone{n}@elsewhere.example" for n in range(700)]
    trail.returned("mail.read", {}, " ".join(addresses))
    asked = Request("mail.send", {f"a{n}": address for n, address in enumerate(addresses)}, provenance=trail)
    assert place.gate().call(asked, "m", place.tool).state is State.HELD
    assert "680 more arguments stem from such content" in str(place.last("approval.requested").data["reasons"])

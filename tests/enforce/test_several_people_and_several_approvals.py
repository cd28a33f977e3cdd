"""Four eyes, questions that get old, and several alike at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import ACTIONS, World, pay, world
from tests.running import run_trueup as trueup
from trueup.enforce.approvals import Ask, Decided
from trueup.enforce.request import Request
from trueup.enforce.standing.alike import decide_alike
from trueup.kernel.errors import ConflictError, NotPermittedError, TrueupError, UsageError

FOUR_EYES = ACTIONS.replace(
    "approvers: [lead]", "approvers: [lead, clerk, chief], approvers_needed: 2, escalate_after: 4h"
)


@pytest.fixture
def at(tmp_path: Path) -> World:
    return world(tmp_path, "approve", FOUR_EYES)


def held(at: World, **more: Any) -> str:
    return str(at.gate().call(pay(120, case="c1", **more), "c1/pay", at.tool).approval)


def say(at: World, approval: str, by: str, decision: str = "accept", **more: Any) -> Decided:
    return at.desk.decide(Ask(approval, decision, by, **more), at.policy, at.clock.now(), lambda _: {})


def test_one_of_two_yeses_runs_nothing(at: World) -> None:
    approval = held(at)
    first = say(at, approval, "lead").approval
    assert (first.state, first.seconded_by, first.needed) == ("open", ("lead",), 2)
    assert at.types()[-1] == "approval.seconded"
    assert at.gate().resume(approval, at.tool).state == "held"
    with pytest.raises(NotPermittedError) as refused:
        say(at, approval, "lead")
    assert refused.value.code == "second-person"
    second = say(at, approval, "clerk").approval
    assert (second.state, second.decided_by, second.seconded_by) == ("accepted", "clerk", ("lead",))
    assert at.gate().resume(approval, at.tool).state == "done"
    assert len(at.tool.calls) == 1


def test_one_no_is_enough_and_nobody_edits_what_two_have_to_see(at: World) -> None:
    approval = held(at)
    say(at, approval, "lead")
    with pytest.raises(UsageError) as refused:
        say(at, approval, "clerk", "edit", arguments={"amount": 1})
    assert refused.value.code == "edit-needs-one"
    assert say(at, approval, "clerk", "reject").approval.state == "rejected"
    assert at.gate().resume(approval, at.tool).state == "denied"


def test_who_asked_is_none_of_the_two(at: World) -> None:
    approval = held(at, requester="clerk")
    say(at, approval, "lead")
    with pytest.raises(NotPermittedError):
        say(at, approval, "clerk")
    assert say(at, approval, "chief").approval.state == "accepted"


def test_two_who_say_yes_at_the_same_moment_are_told(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = held(at)
    stale = at.desk.one(approval, at.clock.now())
    say(at, approval, "lead")
    with monkeypatch.context() as patch:
        patch.setattr(type(at.desk), "one", lambda *_: stale)
        with pytest.raises(ConflictError) as refused:
            say(at, approval, "clerk")
    assert refused.value.code == "approval-decided"
    assert at.gate().resume(approval, at.tool).state == "held"


def test_a_question_that_gets_old_may_be_answered_by_whom_it_escalates_to(tmp_path: Path) -> None:
    at = world(tmp_path, "approve", ACTIONS.replace("expires: 2d", "expires: 2d, escalate_after: 4h"))
    approval = held(at)
    with pytest.raises(NotPermittedError):
        say(at, approval, "chief")
    at.clock.move(hours=4)
    [waiting] = at.desk.waiting(at.clock.now())
    shown = waiting.to_json()
    assert (shown["state"], shown["age_seconds"], shown["risk"]) == ("escalated", 4 * 3600, "high")
    assert (shown["approvers"], shown["escalates_at"]) == (["lead", "chief"], "2024-05-06T16:00:00Z")
    assert say(at, approval, "chief").approval.state == "accepted"
    assert at.gate().resume(approval, at.tool).state == "done"


def mails(at: World, count: int) -> list[str]:
    said = [at.gate().call(Request("mail.send", {"to": f"p{n}", "body": "b"}), f"m{n}", at.tool) for n in range(count)]
    return [str(outcome.approval) for outcome in said]


def test_several_that_are_alike_are_accepted_together_or_not_at_all(at: World) -> None:
    found = mails(at, 3)

    def together(approvals: list[str], by: str = "lead") -> list[Decided]:
        asks = [Ask(approval, "accept", by) for approval in approvals]
        return decide_alike(at.desk, asks, at.policy, at.clock.now(), lambda _: {})

    for wrong, by in (([*found, held(at)], "lead"), (found, "clerk"), ([*found, "a-000000000000"], "lead")):
        with pytest.raises(TrueupError):
            together(wrong, by)
    assert "approval.decided" not in at.types()
    assert {one.approval.state for one in together(found)} == {"accepted"}
    with pytest.raises(ConflictError):
        together(found)


def test_one_that_expired_or_was_decided_at_the_moment_keeps_all_from_being_decided(at: World) -> None:
    late = mails(at, 1)
    at.clock.move(hours=23)
    found = mails(at, 4)[1:]

    def together(approvals: list[str], sign: Any = lambda _: {}) -> list[Decided]:
        asks = [Ask(approval, "accept", "lead") for approval in approvals]
        return decide_alike(at.desk, asks, at.policy, at.clock.now(), sign)

    at.clock.move(hours=2)
    with pytest.raises(ConflictError, match="expired, so nothing"):
        together([*found, *late])
    assert "approval.decided" not in at.types()

    def meanwhile(_: bytes) -> dict[str, str]:
        # Somebody else rejects the last one while this person signs the first.
        if "approval.decided" not in at.types():
            at.desk.decide(Ask(found[-1], "reject", "lead"), at.policy, at.clock.now(), lambda _: {})
        return {}

    with pytest.raises(ConflictError):
        together(found, meanwhile)
    assert at.types().count("approval.decided") == 1
    assert {one.approval.state for one in together(found[:-1])} == {"accepted"}


def test_high_impact_is_looked_at_one_by_one(at: World) -> None:
    found = [str(at.gate().call(pay(n), f"s{n}", at.tool).approval) for n in (1, 2)]
    with pytest.raises(UsageError) as refused:
        decide_alike(at.desk, [Ask(one, "accept", "lead") for one in found], at.policy, at.clock.now(), lambda _: {})
    assert refused.value.code == "one-by-one"


@pytest.mark.parametrize("wrong", ["approvers_needed: 0", "approvers_needed: two", "escalate_after: soon"])
def test_what_cannot_be_meant_is_a_finding(tmp_path: Path, wrong: str) -> None:
    at = world(tmp_path, "approve", ACTIONS.replace("expires: 2d", f"expires: 2d, {wrong}"))
    found = trueup("check", at.root, "--json").data["findings"]
    assert any(one["file"] == "workflows/payments.yaml" and one["severity"] == "error" for one in found)

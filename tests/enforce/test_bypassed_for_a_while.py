"""A bypass: an action that asks nobody for a while. It takes away that one question, is on record, and ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import ACTIONS, World, pay, world, write
from tests.running import run_trueup
from trueup.enforce.attempt import Attempt
from trueup.enforce.rehearsal.replay import replay
from trueup.enforce.request import Request, normalised
from trueup.enforce.standing.bypass import Wanted, bypassing
from trueup.enforce.steps import StepIds
from trueup.kernel.errors import UsageError
from trueup.ledger.entry import Entry
from trueup.sdk import governed

HOURS = timedelta(hours=1)


@pytest.fixture
def at(tmp_path: Path) -> World:
    return world(tmp_path, "approve")


def passed(at: World, action: str = "pay", lasts: timedelta | None = 2 * HOURS) -> None:
    wanted = Wanted("payments", action, lasts, "chief", "year end")
    entry = bypassing(at.ledger, at.policy, wanted, at.clock.now(), lambda _: {"claimed": "somebody"})
    at.ledger.append([entry])


def state(at: World, step: str, request: Request | None = None) -> tuple[str, str | None]:
    outcome = at.gate().call(request or pay(), step, at.tool)
    return str(outcome.state), outcome.verdict.decisive if outcome.verdict else None


def test_it_stands_for_the_yes_until_it_ends(at: World) -> None:
    gate = at.gate()
    assert gate.call(Request("mail.send", {"to": "x", "body": "y"}), "before", at.tool).state == "held"
    passed(at)
    # Also in a process that was there before.
    assert gate.call(pay(), "one", at.tool).state == "done"
    assert at.last("action.judged").data["decisive"] == "approval.bypassed"
    at.clock.move(hours=1.99)
    assert state(at, "two") == ("done", "approval.bypassed")
    at.clock.move(hours=0.02)
    assert state(at, "three") == ("held", "payments.pay.approval")
    assert len(at.tool.calls) == 2


def test_it_is_ended_early(at: World) -> None:
    passed(at)
    at.clock.move(minutes=1)
    passed(at, lasts=None)
    assert state(at, "s") == ("held", "payments.pay.approval")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (pay(900), ("denied", "payments.pay.limits.amount.at_most")),
        (pay(untrusted=("amount",)), ("held", "payments.pay.approval")),
        (Request("mail.send", {"to": "x", "body": "y"}), ("held", "payments.mail.approval")),
        (Request("erp.delete"), ("denied", "unlisted-tool")),
        (pay("120"), ("denied", "request.not-a-number")),
    ],
)
def test_everything_else_stays_as_it_is(at: World, request_: Request, expected: tuple[str, str]) -> None:
    passed(at)
    assert state(at, "s", request_) == expected
    assert at.tool.calls == []


def test_limits_count_what_it_lets_through(at: World) -> None:
    passed(at)
    assert [state(at, str(n))[0] for n in range(4)] == ["done", "done", "done", "denied"]


def test_another_policy_or_level_and_the_switch_end_it(at: World, tmp_path: Path) -> None:
    passed(at)
    own = {"own.cedar": 'forbid(principal, action == Action::"pay", resource) unless { context.approved };'}
    changed = world(tmp_path, "approve", policies=own)
    assert changed.gate().call(pay(), "own", changed.tool).state == "held"
    lower = world(tmp_path, "draft")
    assert lower.gate().call(pay(), "draft", lower.tool).state == "held"


def test_a_replay_takes_what_it_let_through_as_said_yes_to(at: World, tmp_path: Path) -> None:
    passed(at)
    assert state(at, "s")[0] == "done"
    kept = at.bodies.digest(pay().body)
    at.bodies.put(kept, pay().body)
    assert replay(at.policy, at.ledger, at.bodies, None, at.clock.now()).to_json()["changed"] == []
    narrower = world(tmp_path, "approve", ACTIONS.replace("500", "100")).policy
    [changed] = replay(narrower, at.ledger, at.bodies, None, at.clock.now()).to_json()["changed"]
    assert (changed["was"], changed["would"]) == ("allow", "deny")


def test_what_cannot_be_bypassed(tmp_path: Path) -> None:
    for level, action, lasts, code in (
        ("approve", "pay", 25 * HOURS, "bypass-too-long"),
        ("approve", "pay", 0 * HOURS, "bypass-too-long"),
        ("draft", "pay", HOURS, "bypass-below-approve"),
        ("act", "pay", HOURS, "nothing-to-bypass"),
        ("approve", "note", HOURS, "nothing-to-bypass"),
    ):
        with pytest.raises(UsageError) as refused:
            passed(world(tmp_path / f"{level}{action}{lasts}", level), action, lasts)
        assert refused.value.code == code
    several = "  pay: {tool: erp.pay, impact: high, approval: always, approvers: [lead, owner], approvers_needed: 2}\n"
    with pytest.raises(UsageError, match="2 people"):
        passed(world(tmp_path / "several", "approve", several))


def run(root: Path, *more: str) -> Any:
    return run_trueup("approvals", "bypass", root, "payments", "pay", *more, "--because", "year end", "--json")


def test_from_the_command_line_by_whoever_may_give_more_autonomy(tmp_path: Path) -> None:
    root = write(tmp_path, "approve")
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8") + "sponsor: chief\n", "utf-8")
    assert run(root, "--for", "2h", "--by", "lead").error["code"] == "may-not-bypass"
    assert run(root, "--for", "2d", "--by", "chief").error["code"] == "bypass-too-long"
    assert run(root, "--for", "soon", "--by", "chief").error["code"] == "bad-span"
    done = run(root, "--for", "2h", "--by", "chief")
    assert done.exit_code == 0
    [listed] = run_trueup("approvals", "list", root, "--json").data["bypasses"]
    assert (listed["action"], listed["by"], listed["until"]) == ("pay", "chief", done.data["until"])
    assert "asks nobody until" in run_trueup("approvals", "list", root).out
    with governed(root, "payments") as gate:
        assert gate.call(pay(), "one", lambda _: None).state == "done"
        # Ending it is what anybody of some standing may do.
        assert run(root, "--end", "--by", "owner").exit_code == 0
        assert gate.call(pay(), "two", lambda _: None).state == "held"
    assert run_trueup("approvals", "list", root, "--json").data["bypasses"] == []
    assert run_trueup("ledger", "verify", root).exit_code == 0


def entry(at: World, event_type: str, data: dict[str, Any]) -> Entry:
    return Entry(event_type, f"{event_type}/{at.ledger.size()}", at.clock.now(), "chief", data)


def test_a_level_that_fell_and_was_raised_again_does_not_open_it_anew(at: World) -> None:
    passed(at)
    fell = {"workflow": "payments", "severity": 1, "incident": "i-1", "what": "paid twice"}
    raised = {"kind": "autonomy", "subject": "payments", "decision": "applied", "outcome": "approve", "because": "so"}
    at.ledger.append([entry(at, "incident.recorded", fell)])
    assert state(at, "b")[0] == "held"
    at.ledger.append([entry(at, "change.decided", raised)])
    assert state(at, "c") == ("held", "payments.pay.approval")
    passed(at)
    assert state(at, "d")[0] == "done"


def test_a_clock_that_is_moved_back_does_not_open_it_anew(at: World) -> None:
    passed(at)
    at.clock.move(hours=2.5)
    gate = at.gate()
    assert gate.call(pay(), "after", at.tool).state == "held"
    at.clock.move(hours=-1)
    assert gate.call(pay(), "back", at.tool).state == "held"
    assert state(at, "back, elsewhere")[0] == "held"


def test_an_intent_that_a_crash_left_over_is_not_let_through_by_one_that_is_over(at: World) -> None:
    passed(at)
    attempt = Attempt(at.policy, StepIds.of("payments", "left"), "left", at.clock.now(), "dead/1")
    at.ledger.append([attempt.intended(normalised(pay()), at.bodies.digest(normalised(pay()).body), {})])
    at.clock.move(hours=3)
    assert state(at, "left") == ("held", "payments.pay.approval")

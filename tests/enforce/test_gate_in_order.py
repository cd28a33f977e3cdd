"""One action, in order: what stands in the ledger when, and what happens when a step of it fails."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import ACTIONS, World, pay, world
from trueup.enforce.gate import Gate
from trueup.enforce.policy import Policy
from trueup.enforce.request import Request
from trueup.enforce.verdict import Verdict, refusal
from trueup.kernel.errors import ConflictError, StorageError, UsageError


@pytest.fixture
def at(tmp_path: Path) -> World:
    return world(tmp_path)


def test_an_allowed_action_leaves_intent_verdict_and_outcome(at: World) -> None:
    outcome = at.gate().call(pay(120, case="c1", requester="clerk"), "c1/pay", at.tool)
    assert (outcome.state, outcome.result) == ("done", {"called": 1})
    assert at.tool.calls == [{"amount": 120}]
    assert at.types() == ["action.intended", "action.judged", "action.finished"]
    intent = at.last("action.intended").data
    assert {key: intent[key] for key in ("workflow", "action", "tool", "step", "case", "requester")} == {
        "workflow": "payments",
        "action": "pay",
        "tool": "erp.pay",
        "step": "c1/pay",
        "case": "c1",
        "requester": "clerk",
    }
    judged = at.last("action.judged").data
    assert (judged["verdict"], judged["decisive"], judged["policy"]) == ("allow", "payments.pay", at.policy.version)
    assert at.last("action.finished").data["ended"] == "done"


@pytest.mark.parametrize(
    ("costs", "expected"),
    [("", {}), (", costs: 0.25", {"cost": 0.25}), (", costs: 0.00001", {})],
    ids=["nothing declared", "declared", "no such amount"],
)
def test_an_outcome_says_what_it_cost_and_what_undoes_it(tmp_path: Path, costs: str, expected: dict[str, Any]) -> None:
    action = f"  pay: {{tool: erp.pay, impact: low, approval: never, reversible_by: erp.refund{costs}}}\n"
    at = world(tmp_path, "act", action)
    at.gate().call(pay(), "s", at.tool)
    finished = at.last("action.finished").data
    assert finished["reversible_by"] == "erp.refund"
    assert {key: finished[key] for key in ("cost",) if key in finished} == expected


def test_the_intent_stands_before_policy_is_asked_and_the_verdict_before_the_call(at: World) -> None:
    seen: list[list[str]] = []

    def tool(_: Any) -> None:
        seen.append(at.types())

    at.gate().call(pay(), "s", tool)
    assert seen == [["action.intended", "action.judged"]]


def test_a_denied_action_never_runs_and_is_on_record(at: World) -> None:
    outcome = at.gate().call(pay(900), "s", at.tool)
    assert outcome.state == "denied"
    assert at.tool.calls == []
    assert at.types() == ["action.intended", "action.judged"]


@pytest.mark.parametrize(
    "request_",
    [
        pay(math.nan),
        pay("\ud800"),
        Request("\ud800" * 900, {}),
        Request("x" * 90_000),
        pay(case="c" * 201),
        pay(120, case=""),
    ],
)
def test_a_request_without_a_form_is_denied_and_on_record(at: World, request_: Request) -> None:
    assert at.gate().call(request_, "s", at.tool).state == "denied"
    assert at.tool.calls == []
    assert at.types() == ["action.intended", "action.judged"]
    assert at.last("action.judged").data["verdict"] == "deny"


def test_the_tool_gets_exactly_what_was_judged(at: World) -> None:
    arguments: dict[str, Any] = {"amount": 120, "lines": [{"text": "one"}]}

    def judge(_: Policy, __: Request, **___: Any) -> Verdict:
        arguments["amount"] = 9000
        arguments["lines"][0]["text"] = "two"
        return original(at.policy, __, **___)

    original = Policy.judge
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Policy, "judge", judge)
        at.gate().call(Request("erp.pay", arguments), "s", at.tool)
    assert at.tool.calls == [{"amount": 120, "lines": [{"text": "one"}]}]


@pytest.mark.parametrize("entry", ["action.intended", "action.judged"])
@pytest.mark.parametrize("error", [OSError("full"), StorageError("cannot-write", "It is full.")])
def test_where_the_ledger_fails_nothing_runs(at: World, entry: str, error: Exception) -> None:
    at.ledger.refuses, at.ledger.error = entry, error
    with pytest.raises(type(error)):
        at.gate().call(pay(), "s", at.tool)
    assert at.tool.calls == []
    at.ledger.refuses = ""
    assert at.gate().call(pay(), "s", at.tool).state == "done", "nothing ran, so it may be asked again"
    assert len(at.tool.calls) == 1


def test_an_outcome_that_cannot_be_written_leaves_the_step_unknown_and_unrepeated(at: World) -> None:
    at.ledger.refuses = "action.finished"
    with pytest.raises(OSError, match="full"):
        at.gate().call(pay(), "s", at.tool)
    at.ledger.refuses = ""
    assert at.gate("two").call(pay(), "s", at.tool).state == "unknown"
    assert len(at.tool.calls) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_call_is_unknown_and_is_not_run_again(at: World, stop: type[BaseException]) -> None:
    def tool(_: Any) -> None:
        raise stop

    with pytest.raises(stop):
        at.gate().call(pay(), "s", tool)
    assert at.gate("two").call(pay(), "s", at.tool).state == "unknown"
    assert at.tool.calls == []


def test_a_call_that_fails_is_on_record_and_raised_on(at: World) -> None:
    def tool(_: Any) -> None:
        raise ValueError("no such account")

    with pytest.raises(ValueError, match="no such account"):
        at.gate().call(pay(), "s", tool)
    finished = at.last("action.finished").data
    assert (finished["ended"], finished["error"]) == ("failed", "ValueError")
    assert at.gate().call(pay(), "s", at.tool).state == "failed"
    assert at.tool.calls == []


def test_a_step_runs_once_however_often_it_is_asked_for(at: World) -> None:
    for runner in ("one", "two"):
        gate = at.gate(runner)
        assert [gate.call(pay(), "s", at.tool).state for _ in range(3)] == ["done"] * 3
    assert len(at.tool.calls) == 1


def test_a_step_is_not_used_for_two_requests(at: World) -> None:
    at.gate().call(pay(120), "s", at.tool)
    with pytest.raises(ConflictError, match="another request"):
        at.gate().call(pay(121), "s", at.tool)


@pytest.mark.parametrize("step", ["", "x" * 201, "a\nb", "\ud800", "a\x00"])
def test_a_step_needs_a_name(at: World, step: str) -> None:
    with pytest.raises(UsageError):
        at.gate().call(pay(), step, at.tool)
    assert at.types() == []


def test_of_many_threads_one_runs_the_step(at: World) -> None:
    gate, states, start = at.gate(), [], threading.Barrier(8)

    def work() -> None:
        start.wait()
        try:
            states.append(str(gate.call(pay(), "s", at.tool).state))
        except ConflictError as error:
            states.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(at.tool.calls) == 1
    assert set(states) <= {"done", "unknown", "step-taken", "entry-exists"}
    assert len(states) == 8


def test_a_policy_that_raises_denies(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Verdict:
        raise RuntimeError("broken")

    monkeypatch.setattr(Policy, "_judged", broken)
    outcome = at.gate().call(pay(), "s", at.tool)
    assert outcome.state == "denied"
    assert outcome.verdict is not None
    assert outcome.verdict.decisive == "gate.error"
    assert at.tool.calls == []


def test_a_limit_a_day_counts_the_ledgers_own_entries(at: World) -> None:
    states = [str(at.gate(f"p{n}").call(pay(), f"s{n}", at.tool).state) for n in range(5)]
    assert states == ["done", "done", "done", "denied", "denied"]
    assert at.last("action.judged").data["decisive"] == "payments.pay.limits.per_day"
    at.clock.move(hours=12)
    assert at.gate().call(pay(), "next day", at.tool).state == "done"


def test_what_was_denied_gives_its_place_back(at: World) -> None:
    gate = at.gate()
    for n in range(9):
        assert gate.call(pay(900), f"too much {n}", at.tool).state == "denied"
    assert [str(gate.call(pay(), f"s{n}", at.tool).state) for n in range(4)] == ["done", "done", "done", "denied"]


def test_held_ones_keep_their_place_until_somebody_says_no(tmp_path: Path) -> None:
    at = world(tmp_path, "approve")
    gate = at.gate()
    held = [gate.call(pay(), f"s{n}", at.tool) for n in range(4)]
    assert [str(outcome.state) for outcome in held] == ["held", "held", "held", "denied"]
    from trueup.enforce.approvals import Ask

    at.desk.decide(Ask(str(held[0].approval), "reject", "lead"), at.policy, at.clock.now(), lambda _: {})
    assert gate.call(pay(), "s5", at.tool).state == "held"


def test_two_that_reserve_at_once_do_not_both_fit(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call comes whole while the first is being judged: which intent is written first has the place."""
    actions = ACTIONS.replace("per_day: 3", "per_day: 1")
    at = world(at.root / "narrow", actions=actions)
    original = Policy.judge
    nested: list[Any] = []

    def judge(self: Policy, request: Request, **more: Any) -> Verdict:
        if not nested:
            nested.append(None)
            nested[0] = at.gate("two").call(pay(7), "second", at.tool)
        return original(self, request, **more)

    monkeypatch.setattr(Policy, "judge", judge)
    first = at.gate("one").call(pay(5), "first", at.tool)
    assert (str(first.state), str(nested[0].state)) == ("denied", "done")
    assert at.tool.calls == [{"amount": 7}]


def test_many_threads_of_one_gate_do_not_exceed_a_limit(at: World) -> None:
    gate, states, start = at.gate(), [], threading.Barrier(8)

    def work(n: int) -> None:
        start.wait()
        states.append(str(gate.call(pay(), f"s{n}", at.tool).state))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Intents that are not decided yet keep their place, so at once fewer than three may pass, never more.
    assert 1 <= len(at.tool.calls) <= 3
    assert states.count("done") == len(at.tool.calls)
    assert at.gate("later").call(pay(), "later", at.tool).state == ("denied" if len(at.tool.calls) == 3 else "done")


def test_a_refusal_says_why_in_one_rule() -> None:
    verdict = refusal("a-reason", "because")
    assert [rule.to_json()["says"] for rule in verdict.rules] == ["because"]


def test_a_gate_opens_without_a_hidden_second_way() -> None:
    public = {name for name in vars(Gate) if not name.startswith("_")}
    assert public == {"call", "call_async", "current", "resume", "resume_async", "take_async"}

"""A verdict is found by what is known, and written only where it would be found again, under the ledger's lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import NOW, Tool, World, pay, world
from trueup.backends.sqlite import SqliteStore
from trueup.enforce.approvals import Ask
from trueup.enforce.gate import Gate
from trueup.enforce.policy import Policy
from trueup.enforce.request import Request
from trueup.ledger.entry import Entry
from trueup.ledger.log import Ledger

TWO = "  pay: {tool: erp.pay, impact: medium, approval: never, limits: {per_day: 2, amount: {per_day: 1000}}}\n"
FREE = "  pay: {tool: erp.pay, impact: medium, approval: never, limits: {amount: {at_most: 500}}}\n"
KILLED = Entry("kill.switched", "kill/programme:/0", NOW, "chief", {"workflow": None, "to": "killed", "because": "now"})
RESUMED = Entry("kill.switched", "kill/programme:/1", NOW, "chief", {"workflow": None, "to": "running"})
INCIDENT: dict[str, Any] = {"workflow": "payments", "severity": 1, "incident": "i-1", "what": "paid twice"}
FALLEN = Entry("incident.recorded", "incident/i-1", NOW, "owner", INCIDENT)
PINNED = Entry(
    "tool.pinned",
    "tool/pinned/payments/erp.pay/1",
    NOW,
    "owner",
    {"workflow": "payments", "tool": "erp.pay", "definition": "sha256:other", "replaces": None, "because": "x"},
)


class Asked:
    """Cedar, and what happens right after each of its answers, while nothing is written yet."""

    def __init__(self, policy: Policy, *between: Callable[[], Any]) -> None:
        self._policy = policy
        self._between = list(between)
        self.times = 0

    def __call__(self, questions: list[dict[str, Any]]) -> list[Any]:
        answers = self._policy.ask(questions)
        self.times += 1
        if self._between:
            self._between.pop(0)()
        return answers


def other(at: World) -> Ledger:
    """Open the ledger as another process does."""
    return Ledger(SqliteStore(at.root / "ledger.db"), at.clock, None, "test.example/log")


def gate_with(at: World, *between: Callable[[], Any]) -> tuple[Gate, Asked]:
    asked = Asked(at.policy, *between)
    gate = Gate(at.programme, replace(at.policy, ask=asked), at.ledger, at.bodies, at.clock, "one")
    return gate, asked


def ask_elsewhere(at: World, ledger: Ledger, step: str, request: Request | None = None) -> Callable[[], Any]:
    gate = Gate(at.programme, at.policy, ledger, at.bodies, at.clock, f"other of {step}")
    return lambda: gate.call(request or pay(), step, Tool())


@pytest.mark.parametrize("actions", [FREE, TWO], ids=["unlimited", "limited"])
@pytest.mark.parametrize("warm", [False, True])
def test_a_switch_thrown_between_verdict_and_writing_stops_it(tmp_path: Path, actions: str, *, warm: bool) -> None:
    at = world(tmp_path, actions=actions)
    with closing(other(at)) as elsewhere:
        steps: list[Callable[[], Any]] = [lambda: elsewhere.append([KILLED])]
        gate, asked = gate_with(at, *([lambda: None] if warm else []), *steps)
        if warm:
            assert gate.call(pay(), "before", at.tool).state == "done"
        found = gate.call(pay(), "a", at.tool)
        assert (found.state, len(at.tool.calls)) == ("denied", int(warm))
        assert found.verdict is not None
        assert found.verdict.decisive == "killed"
        elsewhere.append([RESUMED])
        assert gate.call(pay(), "b", at.tool).state != "unknown"
        assert asked.times >= 1


def test_a_level_that_fell_and_a_tool_pinned_anew_are_seen_as_well(tmp_path: Path) -> None:
    at = world(tmp_path / "level", actions=FREE.replace("never", "until-act"))
    with closing(other(at)) as elsewhere:
        gate, _ = gate_with(at, lambda: elsewhere.append([FALLEN]))
        assert gate.call(pay(), "a", at.tool).state == "held"
    at = world(tmp_path / "pin", actions=FREE)
    first = replace(
        PINNED, id="tool/pinned/payments/erp.pay/0", by=None, data={**PINNED.data, "definition": "sha256:one"}
    )
    at.ledger.append([first])
    with closing(other(at)) as elsewhere:
        gate, _ = gate_with(at, lambda: elsewhere.append([PINNED]))
        found = gate.call(pay(definition="sha256:one"), "a", at.tool)
        assert found.verdict is not None
        assert (found.state, found.verdict.decisive, at.tool.calls) == ("denied", "definition.changed", [])


def test_the_last_place_goes_to_who_writes_first(tmp_path: Path) -> None:
    at = world(tmp_path, actions=TWO)
    with closing(other(at)) as elsewhere:
        at.gate("zero").call(pay(), "z", at.tool)
        gate, _ = gate_with(at, ask_elsewhere(at, elsewhere, "x"))
        assert gate.call(pay(), "a", at.tool).state == "denied"
        assert at.last("action.judged").data["decisive"] == "payments.pay.limits.per_day"


def test_who_is_overtaken_all_the_time_takes_a_place_first(tmp_path: Path) -> None:
    own = {"own.cedar": "forbid(principal, action, resource) when { context.today > 1000 };"}
    at = world(tmp_path, actions=TWO.replace("per_day: 2", "per_day: 9"), policies=own)
    with closing(other(at)) as elsewhere:
        gate, asked = gate_with(at, *(ask_elsewhere(at, elsewhere, f"x{n}", pay(1)) for n in range(9)))
        assert gate.call(pay(), "a", at.tool).state == "done"
        assert asked.times == 4
        types = [item.type for item in at.ledger.entries()]
        assert types.count("action.intended") == types.count("action.judged") == 5


@pytest.mark.parametrize("own", ["", "forbid(principal, action, resource) when { context.today > 1000 };"])
def test_what_others_do_meanwhile_costs_no_second_question_unless_it_matters(tmp_path: Path, own: str) -> None:
    at = world(tmp_path, actions=TWO.replace("per_day: 2", "per_day: 9"), policies={"own.cedar": own} if own else None)
    with closing(other(at)) as elsewhere:
        gate, asked = gate_with(at, lambda: None, ask_elsewhere(at, elsewhere, "x"))
        assert [gate.call(pay(), step, at.tool).state for step in "ab"] == ["done", "done"]
        assert asked.times == (3 if own else 2)
    assert [item.entry.data["step"] for item in at.ledger.entries("action.judged")] == ["a", "x", "b"]


def test_a_step_that_somebody_else_took_meanwhile_is_not_run_again(tmp_path: Path) -> None:
    """Even by a process of the same name, with the same clock: what both would write is the same to the byte."""
    at = world(tmp_path, actions=FREE)
    with closing(other(at)) as elsewhere:
        twin = Gate(at.programme, at.policy, elsewhere, at.bodies, at.clock, "one")
        gate, _ = gate_with(at, lambda: twin.call(pay(), "a", at.tool))
        assert gate.call(pay(), "a", at.tool).state == "done"
        assert len(at.tool.calls) == 1
        with pytest.raises(Exception, match="another request"):
            gate.call(pay(7), "a", at.tool)
    assert at.types() == ["action.intended", "action.judged", "action.finished"]


def test_a_yes_does_not_outrun_the_switch(tmp_path: Path) -> None:
    at = world(tmp_path, actions=FREE.replace("never", "always"))
    held = at.gate().call(pay(), "a", at.tool).approval
    assert held is not None
    at.desk.decide(Ask(held, "accept", "owner"), at.policy, NOW, lambda _: {})
    with closing(other(at)) as elsewhere:
        gate, _ = gate_with(at, lambda: elsewhere.append([KILLED]))
        assert gate.resume(held, at.tool).state == "denied"
    assert at.tool.calls == []


@pytest.mark.parametrize("approval", ["until-act", "always"])
def test_what_another_thread_has_seen_fall_is_not_judged_by_the_level_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, approval: str
) -> None:
    """Threads share what was read of the ledger: its size may have moved on since one of them took the policy."""
    at = world(tmp_path, actions=FREE.replace("never", approval))
    with closing(other(at)) as elsewhere:
        gate = at.gate()
        held = gate.call(pay(), "before", at.tool).approval
        if held is not None:
            at.desk.decide(Ask(held, "accept", "owner"), at.policy, NOW, lambda _: {})
        judge, looked = gate._judge, gate._judge.look

        def look(when: datetime) -> Policy:
            policy = looked(when)
            if elsewhere.find(FALLEN.id) is None:
                elsewhere.append([FALLEN])
                judge._tail.look()
            return policy

        for name in ("look", "ready"):
            monkeypatch.setattr(judge, name, look)
        outcome = gate.call(pay(), "a", at.tool) if held is None else gate.resume(held, at.tool)
        assert outcome.state == ("held" if held is None else "denied")
        assert len(at.tool.calls) == (held is None)
        assert at.last("action.judged").data["policy"] == gate.current().version != at.policy.version

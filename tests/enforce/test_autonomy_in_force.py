"""The level that a gate keeps: what was signed at most, and less from the moment the ledger says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.enforce.governed import NOW, World, pay, world, write
from trueup.declare.model.workflow import AutonomyLevel
from trueup.declare.read import read_programme
from trueup.enforce.approvals import Ask
from trueup.enforce.autonomy.outcomes import Outcomes
from trueup.enforce.autonomy.rung import Rungs, basis_of, below, lower, policy_in_force, set_level
from trueup.enforce.autonomy.watching import Watch, look_once
from trueup.enforce.policy import compile_policy
from trueup.kernel.canonical import Json
from trueup.kernel.errors import NotFoundError
from trueup.ledger.entry import Entry

DECIDED: dict[str, Json] = {"kind": "autonomy", "subject": "payments", "decision": "applied", "because": "shown"}
PROMISE = "autonomy: {level: LEVEL, wrong_at_most: 5%, sure: 95%}"


def promising(root: Path, level: str) -> World:
    """A workflow that promises at most 5% wrong."""
    at = world(root, level)
    file = root / "workflows" / "payments.yaml"
    text = file.read_text("utf-8").replace(f"autonomy: {{level: {level}}}", PROMISE.replace("LEVEL", level))
    file.write_text(text.replace(", per_day: 3", ""))
    return replace(at, programme=read_programme(root, date(2024, 5, 6)).programme)


def reviewed(at: World, n: int, *, wrong: bool = True, blind: bool = True, start: int = 0) -> None:
    for number in range(start, start + n):
        data: dict[str, Json] = {
            "workflow": "payments",
            "case": f"c{number}",
            "wrong": wrong,
            "blind": blind,
            "share": 0.1,
        }
        at.ledger.append([Entry("outcome.reviewed", f"outcome/payments/{number}", NOW, "clerk", data)])


def level_of(at: World) -> AutonomyLevel | None:
    return Rungs(at.ledger, "payments").now().level


def test_two_levels_in_order() -> None:
    assert lower(AutonomyLevel.ACT, AutonomyLevel.DRAFT) is AutonomyLevel.DRAFT
    assert below(AutonomyLevel.ACT) is AutonomyLevel.APPROVE
    assert below(AutonomyLevel.SHADOW) is AutonomyLevel.SHADOW


def test_without_a_promise_nothing_is_noted_and_the_file_alone_counts(tmp_path: Path) -> None:
    at = world(tmp_path)
    assert at.gate().call(pay(), "s", at.tool).state == "done"
    assert "autonomy.set" not in at.types()
    assert level_of(at) is None


def test_the_first_gate_notes_what_acts(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    assert at.gate().call(pay(), "s", at.tool).state == "done"
    noted = at.last("autonomy.set").data
    assert (noted["cause"], noted["to"], noted["basis"]) == ("noted", "act", basis_of(at.programme, "payments"))
    at.gate("two").call(pay(), "t", at.tool)
    assert at.types().count("autonomy.set") == 1


def test_an_alarm_holds_for_the_next_action_in_every_process(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    one, two = at.gate("one"), at.gate("two")
    assert one.call(pay(), "a", at.tool).state == two.call(pay(), "b", at.tool).state == "done"
    reviewed(at, 30)
    fall = look_once(at.programme, "payments", at.ledger, NOW)
    assert fall is not None
    assert (fall.to, level_of(at)) == ("approve", "approve")
    assert "30 wrong of 30 reviewed, at most 5% allowed" in fall.because
    assert [gate.call(pay(), step, at.tool).state for gate, step in ((one, "c"), (two, "d"))] == ["held", "held"]
    assert policy_in_force(at.programme, "payments", at.ledger).level == "approve"


def test_one_alarm_takes_one_rung_and_the_next_rung_starts_afresh(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    reviewed(at, 30)
    watch = Watch(at.programme, "payments", at.ledger)
    assert watch.look(NOW) is not None
    assert watch.look(NOW) is None
    assert look_once(at.programme, "payments", at.ledger, NOW) is None
    reviewed(at, 30, start=30)
    fall = watch.look(NOW)
    assert fall is not None
    assert (fall.to, watch.state.reviewed) == ("draft", 30)
    reviewed(at, 30, start=60)
    assert watch.look(NOW) is None


def test_of_two_processes_that_see_the_alarm_one_takes_the_rung(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    reviewed(at, 30)
    change = {"from": "act", "to": "approve", "cause": "alarm", "because": "x", "basis": None}
    assert set_level(at.ledger, "payments", change, NOW) is not None
    index = at.ledger.append([Entry("autonomy.set", "autonomy/payments/1", NOW, None, {"workflow": "letters"})])[0]
    assert index >= 0
    assert set_level(at.ledger, "payments", {**change, "to": "draft"}, NOW) is None
    assert level_of(at) == "approve"


@pytest.mark.parametrize(
    ("kind", "data", "by"),
    [
        ("incident.recorded", {"workflow": "payments", "incident": "leak", "severity": 1, "what": "x"}, "owner"),
        ("kill.switched", {"workflow": "payments", "to": "killed", "because": "x"}, "owner"),
        ("kill.switched", {"workflow": None, "to": "killed", "because": "x"}, "owner"),
        ("tool.pinned", {"workflow": "payments", "tool": "erp.pay", "definition": "d"}, "owner"),
    ],
)
def test_what_takes_the_level_to_draft(tmp_path: Path, kind: str, data: dict[str, Json], by: str) -> None:
    at = promising(tmp_path, "act")
    gate = at.gate()
    gate.call(pay(), "a", at.tool)
    at.ledger.append([Entry(kind, "e/1", NOW, by, data)])
    assert level_of(at) == "draft"
    if kind != "kill.switched":
        assert gate.call(pay(), "b", at.tool).state == "held"


@pytest.mark.parametrize(
    ("kind", "data", "by"),
    [
        ("incident.recorded", {"workflow": "payments", "incident": "late", "severity": 2, "what": "x"}, "owner"),
        ("incident.recorded", {"workflow": "letters", "incident": "leak", "severity": 1, "what": "x"}, "owner"),
        ("kill.switched", {"workflow": "letters", "to": "killed", "because": "x"}, "owner"),
        ("kill.switched", {"workflow": "payments", "to": "running", "because": "x"}, "owner"),
        ("tool.pinned", {"workflow": "payments", "tool": "erp.pay", "definition": "d"}, None),
        (
            "change.decided",
            {"kind": "autonomy", "subject": "payments", "decision": "declined", "outcome": "draft"},
            "a",
        ),
        ("change.decided", {"kind": "autonomy", "subject": "payments", "decision": "applied", "outcome": "hold"}, "a"),
        ("change.decided", {"kind": "gate", "subject": "payments", "decision": "applied", "outcome": "go"}, "a"),
    ],
)
def test_what_leaves_the_level_alone(tmp_path: Path, kind: str, data: dict[str, Json], by: str | None) -> None:
    at = promising(tmp_path, "act")
    at.ledger.append([Entry(kind, "e/1", NOW, by, data)])
    assert level_of(at) is None


def test_another_policy_takes_the_level_to_draft_and_restarts_the_evidence(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    at.gate().call(pay(), "a", at.tool)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "more.cedar").write_text('forbid(principal, action == Action::"mail", resource);\n')
    assert at.gate("two").call(pay(), "b", at.tool).state == "held"
    rung = Rungs(at.ledger, "payments").now()
    assert (rung.level, rung.cause) == ("draft", "basis")
    reviewed(at, 1)
    assert [one.index > rung.since for one in Outcomes(at.ledger, "payments").more()] == [True]


def test_a_file_that_was_raised_by_hand_does_not_raise_the_level(tmp_path: Path) -> None:
    at = promising(tmp_path, "draft")
    at.gate().call(pay(), "a", at.tool)
    text = (tmp_path / "workflows" / "payments.yaml").read_text("utf-8").replace("level: draft", "level: act")
    (tmp_path / "workflows" / "payments.yaml").write_text(text)
    raised = replace(at, programme=read_programme(tmp_path, date(2024, 5, 6)).programme)
    assert raised.policy.level == "act"
    assert raised.gate("two").call(pay(), "b", at.tool).state == "held"
    at.ledger.append([Entry("change.decided", "d/1", NOW, "chief", {**DECIDED, "outcome": "act"})])
    assert raised.gate("three").call(pay(), "c", at.tool).state == "done"


def test_a_level_that_nobody_knows_is_the_lowest(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    at.ledger.append([Entry("autonomy.set", "x", NOW, None, {"workflow": "payments", "to": "boundless"})])
    assert level_of(at) == "shadow"
    assert at.gate().call(pay(), "b", at.tool).state == "denied"


def test_a_broken_policy_stays_broken_at_every_level(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    at.ledger.append([Entry("autonomy.set", "x", NOW, None, {"workflow": "payments", "to": "draft"})])
    broken = replace(at.policy, broken="nothing can be read")
    gate = at.gate()
    gate._judge.policy = broken
    assert gate.call(pay(), "b", at.tool).state == "denied"


def test_decisions_of_people_are_outcomes(tmp_path: Path) -> None:
    at = promising(tmp_path, "approve")
    gate = at.gate()
    for step, decision, amount in (("a", "accept", None), ("b", "edit", 90), ("c", "edit", 120), ("d", "reject", None)):
        held = gate.call(pay(120, case=step), step, at.tool)
        assert held.approval is not None
        arguments = None if amount is None else {"amount": amount}
        ask = Ask(held.approval, decision, "lead", arguments, "because")
        at.desk.decide(ask, at.policy, NOW, lambda _: {"claimed": "test"})
    found = Outcomes(at.ledger, "payments").more()
    assert [(one.case, one.wrong, one.blind) for one in found] == [
        ("a", False, False),
        ("b", True, False),
        ("c", False, False),
        ("d", True, False),
    ]
    assert Outcomes(at.ledger, "letters").more() == []


def test_the_no_that_is_one_too_many_takes_the_level_back(tmp_path: Path) -> None:
    at = promising(tmp_path, "approve")
    gate, fell = at.gate(), None
    for number in range(20):
        held = gate.call(pay(120, case=f"c{number}"), f"c{number}", at.tool)
        assert held.approval is not None
        at.desk.decide(Ask(held.approval, "reject", "lead", because="no"), at.policy, NOW, lambda _: {"claimed": "t"})
        fell = level_of(at)
        if fell == "draft":
            break
    assert fell == "draft"
    assert at.last("autonomy.set").data["cause"] == "alarm"


def test_at_act_only_what_was_drawn_blind_counts(tmp_path: Path) -> None:
    at = promising(tmp_path, "act")
    reviewed(at, 30, blind=False)
    assert look_once(at.programme, "payments", at.ledger, NOW) is None


def test_unknown_workflows_have_no_level_to_lose(tmp_path: Path) -> None:
    at = world(write(tmp_path))
    assert look_once(at.programme, "nowhere", at.ledger, NOW) is None
    with pytest.raises(NotFoundError):
        policy_in_force(at.programme, "nowhere", at.ledger)
    assert (
        policy_in_force(at.programme, "payments", at.ledger).version == compile_policy(at.programme, "payments").version
    )

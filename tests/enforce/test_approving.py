"""A person's yes: bound to what was seen, good once, in time, and by somebody who may."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import ACTIONS, World, pay, world
from trueup.enforce.approvals import Ask, Decided
from trueup.enforce.asking.approval import Approval
from trueup.enforce.request import Request
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError, TrueupError, UsageError


@pytest.fixture
def at(tmp_path: Path) -> World:
    return world(tmp_path, "approve")


def held(at: World, step: str = "c1/pay", **more: Any) -> str:
    outcome = at.gate().call(pay(120, case="c1", **more), step, at.tool)
    assert outcome.state == "held"
    assert outcome.approval is not None
    return outcome.approval


def decide(at: World, approval: str, decision: str = "accept", by: str = "lead", **more: Any) -> Decided:
    return at.desk.decide(
        Ask(approval, decision, by, **more), at.policy, at.clock.now(), lambda _: {"claimed": "somebody"}
    )


def one(at: World, approval: str) -> Approval:
    return at.desk.one(approval, at.clock.now())


def test_a_held_step_waits_with_all_that_an_approver_needs(at: World) -> None:
    approval = held(at, requester="clerk")
    assert at.tool.calls == []
    assert at.types() == ["action.intended", "action.judged", "approval.requested"]
    [waiting] = at.desk.waiting(at.clock.now())
    shown = waiting.to_json()
    assert shown["id"] == approval
    assert shown["arguments"] == {"amount": 120}
    assert shown["reasons"] == ["a person decides until the level act is reached (now: approve)"]
    assert shown["approvers"] == ["lead"]
    assert shown["expires_at"] == "2024-05-08T12:00:00Z"
    assert (shown["reversible_by"], shown["requester"], shown["state"]) == ("erp.refund", "clerk", "open")


def test_accepting_runs_nothing_and_resuming_runs_it_once(at: World) -> None:
    approval = held(at)
    assert at.gate().resume(approval, at.tool).state == "held"
    decided = decide(at, approval, because="seen the form")
    assert (decided.approval.state, decided.approval.decided_by, decided.approval.because) == (
        "accepted",
        "lead",
        "seen the form",
    )
    assert at.tool.calls == []
    outcome = at.gate("another process").resume(approval, at.tool)
    assert (outcome.state, outcome.result) == ("done", {"called": 1})
    assert at.tool.calls == [{"amount": 120}]
    assert one(at, approval).state == "used"
    for runner in ("one", "two"):
        with pytest.raises(ConflictError, match="good for one call"):
            at.gate(runner).resume(approval, at.tool)
    assert at.gate().call(pay(120, case="c1"), "c1/pay", at.tool).state == "done"
    assert len(at.tool.calls) == 1


def test_the_decision_names_digest_policy_and_person(at: World) -> None:
    approval = held(at)
    decide(at, approval)
    entry = at.last("approval.decided")
    assert entry.by == "lead"
    assert entry.data["digest"] == pay(120).digest
    assert entry.data["policy"] == at.policy.version
    assert entry.data["claimed"] == "somebody"


# The four refusals.


def test_who_is_no_approver_may_not(at: World) -> None:
    approval = held(at)
    for who in ("clerk", "owner", "chief"):
        for decision in ("accept", "edit", "reject"):
            with pytest.raises(NotPermittedError) as refused:
                decide(at, approval, decision, who, arguments={"amount": 1})
            assert refused.value.code == "not-an-approver"
            assert "lead" in refused.value.hint
    with pytest.raises(NotPermittedError) as refused:
        decide(at, approval, by="nobody")
    assert refused.value.code == "unknown-person"
    assert "approval.decided" not in at.types()


@pytest.mark.parametrize(
    "requester", ["lead", "LEAD", "L. Ead", "lead@test.example", " lead ", "ｌｅａｄ", "le\u200bad", "L.  Ead"]
)
def test_nobody_approves_their_own_request(at: World, requester: str) -> None:
    approval = held(at, requester=requester)
    with pytest.raises(NotPermittedError) as refused:
        decide(at, approval)
    assert refused.value.code == "own-request"


def test_after_its_time_it_is_a_no(at: World) -> None:
    approval = held(at)
    at.clock.move(days=2)
    decided = decide(at, approval)
    assert decided.denied is not None
    assert decided.denied.decisive == "approval.expired"
    assert at.desk.waiting(at.clock.now()) == []
    outcome = at.gate().resume(approval, at.tool)
    assert outcome.state == "denied"
    assert at.tool.calls == []


def test_it_is_decided_once(at: World) -> None:
    approval = held(at)
    decide(at, approval)
    for decision in ("accept", "reject", "edit", "escalate"):
        with pytest.raises(ConflictError) as refused:
            decide(at, approval, decision, arguments={"amount": 1})
        assert refused.value.code == "approval-decided"


# What an approval is bound to.


def test_a_yes_that_is_not_used_in_time_is_a_no(at: World) -> None:
    approval = held(at)
    decide(at, approval)
    at.clock.move(days=3)
    outcome = at.gate().resume(approval, at.tool)
    assert outcome.state == "denied"
    assert outcome.verdict is not None
    assert outcome.verdict.decisive == "approval.expired"
    assert at.tool.calls == []


def test_a_rejected_step_never_runs(at: World) -> None:
    approval = held(at)
    decide(at, approval, "reject", because="wrong account")
    assert at.gate().resume(approval, at.tool).state == "denied"
    assert at.gate().call(pay(120, case="c1"), "c1/pay", at.tool).state == "denied"
    assert at.tool.calls == []


def test_another_policy_voids_a_yes(at: World) -> None:
    before, approved = held(at, "before"), held(at, "approved")
    decide(at, approved)
    changed = world(at.root, "approve", ACTIONS.replace("at_most: 500", "at_most: 600"))
    changed.tool = at.tool
    with pytest.raises(ConflictError) as refused:
        decide(changed, before)
    assert refused.value.code == "policy-changed"
    outcome = changed.gate().resume(approved, at.tool)
    assert outcome.state == "denied"
    assert outcome.verdict is not None
    assert outcome.verdict.decisive == "approval.policy-changed"
    assert at.tool.calls == []


OWN = """\
forbid(principal, action == Action::"pay", resource) unless {
  context.sources.contains("register") && context has confidence && context.confidence.greaterThan(decimal("0.5"))
};
"""


@pytest.mark.parametrize("edited", [None, {"amount": 90}])
def test_own_policies_are_asked_about_the_same_answer_after_a_yes(
    tmp_path: Path, edited: dict[str, Any] | None
) -> None:
    at = world(tmp_path, "approve", policies={"own.cedar": OWN})
    approval = held(at, confidence=0.7, sources=("register",))
    decided = decide(at, approval, "edit" if edited else "accept", arguments=edited)
    assert decided.denied is None
    assert at.gate().resume(approval, at.tool).state == "done"
    assert at.tool.calls == [edited or {"amount": 120}]


def test_arguments_that_were_altered_or_erased_void_a_yes(at: World) -> None:
    altered, erased = held(at, "altered"), held(at, "erased")
    decide(at, altered)
    [body] = (at.root / "bodies").iterdir()
    body.write_text('{"arguments":{"amount":499},"tool":"erp.pay"}')
    assert at.gate().resume(altered, at.tool).state == "denied"
    body.unlink()
    assert one(at, erased).arguments is None
    with pytest.raises(ConflictError) as refused:
        decide(at, erased)
    assert refused.value.code == "arguments-gone"
    assert decide(at, erased, "reject").approval.state == "rejected"
    assert at.tool.calls == []


def test_bodies_are_readable_for_their_owner_alone(at: World) -> None:
    held(at)
    [body] = (at.root / "bodies").iterdir()
    assert body.stat().st_mode & 0o077 == 0


def test_an_edit_runs_what_was_edited(at: World) -> None:
    approval = held(at)
    decided = decide(at, approval, "edit", arguments={"amount": 99.5})
    assert decided.approval.state == "edited"
    assert decided.approval.arguments == {"amount": 99.5}
    assert at.gate().resume(approval, at.tool).state == "done"
    assert at.tool.calls == [{"amount": 99.5}]


@pytest.mark.parametrize("arguments", [{"amount": 501}, {"amount": -1}, {}, {"amount": "5"}, {"amount": float("nan")}])
def test_an_edit_stays_within_policy(at: World, arguments: dict[str, Any]) -> None:
    approval = held(at)
    decided = decide(at, approval, "edit", arguments=arguments)
    assert decided.denied is not None
    assert decided.approval.state == "open"
    assert "approval.decided" not in at.types()


def test_an_edit_needs_arguments(at: World) -> None:
    with pytest.raises(UsageError):
        decide(at, held(at), "edit")


def test_escalating_lets_somebody_else_decide_and_does_not_decide(at: World) -> None:
    approval = held(at, requester="lead")
    decided = decide(at, approval, "escalate", "lead", because="mine")
    assert decided.approval.state == "escalated"
    assert decided.approval.approvers == ("lead", "chief")
    assert [item.id for item in at.desk.waiting(at.clock.now())] == [approval]
    with pytest.raises(ConflictError):
        decide(at, approval, "escalate", "clerk")
    with pytest.raises(NotPermittedError):
        decide(at, approval, by="lead")
    assert decide(at, approval, by="chief").approval.state == "accepted"
    assert at.gate().resume(approval, at.tool).state == "done"


def test_where_nobody_is_named_roles_decide(tmp_path: Path) -> None:
    at = world(tmp_path, "act")
    outcome = at.gate().call(Request("mail.send", {"to": "a", "body": "b"}), "mail", at.tool)
    [waiting] = at.desk.waiting(at.clock.now())
    assert waiting.approvers == ("owner", "lead")
    assert waiting.expires_at == at.clock.now().replace(day=7), "a day, where nothing is declared"
    assert outcome.state == "held"


def test_an_approval_of_somebody_who_has_left_decides_nothing(tmp_path: Path) -> None:
    at = world(tmp_path, "approve", ACTIONS.replace("[lead]", "[gone]"))
    assert at.desk.approvers(at.policy.actions["pay"]) == ()


@pytest.mark.parametrize("name", ["a-000000000000", "", "../a", "é", "x" * 999])
def test_an_approval_that_is_not_there(at: World, name: str) -> None:
    for call in (lambda: one(at, name), lambda: decide(at, name), lambda: at.gate().resume(name, at.tool)):
        with pytest.raises(NotFoundError):
            call()


def test_of_many_threads_one_uses_the_approval(at: World) -> None:
    approval = held(at)
    decide(at, approval)
    said, start = [], threading.Barrier(6)

    def work(n: int) -> None:
        gate = at.gate(f"process {n}")
        start.wait()
        try:
            said.append(str(gate.resume(approval, at.tool).state))
        except TrueupError as error:
            said.append(error.code)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["approval-used"] * 5 + ["done"]
    assert len(at.tool.calls) == 1


@pytest.mark.parametrize("entry", ["action.judged", "action.finished"])
def test_a_ledger_that_fails_at_the_resumption(at: World, entry: str) -> None:
    approval = held(at)
    decide(at, approval)
    at.ledger.refuses = entry
    with pytest.raises(OSError, match="full"):
        at.gate().resume(approval, at.tool)
    assert len(at.tool.calls) == (entry == "action.finished")
    at.ledger.refuses = ""
    if entry == "action.judged":
        assert at.gate().resume(approval, at.tool).state == "done"
    else:
        assert at.gate().call(pay(120, case="c1"), "c1/pay", at.tool).state == "unknown"
    assert len(at.tool.calls) == 1

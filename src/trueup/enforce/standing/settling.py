"""Steps of which nobody knows whether they happened: shown to people, settled by one, never run again.

An allowed step without an outcome is under way, or its process died, or the tool did not answer in time. Somebody
looks into the system that was acted on, and says what they found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.steps import State, StepIds, state_of
from trueup.kernel.canonical import canonical
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import NotFoundError, NotPermittedError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.enforce.approvals import Desk
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

    Sign = Callable[[bytes], Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An allowed step without an outcome."""

    id: str
    workflow: str
    action: str | None
    tool: str
    step: str
    case: str | None
    since: datetime
    intent: str

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "action": self.action,
            "tool": self.tool,
            "step": self.step,
            "case": self.case,
            "since": format_instant(self.since),
        }


def unknown_steps(ledger: Ledger) -> list[Unknown]:
    """Return what was allowed and has no outcome, oldest first. What is under way just now is among it."""
    seen: dict[str, Recorded] = {}
    for item in ledger.entries("action.judged"):
        if item.entry.data.get("verdict") == "allow":
            seen[str(item.entry.data.get("intent"))] = item
    found = (_unknown(ledger, intent, item) for intent, item in seen.items())
    return [step for step in found if step is not None]


def settle(
    desk: Desk, step: str, *, happened: bool, by: str, because: str, at: datetime, sign: Sign
) -> tuple[Unknown, int]:
    """Record what a person found out about an unknown step; return it with the entry's index.

    Raises NotFoundError, and NotPermittedError for whoever may not decide on such an action.
    """
    found = next((item for item in unknown_steps(desk.ledger) if item.id == step), None)
    if found is None:
        hint = "See what is unknown:\n    trueup approvals unknown DIR"
        raise NotFoundError("no-such-step", f"There is no unknown step {step!a}.", hint)
    workflow = desk.programme.workflows.get(found.workflow)
    action = workflow.actions.get(found.action or "") if workflow else None
    able = desk.approvers(action) if action else ()
    if by not in able:
        names = ", ".join(able) or "nobody is declared who may"
        raise NotPermittedError("not-an-approver", f"{by!r} may not settle {found.action!r}.", f"These may: {names}.")
    data: dict[str, Json] = {
        "workflow": found.workflow,
        "action": found.action,
        "step": found.step,
        "intent": found.intent,
        "happened": happened,
        "because": because,
    }
    entry = Entry("action.settled", StepIds.of_intent(found.intent).settled, at, by, {**data, **sign(canonical(data))})
    return found, desk.ledger.append([entry])[0]


def _unknown(ledger: Ledger, intent: str, item: Recorded) -> Unknown | None:
    ids = StepIds.of_intent(intent)
    asked = ledger.find(intent)
    if asked is None or state_of(ledger, ids) is not State.UNKNOWN:
        return None
    data = asked.entry.data
    action, case = data.get("action"), data.get("case")
    return Unknown(
        ids.approval,
        str(data.get("workflow")),
        action if isinstance(action, str) else None,
        str(data.get("tool")),
        str(data.get("step")),
        case if isinstance(case, str) else None,
        item.entry.time,
        intent,
    )

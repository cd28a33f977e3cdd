"""What undoes a step that took effect: the declared tool, asked for by a person, through the same gate, once.

The tool has to be an action of the workflow, as everything that a workflow does: its own approvals and limits hold, and
whoever asks for it does not approve it. That it undoes which step stands in its step's name, and so in the ledger.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.request import Request
from trueup.enforce.standing.stale import as_they_stand
from trueup.enforce.steps import State, StepIds, state_of
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.declare.model.workflow import Action, Workflow
    from trueup.enforce.approvals import Desk
    from trueup.kernel.canonical import Json

_WAITS = frozenset({"open", "escalated", "accepted", "edited"})
_NAMES = "Steps are named as approvals and receipts are (a-...):\n    trueup ledger receipt DIR"


@dataclass(frozen=True, slots=True)
class Reversal:
    """The call that undoes the step `of`, and the step under which it is asked for; `by` is who asks."""

    of: str
    workflow: str
    undoes: str
    action: str
    tool: str
    case: str | None
    arguments: Mapping[str, Json]
    by: str
    step: str

    def request(self, definition: str | None = None) -> Request:
        """Return it as a request; `definition` is the digest of what the tool's server says of the tool."""
        return Request(self.tool, self.arguments, self.action, self.case, self.by, definition=definition)

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "of": self.of,
            "workflow": self.workflow,
            "undoes": self.undoes,
            "action": self.action,
            "tool": self.tool,
            "case": self.case,
            "arguments": dict(self.arguments),
            "by": self.by,
            "step": self.step,
        }


def reversal_of(desk: Desk, name: str, by: str, at: datetime, arguments: Mapping[str, Json] | None = None) -> Reversal:
    """Return what undoes the step that is called `name`, with the step's own arguments unless others are given.

    Raises NotFoundError for a step that nobody knows, ConflictError for one that did not take effect, UsageError where
    no declared action undoes it or its arguments are not kept, NotPermittedError for whoever may not ask.
    """
    ids, data = _done(desk, name)
    declared = desk.programme.workflows.get(str(data["workflow"]))
    undone = declared.actions.get(str(data["action"])) if declared else None
    if declared is None or undone is None:
        raise UsageError("no-reversal", f"The action of {name!r} is not declared any more.", "Declare it again.")
    key, action = _undoing(name, declared, str(data["action"]), undone)
    _require_may(desk, declared, undone, by)
    return Reversal(
        name,
        str(data["workflow"]),
        str(data["action"]),
        key,
        str(action.tool),
        str(data["case"]) if data.get("case") is not None else None,
        arguments if arguments is not None else _kept(desk, name, ids, at),
        by,
        _step(desk, str(data["workflow"]), name, at),
    )


def _done(desk: Desk, name: str) -> tuple[StepIds, Mapping[str, Any]]:
    """Return the ids and the intent of a step that took effect."""
    for item in desk.ledger.entries("action.intended"):
        ids = StepIds.of_intent(item.id)
        if ids.approval == name:
            break
    else:
        raise NotFoundError("no-such-step", f"No step is called {name!a}.", _NAMES)
    state = state_of(desk.ledger, ids)
    if state is State.UNKNOWN:
        hint = "Find out first, and say so:\n    trueup approvals unknown DIR"
        raise ConflictError("outcome-unknown", f"Nobody knows whether {name!r} took effect.", hint)
    if state is not State.DONE:
        raise ConflictError("nothing-to-undo", f"{name!r} took no effect ({state or 'never judged'}).", _NAMES)
    return ids, item.entry.data


def _undoing(name: str, workflow: Workflow, key: str, undone: Action) -> tuple[str, Action]:
    if not undone.reversible_by:
        hint = f"Write `reversible_by: TOOL` for {key!r}, as soon as something undoes it."
        raise UsageError("no-reversal", f"Nothing is declared that undoes {key!r}, the action of {name!r}.", hint)
    found = [(key, action) for key, action in workflow.actions.items() if action.tool == undone.reversible_by]
    if len(found) != 1:
        hint = (
            f"Declare it under `actions`:\n    undo_{key}: {{tool: {undone.reversible_by}, impact: ..., approval: ...}}"
        )
        says = "no action uses it" if not found else "several actions use it"
        raise UsageError("no-reversal", f"{undone.reversible_by!r} undoes {key!r}, and {says}.", hint)
    return found[0]


def _require_may(desk: Desk, workflow: Workflow, undone: Action, by: str) -> None:
    owners = workflow.owners
    able = dict.fromkeys([*desk.approvers(undone), owners.business, owners.incidents, owners.escalation])
    names = [who for who in able if who in desk.programme.file.people]
    if by not in names:
        raise NotPermittedError(
            "may-not-undo", f"{by!r} may not undo this.", f"These may: {', '.join(map(str, names)) or 'nobody yet'}."
        )


def _kept(desk: Desk, name: str, ids: StepIds, at: datetime) -> Mapping[str, Json]:
    """Return the arguments that the step was called with: those that a person accepted, or those that were kept."""
    asked = desk.ledger.find(f"approval/{name}")
    intent = desk.ledger.find(ids.intended)
    digest = desk.one(name, at).digest if asked is not None else intent.entry.data.get("digest") if intent else None
    body = desk.bodies.get(str(digest))
    if body is None:
        hint = "Give those that undo it: --arguments FILE. From now on: `keep_requests: true` in the workflow."
        raise UsageError("arguments-gone", f"The arguments of {name!r} are not kept.", hint)
    arguments: Mapping[str, Json] = json.loads(body)["arguments"]
    return arguments


def _step(desk: Desk, workflow: str, name: str, at: datetime) -> str:
    """Return the step of a reversal: the newest one while it may still run or has run, else the next."""
    for n in itertools.count():
        step = f"reverse/{name}/{n}"
        ids = StepIds.of(workflow, step)
        state = state_of(desk.ledger, ids)
        if state in {State.DENIED, State.FAILED}:
            continue
        if state is State.HELD:
            [asked] = as_they_stand(desk, [desk.one(ids.approval, at)])
            if asked.state not in _WAITS or asked.stale is not None:
                continue
        return step
    raise AssertionError("numbers do not end")

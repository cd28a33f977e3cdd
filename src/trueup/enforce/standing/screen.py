"""What an approver has to see beside the question itself: what it does to the world, and how the last like it went."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from trueup.enforce.standing.stale import as_they_stand
from trueup.enforce.steps import StepIds, state_of

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval

MOST = 20
# Those that still wait tell nothing; so many more are looked at before it is said what there is.
_LOOKED_AT = 10 * MOST
_SAID = ("accepted", "edited", "rejected", "expired")
_ENDED = ("done", "failed", "unknown")


def screen_of(desk: Desk, approval: str, at: datetime) -> dict[str, Any]:
    """Return one approval in its published form, and what belongs `beside` it. Raises NotFoundError.

    `egress` names the arguments that leave, as declared now; `before` counts the last held steps of the same action.
    """
    [asked] = as_they_stand(desk, [desk.one(approval, at)])
    workflow = desk.programme.workflows.get(asked.workflow)
    action = workflow.actions.get(asked.action) if workflow else None
    beside = {"egress": list(action.egress) if action else [], "before": _before(desk, asked, at)}
    return {"approvals": [asked.to_json()], "beside": beside}


def _before(desk: Desk, asked: Approval, at: datetime) -> dict[str, int]:
    """Count what became of the last steps like it that were asked about before it: what was said, and how it ended."""
    ids: deque[str] = deque(maxlen=_LOOKED_AT)
    for item in desk.ledger.entries("approval.requested"):
        data = item.entry.data
        if data["approval"] == asked.id:
            break
        if (data["workflow"], data["action"]) == (asked.workflow, asked.action):
            ids.append(str(data["approval"]))
    said: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    while ids and said.total() < MOST:
        one = desk.one(ids.pop(), at)
        word = _said(desk, one)
        if word in _SAID:
            said[word] += 1
            ended[_ended(desk, one)] += 1
    return {"n": said.total()} | {word: said[word] for word in _SAID} | {word: ended[word] for word in _ENDED}


def _said(desk: Desk, one: Approval) -> str:
    if one.state != "used":
        return one.state
    decided = desk.ledger.find(f"approval/{one.id}/decided")
    return str(decided.entry.data["decision"]) if decided else one.state


def _ended(desk: Desk, one: Approval) -> str:
    state = state_of(desk.ledger, StepIds.of_intent(one.intent)) if one.state == "used" else None
    return str(state)

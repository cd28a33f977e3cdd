"""Held steps that have become old: people are told once that somebody else may decide too.

That it was told stands in the ledger before the message goes out. Of several processes that look, one writes the entry
and tells; after a restart it is not told again. A message that is lost on its way is not repeated: the list of what
waits shows it all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.attempt import Held
from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import ConflictError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval
    from trueup.ledger.log import Ledger

ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An approval that is handed on when it gets old, and from when on it is too late."""

    escalates_at: datetime
    expires_at: datetime


class Ageing:
    """The held steps of a programme that are handed on by age; reads on from where it stopped."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_to = -1
        self._waiting: dict[str, _Waiting] = {}

    def due(self, desk: Desk, at: datetime) -> list[Approval]:
        """Return what has become old, is still undecided, and was told to nobody; oldest first."""
        with self._lock:
            self._read_on(desk.ledger)
            old = [name for name, one in self._waiting.items() if at >= one.escalates_at]
            found = [desk.one(name, at) for name in old]
            # What is decided, handed on by somebody, expired or told is not looked at again.
            due = [one for one in found if one.state == ESCALATED and one.decided_by is None and not _told(desk, one)]
            for name in {*old} - {one.id for one in due}:
                del self._waiting[name]
        return due

    def tell(self, desk: Desk, at: datetime, runner: str, told: Callable[[Held], None]) -> list[str]:
        """Put on record what has become old, and tell it; return the approvals. Raises as `Ledger.append`."""
        names = []
        for one in self.due(desk, at):
            if _claimed(desk.ledger, one, at, runner):
                told(Held(one.id, one.workflow, one.action, one.impact, one.expires_at, ESCALATED))
                names.append(one.id)
        return names

    def _read_on(self, ledger: Ledger) -> None:
        for item in ledger.entries("approval.requested", after=self._read_to):
            self._read_to = item.index
            data = item.entry.data
            if data.get("escalates_at"):
                times = (parse_instant(str(data[name])) for name in ("escalates_at", "expires_at"))
                self._waiting[str(data["approval"])] = _Waiting(*times)


def _entry_id(one: Approval) -> str:
    return f"approval/{one.id}/told/{ESCALATED}"


def _told(desk: Desk, one: Approval) -> bool:
    return desk.ledger.find(_entry_id(one)) is not None


def _claimed(ledger: Ledger, one: Approval, at: datetime, runner: str) -> bool:
    """Tell whether it is for this process to tell: of several, one writes the entry."""
    data = {"approval": one.id, "workflow": one.workflow, "action": one.action, "step": ESCALATED, "runner": runner}
    try:
        ledger.append([Entry("approval.told", _entry_id(one), at, None, data)])
    except ConflictError as error:
        if error.code == "entry-exists":
            return False
        raise
    return True

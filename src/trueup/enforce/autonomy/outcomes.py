"""What reviewers found right or wrong, read from the ledger in the order in which it was said."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

REVIEWED = "outcome.reviewed"
_DECIDED = "approval.decided"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One outcome that somebody looked at.

    `wrong`: rejected, or edited in a field that an action uses. `blind`: drawn at random from what was done alone, with
    the probability `share`, and looked at without knowing; else a proposal that waited for a person.
    """

    index: int
    at: datetime
    wrong: bool
    blind: bool
    share: float = 1.0
    case: str | None = None


class Outcomes:
    """The reviewed outcomes of one workflow; reads on from where it stopped."""

    def __init__(self, ledger: Ledger, workflow: str) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._lock = Lock()
        self._read_to = -1

    def more(self) -> list[Reviewed]:
        """Return what was reviewed since this was asked last, oldest first."""
        with self._lock:
            end = self._ledger.size() - 1
            if end <= self._read_to:
                return []
            items = [item for kind in (_DECIDED, REVIEWED) for item in self._ledger.entries(kind, after=self._read_to)]
            found = [self._reviewed(item) for item in sorted(items, key=lambda item: item.index) if item.index <= end]
            self._read_to = end
        return [one for one in found if one is not None]

    def _reviewed(self, item: Recorded) -> Reviewed | None:
        data = item.entry.data
        if item.entry.type == REVIEWED:
            if data.get("workflow") != self._workflow:
                return None
            case = str(data["case"]) if data.get("case") is not None else None
            share = float(str(data.get("share") or 1))
            return Reviewed(
                item.index, item.entry.time, data.get("wrong") is True, data.get("blind") is True, share, case
            )
        return self._decision(item)

    def _decision(self, item: Recorded) -> Reviewed | None:
        """Read an approval: a yes is right, a no is wrong, an edit is wrong when it changed what the action gets."""
        asked = self._ledger.find(item.id.rpartition("/")[0])
        if asked is None or asked.entry.data.get("workflow") != self._workflow:
            return None
        decision, case = item.entry.data.get("decision"), asked.entry.data.get("case")
        if decision not in {"accepted", "edited", "rejected"}:
            return None
        changed = item.entry.data.get("digest") != asked.entry.data.get("digest")
        wrong = decision == "rejected" or (decision == "edited" and changed)
        return Reviewed(item.index, item.entry.time, wrong, blind=False, case=str(case) if case is not None else None)

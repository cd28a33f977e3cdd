"""What reviewers found right or wrong, read from the ledger in the order in which it was said."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.certainty.confidence import chosen_at
from trueup.enforce.steps import StepIds

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
    the probability `share`, and looked at without knowing; else a proposal that waited for a person. `done` is the
    entry by which it was proposed or done, as far as that is known: what was proposed before a change says nothing of
    what came after it, however late somebody looks. `confidence` is what the model said.
    """

    index: int
    at: datetime
    wrong: bool
    blind: bool
    share: float = 1.0
    case: str | None = None
    done: int = -1
    confidence: float | None = None

    @property
    def of(self) -> int:
        """The entry that it is an outcome of; its own where no other is known."""
        return self.done if self.done >= 0 else self.index


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
            return self._said(item) if data.get("workflow") == self._workflow else None
        return self._decision(item)

    def _said(self, item: Recorded) -> Reviewed:
        data = item.entry.data
        drawn = self._ledger.find(StepIds.of_intent(str(data["intent"])).judged) if data.get("intent") else None
        return Reviewed(
            item.index,
            item.entry.time,
            data.get("wrong") is True,
            data.get("blind") is True,
            float(str(data.get("share") or 1)),
            str(data["case"]) if data.get("case") is not None else None,
            drawn.index if drawn is not None else -1,
            chosen_at(data.get("confidence")),
        )

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
        return Reviewed(
            item.index,
            item.entry.time,
            wrong,
            blind=False,
            case=str(case) if case is not None else None,
            done=asked.index,
            confidence=chosen_at(asked.entry.data.get("confidence")),
        )

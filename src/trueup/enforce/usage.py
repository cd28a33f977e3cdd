"""How often an action was reserved today, counted from the ledger's own entries.

The ledger puts all intents into one order, over all processes. An intent counts the like ones that stand before
it, so of two at once one is first, and both cannot fit where one does. What was denied or rejected gives its place
back; what is not yet decided keeps it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger


class Usage:
    """The intents of one workflow, by action and day; reads on from where it stopped."""

    def __init__(self, ledger: Ledger, workflow: str) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._read_to = -1
        self._places: dict[tuple[str, date], dict[str, int]] = defaultdict(dict)
        self._where: dict[str, tuple[str, date]] = {}

    def before(self, action: str, at: datetime, index: int | None = None) -> int:
        """Return how many intents for an action stand in the day (UTC) of an instant; before an index, if given."""
        self._read_on()
        places = self._places.get((action, at.date()), {})
        return sum(index is None or place < index for place in places.values())

    def _read_on(self) -> None:
        for item in self._ledger.entries(after=self._read_to):
            self._read_to = item.index
            self._take(item)

    def _take(self, item: Recorded) -> None:
        data = item.entry.data
        if item.entry.type == "action.intended":
            if data.get("workflow") == self._workflow:
                self._where[item.id] = str(data.get("action")), item.entry.time.date()
                self._places[self._where[item.id]][item.id] = item.index
        elif data.get("verdict") == "deny" or data.get("decision") == "rejected":
            intent = str(data.get("intent"))
            if intent in self._where:
                self._places[self._where[intent]].pop(intent, None)

"""How often an action was reserved today, counted from the ledger's own entries.

The ledger puts all intents into one order, over all processes. An intent counts the like ones that stand before
it, so of two at once one is first, and both cannot fit where one does. What was denied or rejected gives its place
back; what is not yet decided keeps it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.rules import PER_DAY

if TYPE_CHECKING:
    from datetime import date, datetime

    from trueup.enforce.policy import Policy
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger


class Usage:
    """The intents of one workflow's limited actions, by action and day; reads on from where it stopped."""

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger = ledger
        self._workflow = policy.workflow
        self._limited = {key for key, action in policy.actions.items() if PER_DAY in action.limits}
        self._lock = Lock()
        self._read_to = -1
        self._places: dict[tuple[str, date], list[int]] = defaultdict(list)
        self._where: dict[str, tuple[str, date, int]] = {}

    def before(self, action: str | None, at: datetime, index: int | None = None) -> int:
        """Return how many intents for an action stand in the day (UTC) of an instant; before an index, if given.

        0 for an action without such a limit: nothing is read for it.
        """
        if action not in self._limited:
            return 0
        with self._lock:
            self._read_on()
            places = self._places.get((action, at.date()), [])
            return len(places) if index is None else bisect_left(places, index)

    def _read_on(self) -> None:
        for item in self._ledger.entries(after=self._read_to):
            self._read_to = item.index
            self._take(item)

    def _take(self, item: Recorded) -> None:
        data = item.entry.data
        if item.entry.type == "action.intended":
            action = str(data.get("action"))
            if data.get("workflow") == self._workflow and action in self._limited:
                day = item.entry.time.date()
                self._where[item.id] = action, day, item.index
                insort(self._places[action, day], item.index)
        elif data.get("verdict") == "deny" or data.get("decision") == "rejected":
            held = self._where.pop(str(data.get("intent")), None)
            if held is not None:
                action, day, index = held
                places = self._places[action, day]
                del places[bisect_left(places, index)]

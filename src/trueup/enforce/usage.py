"""How much of its limits a workflow has reserved, counted from the ledger's own entries.

The ledger puts all intents into one order, over all processes. An intent counts the like ones that stand before
it, so of two at once one is first, and both cannot fit where one does. What was denied or rejected gives its place
back; what is not yet decided keeps it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.keeping.sealed import seal, unseal
from trueup.enforce.limits import PER_CASE, PER_DAY, Limit, costs_of, summed
from trueup.enforce.request import decimal_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.ledger.entry import Entry, Recorded
    from trueup.ledger.upkeep.tail import Followed


_INTENDED = "action.intended"
_GIVING_BACK = (b'"verdict":"deny"', b'"decision":"rejected"', b'"reserved":{')
# More than any limit allows, and than any sum of amounts below zero could give back.
_ALL = 1 << 100


@dataclass(slots=True)
class _Window:
    """What is reserved in one window of one limit, by the index of the intent."""

    places: list[int] = field(default_factory=list)
    amounts: dict[int, int] = field(default_factory=dict)
    total: int = 0

    def put(self, index: int, amount: int) -> None:
        if index not in self.amounts:
            insort(self.places, index)
        self.total += amount - self.amounts.get(index, 0)
        self.amounts[index] = amount

    def drop(self, index: int) -> None:
        self.total -= self.amounts.pop(index)
        del self.places[bisect_left(self.places, index)]

    def before(self, index: int | None, *, others: bool) -> int:
        if index is None or others:
            return self.total - self.amounts.get(-1 if index is None else index, 0)
        later = self.places[bisect_left(self.places, index) :]
        return self.total - sum(self.amounts[place] for place in later)


@dataclass(frozen=True, slots=True)
class _Place:
    """An intent that counts: where, and what it takes from."""

    index: int
    action: str
    at: datetime
    case: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """What a request meets: like calls reserved before it today, and the names of the limits that it fits within."""

    today: int
    fits: frozenset[str]


class Usage:
    """The intents of one workflow's limited actions, by limit and window; reads on from where it stopped."""

    def __init__(self, ledger: Followed, policy: Policy, bodies: Bodies | None) -> None:
        self._ledger = ledger
        self._bodies = bodies
        self._workflow = policy.workflow
        self._limits = policy.limits
        self._costs = {key: costs_of(action) or 0 for key, action in policy.actions.items()}
        self._summed = {key: summed(action) for key, action in policy.actions.items()}
        self._lock = Lock()
        self._read_to = -1
        self._windows: dict[tuple[Limit, str], _Window] = defaultdict(_Window)
        self._latest: dict[Limit, str] = {}
        self._where: dict[str, _Place] = {}

    def reserved(self, request: Request, action: str | None, entry: str) -> dict[str, str]:
        """Return what the entry with an id writes down beside the call: arguments whose sum is limited, sealed."""
        taken = self._taken(request, action)
        return seal(self._bodies, entry, taken) if taken and self._bodies is not None else {}

    def _taken(self, request: Request, action: str | None) -> dict[str, str]:
        found = {name: decimal_of(request.arguments.get(name)) for name in self._summed.get(action or "", ())}
        return {name: value for name, value in found.items() if value is not None}

    def room(
        self,
        request: Request,
        action: str | None,
        at: datetime,
        index: int | None = None,
        *,
        others: bool = False,
        ahead: bool = True,
    ) -> Room:
        """Return what is left for a request at an instant; for an intent, only what stands before its index counts.

        With `others` what stands behind it counts too: for arguments that were edited, and may take more than was
        reserved when the later ones were judged. With `ahead` what stands in later windows counts too: a clock that was
        moved back opens no window anew. An instant that is only asked about has none of it.

        Nothing is read for an action without such a limit.
        """
        limits = self._of(action)
        if not limits:
            return Room(0, frozenset())
        place = _Place(-1, str(action), at, request.case)
        taken = self._taken(request, action)
        with self._lock:
            self._read_on()
            used = {limit: self._before(limit, place, index, others=others) for limit in limits}
            if ahead:
                used = {limit: None if n is None else n + self._ahead(limit, place, index) for limit, n in used.items()}
        fits = {limit.name for limit in limits if self._within(limit, used[limit], place, taken)}
        today = [used[limit] for limit in limits if limit.name == PER_DAY and limit.action]
        return Room((today[0] or 0) if today else 0, frozenset(fits))

    def _within(self, limit: Limit, used: int | None, place: _Place, taken: Mapping[str, str]) -> bool:
        """Tell whether a limit has room. Without a case, or without the number, nobody can say so."""
        if used is None or (limit.of in self._summed[place.action] and limit.of not in taken):
            return False
        wanted = limit.amount(taken, self._costs[place.action])
        return wanted >= 0 and used + wanted <= limit.most

    def _before(self, limit: Limit, place: _Place, index: int | None, *, others: bool) -> int | None:
        window = limit.window(place.at, place.case)
        if window is None:
            return None
        found = self._windows.get((limit, window))
        return found.before(index, others=others) if found else 0

    def _ahead(self, limit: Limit, place: _Place, index: int | None) -> int:
        """Return what is reserved in windows that have not begun yet, by the clock: it has been later before."""
        window = limit.window(place.at, None)
        if window is None or self._latest.get(limit, window) <= window:
            return 0
        later = (found for (of, name), found in self._windows.items() if of == limit and name > window)
        return sum(found.before(index, others=False) for found in later)

    def limits_on(self, action: str | None) -> bool:
        """Tell whether other calls can take the room of an action: then it matters which intent is first."""
        return bool(self._of(action))

    def _of(self, action: str | None) -> list[Limit]:
        return [limit for limit in self._limits if limit.action in {None, action}] if action in self._costs else []

    def _read_on(self) -> None:
        if not self._limits:
            return
        for item in self._ledger.entries(after=self._read_to):
            self._read_to = item.index
            # Most entries neither take from a limit nor give back to it. Their bytes show it: each has one spelling.
            if item.type == _INTENDED or any(mark in item.leaf for mark in _GIVING_BACK):
                self._take(item)

    def _take(self, item: Recorded) -> None:
        data = item.entry.data
        if item.entry.type == _INTENDED:
            action, case = str(data.get("action")), data.get("case")
            if data.get("workflow") == self._workflow and self._of(action):
                place = _Place(item.index, action, item.entry.time, case if isinstance(case, str) else None)
                self._where[item.id] = place
                self._put(place, item.entry)
        elif data.get("verdict") == "deny" or data.get("decision") == "rejected":
            held = self._where.pop(str(data.get("intent")), None)
            if held is not None:
                self._drop(held)
        elif isinstance(data.get("reserved"), dict):
            # A person has edited the arguments: what was accepted counts.
            held = self._where.get(str(data.get("intent")))
            if held is not None:
                self._put(held, item.entry)

    def _put(self, place: _Place, entry: Entry) -> None:
        written = entry.data.get("reserved")
        reserved = written if isinstance(written, dict) else {}
        for limit in self._of(place.action):
            window = limit.window(place.at, place.case)
            if window is not None:
                amount = self._amount(limit, place, entry.id, reserved)
                self._windows[limit, window].put(place.index, max(amount, 0))
                if limit.within != PER_CASE:
                    self._latest[limit] = max(self._latest.get(limit, window), window)

    def _amount(self, limit: Limit, place: _Place, entry: str, reserved: Mapping[str, object]) -> int:
        """Return what an entry takes of a limit. What cannot be read takes all of it: nobody knows how much is left."""
        if limit.of is None or limit.of not in reserved:
            return limit.amount({}, self._costs[place.action])
        units = unseal(self._bodies, entry, limit.of, reserved[limit.of])
        return _ALL if units is None else units

    def _drop(self, place: _Place) -> None:
        for limit in self._of(place.action):
            window = limit.window(place.at, place.case)
            if window is not None:
                self._windows[limit, window].drop(place.index)

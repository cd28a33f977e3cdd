"""The newest entries, read once for all who follow a log: a switch, a level, pins, limits.

Each of them used to ask the store for itself, before every action. Here one look reads what is new, and each takes from
it what concerns it; who is far behind still asks the store.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from trueup.ledger.entry import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trueup.ledger.log import Ledger

_KEPT = 256
# What every action leaves: of these, and of others that turn out to be as many, only the newest are kept.
_FREQUENT = frozenset({"action.intended", "action.judged", "action.finished", "trail.extended", "case.assigned"})
_NONE: list[Recorded] = []


class Followed(Protocol):
    """What can be followed: a log, or the end of one."""

    def size(self) -> int:
        """Return the number of entries."""
        ...

    def entries(self, event_type: str | None = None, *, after: int | None = None) -> Iterator[Recorded]:
        """Stream what was recorded, as of `Ledger.entries`."""
        ...


class Tail:
    """A log as it stood at the last look; threads may share it, and each look sees what every process wrote."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = Lock()
        self._newest: list[Recorded] = []
        # By type, as far as they were seen here: most who follow ask for what hardly ever happens.
        self._of_type: dict[str, list[Recorded]] = {}
        self._frequent = _FREQUENT
        self._begin = 0
        self._size = -1

    def look(self) -> int:
        """Look again; return the number of entries. Raises what reading a ledger raises."""
        with self._lock:
            if self._size < 0:
                self._size = self._begin = self._ledger.size()
            self._take(list(self._ledger.entries(after=self._size - 1)))
            return self._size

    def extend(self, news: Sequence[Recorded]) -> None:
        """Take what somebody else has read in the log; what does not follow is left to the next look."""
        with self._lock:
            new = [item for item in news if item.index >= self._size]
            if self._size >= 0 and new and new[0].index == self._size:
                self._take(new)

    def _take(self, new: list[Recorded]) -> None:
        if not new:
            return
        # A list of its own: who is reading the last one goes on with it.
        self._newest = [*self._newest[-_KEPT:], *new]
        for item in new:
            self._sort_in(item)
        self._size = new[-1].index + 1

    def _sort_in(self, item: Recorded) -> None:
        kind = item.type
        if kind in self._frequent:
            return
        found = [*self._of_type.get(kind, ()), item]
        if len(found) > _KEPT:
            # The list stays as it is: whoever reads it just now looks for what stood there before.
            self._frequent |= {kind}
        else:
            self._of_type[kind] = found

    def size(self) -> int:
        """Return the number of entries at the last look."""
        return self._size if self._size >= 0 else self.look()

    def entries(self, event_type: str | None = None, *, after: int | None = None) -> Iterator[Recorded]:
        """Stream what stood in the log at the last look, in order; of one type, or behind an index, when given."""
        end = self.size()
        first = 0 if after is None else after + 1
        if first >= end:
            return
        newest = self._newest
        if event_type is not None and event_type not in self._frequent and first >= self._begin:
            newest = self._of_type.get(event_type, _NONE)
        elif not newest or newest[0].index > first:
            yield from (item for item in self._ledger.entries(event_type, after=after) if item.index < end)
            return
        for at in range(bisect_left(newest, first, key=_index), len(newest)):
            item = newest[at]
            if item.index < end and event_type in {None, item.type}:
                yield item


def _index(item: Recorded) -> int:
    return item.index

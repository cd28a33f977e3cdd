"""The newest entries, read once for all who follow a log: a switch, a level, pins, limits.

Each of them used to ask the store for itself, before every action. Here one look reads what is new, and each takes from
it what concerns it; who is far behind still asks the store.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

_KEPT = 256


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
        self._size = -1

    def look(self) -> int:
        """Look again; return the number of entries. Raises what reading a ledger raises."""
        with self._lock:
            if self._size < 0:
                self._size = self._ledger.size()
            new = list(self._ledger.entries(after=self._size - 1))
            if new:
                # A list of its own: who is reading the last one goes on with it.
                self._newest = [*self._newest[-_KEPT:], *new]
                self._size = new[-1].index + 1
            return self._size

    def size(self) -> int:
        """Return the number of entries at the last look."""
        return self._size if self._size >= 0 else self.look()

    def entries(self, event_type: str | None = None, *, after: int | None = None) -> Iterator[Recorded]:
        """Stream what stood in the log at the last look, in order; of one type, or behind an index, when given."""
        end = self.size()
        first = 0 if after is None else after + 1
        newest = self._newest
        if first >= end:
            return
        if not newest or newest[0].index > first:
            yield from (item for item in self._ledger.entries(event_type, after=after) if item.index < end)
            return
        for at in range(bisect_left(newest, first, key=_index), len(newest)):
            item = newest[at]
            if item.index < end and (event_type is None or item.of_type(event_type)):
                yield item


def _index(item: Recorded) -> int:
    return item.index

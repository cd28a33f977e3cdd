"""The end of the log as one process knows it: it goes on from there, and need not read what it wrote itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.ledger.entry import Recorded
from trueup.ledger.tree import Frontier, leaf_hash, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NEWS = 256


class Known:
    """A frontier, and the newest entries in front of it, as far as this process has seen them."""

    def __init__(self, frontier: Frontier) -> None:
        self.frontier = frontier
        self._entries: list[Recorded] = []
        # The peaks behind each of these entries.
        self._peaks: list[tuple[bytes, ...]] = []

    def with_more(self, leaves: Iterable[tuple[int, bytes]]) -> Known | None:
        """Return what is known when some more entries stand there; None when they do not follow."""
        known = self.copy()
        for index, data in leaves:
            if index != known.frontier.size:
                return None
            known.add(index, data)
        return known

    def copy(self) -> Known:
        """Return another one that can go on by itself."""
        made = Known(self.frontier.copy())
        made._entries = self._entries[-MOST_NEWS:]
        made._peaks = self._peaks[-MOST_NEWS:]
        return made

    def add(self, index: int, data: bytes) -> bytes:
        """Add an entry at the end; return the hashes of the nodes that it completes, joined."""
        nodes = self.frontier.append(leaf_hash(data))
        self._entries.append(Recorded(index, data))
        self._peaks.append(tuple(self.frontier.peaks))
        if len(self._entries) > 4 * MOST_NEWS:
            del self._entries[:-MOST_NEWS], self._peaks[:-MOST_NEWS]
        return nodes

    def since(self, size: int) -> Sequence[Recorded] | None:
        """Return the entries that came behind a size of the log; None where this process does not know all of them."""
        count = self.frontier.size - size
        if not 0 <= count <= len(self._entries):
            return None
        return self._entries[len(self._entries) - count :]

    def root_at(self, size: int) -> bytes | None:
        """Return the root that the log had at a size; None where this process does not know it."""
        if size == self.frontier.size:
            return self.frontier.root()
        at = len(self._peaks) - 1 - (self.frontier.size - size)
        return root_of(self._peaks[at]) if 0 <= at < len(self._peaks) else None

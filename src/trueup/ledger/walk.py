"""One pass over all entries: hash, compare, remember the roots that somebody signed.

The inner loop is written for a million entries: no object for an entry, no JSON parsed, one comparison that
holds for sound rows. Only a row that fails it is looked at closely.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from trueup.ledger.event_types import EVENT_TYPES
from trueup.ledger.tree import EMPTY_ROOT, HASH_SIZE, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trueup.kernel.progress import Progress
    from trueup.ledger.store import HashedRow


_SIGNATURE = b'"signature":'
_SIGNED = tuple(f'"type":"{name}"}}'.encode() for name, kind in EVENT_TYPES.items() if "signature" in kind.carries)


class Report(Protocol):
    """Takes a problem: kind, index, detail."""

    def __call__(self, kind: str, index: int | None, detail: str) -> None:
        """Report one problem."""
        ...


class Walk:
    """The pass and what it found: `size`, and `roots` at the wanted sizes.

    `decision` is handed index and leaf of every entry of a type that people sign, and that carries a signature, one
    portion at a time.
    """

    def __init__(
        self,
        wanted: Iterable[int],
        report: Report,
        decision: Callable[[int, bytes], None],
        progress: Progress | None = None,
    ) -> None:
        self._wanted = sorted(wanted, reverse=True)
        self._report = report
        self._decision = decision
        self._progress = progress
        self._peaks: list[bytes] = []
        self._next = 0
        self._tree_sound = True
        self.size = 0
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self._signed: list[tuple[int, bytes]] = []
        self.agreed: set[int] = set()

    def root(self) -> bytes:
        """Return the root over the entries as they were found."""
        return root_of(self._peaks)

    def over(self, portions: Iterator[list[HashedRow]]) -> None:
        """Walk over the entries. Raises what the stream raises, keeping what was found so far."""
        for rows in portions:
            done = 0
            while done < len(rows):
                stop = self._stop(len(rows) - done)
                self._stretch(rows[done : done + stop])
                done += stop
            for index, leaf in self._signed:
                self._decision(index, leaf)
            self._signed.clear()
            if self._progress is not None:
                self._progress("verifying the ledger", self.size)

    def _stop(self, available: int) -> int:
        """Return how many entries can be taken before a root has to be remembered."""
        while self._wanted and self._wanted[-1] <= self.size:
            self._wanted.pop()
        return min(available, self._wanted[-1] - self.size) if self._wanted else available

    def _stretch(self, rows: Sequence[HashedRow]) -> None:
        peaks, size, following, hashing = self._peaks, self.size, self._next, sha256
        push, pop = peaks.append, peaks.pop
        for index, leaf, nodes in rows:
            # The leaf hash, then every inner node that this leaf completes (RFC 6962, 2.1).
            made = node = hashing(b"\x00" + leaf).digest()
            rest = size
            while rest & 1:
                node = hashing(b"\x01" + pop() + node).digest()
                made += node
                rest >>= 1
            push(node)
            if made != nodes or index != following:
                self._examine(index, following, made, nodes)
            # A leaf is canonical: a member that is there is written in this one way.
            if _SIGNATURE in leaf and leaf.endswith(_SIGNED):
                self._signed.append((index, leaf))
            following = index + 1
            size += 1
        self.size, self._next = size, following
        self.roots[size] = self.root()

    def _examine(self, index: int, following: int, made: bytes, nodes: bytes) -> None:
        """Name what is wrong with a row that is not as it should be."""
        if index > following:
            last = f" to {index - 1}" if index - following > 1 else ""
            self._report("entry-missing", following, f"entry {following}{last} is missing")
            self._tree_sound = False
        elif index < following:
            self._report("entry-unexpected", index, f"entry {following} was expected")
            self._tree_sound = False
        if made[:HASH_SIZE] != nodes[:HASH_SIZE]:
            self._report("leaf-altered", index, "the bytes do not hash to the stored hash")
            self._tree_sound = False
        elif made != nodes and self._tree_sound:
            first = self.size_before(made, index)
            self._report("tree-altered", index, f"entries {first} to {index} are not what was hashed when they came")
            self._tree_sound = False

    @staticmethod
    def size_before(made: bytes, index: int) -> int:
        """Return the first leaf below the highest node that an entry completes."""
        return index + 1 - (1 << (len(made) // HASH_SIZE - 1))

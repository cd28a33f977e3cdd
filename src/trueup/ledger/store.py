"""Where entries are kept, as seen from the ledger: what every backend promises, and what none does.

A backend promises:
 1. Entries are numbered from 0 without gaps, in the order in which their transactions ended.
 2. A transaction takes effect whole or not at all, and survives a crash and a power cut once `write` has ended.
 3. One writer at a time, over all threads and processes; a second one waits, and then sees what the first wrote.
 4. An id is held by at most one entry.
 5. Reading changes nothing on disk, and sees only what was committed.
 6. A full disk, a lock that is not given or a read-only folder is a StorageError, and nothing was appended.
 7. What cannot be read as a ledger is a LedgerBrokenError; `defects` names it without raising.

No backend promises:
 1. That the content was not changed from outside: only `verify` finds that.
 2. That the log is the one you knew: only the pinned key and a witness show that.
 3. That `recorded` never goes backwards: clocks do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager


class Row(NamedTuple):
    """An entry as stored. Everything but `leaf` is derived from the leaves and compared with them by `verify`.

    `nodes` joins the hashes of the tree's nodes that this entry completes, its own leaf hash first.
    """

    idx: int
    id: str
    type: str
    time: str
    recorded: str
    leaf: bytes
    nodes: bytes


class RawRow(NamedTuple):
    """An entry as stored, text as UTF-8 bytes: damage to text is found by comparing, not by failing to decode."""

    idx: int
    id: bytes
    type: bytes
    time: bytes
    recorded: bytes
    leaf: bytes
    nodes: bytes


class HashedRow(NamedTuple):
    """An entry as `verify` walks over it: what was hashed, and the hashes."""

    idx: int
    leaf: bytes
    nodes: bytes


class Defect(NamedTuple):
    """Something wrong with the storage itself, below entries and hashes."""

    kind: str
    detail: str


class View(Protocol):
    """What can be read inside a transaction and outside."""

    def size(self) -> int:
        """Return the number of entries: one more than the largest index."""
        ...

    def nodes(self, index: int) -> bytes:
        """Return the joined node hashes of an entry. Raises LedgerBrokenError when there is none."""
        ...

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return index and leaf of the entry that holds an id, or None."""
        ...

    def newest_checkpoint(self) -> tuple[int, str] | None:
        """Return size and text of the newest signed checkpoint, or None."""
        ...


class Edge(NamedTuple):
    """Where a writer knows the log to end: how many entries, the last one's nodes, the newest checkpoint's text.

    `note` is given where a checkpoint is to be added, and has to be the newest one still.
    """

    size: int
    last: bytes
    note: str | None = None


class Transaction(View, Protocol):
    """What can be written; it takes effect when the `with` block ends without an exception."""

    def news(self) -> Sequence[tuple[int, bytes]] | None:
        """Return index and leaf of the entries behind the one that `write` was given; None when they are too many."""
        ...

    def insert(self, row: Row) -> None:
        """Add an entry at the end."""
        ...

    def insert_checkpoint(self, size: int, text: str) -> None:
        """Add a signed checkpoint; one that is there already is kept."""
        ...


class Extend(Protocol):
    """How a store that is far away is written to in one exchange."""

    def __call__(self, edge: Edge, rows: Sequence[Row], note: str | None = None) -> bool:
        """Append rows, durably, if the log ends where the writer knows it to end and holds none of their ids.

        With `note` the checkpoint behind them is added. False: nothing was appended, or nobody can say whether; the
        way through `write` finds out. Raises as `write`.
        """
        ...


class Store(View, Protocol):
    """A place for one log."""

    def write(
        self, ids: Sequence[str] = (), *, after: int | None = None, signs: bool = False
    ) -> AbstractContextManager[Transaction]:
        """Begin a transaction under the lock; an exception inside undoes it.

        `ids` are those that will be looked for, the entries behind the index `after` are the `news`, and one that
        `signs` will ask for the newest checkpoint: a store far away fetches all of it on the way.
        """
        ...

    @property
    def extend(self) -> Extend | None:
        """Append in one exchange, where a store is so far away that it matters; None where it is near."""
        ...

    def leaf(self, index: int) -> bytes | None:
        """Return an entry's bytes, or None when there is no such entry."""
        ...

    def leaves(self, event_type: str | None = None, after: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Stream index and bytes of all entries, or of one type, in order; those behind an index when it is given."""
        ...

    def raw_rows(self) -> Iterator[list[RawRow]]:
        """Stream everything that is stored of the entries, in order of index, in portions."""
        ...

    def hashed_rows(self) -> Iterator[list[HashedRow]]:
        """Stream leaves and hashes, in order of index, in portions."""
        ...

    def altered_columns(self) -> list[int]:
        """Return the indices of entries whose leaf does not end as the columns beside it say.

        In canonical JSON the members id, recorded, time and type close the leaf, in this order. Works beside other
        threads that read, as `defects` does. Raises LedgerBrokenError, StorageError.
        """
        ...

    def raw_checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Stream size and text of the signed checkpoints, in order of size."""
        ...

    def defects(self) -> list[Defect]:
        """Check the storage itself: structure, indexes, schema. An empty list is good news."""
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...

"""The ledger as everybody else sees it: append what happened, read it, sign its state, prove an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import ConflictError, LedgerBrokenError, NotFoundError, StorageError
from trueup.ledger.entry import Recorded, check_names, leaf
from trueup.ledger.groups import Groups, Request
from trueup.ledger.note import Checkpoint, Note
from trueup.ledger.proof import Consistency, Proof
from trueup.ledger.store import Row
from trueup.ledger.tree import HASH_SIZE, Frontier, consistency_proof, inclusion_proof, leaf_hash, peaks_of, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Entry
    from trueup.ledger.note import Signer, Verifier
    from trueup.ledger.store import Store, Transaction, View

_VERIFY = "Find out what happened to it:\n  trueup ledger verify DIR"


class Ledger:
    """One log. Safe to share between threads; several processes may hold the same one.

    `signer` may be None for reading. `origin` is the log's name, the first line of its checkpoints.
    """

    def __init__(self, store: Store, clock: Clock, signer: Signer | None, origin: str) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer
        self._frontier = Frontier()
        # The checkpoint from which the cached frontier is known to continue.
        self._continued: str | None = None
        self._groups = Groups(self._commit)
        self.origin = origin

    def append(
        self,
        entries: Sequence[Entry],
        *,
        checkpoint: bool = False,
        before_commit: Callable[[str | None], None] | None = None,
        at: int | None = None,
    ) -> list[int]:
        """Append entries in order and return their indices; on return they are durable, before it none is.

        An entry whose id is held already with the same content keeps its place; with other content it is a
        ConflictError. With `checkpoint` the new state is signed. `before_commit` gets the signed text (None
        without one) inside the transaction: an exception there, or anywhere, leaves the log as it was.
        With `at` nothing is appended unless the log has just so many entries: else a ConflictError (`log-moved-on`).
        Threads that append at the same time share a commit; those with `before_commit` have one of their own.
        Raises UsageError, ConflictError, StorageError, LedgerBrokenError.
        """
        if checkpoint and self._signer is None:
            raise LedgerBrokenError("key-missing", "The ledger was opened without its signing key.", "")
        for entry in entries:
            # What no log can hold is its writer's error alone, before anybody shares a transaction with it.
            check_names(entry)
        return self._groups.settle(Request(entries, checkpoint, before_commit, at))

    @property
    def signs(self) -> bool:
        """True when its key is at hand, so that checkpoints can be asked for."""
        return self._signer is not None

    def vkey(self) -> str:
        """Return the public key of the log, as signed notes write it. Raises LedgerBrokenError without a key."""
        if self._signer is None:
            raise LedgerBrokenError("key-missing", "The ledger was opened without its signing key.", "")
        return self._signer.verifier.text

    def sign_checkpoint(self) -> str:
        """Sign the present state; return the signed text."""
        signed: list[str] = []
        self.append([], checkpoint=True, before_commit=lambda text: signed.append(text or ""))
        return signed[0]

    def entries(self, event_type: str | None = None, *, after: int | None = None) -> Iterator[Recorded]:
        """Stream what was recorded, in order; of one type, or behind an index, when these are given."""
        for index, data in self._store.leaves(event_type, after):
            yield Recorded(index, data)

    def find(self, entry_id: str) -> Recorded | None:
        """Return the entry that holds an id, or None."""
        held = self._store.find(entry_id)
        return None if held is None else Recorded(*held)

    def entry(self, index: int) -> Recorded:
        """Return one entry. Raises NotFoundError."""
        data = self._store.leaf(index) if index >= 0 else None
        if data is None:
            raise NotFoundError(
                "no-such-entry",
                f"The ledger has no entry {index}; it has {self.size()} entries, counted from 0.",
                "The last one is at the size minus one:\n  trueup ledger verify DIR",
            )
        return Recorded(index, data)

    def size(self) -> int:
        """Return the number of entries."""
        return self._store.size()

    def root(self) -> bytes:
        """Return the root over all entries (32 bytes), from the stored nodes."""
        return _root_at(self._store, self._store.size())

    def checkpoint(self) -> str | None:
        """Return the newest signed checkpoint, or None."""
        newest = self._store.newest_checkpoint()
        return None if newest is None else newest[1]

    def covered(self) -> int:
        """Return how many entries the newest signed checkpoint covers."""
        newest = self._store.newest_checkpoint()
        return 0 if newest is None else newest[0]

    def prove(self, index: int) -> Proof:
        """Prove an entry under the newest checkpoint; one is signed first when none covers the entry.

        Raises NotFoundError for an index beyond the log, LedgerBrokenError when a checkpoint is needed and
        the key is not at hand.
        """
        self.entry(index)
        newest = self._store.newest_checkpoint()
        text = newest[1] if newest is not None and newest[0] > index else self.sign_checkpoint()
        path = inclusion_proof(index, _size_of(text), lambda level, position: _node(self._store, level, position))
        return Proof(index, tuple(path), text)

    def prove_from(self, old: int) -> Consistency:
        """Prove that the newest checkpoint's log continues that of the first `old` entries.

        Raises NotFoundError for a size beyond the log. A checkpoint is signed first when none covers as much, as of
        `prove`.
        """
        if not 0 <= old <= self.size():
            raise NotFoundError("no-such-size", f"The ledger never had {old} entries; it has {self.size()}.", "")
        newest = self._store.newest_checkpoint()
        text = newest[1] if newest is not None and newest[0] >= max(old, 1) else self.sign_checkpoint()
        size = _size_of(text)
        path = consistency_proof(old, size, lambda level, at: _node(self._store, level, at)) if old else []
        return Consistency(old, tuple(path), text)

    def agrees_with(self, checkpoint: Checkpoint) -> bool:
        """Tell whether this log is a continuation of the one that the checkpoint describes."""
        if checkpoint.size > self._store.size():
            return False
        return _root_at(self._store, checkpoint.size) == checkpoint.root

    def close(self) -> None:
        """Let go of files and locks."""
        self._store.close()

    def _commit(self, group: list[Request]) -> None:
        """Append what a group wants in one transaction, and settle each of its requests."""
        try:
            with self._store.write([entry.id for request in group for entry in request.entries]) as transaction:
                frontier = self._current(transaction)
                # Under the lock, so that `recorded` follows the order of the entries wherever clocks agree.
                recorded = self._clock.now()
                placed = _placed_together(transaction, frontier, group, recorded)
                wanted = any(request.checkpoint for request, _ in placed)
                text = self._signed(transaction, frontier) if wanted else None
                for request, _ in placed:
                    if request.before_commit is not None:
                        request.before_commit(text)
        except BaseException as error:
            for request in group:
                request.error = request.error or error
            if not isinstance(error, Exception):
                raise
            return
        self._frontier = frontier
        for request, indices in placed:
            request.indices = indices

    def _current(self, view: View) -> Frontier:
        """Return the frontier as it is under the lock: another process may have written since."""
        size = view.size()
        last = view.nodes(size - 1) if size else b""
        known = self._frontier
        if (size, last) == (known.size, known.last):
            return Frontier(size, known.peaks, last)
        self._continued = None
        return Frontier(size, peaks_of(size, lambda level, position: _node(view, level, position)), last)

    def _signed(self, transaction: Transaction, frontier: Frontier) -> str:
        """Sign the state, unless it does not continue what was signed before."""
        signer = self._signer
        if signer is None:
            raise LedgerBrokenError("key-missing", "The ledger was opened without its signing key.", "")
        newest = transaction.newest_checkpoint()
        if newest is not None and newest[1] != self._continued:
            _check_continues(transaction, frontier, newest[1], signer.verifier)
        text = signer.sign(Checkpoint(self.origin, frontier.size, frontier.root()).text)
        transaction.insert_checkpoint(frontier.size, text)
        self._continued = text
        return text


def _placed_together(
    transaction: Transaction, frontier: Frontier, group: Sequence[Request], recorded: datetime
) -> list[tuple[Request, list[int]]]:
    """Insert what a group adds; return what could be placed, with its indices. The others get their errors."""
    placed = []
    for request in group:
        try:
            _require_size(frontier, request.at)
            rows, indices = _placed(transaction, frontier, request.entries, recorded)
        except (StorageError, LedgerBrokenError):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with one request is its own affair
            request.error = error
            continue
        for row in rows:
            transaction.insert(row)
        placed.append((request, indices))
    return placed


def _require_size(frontier: Frontier, at: int | None) -> None:
    """Refuse what was true of another state of the log."""
    if at is not None and frontier.size != at:
        raise ConflictError(
            "log-moved-on",
            f"The ledger has {frontier.size} entries by now, and what was to be written is about {at}.",
            "Look at the ledger as it is now, and decide again.",
        )


def _placed(
    transaction: Transaction, frontier: Frontier, entries: Sequence[Entry], recorded: datetime
) -> tuple[list[Row], list[int]]:
    """Return the rows that entries add, and the index of each; the frontier moves when all of them can be placed."""
    ahead = Frontier(frontier.size, frontier.peaks, frontier.last)
    rows: dict[str, Row] = {}
    indices = []
    for entry in entries:
        data = leaf(entry, recorded)
        mine = rows.get(entry.id)
        held = (mine.idx, mine.leaf) if mine is not None else transaction.find(entry.id)
        if held is not None:
            indices.append(_same(entry, *held))
            continue
        index = ahead.size
        nodes = ahead.append(leaf_hash(data))
        instants = format_instant(entry.time), format_instant(recorded)
        rows[entry.id] = Row(index, entry.id, entry.type, *instants, data, nodes)
        indices.append(index)
    frontier.size, frontier.peaks, frontier.last = ahead.size, ahead.peaks, ahead.last
    return list(rows.values()), indices


def _same(entry: Entry, index: int, before: bytes) -> int:
    """Return the index of an entry that is held already. Raises ConflictError when it says something else."""
    # What was recorded then and what is offered now may differ in `recorded` alone.
    if leaf(entry, Recorded(index, before).recorded) != before:
        raise ConflictError(
            "entry-exists",
            f"Entry {index} has the id {entry.id!r} and says something else.",
            "What is recorded stays. Look at it:\n  trueup ledger entry DIR " + str(index),
        )
    return index


def _check_continues(view: View, frontier: Frontier, text: str, verifier: Verifier) -> None:
    """Refuse to sign what is not a continuation of the newest signed state (tlog-checkpoint, Signatures)."""
    try:
        note = Note.parse(text)
        before = Checkpoint.parse(note.text)
        sound = before.size <= frontier.size and _root_at(view, before.size) == before.root
        # A log that another key signed is another programme's, whatever its entries say.
        sound = sound and note.signed_by(verifier)
    except ValueError:
        sound = False
    if not sound:
        raise LedgerBrokenError(
            "ledger-inconsistent",
            "The entries no longer fit the newest signed checkpoint; nothing was signed.",
            _VERIFY,
        )


def _size_of(text: str) -> int:
    try:
        return Checkpoint.parse(Note.parse(text).text).size
    except ValueError as error:
        raise LedgerBrokenError("checkpoint-unreadable", f"The newest checkpoint: {error}.", _VERIFY) from None


def _node(view: View, level: int, position: int) -> bytes:
    """Return a complete node: it was stored with the entry that completed it."""
    nodes = view.nodes(((position + 1) << level) - 1)
    node = nodes[level * HASH_SIZE : (level + 1) * HASH_SIZE]
    if len(node) != HASH_SIZE:
        raise LedgerBrokenError("node-missing", "A hash of the ledger's tree is missing.", _VERIFY)
    return node


def _root_at(view: View, size: int) -> bytes:
    return root_of(peaks_of(size, lambda level, position: _node(view, level, position)))

"""The ledger as everybody else sees it: append what happened, read it, sign its state, prove an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import LedgerBrokenError, NotFoundError, UsageError
from trueup.ledger.appending.known import Known
from trueup.ledger.appending.placing import placed
from trueup.ledger.entry import Recorded, check_names, draft
from trueup.ledger.groups import Groups, Request
from trueup.ledger.note import Checkpoint, Note
from trueup.ledger.proof import Consistency, Proof
from trueup.ledger.store import Edge
from trueup.ledger.tree import HASH_SIZE, Frontier, consistency_proof, inclusion_proof, peaks_of, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Entry
    from trueup.ledger.groups import Premise
    from trueup.ledger.note import Signer, Verifier
    from trueup.ledger.store import Store, Transaction, View

# After another process wrote, so many writes ask for the end of the log first.
_PATIENT = 8
_VERIFY = "Find out what happened to it:\n  trueup ledger verify DIR"


class Ledger:
    """One log. Safe to share between threads; several processes may hold the same one.

    `signer` may be None for reading. `origin` is the log's name, the first line of its checkpoints.
    """

    def __init__(self, store: Store, clock: Clock, signer: Signer | None, origin: str) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer
        self._known = Known(Frontier())
        # How often the end of the log is asked for before it is written to: others write there.
        self._moving = 0
        # The newest checkpoint, as far as this process knows; the known end of the log continues it.
        self._continued: str | None = None
        self._groups = Groups(self._commit)
        self.origin = origin

    def append(
        self,
        entries: Sequence[Entry],
        *,
        checkpoint: bool = False,
        before_commit: Callable[[str | None], None] | None = None,
        premise: Premise | None = None,
    ) -> list[int]:
        """Append entries in order and return their indices; on return they are durable, before it none is.

        An entry whose id is held already with the same content keeps its place; with other content it is a
        ConflictError. With `checkpoint` the new state is signed. `before_commit` gets the signed text (None
        without one) inside the transaction: an exception there, or anywhere, leaves the log as it was.
        With a `premise` nothing is appended unless it holds under the lock: else a ConflictError (`log-moved-on`);
        and an id that is held already is a ConflictError whatever is held: who appends on a premise does so once.
        Threads that append at the same time share a commit; those with `before_commit` have one of their own.
        Raises UsageError, ConflictError, StorageError, LedgerBrokenError.
        """
        if checkpoint:
            self._key()
        for entry in entries:
            # What no log can hold is its writer's error alone, before anybody shares a transaction with it.
            check_names(entry)
        return self._groups.settle(Request(entries, checkpoint, before_commit, premise))

    @property
    def signs(self) -> bool:
        """True when its key is at hand, so that checkpoints can be asked for."""
        return self._signer is not None

    def vkey(self) -> str:
        """Return the public key of the log, as signed notes write it. Raises LedgerBrokenError without a key."""
        return self._key().verifier.text

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
            able = _drafted(group)
            if able and not self._at_once(able):
                self._under_lock(able)
        except BaseException as error:
            for request in group:
                request.error = request.error or error
            if not isinstance(error, Exception):
                raise

    def _at_once(self, group: list[Request]) -> bool:
        """Append where this process knows the log to end, in one exchange with the store; False where it may not."""
        extend = self._store.extend
        if extend is None or self._moving or not self._known.frontier.size or any(request.alone for request in group):
            return False
        edge = Edge(self._known.frontier.size, self._known.frontier.last)
        known = self._known.copy()
        # What is known was written before this moment, so that `recorded` follows the order of the entries.
        made = placed(known, lambda _: None, group, format_instant(self._clock.now()))
        if not made.rows or (made.signs and self._continued is None):
            return False
        text = None
        if made.signs:
            edge, text = edge._replace(note=self._continued), self._checkpoint(known.frontier)
        if not extend(edge, made.rows, text):
            return False
        self._known, self._continued = known, text or self._continued
        made.settle()
        return True

    def _under_lock(self, group: list[Request]) -> None:
        ids = [draft.entry.id for request in group for draft in request.drafts]
        before = self._known.frontier.size
        signs = any(request.checkpoint for request in group)
        with self._store.write(ids, after=before - 1 if before else None, signs=signs) as transaction:
            known = self._current(transaction)
            # Others are at it: for a while, it is asked where the log ends before anything is written.
            self._moving = _PATIENT if known.frontier.size != before else max(self._moving - 1, 0)
            # Under the lock, so that `recorded` follows the order of the entries wherever clocks agree.
            made = placed(known, transaction.find, group, format_instant(self._clock.now()))
            for row in made.rows:
                transaction.insert(row)
            text = self._signed(transaction, known) if made.signs else None
            for request, _ in made.requests:
                if request.before_commit is not None:
                    request.before_commit(text)
        self._known = known
        made.settle()

    def _current(self, transaction: Transaction) -> Known:
        """Return the end of the log as it is under the lock: another process may have written since."""
        size = transaction.size()
        last = transaction.nodes(size - 1) if size else b""
        news = transaction.news() if size > self._known.frontier.size else ()
        known = None if news is None else self._known.with_more(news)
        if known is not None and (known.frontier.size, known.frontier.last) == (size, last):
            return known
        self._continued = None
        return Known(Frontier(size, peaks_of(size, lambda level, position: _node(transaction, level, position)), last))

    def _signed(self, transaction: Transaction, known: Known) -> str:
        """Sign the state, unless it does not continue what was signed before."""
        newest = transaction.newest_checkpoint()
        if newest is not None and newest[1] != self._continued:
            _check_continues(transaction, known, newest[1], self._key().verifier)
        text = self._checkpoint(known.frontier)
        transaction.insert_checkpoint(known.frontier.size, text)
        self._continued = text
        return text

    def _checkpoint(self, frontier: Frontier) -> str:
        return self._key().sign(Checkpoint(self.origin, frontier.size, frontier.root()).text)

    def _key(self) -> Signer:
        if self._signer is None:
            raise LedgerBrokenError("key-missing", "The ledger was opened without its signing key.", "")
        return self._signer


def _drafted(group: list[Request]) -> list[Request]:
    """Make all that can be made of the entries before anybody waits for it; return the requests that can be written."""
    for request in group:
        try:
            request.drafts = [draft(entry) for entry in request.entries]
        except UsageError as error:
            request.error = error
    return [request for request in group if request.error is None]


def _check_continues(view: View, known: Known, text: str, verifier: Verifier) -> None:
    """Refuse to sign what is not a continuation of the newest signed state (tlog-checkpoint, Signatures)."""
    try:
        note = Note.parse(text)
        before = Checkpoint.parse(note.text)
        sound = before.size <= known.frontier.size
        sound = sound and (known.root_at(before.size) or _root_at(view, before.size)) == before.root
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

"""A log copied whole, from one store into an empty one, while others write to the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.kernel.errors import ConflictError, LedgerBrokenError
from trueup.kernel.progress import Progress, silent
from trueup.ledger.store import Row

if TYPE_CHECKING:
    from trueup.ledger.store import RawRow, Store

_HINT = "Find out what happened to it:\n  trueup ledger verify DIR"


def copy_log(source: Store, target: Store, progress: Progress = silent) -> int:
    """Copy entries and checkpoints in one transaction; return the number of entries.

    The checkpoints are read first: what a writer appends meanwhile may be in the copy, and can only be more than
    they cover. Nothing is judged here, `verify` does that. Raises ConflictError when the target holds entries,
    StorageError, LedgerBrokenError for what cannot be read.
    """
    checkpoints = list(source.raw_checkpoints())
    copied = 0
    with target.write() as transaction:
        if transaction.size() or transaction.newest_checkpoint() is not None:
            raise ConflictError(
                "ledger-not-empty",
                "There is a ledger already; nothing was copied over it.",
                "Move it away first, whatever its state. It is evidence.",
            )
        for rows in source.raw_rows():
            for row in rows:
                transaction.insert(_row(row))
            copied += len(rows)
            progress("copying the ledger", copied)
        for size, note in checkpoints:
            transaction.insert_checkpoint(size, _text(note))
    return copied


def _row(row: RawRow) -> Row:
    idx, entry_id, kind, time, recorded, leaf, nodes = row
    return Row(idx, _text(entry_id), _text(kind), _text(time), _text(recorded), bytes(leaf), bytes(nodes))


def _text(data: bytes) -> str:
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        raise LedgerBrokenError("ledger-unreadable", "The ledger holds text that is none.", _HINT) from None

"""A log written into a folder that grows with it: what stands there is kept, and has to be of the same log."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from trueup.kernel.errors import ConflictError, LedgerBrokenError, StorageError
from trueup.kernel.files import write_durably
from trueup.ledger.export.tiles import write_tiles
from trueup.ledger.note import Checkpoint, Note
from trueup.ledger.tree import Frontier, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trueup.ledger.log import Ledger

CHECKPOINT = "checkpoint"
LINES = "entries.jsonl"


def export(ledger: Ledger, folder: Path, form: str) -> Checkpoint:
    """Write what the newest checkpoint covers, as `tiles` or `jsonl`, and that checkpoint; return it.

    Of `jsonl`, each line is exactly the bytes that are hashed. Raises ConflictError when the folder holds another
    log, LedgerBrokenError when there is no checkpoint or the entries do not hash to it, StorageError.
    """
    text = ledger.checkpoint()
    if text is None:
        raise LedgerBrokenError("no-checkpoint", "The ledger has no checkpoint yet, so nothing can be exported.", _SIGN)
    checkpoint = _read(text, "the newest checkpoint")
    _require_same(ledger, folder / CHECKPOINT)
    leaves = (item.leaf for item in islice(ledger.entries(), checkpoint.size))
    frontier = _tiles(folder, leaves) if form == "tiles" else _lines(folder, leaves)
    if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
        raise LedgerBrokenError("ledger-inconsistent", "The entries do not hash to the newest checkpoint.", _VERIFY)
    write_durably(folder / CHECKPOINT, text.encode())
    return checkpoint


def _tiles(folder: Path, leaves: Iterator[bytes]) -> Frontier:
    def put(path: str, content: bytes) -> None:
        target = folder / path
        if not target.is_file() or target.read_bytes() != content:
            write_durably(target, content)

    return write_tiles(leaves, put)


def _lines(folder: Path, leaves: Iterator[bytes]) -> Frontier:
    frontier, partial = Frontier(), folder / f".{LINES}.partial"
    with _writing(partial) as stream:
        for leaf in leaves:
            frontier.append(leaf_hash(leaf))
            stream.write(leaf + b"\n")
    partial.replace(folder / LINES)
    return frontier


@contextmanager
def _writing(file: Path) -> Iterator[BinaryIO]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            yield stream
    except OSError as error:
        raise StorageError(
            "cannot-write", f"{file.parent.name} could not be written: {error.strerror}.", "Make room, or name another."
        ) from error


def _require_same(ledger: Ledger, file: Path) -> None:
    """Refuse a folder whose checkpoint this log does not continue: its tiles would be mixed with ours."""
    if not file.exists():
        return
    before = _read(file.read_text("utf-8", errors="replace"), f"{file.parent.name}/{CHECKPOINT}")
    if before.origin != ledger.origin or not ledger.agrees_with(before):
        raise ConflictError(
            "export-of-another-log",
            f"{file.parent.name} holds the export of another log, or of one that this one does not continue.",
            "Name another folder. If it was this log's, something was rewritten:\n    trueup ledger verify DIR",
        )


def _read(text: str, name: str) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(text).text)
    except ValueError as error:
        raise LedgerBrokenError("checkpoint-unreadable", f"Of {name}: {error}.", _VERIFY) from None


_VERIFY = "Find out what happened to it:\n  trueup ledger verify DIR"
_SIGN = "The next command that records something signs one:\n  trueup ledger prove DIR 0 --out FILE"

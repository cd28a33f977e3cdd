"""Receipts of high-impact actions: written by themselves, and again on request; one file proves one outcome, anywhere.

A receipt is a `.tlog-proof` (c2sp.org/tlog-proof) whose `extra` line holds the bytes of the outcome's entry. It can be
made again from the ledger at any time, so that nothing waits for the file, and nothing is lost with it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import LedgerBrokenError, NotFoundError, TrueupError
from trueup.kernel.files import write_durably
from trueup.workspace.recording import ledger_vkey, prove_entry, reading_ledger
from trueup.workspace.settings import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.ledger.proof import Proof

_LOG = logging.getLogger("trueup.receipts")
_FOLDER = "receipts"
_FINISHED = "action.finished"
_LOOK_SECONDS = 0.2


class Receipts:
    """Writes receipts from a thread of its own: who acts waits for none. What fails is logged, and made on request."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self._root = root
        self._ledger = ledger
        self._waiting: SimpleQueue[int] = SimpleQueue()
        self._closing = Event()
        self._thread: Thread | None = None

    def due(self, index: int) -> None:
        """Have the receipt of an outcome written; returns at once."""
        self._waiting.put(index)
        if self._thread is None:
            self._thread = Thread(target=self._work, name="trueup-receipts", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until what was asked for is written."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                index = self._waiting.get(timeout=_LOOK_SECONDS)
            except Empty:
                if self._closing.is_set():
                    return
                continue
            try:
                item = self._ledger.entry(index)
                _write(_file(self._root, item), item, self._ledger.prove(index))
            except TrueupError as error:
                _LOG.warning("no receipt of entry %s was written (%s); `trueup ledger receipt` makes it", index, error)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An outcome and the file that proves it; `name` is how people call the action: as its approval is called."""

    name: str
    outcome: Recorded
    file: Path
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        data = self.outcome.entry.data
        said = {key: data.get(key) for key in ("workflow", "action", "step", "ended")}
        return {"name": self.name, "entry": self.outcome.index, **said, "file": str(self.file), "size": self.size}


def receipts_of(root: Path, wanted: str | None, out: Path | None) -> list[Receipt]:
    """Write the receipt of one action (its name, its step or the index of its outcome), or all that are missing.

    All are those of high impact; each lies in the programme's folder unless `out` says where. Raises NotFoundError,
    and as `prove_entry`.
    """
    with reading_ledger(root) as ledger:
        found = [item for item in ledger.entries(_FINISHED) if _is_wanted(item, wanted)]
    if wanted is not None and not found:
        raise NotFoundError(
            "no-such-action",
            f"No action that has ended is called {wanted!r}.",
            "It is named as in the list (a-...), by its step, or by the index of its entry `action.finished`:\n"
            "    trueup ledger receipt DIR",
        )
    # Of several with one step, in several workflows, the newest is meant.
    return [_made(root, item, out, again=wanted is not None) for item in (found if wanted is None else found[-1:])]


def checked_receipt(root: Path, file: Path) -> dict[str, Any]:
    """Return what a receipt proves, checked with the programme's public key alone. Raises LedgerBrokenError."""
    from trueup.ledger.entry import read_leaf
    from trueup.ledger.note import Verifier
    from trueup.ledger.proof import Proof

    verifier = Verifier.parse(ledger_vkey(root))
    try:
        proof = Proof.parse(file.read_bytes().decode())
        if proof.proves(proof.extra, verifier, verifier.name):
            return {"index": proof.index, "size": proof.size, "entry": read_leaf(proof.index, proof.extra).to_json()}
        why = "it is not signed with this programme's key, or something in it was altered"
    except ValueError as error:
        why = str(error)
    except OSError as error:
        raise NotFoundError("no-such-receipt", f"{str(file)!r} cannot be read: {error.strerror}.", "") from None
    raise LedgerBrokenError(
        "receipt-invalid", f"{file.name} proves nothing: {why}.", "Ask for it again, at its source."
    )


def _is_wanted(item: Recorded, wanted: str | None) -> bool:
    if wanted is None:
        return item.entry.data.get("impact") == "high"
    return wanted in {str(item.index), _name(item), item.entry.data.get("step")}


def _made(root: Path, item: Recorded, out: Path | None, *, again: bool) -> Receipt:
    from trueup.ledger.proof import Proof

    file = out or _file(root, item)
    if not again and file.is_file():
        try:
            return Receipt(_name(item), item, file, Proof.parse(file.read_bytes().decode()).size)
        except ValueError:
            # Half a file, or another one: the ledger says what it has to be.
            _LOG.info("%s is written anew", file.name)
    proof = prove_entry(root, item.index)
    _write(file, item, proof)
    return Receipt(_name(item), item, file, proof.size)


def _write(file: Path, item: Recorded, proof: Proof) -> None:
    write_durably(file, replace(proof, extra=item.leaf).text.encode())


def _file(root: Path, item: Recorded) -> Path:
    return root / STATE / _FOLDER / f"{_name(item)}.tlog-proof"


def _name(item: Recorded) -> str:
    from trueup.enforce.steps import StepIds

    return StepIds(item.id.removesuffix("/finished")).approval

"""The programme's ledger: opened with its key, held against its pin, verified, proved."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.errors import LedgerBrokenError, NotFoundError
from trueup.workspace.settings import STATE, SystemClock
from trueup.workspace.stores import LEDGER_FILE, ledger_url, place_of, store_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trueup.declare.model.programme import LedgerPin
    from trueup.kernel.clock import Clock
    from trueup.kernel.progress import Progress
    from trueup.ledger.log import Ledger
    from trueup.ledger.note import Signer
    from trueup.ledger.proof import Proof
    from trueup.ledger.store import Store
    from trueup.ledger.verify import Report, Witness

CHECKPOINT_EVERY = timedelta(minutes=5)
_KEY = "key"
KEY_SETTING = "TRUEUP_LEDGER_KEY"


def open_ledger(root: Path, pin: LedgerPin | None, clock: Clock, *, write: bool) -> tuple[Ledger, str | None]:
    """Return the programme's ledger and its public key (None when it has none yet).

    Reading creates nothing: a ledger that is not there is empty. Writing makes the key when there is neither key
    nor pin. Raises LedgerBrokenError when the key is missing or not the one that is pinned.
    """
    from trueup.ledger.keys import check_pin, default_origin
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.kept import KeptLedger

    origin = pin.origin if pin else default_origin(root.resolve().name)
    pinned = pin is not None and pin.vkey is not None
    # Who only reads a pinned ledger needs no key, and is not stopped by a bad one.
    signer = None if pinned and not write else _signer(root, origin, pin, write=write)
    if signer is not None and pin is None:
        # A key that was made before the pin was written keeps its name, wherever the folder has moved since.
        origin = signer.name
    elif signer is not None and not pinned:
        signer = signer.renamed(origin)
    if signer is not None and pin is not None and pin.vkey is not None:
        check_pin(signer, pin.vkey)
    store = store_of(root, pin, origin, write=write)
    vkey = signer.verifier.text if signer else (pin.vkey if pin else None)
    if write and signer is not None:
        return KeptLedger(store, clock, signer, origin, every=CHECKPOINT_EVERY, schedule=_later), vkey
    return Ledger(store, clock, signer, origin), vkey


def _later(seconds: float, action: Callable[[], None]) -> Callable[[], None]:
    """Call an action once, later, in a thread that keeps no process alive; return what calls it off."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer.cancel


def ledger_origin(root: Path, pin: LedgerPin | None) -> str:
    """Return the name of a programme's log: the pinned one, else the key's, else one made from the folder."""
    from trueup.ledger.keys import default_origin

    if pin is not None:
        return pin.origin
    signer = _signer(root, "", None, write=False)
    return signer.name if signer is not None else default_origin(root.resolve().name)


def _signer(root: Path, origin: str, pin: LedgerPin | None, *, write: bool) -> Signer | None:
    from trueup.ledger.keys import new_signer, parse_key, read_key, store_key

    from_environment = os.environ.get(KEY_SETTING)
    if from_environment:
        return parse_key(from_environment, KEY_SETTING)
    path = root / STATE / _KEY
    signer = read_key(path)
    if signer is not None or not write:
        return signer
    if pin is not None and pin.vkey is not None:
        raise LedgerBrokenError(
            "key-missing",
            "programme.yaml pins a ledger, but its signing key is not here.",
            f"Bring back {STATE}/{_KEY} (and {place_of(pin)}) from your backup, or set {KEY_SETTING}.",
        )
    return store_key(path, new_signer(origin))


def require_ledger(root: Path, pin: LedgerPin | None, ledger: Ledger) -> None:
    """Raise LedgerBrokenError when the ledger that the files pin is missing, shortened or another's."""
    from trueup.ledger.note import Checkpoint, Note, Verifier
    from trueup.loop.journal import CHECKPOINT_FILE

    if pin is None or pin.vkey is None:
        return
    hint = f"Find out what happened to it, then bring it back from your backup:\n    trueup ledger verify {root}"
    if not _begun(root, pin, ledger):
        raise LedgerBrokenError(
            "ledger-missing", f"programme.yaml pins a ledger, but there is none in {place_of(pin)}.", hint
        )
    witness = root / CHECKPOINT_FILE
    for text in (ledger.checkpoint(), witness.read_text("utf-8") if witness.exists() else None):
        if text is None:
            continue
        try:
            note = Note.parse(text)
            ours = note.signed_by(Verifier.parse(pin.vkey)) and ledger.agrees_with(Checkpoint.parse(note.text))
        except ValueError:
            ours = False
        if not ours:
            raise LedgerBrokenError("ledger-not-ours", "The ledger does not continue what was signed before.", hint)


def _begun(root: Path, pin: LedgerPin, ledger: Ledger) -> bool:
    """Tell whether a ledger was ever begun where it should be; looking makes none."""
    if ledger_url(pin) is None:
        return (root / STATE / LEDGER_FILE).exists()
    return ledger.size() > 0


@contextmanager
def reading_ledger(root: Path) -> Iterator[Ledger]:
    """Open a programme's ledger for reading, whatever the state of its other files."""
    from trueup.declare.pin import read_pin

    ledger, _ = open_ledger(root, read_pin(root), SystemClock(), write=False)
    try:
        yield ledger
    finally:
        ledger.close()


def ledger_vkey(root: Path) -> str:
    """Return the public key of a programme's ledger: the pinned one, else the key's. Raises NotFoundError."""
    from trueup.declare.pin import read_pin

    pin = read_pin(root)
    if pin is not None and pin.vkey is not None:
        return pin.vkey
    ledger, vkey = open_ledger(root, pin, SystemClock(), write=False)
    ledger.close()
    if vkey is None:
        raise NotFoundError(
            "no-ledger-key",
            "This programme has no ledger yet, and so no key.",
            f"The first command that records something makes one:\n    trueup baseline {root} WORKFLOW",
        )
    return vkey


def prove_entry(root: Path, index: int) -> Proof:
    """Prove an entry; the ledger is opened for writing only when a checkpoint has to be signed first."""
    from trueup.declare.pin import read_pin

    with reading_ledger(root) as ledger:
        ledger.entry(index)
        if ledger.covered() > index:
            return ledger.prove(index)
    pin = read_pin(root)
    ledger, _ = open_ledger(root, pin, SystemClock(), write=True)
    try:
        require_ledger(root, pin, ledger)
        return ledger.prove(index)
    finally:
        ledger.close()


def verify_ledger(root: Path, progress: Progress, kept: Sequence[Path] = ()) -> Report:
    """Verify a programme's ledger against its pin and its witnesses; changes nothing, anywhere.

    `kept` are files with checkpoints that somebody kept elsewhere. Reads the pin alone, so that it can answer while
    other declarations are broken. Raises NotFoundError when the folder is no programme, or such a file is missing;
    StorageError when the store does not answer.
    """
    from trueup.declare.pin import read_pin

    pin = read_pin(root)
    store = store_of(root, pin, ledger_origin(root, pin), write=False)
    try:
        # A database that is away, or a disk that does not answer, says nothing about the ledger: that is raised.
        with suppress(LedgerBrokenError):
            store.size()
        return verify_store(root, store, progress, [*witnesses_of(root), *map(_kept, kept)])
    finally:
        store.close()


def verify_store(root: Path, store: Store, progress: Progress, witnesses: Sequence[Witness]) -> Report:
    """Verify any store as if it were the programme's ledger: against its pin, and against witnesses."""
    from trueup.declare.pin import read_pin
    from trueup.ledger.verify import verify

    pin = read_pin(root)
    vkey, origin = (pin.vkey, pin.origin) if pin else (None, None)
    return verify(store, vkey=vkey, origin=origin, witnesses=witnesses, progress=progress)


def _kept(file: Path) -> Witness:
    from trueup.ledger.verify import Witness

    try:
        with file.open("rb") as stream:
            return Witness(file.name, stream.read(1 << 20))
    except OSError as error:
        raise NotFoundError(
            "no-such-checkpoint", f"{str(file)!r} cannot be read: {error.strerror}.", "Name a file with a checkpoint."
        ) from None


def witnesses_of(root: Path) -> list[Witness]:
    """Return the checkpoints that stand outside the ledger: the file in the folder, and the one committed in git."""
    from trueup.connectors.git import GitRepository
    from trueup.ledger.verify import Witness
    from trueup.loop.journal import CHECKPOINT_FILE

    file = root / CHECKPOINT_FILE
    found = [Witness(CHECKPOINT_FILE, file.read_bytes())] if file.is_file() else []
    repository = GitRepository(root)
    committed = repository.show(CHECKPOINT_FILE) if repository.present() else None
    if committed is not None:
        found.append(Witness(f"{CHECKPOINT_FILE} in git", committed))
    return found

"""The composition root: one programme and its state. Clocks, settings and keys are made here and nowhere else."""

from __future__ import annotations

import getpass
import os
import uuid
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.canonical import Json
from trueup.kernel.errors import LedgerBrokenError, NotFoundError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trueup.backends.duckdb import DuckEngine
    from trueup.declare.model.programme import LedgerPin
    from trueup.declare.programme import Programme
    from trueup.declare.read import Checked
    from trueup.enforce.approvals import Desk
    from trueup.enforce.bodies import Bodies
    from trueup.kernel.clock import Clock
    from trueup.kernel.progress import Progress
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.ledger.note import Signer
    from trueup.ledger.proof import Proof
    from trueup.ledger.verify import Report, Witness
    from trueup.loop.workbench import Workbench
    from trueup.observe.actuals import Actuals
    from trueup.observe.observer import Observer
    from trueup.observe.people import WorkflowPerson

STATE = ".trueup"
_LEDGER = "ledger.db"
_KEY = "key"
KEY_SETTING = "TRUEUP_LEDGER_KEY"
SIGNING_KEY_SETTING = "TRUEUP_SIGNING_KEY"


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class DeclaredData:
    """The programme's events and actuals, opened when they are first asked for."""

    def __init__(
        self, programme: Programme, progress: Progress, entries: Callable[[], Iterable[Recorded]] = tuple
    ) -> None:
        from trueup.connectors.logs.declared import LogPaths

        self._programme = programme
        self._entries = entries
        self._paths = LogPaths(programme, progress, programme.root / STATE / "cache")
        self._engine: DuckEngine | None = None
        self._observer: Observer | None = None
        self._actuals: Actuals | None = None

    def observer(self) -> Observer:
        """Return the observer over every declared log."""
        if self._observer is None:
            from trueup.backends.duckdb import DuckEngine
            from trueup.enforce.router import drawn_arms
            from trueup.observe.observer import Observer

            self._engine = DuckEngine(self._paths)
            arms, since = drawn_arms(self._programme, self._entries)
            self._observer = Observer(self._programme, self._engine, self._paths.digest, self.actuals, arms, since)
        return self._observer

    def actuals(self) -> Actuals:
        """Return spend and effort, of the declared files and of the ledger."""
        if self._actuals is None:
            from trueup.loop.facts.recorded import recorded_actuals
            from trueup.observe.actuals import read_actuals

            self._actuals = read_actuals(self._programme, lambda kind: recorded_actuals(self._entries(), kind))
        return self._actuals

    def people(self) -> Sequence[WorkflowPerson]:
        """Return who works in which workflow, by the declared people file."""
        from trueup.observe.people import read_people

        return read_people(self._programme)

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of every source that was read."""
        return self._paths.digests()

    def close(self) -> None:
        """Let go of the engine and of what it spilled."""
        if self._engine is not None:
            self._engine.close()


def new_secret() -> bytes:
    """Return 32 bytes that nobody can guess, for one run of the console."""
    return os.urandom(32)


def checked_programme(root: Path, clock: Clock) -> Checked:
    """Read and check a programme. Raises NotFoundError when the folder is none."""
    from trueup.declare.read import read_programme

    return read_programme(root, clock.now().date())


def open_ledger(root: Path, pin: LedgerPin | None, clock: Clock, *, write: bool) -> tuple[Ledger, str | None]:
    """Return the programme's ledger and its public key (None when it has none yet).

    Reading creates nothing: a ledger that is not there is empty. Writing makes the key when there is neither key
    nor pin. Raises LedgerBrokenError when the key is missing or not the one that is pinned.
    """
    from trueup.backends.sqlite import SqliteStore
    from trueup.ledger.keys import check_pin, default_origin
    from trueup.ledger.log import Ledger

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
    store = SqliteStore(root / STATE / _LEDGER, read_only=not write)
    vkey = signer.verifier.text if signer else (pin.vkey if pin else None)
    return Ledger(store, clock, signer, origin), vkey


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
            f"Bring back {STATE}/{_KEY} (and {STATE}/{_LEDGER}) from your backup, or set {KEY_SETTING}.",
        )
    return store_key(path, new_signer(origin))


def require_ledger(root: Path, pin: LedgerPin | None, ledger: Ledger) -> None:
    """Raise LedgerBrokenError when the ledger that the files pin is missing, shortened or another's."""
    from trueup.ledger.note import Checkpoint, Note, Verifier
    from trueup.loop.journal import CHECKPOINT_FILE

    if pin is None or pin.vkey is None:
        return
    hint = f"Find out what happened to it, then bring {STATE} back from your backup:\n    trueup ledger verify {root}"
    if not (root / STATE / _LEDGER).exists():
        raise LedgerBrokenError(
            "ledger-missing", f"programme.yaml pins a ledger, but there is no {STATE}/{_LEDGER}.", hint
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


@contextmanager
def opened(
    root: Path,
    progress: Progress,
    *,
    write: bool = False,
    recorded: bool = True,
    workflow: str | None = None,
    use_case: str | None = None,
    clock: Clock | None = None,
) -> Iterator[Workbench]:
    """Open a programme for a command: read, check, recover from an interrupted command, wire the rooms together.

    `write` holds the programme's lock; `recorded` is False for commands that do not need the ledger; `workflow` or
    `use_case` is the only one that the command is about: errors in the files of others do not stop it.
    Raises NotFoundError, DeclarationError, LedgerBrokenError, ConflictError (another command is at work).
    """
    from trueup.connectors.git import GitRepository
    from trueup.declare.read import require_sound
    from trueup.loop.journal import exclusive, interrupted, recover
    from trueup.loop.workbench import Workbench

    clock = clock or SystemClock()
    checked = checked_programme(root, clock)
    state = root / STATE
    repository = GitRepository(root)
    if not interrupted(state):
        # Before anything is made: a key takes its name from the pin, and the pin of broken files is not known.
        require_sound(checked, needed_files(checked.programme, workflow, use_case))
    with exclusive(state) if write or interrupted(state) else nullcontext():
        pin = checked.programme.file.ledger
        ledger, vkey = open_ledger(root, pin, clock, write=write)
        try:
            if interrupted(state):
                recover(root, ledger, repository)
                checked = checked_programme(root, clock)
            require_sound(checked, needed_files(checked.programme, workflow, use_case))
            if recorded:
                require_ledger(root, checked.programme.file.ledger, ledger)
            data = DeclaredData(checked.programme, progress, partial(_entries, checked.programme, ledger))
            try:
                yield Workbench(root, checked.programme, data, ledger, vkey, repository, clock, progress)
            finally:
                data.close()
        finally:
            ledger.close()


def _entries(programme: Programme, ledger: Ledger) -> Iterator[Recorded]:
    """Return what is recorded; a ledger that is not the pinned one would leave facts out, and is refused."""
    require_ledger(programme.root, programme.file.ledger, ledger)
    return ledger.entries()


def needed_files(programme: Programme, workflow: str | None, use_case: str | None) -> set[str] | None:
    """Return the files that a command about one workflow or one use case needs; None for all."""
    from trueup.declare.programme import PROGRAMME_FILE, registration_file, use_case_file, workflow_file

    if use_case is not None and use_case in programme.use_cases:
        return {PROGRAMME_FILE, use_case_file(use_case)}
    if workflow is None or workflow not in programme.workflows:
        return None
    its = programme.workflows[workflow].use_case
    own = {PROGRAMME_FILE, workflow_file(workflow), registration_file(workflow)}
    return own | ({use_case_file(its)} if its else set())


def approval_desk(bench: Workbench) -> Desk:
    """Return the approvals of an opened programme."""
    from trueup.enforce.approvals import Desk

    return Desk(bench.programme, bench.ledger, bodies_of(bench.root))


def bodies_of(root: Path) -> Bodies:
    """Return where a programme keeps the arguments that a person has to see."""
    from trueup.backends.bodies import FolderBodies

    return FolderBodies(root / STATE / "bodies")


def runner_name() -> str:
    """Return a name for this process that no other one has, now or later."""
    return f"{os.getpid()}-{uuid.uuid4().hex[:16]}"


def signer_for(bench: Workbench, who: str) -> Callable[[bytes], Mapping[str, Json]]:
    """Return what puts a name under a decision: an SSH signature where a private key is at hand, else a claim.

    The private key is the file that TRUEUP_SIGNING_KEY names; it has to belong to `people.WHO.key`.
    Raises NotPermittedError when the programme takes signed decisions only.
    """
    from trueup.ledger.decision import sign_decision
    from trueup.loop.apply import require_signature

    person = bench.programme.file.people.get(who)
    public = person.key if person else None
    setting = os.environ.get(SIGNING_KEY_SETTING)
    can_sign = public is not None and bool(setting)
    require_signature(required=bench.programme.file.require_signatures, signed=can_sign, by=who)
    if public is None or not setting:
        user = getpass.getuser()
        return lambda _: {"claimed": user}
    private = _signing_key(Path(setting))
    return lambda message: {"signature": sign_decision(message, private, public)}


def _signing_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(
            "signing-key-unreadable",
            f"The signing key {str(path)!r} cannot be read: {error.strerror}.",
            f"Set {SIGNING_KEY_SETTING} to the file of your SSH private key, or unset it to leave a claim.",
        ) from None


def verify_ledger(root: Path, progress: Progress) -> Report:
    """Verify a programme's ledger against its pin and its witnesses; changes nothing, anywhere.

    Reads the pin alone, so that it can answer while other declarations are broken. Raises NotFoundError when
    the folder is no programme.
    """
    from trueup.backends.sqlite import SqliteStore
    from trueup.declare.pin import read_pin
    from trueup.ledger.verify import verify

    pin = read_pin(root)
    vkey, origin = (pin.vkey, pin.origin) if pin else (None, None)
    store = SqliteStore(root / STATE / _LEDGER, read_only=True)
    try:
        return verify(store, vkey=vkey, origin=origin, witnesses=_witnesses(root), progress=progress)
    finally:
        store.close()


def _witnesses(root: Path) -> list[Witness]:
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

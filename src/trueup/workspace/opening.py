"""One programme opened for a command: read, checked, recovered, and the rooms wired together."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.workspace import stores
from trueup.workspace.data import DeclaredData
from trueup.workspace.recording import ledger_origin, open_ledger, require_ledger
from trueup.workspace.settings import STATE, SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.programme import Programme
    from trueup.declare.read import Checked
    from trueup.enforce.approvals import Desk
    from trueup.enforce.bodies import Bodies
    from trueup.kernel.clock import Clock
    from trueup.kernel.progress import Progress
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.loop.workbench import Workbench


def checked_programme(root: Path, clock: Clock) -> Checked:
    """Read and check a programme. Raises NotFoundError when the folder is none."""
    from trueup.declare.read import read_programme

    return read_programme(root, clock.now().date())


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
    patience: float = 0.0,
) -> Iterator[Workbench]:
    """Open a programme for a command: read, check, recover from an interrupted command, wire the rooms together.

    `write` holds the programme's lock; `recorded` is False for commands that do not need the ledger; `workflow` or
    `use_case` is the only one that the command is about: errors in the files of others do not stop it.
    Another command is waited for `patience` seconds.
    Raises NotFoundError, DeclarationError, LedgerBrokenError, ConflictError (another command is at work).
    """
    from trueup.backends.synthetic import weigher
    from trueup.connectors.git import GitRepository
    from trueup.declare.read import require_sound
    from trueup.loop.journal import exclusive, interrupted, recover
    from trueup.loop.workbench import Workbench

    clock = clock or SystemClock()
    checked = checked_programme(root, clock)
    state, repository = root / STATE, GitRepository(root)
    if not interrupted(state):
        # Before anything is made: a key takes its name from the pin, and the pin of broken files is not known.
        require_sound(checked, needed_files(checked.programme, workflow, use_case))
    # Asked once: what another command is changing from now on is no crash, and not this one's to finish.
    held = write or interrupted(state)
    with exclusive(state, patience) if held else nullcontext():
        # Whoever was waited for may have changed what was read.
        checked = checked_programme(root, clock) if held and patience else checked
        ledger, vkey = open_ledger(root, checked.programme.file.ledger, clock, write=write)
        try:
            if held and interrupted(state):
                recover(root, ledger, repository)
                checked = checked_programme(root, clock)
            require_sound(checked, needed_files(checked.programme, workflow, use_case))
            if recorded:
                require_ledger(root, checked.programme.file.ledger, ledger)
            data = DeclaredData(checked.programme, progress, partial(_entries, checked.programme, ledger))
            try:
                yield Workbench(root, checked.programme, data, ledger, vkey, repository, clock, progress, weigher())
            finally:
                data.close()
        finally:
            ledger.close()


def _entries(programme: Programme, ledger: Ledger, event_type: str) -> Iterator[Recorded]:
    """Return what is recorded; a ledger that is not the pinned one would leave facts out, and is refused."""
    require_ledger(programme.root, programme.file.ledger, ledger)
    return ledger.entries(event_type)


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
    """Return where a programme keeps the arguments that a person has to see: beside its ledger."""
    from trueup.declare.pin import read_pin

    pin = read_pin(root)
    return stores.bodies_of(root, pin, ledger_origin(root, pin))

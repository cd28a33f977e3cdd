"""The ledger kept safe and handed on: exports, copies made while it is written, bringing one back, texts that go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import ConflictError, LedgerBrokenError, NotFoundError
from trueup.workspace.opening import approval_desk, opened
from trueup.workspace.recording import (
    ledger_origin,
    open_ledger,
    reading_ledger,
    require_ledger,
    verify_store,
    witnesses_of,
)
from trueup.workspace.settings import STATE, SystemClock
from trueup.workspace.stores import LEDGER_FILE, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.kernel.progress import Progress
    from trueup.ledger.log import Ledger
    from trueup.ledger.proof import Consistency
    from trueup.ledger.verify import Report


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a ledger and what verifying it found."""

    entries: int
    report: Report


def export_ledger(root: Path, folder: Path, form: str) -> dict[str, Any]:
    """Export what a checkpoint covers; where the key is at hand, one is signed first that covers all.

    Raises ConflictError, LedgerBrokenError, StorageError.
    """
    from trueup.ledger.export.folder import export

    with reading_ledger(root) as ledger:
        uncovered = ledger.size() - ledger.covered()
        if not uncovered or not ledger.size():
            checkpoint, size = export(ledger, folder, form), ledger.size()
            return {"folder": str(folder), "format": form, "size": checkpoint.size, "uncovered": size - checkpoint.size}
    ledger = _signing(root)
    try:
        if ledger.signs:
            ledger.sign_checkpoint()
        checkpoint, size = export(ledger, folder, form), ledger.size()
    finally:
        ledger.close()
    return {"folder": str(folder), "format": form, "size": checkpoint.size, "uncovered": size - checkpoint.size}


def prove_continued(root: Path, old: int) -> Consistency:
    """Prove that the ledger continues its first entries; a checkpoint is signed only where none covers as much."""
    with reading_ledger(root) as ledger:
        if ledger.covered() >= max(old, 1):
            return ledger.prove_from(old)
        if old > ledger.size():
            return ledger.prove_from(old)
    ledger = _signing(root)
    try:
        return ledger.prove_from(old)
    finally:
        ledger.close()


def backup_ledger(root: Path, out: Path, progress: Progress) -> Copied:
    """Copy the ledger into one file while others write to it, and verify the copy.

    The file is a ledger as it stands in a folder (SQLite), wherever this one lies; neither key nor texts are in it.
    Raises ConflictError when the file is there already, NotFoundError when nothing was recorded, LedgerBrokenError,
    StorageError.
    """
    from trueup.backends.sqlite import SqliteStore
    from trueup.declare.pin import read_pin
    from trueup.kernel.files import sync_folder
    from trueup.ledger.upkeep.copying import copy_log

    pin = read_pin(root)
    if out.exists():
        raise ConflictError("file-exists", f"{str(out)!r} is there already.", "Name another file; keep the older copy.")
    # Witnesses first: what is signed while the copy is made may cover more than the copy holds.
    witnesses = witnesses_of(root)
    source = store_of(root, pin, ledger_origin(root, pin), write=False)
    if not source.size():
        source.close()
        raise NotFoundError("nothing-recorded", "There is nothing to copy: the ledger has no entry yet.")
    partial = out.with_name(f".{out.name}.partial")
    partial.unlink(missing_ok=True)
    target = SqliteStore(partial)
    try:
        entries = copy_log(source, target, progress)
        target.close()
        copy = SqliteStore(partial, read_only=True)
        report = verify_store(root, copy, progress, witnesses)
        copy.close()
        _sync(partial)
        partial.rename(out)
        sync_folder(out.parent)
    finally:
        source.close()
        target.close()
        partial.unlink(missing_ok=True)
    return Copied(entries, report)


def restore_ledger(root: Path, file: Path, progress: Progress) -> Copied:
    """Bring a copy back as the programme's ledger: into its folder, or into the database that a setting names.

    The copy is verified first, against the pin and the witnesses, and the ledger afterwards. Raises NotFoundError,
    ConflictError when there is a ledger already, LedgerBrokenError when the copy is not sound or too old.
    """
    from trueup.backends.sqlite import SqliteStore
    from trueup.declare.pin import read_pin
    from trueup.ledger.upkeep.copying import copy_log
    from trueup.loop.journal import exclusive

    pin = read_pin(root)
    if not file.is_file():
        raise NotFoundError("no-such-copy", f"There is no file {str(file)!r}.", "Name a file that backup wrote.")
    source = SqliteStore(file, read_only=True)
    target = store_of(root, pin, ledger_origin(root, pin), write=True)
    try:
        _require_sound(verify_store(root, source, progress, witnesses_of(root)), file)
        if isinstance(target, SqliteStore):
            _require_nothing_left(root / STATE)
        with exclusive(root / STATE):
            entries = copy_log(source, target, progress)
        return Copied(entries, verify_store(root, target, progress, witnesses_of(root)))
    finally:
        source.close()
        target.close()


def kept_bodies(root: Path, progress: Progress) -> list[dict[str, Any]]:
    """Return every text that the programme keeps outside the ledger, and how long it may be kept."""
    from trueup.enforce.keeping.retention import stock

    with opened(root, progress) as bench:
        return [kept.to_json() for kept in stock(approval_desk(bench), bench.clock.now())]


def erase_due(root: Path, by: str, progress: Progress) -> list[dict[str, Any]]:
    """Erase every text that is kept longer than its rule allows, each with a tombstone; return what went."""
    from trueup.enforce.keeping.retention import erase, require_person, stock

    erased = []
    with opened(root, progress, write=True) as bench:
        require_person(bench.programme, by)
        desk, now = approval_desk(bench), bench.clock.now()
        for kept in stock(desk, now):
            if kept.state in {"due", "tombstone"}:
                because = f"kept as long as sensitivity.{kept.level}.retain allows"
                index = erase(bench.ledger, desk.bodies, kept.digest, by, because, now)
                erased.append({**kept.to_json(), "state": "erased", "tombstone": index})
    return erased


def erase_body(root: Path, digest: str, by: str, because: str, progress: Progress) -> int:
    """Erase one text at once, with a tombstone; return the tombstone's index."""
    from trueup.enforce.keeping.retention import erase, require_person, require_reason

    require_reason(because)
    with opened(root, progress, write=True) as bench:
        require_person(bench.programme, by)
        return erase(bench.ledger, approval_desk(bench).bodies, digest, by, because, bench.clock.now())


def _signing(root: Path) -> Ledger:
    from trueup.declare.pin import read_pin

    pin = read_pin(root)
    ledger, _ = open_ledger(root, pin, SystemClock(), write=True)
    try:
        require_ledger(root, pin, ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _require_sound(report: Report, file: Path) -> None:
    if report.ok and report.size:
        return
    first = report.problems[0] if report.problems else None
    why = f"{first.kind}: {first.detail}" if first else "it is empty"
    raise LedgerBrokenError(
        "copy-not-sound",
        f"{file.name} cannot become this programme's ledger: {why}.",
        "Take another copy. One that is older than the newest checkpoint would lose what was signed.",
    )


def _require_nothing_left(folder: Path) -> None:
    """Refuse where a ledger is gone, and what was written beside it lies there still."""
    left = [] if (folder / LEDGER_FILE).exists() else sorted(path.name for path in folder.glob(f"{LEDGER_FILE}-*"))
    if left:
        raise ConflictError(
            "log-left-behind",
            f"{' and '.join(left)} of the ledger that is gone lie there still.",
            "Stop the programs that write it, move these aside, and run the command again.",
        )


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Files, record and git change together, or not at all, whatever instant the power fails.

The ledger is the commit point. Before it: everything is staged in `.trueup/journal`, and a crash leaves nothing
but the staging, which is thrown away. After it: the staged files are moved into place and committed, and a crash
leaves a journal from which the next command finishes the work. Every step may be repeated.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.kernel.canonical import digest_bytes
from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import ConflictError, StorageError
from trueup.kernel.files import sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from trueup.ledger.entry import Entry
    from trueup.ledger.log import Ledger
    from trueup.loop.workbench import Repository, Workbench

CHECKPOINT_FILE = "checkpoints/latest"
_MANIFEST = "manifest.json"
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become true: new contents of files (relative paths), entries, and how git tells it."""

    files: Mapping[str, bytes]
    entries: Sequence[Entry]
    message: str
    author: str
    email: str
    at: datetime
    checkpoint: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """What became true. `commit` is None where there is no git, or nothing to commit."""

    files: tuple[str, ...]
    entries: tuple[int, ...]
    commit: str | None


@dataclass(frozen=True, slots=True)
class _Manifest:
    files: tuple[str, ...]
    entry_ids: tuple[str, ...]
    before: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    author: str = ""
    email: str = ""
    at: str = ""


@contextmanager
def exclusive(state: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the programme's lock: one process at a time changes files and record together.

    Another process is waited for `patience` seconds: what was read before may be otherwise by then. Raises
    ConflictError when it holds the lock for longer.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError("cannot-lock", f"{state.name} is not writable: {error.strerror}.") from error
    try:
        _lock(descriptor, patience)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, patience: float) -> None:
    for left in reversed(range(int(patience / _LOOK_SECONDS) + 1)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise ConflictError(
                    "busy",
                    "Another command is changing this programme.",
                    "Wait for it to end, then run this one again.",
                ) from None
            time.sleep(_LOOK_SECONDS)
        else:
            return


def carry_out(bench: Workbench, plan: Plan) -> Done:
    """Make a plan true. Raises StorageError with everything as before when it cannot be begun."""
    folder = bench.state / "journal"
    names = [*plan.files, *([CHECKPOINT_FILE] if plan.checkpoint else [])]
    try:
        _stage(bench.root, folder, plan, tuple(names))
        indices = bench.ledger.append(
            plan.entries,
            checkpoint=plan.checkpoint,
            before_commit=lambda text: _stage_checkpoint(folder, text, wanted=plan.checkpoint),
        )
    except BaseException:
        # An interruption may arrive after the commit point: then the journal stays, and the next command finishes.
        if not _recorded(bench.ledger, [entry.id for entry in plan.entries]):
            _discard(folder)
        raise
    commit = _finish(bench.root, bench.repository, folder)
    return Done(tuple(names), tuple(indices), commit)


def interrupted(state: Path) -> bool:
    """Tell whether a command was interrupted while it changed the programme (or is changing it now)."""
    return (state / "journal").exists()


def recover(root: Path, ledger: Ledger, repository: Repository) -> None:
    """Finish or throw away what a crash left behind. The caller holds the lock."""
    folder = root / ".trueup" / "journal"
    manifest = _read_manifest(folder)
    if manifest is not None and _recorded(ledger, manifest.entry_ids):
        _finish(root, repository, folder)
    else:
        _discard(folder)


def _recorded(ledger: Ledger, ids: Sequence[str]) -> bool:
    return all(ledger.find(entry_id) is not None for entry_id in ids)


def _stage(root: Path, folder: Path, plan: Plan, names: tuple[str, ...]) -> None:
    _discard(folder)
    for name, content in plan.files.items():
        write_durably(folder / "files" / name, content)
    manifest = {
        "files": list(names),
        "entry_ids": [entry.id for entry in plan.entries],
        "before": {name: _digest_of(root / name) for name in names},
        "message": plan.message,
        "author": plan.author,
        "email": plan.email,
        "at": plan.at.isoformat(),
    }
    write_durably(folder / _MANIFEST, json.dumps(manifest).encode())


def _stage_checkpoint(folder: Path, text: str | None, *, wanted: bool) -> None:
    if wanted and text is not None:
        write_durably(folder / "files" / CHECKPOINT_FILE, text.encode())


def _read_manifest(folder: Path) -> _Manifest | None:
    try:
        raw = json.loads((folder / _MANIFEST).read_text())
        return _Manifest(
            tuple(raw["files"]),
            tuple(raw["entry_ids"]),
            raw["before"],
            raw["message"],
            raw["author"],
            raw["email"],
            raw["at"],
        )
    except (OSError, ValueError, KeyError):
        return None


def _finish(root: Path, repository: Repository, folder: Path) -> str | None:
    manifest = _read_manifest(folder)
    if manifest is None:
        raise StorageError("journal-unreadable", "The journal of this change cannot be read.")
    for name in manifest.files:
        _put_in_place(root, folder, name, manifest.before.get(name, ""))
    commit = None
    if repository.present():
        commit = repository.commit(
            manifest.files, manifest.message, manifest.author, manifest.email, parse_instant(manifest.at)
        )
    _discard(folder)
    return commit


def _put_in_place(root: Path, folder: Path, name: str, before: str) -> None:
    staged, target = folder / "files" / name, root / name
    if not staged.exists():
        return
    try:
        if target.exists() and _digest_of(target) not in {before, _digest_of(staged)}:
            # Somebody edited the file between the crash and now: the record wins, and their text is kept.
            target.replace(target.with_name(f"{target.name}.before-recovery"))
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageError(
            "cannot-write",
            f"The change is recorded, but {name} could not be written: {error.strerror}.",
            "Make the folder writable and run any command on the programme: it finishes the change.",
        ) from error


def _digest_of(path: Path) -> str:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return ""


def _discard(folder: Path) -> None:
    # The manifest goes first: without it the rest is only staging.
    (folder / _MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)

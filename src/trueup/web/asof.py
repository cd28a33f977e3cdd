"""The declared files as they stood at an instant: those of the last commit at or before it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.connectors.git import Commit, GitRepository
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.clock import format_instant
from trueup.workspace import STATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

DECLARED = (PROGRAMME_FILE, "use-cases", "workflows", "registrations", "policies", "scenarios")
_NOT_LINKED = {*DECLARED, STATE, ".git"}
# A command writes these two; through a link it would be taken for work of ours to finish.
_NOT_SHARED = {"journal", "lock"}
_KEPT = 8
_ANSWERS = 256


@dataclass(frozen=True, slots=True)
class Files:
    """Which files a page was made from: the folder to read, its commit where there is one, and how to say it."""

    folder: Path
    commit: str | None = None
    committed: datetime | None = None
    says: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return the published form."""
        at = format_instant(self.committed) if self.committed else None
        return {"commit": self.commit, "committed": at, "says": self.says}


@dataclass
class History:
    """The earlier states of one programme, each laid out once, in a folder that goes when the console does.

    Only declared files come from the commit; data, ledger and everything else are links to what is there now, and
    are filtered by their own instants.
    """

    root: Path
    _asked: dict[object, tuple[bool, Commit | None]] = field(default_factory=dict, init=False)
    _made: dict[object, tempfile.TemporaryDirectory[str]] = field(default_factory=dict, init=False)

    def at(self, instant: datetime) -> Files:
        """Return the declared files at an instant. Raises StorageError when git fails."""
        repository = GitRepository(self.root)
        present, commit = self._commit(repository, instant)
        if not present:
            return Files(self.root, says="The programme is not under git: its files are shown as they stand now.")
        if commit is None:
            return Files(self.root, says="No commit is as early: the declared files are shown as they stand now.")
        folder = self._laid_out(repository, commit.hash)
        if folder is None:
            says = f"Commit {commit.hash[:10]} holds no programme: the declared files are shown as they stand now."
            return Files(self.root, says=says)
        return Files(folder, commit.hash, commit.at)

    def _commit(self, repository: GitRepository, instant: datetime) -> tuple[bool, Commit | None]:
        """Ask git, unless its log of what HEAD was shows that nothing has happened since it was asked before."""
        key = (instant, _moves_of_head(self.root))
        if key[1] is None or key not in self._asked:
            present = repository.present()
            if len(self._asked) >= _ANSWERS:
                self._asked.clear()
            self._asked[key] = present, repository.newest_by(instant) if present else None
        return self._asked[key]

    def _laid_out(self, repository: GitRepository, commit: str) -> Path | None:
        beside = tuple(sorted(path.name for path in self.root.iterdir() if path.name not in _NOT_LINKED))
        state = self.root / STATE
        shared = tuple(sorted(path.name for path in state.iterdir())) if state.is_dir() else ()
        key = (commit, beside, shared)
        # The folder has the programme's own name: what is named after it stays so.
        name = self.root.resolve().name
        if key not in self._made:
            files = repository.tree(commit, DECLARED)
            if PROGRAMME_FILE not in files:
                return None
            if len(self._made) >= _KEPT:
                self._made.pop(next(iter(self._made))).cleanup()
            self._made[key] = tempfile.TemporaryDirectory(prefix="trueup-")
            _lay_out(Path(self._made[key].name) / name, files, self.root.resolve(), beside, shared)
        return Path(self._made[key].name) / name


def _moves_of_head(root: Path) -> tuple[str, int, int] | None:
    """Return what the log of HEAD is known by; None where git keeps none, and has to be asked."""
    for folder in (root.resolve(), *root.resolve().parents):
        if (folder / ".git").exists():
            log = folder / ".git" / "logs" / "HEAD"
            if not log.is_file():
                return None
            status = log.stat()
            return (str(log), status.st_size, status.st_mtime_ns)
    return ("nowhere", 0, 0)


def _lay_out(
    folder: Path, files: Mapping[str, bytes], root: Path, beside: Sequence[str], shared: Sequence[str]
) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in beside:
        (folder / name).symlink_to(root / name)
    (folder / STATE).mkdir()
    for name in shared:
        if name not in _NOT_SHARED:
            (folder / STATE / name).symlink_to(root / STATE / name)

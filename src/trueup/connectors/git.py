"""The git repository around a programme: commits of exactly the files that a decision changed, and nothing else.

Commits are made from a temporary index, so that what a person has staged stays staged; no hook, signature, editor
or prompt runs. Where several steps touch the repository, the reference moves last.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SECONDS = 120
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.fsync=all",
    "commit.gpgSign=false",
    "i18n.commitEncoding=utf-8",
    "advice.addEmbeddedRepo=false",
)
_MARKER = "programme.yaml"
# What git calls a file; links and other repositories are neither read nor followed.
_FILES = {b"100644", b"100755"}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and the instant that it gives itself."""

    hash: str
    at: datetime


class GitRepository:
    """The repository that holds a programme's folder, which may be a sub-folder of it.

    Paths are relative to the programme. Where git is not installed, or the folder is in no repository, `present` is
    False and `head` None.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def present(self) -> bool:
        """Tell whether the programme lies in a work tree that does not ignore it."""
        if _git() is None or not self._root.is_dir():
            return False
        inside = self._run("rev-parse", "--is-inside-work-tree")
        if inside.returncode or inside.stdout.strip() != b"true":
            return False
        # check-ignore knows no literal paths, and the marker has nothing in it to be taken for a pattern.
        asked = self._run("check-ignore", "--quiet", "--", _MARKER, env={"GIT_LITERAL_PATHSPECS": "0"})
        return asked.returncode == 1

    def create(self) -> bool:
        """Make the folder a repository of its own; return False where git is not installed."""
        if _git() is None:
            return False
        if not (self._root / ".git").exists():
            self._checked("init", "--quiet", "--template=", "--initial-branch=main")
        return True

    def head(self) -> str | None:
        """Return the hash of the newest commit; None before the first, and where there is no repository."""
        if _git() is None or not self._root.is_dir():
            return None
        found = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return found.stdout.decode().strip() or None if found.returncode == 0 else None

    def commit(
        self,
        paths: Sequence[str],
        message: str,
        author_name: str,
        author_email: str,
        at: datetime | None = None,
    ) -> str | None:
        """Commit these files as they are on disk (one that is gone is removed); None when nothing changed.

        `at` is the instant of the commit; the present where it is None. Raises StorageError with git's own words;
        the branch is then where it was.
        """
        if not paths:
            return None
        head = self.head()
        with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
            aside = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._checked("read-tree", *([head] if head else ["--empty"]), env=aside)
            self._stage(paths, aside)
            tree = self._checked("write-tree", env=aside).decode().strip()
        if tree == self._tree_of(head):
            return None
        self._stage(paths, {})
        who = _signature(author_name, author_email, at)
        parents = ["-p", head] if head else []
        made = self._checked("commit-tree", *parents, tree, env=who, given=message.encode()).decode().strip()
        # The old value makes this refuse where somebody else has committed in between.
        subject = message.splitlines()[0] if message else ""
        self._checked("update-ref", "-m", f"commit: {subject}", "HEAD", made, head or "0" * len(made), env=who)
        return made

    def show(self, path: str, rev: str = "HEAD") -> bytes | None:
        """Return a file as it was committed; None where that revision does not hold it.

        Raises StorageError when git cannot read what it holds.
        """
        name = f"{rev}:./{path}"
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        if found.returncode:
            return None
        return self._checked("cat-file", "blob", found.stdout.decode().strip())

    def newest_by(self, at: datetime) -> Commit | None:
        """Return the newest commit of the programme's folder at or before an instant; None when none is so early."""
        if self.head() is None:
            return None
        asked = f"--until=@{int(at.timestamp())}"
        found = self._checked("log", "-1", "--format=%H %ct", asked, "HEAD", "--", ".").decode().split()
        return Commit(found[0], datetime.fromtimestamp(int(found[1]), UTC)) if found else None

    def tree(self, rev: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the files under these paths as a revision holds them, by path; two calls of git, however many.

        Raises StorageError when git cannot read what it holds.
        """
        listed = self._checked("ls-tree", "-r", "-z", rev, "--", *paths).split(b"\0")
        rows = [(*row.split(b"\t", 1)[0].split(), row.split(b"\t", 1)[1]) for row in listed if row]
        wanted = {name.decode("utf-8", "surrogateescape"): blob for mode, _, blob, name in rows if mode in _FILES}
        answer = self._checked("cat-file", "--batch", given=b"".join(blob + b"\n" for blob in wanted.values()))
        return dict(zip(wanted, _blobs(answer), strict=True))

    def history(self, path: str) -> list[str]:
        """Return the hashes of the commits that changed a file, newest first."""
        if self.head() is None:
            return []
        return self._checked("log", "--format=%H", "HEAD", "--", path).decode().split()

    def dirty(self, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the files among `paths` (all of the programme, where empty) that differ from the newest commit.

        Files that are not under git count; ignored ones do not.
        """
        shown = self._checked(
            "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *(paths or ["."])
        )
        prefix = self._checked("rev-parse", "--show-prefix").decode().rstrip("\n")
        entries = [entry[3:] for entry in shown.decode("utf-8", "surrogateescape").split("\0") if entry]
        return tuple(sorted(entry.removeprefix(prefix) for entry in entries))

    def _stage(self, paths: Sequence[str], index: Mapping[str, str]) -> None:
        listed = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        self._checked("update-index", "--add", "--remove", "--replace", "-z", "--stdin", env=index, given=listed)

    def _tree_of(self, commit: str | None) -> str | None:
        return None if commit is None else self._checked("rev-parse", f"{commit}^{{tree}}").decode().strip()

    def _checked(self, *arguments: str, env: Mapping[str, str] | None = None, given: bytes = b"") -> bytes:
        done = self._run(*arguments, env=env, given=given)
        if done.returncode:
            raise _failed(arguments[0], done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def _run(
        self, *arguments: str, env: Mapping[str, str] | None = None, given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        program = _git()
        if program is None:
            raise StorageError("git-missing", "git is not installed.", "Install git, or work without a repository.")
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            return subprocess.run(  # noqa: S603 -- no shell; the program and its options are fixed here
                [program, "--no-optional-locks", *settings, *arguments],
                cwd=self._root,
                env={**_environment(program), **(env or {})},
                input=given,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _failed(arguments[0], f"no answer within {_SECONDS} seconds") from None
        except (OSError, ValueError) as error:
            raise _failed(arguments[0], str(error)) from error


def _blobs(answer: bytes) -> Iterator[bytes]:
    """Take the contents apart: a line `HASH blob SIZE`, so many bytes, a line break."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 2 + size


def _git() -> str | None:
    return shutil.which("git")


def _environment(program: str) -> dict[str, str]:
    """Return all that git is told of the outside: nothing inherited can point it at another repository."""
    return {
        "PATH": os.pathsep.join((str(Path(program).parent), os.defpath)),
        "HOME": _home(),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "true",
        "GIT_LITERAL_PATHSPECS": "1",
    }


def _home() -> str:
    """Return where git finds the user's own settings, such as folders trusted although another user owns them."""
    try:
        return str(Path.home())
    except RuntimeError:  # a user without a home, as in some containers
        return os.sep


def _signature(name: str, email: str, at: datetime | None) -> dict[str, str]:
    who = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    if at is None:
        return who
    instant = f"@{int(at.timestamp())} +0000"
    return {**who, "GIT_AUTHOR_DATE": instant, "GIT_COMMITTER_DATE": instant}


def _failed(step: str, message: str) -> StorageError:
    reason = message.removeprefix("fatal: ") or "git gave no reason"
    return StorageError(
        "git-failed",
        f"git {step} failed: {reason}",
        "The files are as they were written; put the repository right and run the command again.",
    )

"""What the pages ask: a programme as it stood at an instant, and answers that are kept while nothing has changed."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import ConflictError, TrueupError, UsageError
from trueup.kernel.progress import silent
from trueup.web.asof import Files, History
from trueup.web.fingerprint import Fingerprint, fingerprint
from trueup.workspace import STATE, checked_programme, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from trueup.declare.read import Checked
    from trueup.kernel.clock import Clock
    from trueup.loop.workbench import Workbench

Answer = TypeVar("Answer")

_KEPT = 512
# "Now" stands still for a minute, and longer where answers take long: a page says from when it looks. A new entry in
# the record ends it at once, unless the last answer took long: a busy runtime would have it computed without end.
_HELD = timedelta(minutes=1)
_HELD_PER_WORK = 20
_LONGEST = timedelta(minutes=10)
_LONG_WORK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """From when a page looks, on which files. `given` is the text of `?as_of=`, None for the console's own instant.

    Two looks with the same `key` see the same: the instant, the commit, and every file's name, size and time.
    """

    as_of: datetime
    given: str | None
    files: Files
    key: object


@dataclass(frozen=True, slots=True)
class _Standing:
    """A clock that stands at the instant from which a page looks."""

    at: datetime

    def now(self) -> datetime:
        """Return that instant."""
        return self.at


@dataclass
class Site:
    """One programme. Answers are kept until one of its files changes."""

    root: Path
    clock: Clock
    fixed: datetime | None = None
    _lock: RLock = field(default_factory=RLock, init=False)
    _kept: dict[object, Any] = field(default_factory=dict, init=False)
    _now: Look | None = field(default=None, init=False)
    _now_of: Fingerprint | None = field(default=None, init=False)
    _history: History = field(init=False)
    _longest: timedelta = field(default=timedelta(), init=False)

    def __post_init__(self) -> None:
        """Find the earlier states beside the present one."""
        self._history = History(self.root)

    def look(self, given: str | None) -> Look:
        """Return what an address looks at. Raises UsageError for a wrong instant, StorageError when git fails."""
        with self._lock:
            state = fingerprint(self.root)
            as_of = self.fixed if given is None else _instant(given)
            if as_of is None:
                return self._present(state)
            files = self._history.at(as_of)
            return Look(as_of, given.strip() if given else None, files, (as_of, files.commit, state))

    def _present(self, state: Fingerprint) -> Look:
        now = self.clock.now()
        if self._now is None or not self._now.as_of <= now < self._now.as_of + self._held_for(state):
            self._now, self._now_of = Look(now, None, Files(self.root), (now, None, state)), state
        return self._now

    def _held_for(self, state: Fingerprint) -> timedelta:
        """Return how long the present look may stand, of which the folder is now in this state."""
        if self._now_of is None or self._now_of.files != state.files:
            return timedelta()
        while_working = min(self._longest * _HELD_PER_WORK, _LONGEST)
        if self._now_of.record != state.record:
            return while_working if self._longest >= _LONG_WORK else timedelta()
        return max(_HELD, while_working)

    def checked(self, look: Look) -> Checked:
        """Read and check the declared files. Raises NotFoundError when there is no programme any more."""
        return self.remembered(
            ("checked", look.key), lambda: checked_programme(look.files.folder, _Standing(look.as_of))
        )

    @contextmanager
    def bench(self, look: Look, workflow: str | None = None) -> Iterator[Workbench]:
        """Open the programme for reading; of a `workflow` alone, errors in the files of others do not stop it.

        Raises what `opened` raises, and ConflictError while a command changes the programme.

        An interrupted command is finished by the next command, not by somebody who looks at a page.
        """
        if (self.root / STATE / "journal").exists():
            raise ConflictError(
                "changing",
                "A command is changing this programme, or was interrupted while it did.",
                f"Load the page again in a moment. If this stays, finish what was interrupted:\n"
                f"    trueup review {self.root}",
            )
        try:
            with opened(look.files.folder, silent, workflow=workflow, clock=_Standing(look.as_of)) as bench:
                yield bench
        except TrueupError as error:
            error.hint = error.hint.replace(str(look.files.folder), str(self.root))
            raise

    def kept(self, name: str, look: Look, compute: Callable[[], Answer]) -> Answer:
        """Return an answer that was computed from the same files and instant, or compute it; one at a time."""
        return self.remembered((name, look.key), compute)

    def remembered(self, key: object, compute: Callable[[], Answer]) -> Answer:
        """Return the answer that belongs to a key, or compute it. The key holds all that the answer rests on."""
        with self._lock:
            if key not in self._kept:
                began = time.monotonic()
                answer = compute()
                self._longest = max(self._longest, timedelta(seconds=time.monotonic() - began))
                if len(self._kept) >= _KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = answer
            found: Answer = self._kept[key]
            return found


def _instant(given: str) -> datetime:
    try:
        return parse_instant(given.strip())
    except UsageError as error:
        raise UsageError(error.code, error.message, f"{error.hint} Without an instant, pages look from now.") from None

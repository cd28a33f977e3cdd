"""What the pages ask: a programme as it stands on disk, looked at from an instant. Nothing here writes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import ConflictError
from trueup.kernel.progress import silent
from trueup.workspace import STATE, checked_programme, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from trueup.declare.read import Checked
    from trueup.kernel.clock import Clock
    from trueup.loop.workbench import Workbench

_KEPT = 64
_MOST_FILES = 5000


@dataclass(frozen=True, slots=True)
class Look:
    """From when a page looks. `given` is the text of `?as_of=`, None where the console's own instant is used."""

    as_of: datetime
    given: str | None = None


@dataclass
class Site:
    """One programme. Answers are kept until a file of it changes, and for a minute at most."""

    root: Path
    clock: Clock
    fixed: datetime | None = None
    _lock: Lock = field(default_factory=Lock, init=False)
    _kept: dict[object, dict[str, Any]] = field(default_factory=dict, init=False)

    @property
    def now(self) -> datetime:
        """The instant from which pages look that do not say another."""
        return self.fixed or self.clock.now()

    def checked(self) -> Checked:
        """Read and check the declared files as they stand. Raises NotFoundError when there is no programme any more."""
        return checked_programme(self.root, self.clock)

    @contextmanager
    def bench(self) -> Iterator[Workbench]:
        """Open the programme for reading. Raises what `opened` raises, and ConflictError while a command changes it.

        An interrupted command is finished by the next command, not by somebody who looks at a page.
        """
        if (self.root / STATE / "journal").exists():
            raise ConflictError(
                "changing",
                "A command is changing this programme, or was interrupted while it did.",
                f"Load the page again in a moment. If this stays, finish what was interrupted:\n"
                f"    trueup review {self.root}",
            )
        with opened(self.root, silent, clock=self.clock) as bench:
            yield bench

    def kept(self, name: str, look: Look, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return an answer that was computed from the same files and instant, or compute it; one at a time."""
        minute = self.clock.now().replace(second=0, microsecond=0)
        instant = look.as_of if look.given or self.fixed else minute
        with self._lock:
            # The minute, for data that lie outside the folder.
            key = (name, instant, minute, self._state())
            if key not in self._kept:
                answer = compute()
                if len(self._kept) >= _KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = answer
            return self._kept[key]

    def _state(self) -> tuple[tuple[str, int, int], ...]:
        """Return name, size and time of every file of the programme, its data and its record."""
        found = []
        for path in sorted(self._files()):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
            if len(found) >= _MOST_FILES:
                break
        return tuple(found)

    def _files(self) -> Iterator[Path]:
        for top in self.root.iterdir():
            if top.is_file():
                yield top
            elif top.name == STATE:
                yield from top.glob("*.db*")
                yield from top.glob("reviews/*.json")
            elif not top.name.startswith("."):
                yield from top.rglob("*")

"""The routers that stay open between calls: a draw reads on from the last one, and a changed file opens it anew."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from trueup.declare.programme import PROGRAMME_FILE, registration_file, workflow_file
from trueup.sdk import routed

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.enforce.router import Arrival, Assignment, Router
    from trueup.kernel.clock import Clock

Stamp = tuple[int, int, int]
Stamps = tuple[Stamp | None, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    router: Router
    stack: ExitStack
    stamps: Stamps


class Routers:
    """The routers of a programme's workflows, one draw at a time."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._lock = Lock()
        self._open: dict[str, _Open] = {}

    def assign(self, workflow: str, arrival: Arrival) -> Assignment:
        """Return the arm of a case; durable, and the same ever after. Raises as `routed` and `Router.assign`."""
        with self._lock:
            try:
                return self._current(workflow).assign_all([arrival], self._clock.now())[0]
            except BaseException:
                # What it has counted may not be what is on record.
                self._shut(workflow)
                raise

    def close(self) -> None:
        """Let go of every ledger."""
        with self._lock:
            for workflow in list(self._open):
                self._shut(workflow)

    def _current(self, workflow: str) -> Router:
        stamps = self._stamps(workflow)
        found = self._open.get(workflow)
        if found is not None and found.stamps == stamps:
            return found.router
        self._shut(workflow)
        stack = ExitStack()
        router = stack.enter_context(routed(self._root, workflow, clock=self._clock))
        self._open[workflow] = _Open(router, stack, stamps)
        return router

    def _shut(self, workflow: str) -> None:
        found = self._open.pop(workflow, None)
        if found is not None:
            found.stack.close()

    def _stamps(self, workflow: str) -> Stamps:
        """Return what tells that a file was changed, of those that a draw rests on."""
        files = (PROGRAMME_FILE, workflow_file(workflow), registration_file(workflow))
        return tuple(stamp(self._root / file) for file in files)


def stamp(path: Path) -> Stamp | None:
    """Return what tells that a file was changed: time, size and inode; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

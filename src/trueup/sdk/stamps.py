"""Whether the files that a gate is made from have changed: looked at before each action, so a look has to be cheap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trueup.declare.programme import Programme

    Stamp = tuple[str, int, int, int]


class Stamps:
    """What tells a changed file (time, size and inode) of everything that a workflow's policy is made from."""

    def __init__(self, root: Path, workflow: str) -> None:
        from trueup.declare.programme import PROGRAMME_FILE, workflow_file

        self._root = root
        self._workflow = workflow
        self._policies = str(root / "policies")
        self._always = [str(root / PROGRAMME_FILE), str(root / workflow_file(workflow)), self._policies]

    def now(self, programme: Programme) -> tuple[Stamp, ...]:
        """Return them as they are; a programme names the prompts."""
        files = [*self._always, *sorted(_inside(self._policies)), *self._prompts(programme)]
        return tuple(map(_stamp, files))

    def _prompts(self, programme: Programme) -> list[str]:
        from trueup.enforce.autonomy.rung import prompts_of

        if programme.workflows[self._workflow].model is None:
            return []
        return [str(self._root / file) for file in prompts_of(programme, self._workflow)]


def _inside(folder: str) -> Iterator[str]:
    """Yield all paths under a folder, at any depth; links to folders are not followed."""
    try:
        with os.scandir(folder) as found:
            for entry in found:
                yield entry.path
                if entry.is_dir(follow_symlinks=False):
                    yield from _inside(entry.path)
    except OSError:
        # A folder that cannot be looked into has a stamp of its own.
        return


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 -- a path object for each file would take longer than the look
    except OSError:
        return path, -1, -1, -1
    return path, found.st_mtime_ns, found.st_size, found.st_ino

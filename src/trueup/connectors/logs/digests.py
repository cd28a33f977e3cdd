"""The digest of a file, remembered beside its stat so that an unchanged large file is not hashed again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from trueup.connectors.logs.formats.opening import unreadable
from trueup.kernel.files import write_durably

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from trueup.kernel.progress import Progress

_CHUNK = 1 << 20
# A file that changed this shortly before it was remembered may have changed again within one tick of the file
# system's clock: what is remembered of it is not believed.
_SETTLED_NS = 2_000_000_000


class FileDigests:
    """SHA-256 digests of files, remembered in a folder. Any change of the stat makes what is remembered void."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, path: Path, progress: Progress) -> str:
        """Return `sha256:` and the hex digest of a file's bytes.

        Raises DataError (`data-not-found`, `data-unreadable`, `not-a-log` for a folder), StorageError when the
        digest cannot be remembered.
        """
        try:
            before = fingerprint(path.stat())
            known = self._known(path, before)
            if known is not None:
                return known
            found = _hashed(path, progress)
            if fingerprint(path.stat()) == before:
                self._remember(path, before, found)
        except OSError as error:
            raise unreadable(path.name, error) from error
        return found

    def _known(self, path: Path, stat: list[int]) -> str | None:
        note = self._note(path)
        try:
            remembered = json.loads(note.read_bytes())
            settled = note.stat().st_mtime_ns - max(stat[1], stat[2]) > _SETTLED_NS
            if settled and remembered["stat"] == stat:
                return str(remembered["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None

    def _remember(self, path: Path, stat: list[int], digest: str) -> None:
        write_durably(self._note(path), json.dumps({"stat": stat, "digest": digest}).encode())

    def _note(self, path: Path) -> Path:
        place = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / f"{place[:32]}.json"


def fingerprint(stat: os.stat_result) -> list[int]:
    """Return what changes when a file does: size, modification and change time, inode, device."""
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev]


def _hashed(path: Path, progress: Progress) -> str:
    state = hashlib.sha256()
    size = path.stat().st_size
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
            done += len(chunk)
            progress(f"hashing {path.name}", done, size)
    return f"sha256:{state.hexdigest()}"

"""What a folder is known by without reading it: name, size and time of every file of a programme and its record."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from trueup.workspace import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of a folder with more files than these, the rest is not looked at.
MOST_FILES = 20_000


def fingerprint(root: Path) -> str:
    """Return a digest of what lies in a programme's folder; of its state only the record and the saved reviews."""
    digest = hashlib.blake2b(digest_size=16)
    for count, (path, status) in enumerate(_files(root)):
        if count >= MOST_FILES:
            break
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode(errors="replace"))
    return digest.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    for top in _entries(str(root)):
        if top.is_file():
            yield from _stat(top)
        elif top.name == STATE:
            yield from (found for entry in _entries(top.path) if ".db" in entry.name for found in _stat(entry))
            yield from _within(os.path.join(top.path, "reviews"))  # noqa: PTH118 -- entries of scandir are strings
        elif top.is_dir() and not top.name.startswith("."):
            yield from _within(top.path)


def _within(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _within(entry.path)
        else:
            yield from _stat(entry)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _stat(entry: os.DirEntry[str]) -> Iterator[tuple[str, os.stat_result]]:
    try:
        yield entry.path, entry.stat()
    except OSError:
        return

"""What a folder is known by without reading it: name, size and time of every file of a programme and its record."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from trueup.workspace import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of a folder with more files than these, the rest is not looked at.
MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digests of the declared files with their data, and of the record with the saved reviews."""

    files: str
    record: str


def fingerprint(root: Path) -> Fingerprint:
    """Return what a programme's folder is known by; of its state only the record and the saved reviews count."""
    files, record = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    state = str(root / STATE)
    for path, status in islice(_files(root), MOST_FILES):
        known = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode(errors="replace")
        (record if path.startswith(state) else files).update(known)
    return Fingerprint(files.hexdigest(), record.hexdigest())


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

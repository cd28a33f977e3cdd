"""Texts by their digest, one file each, readable for their owner alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trueup.kernel.canonical import digest_bytes
from trueup.kernel.files import write_durably

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class FolderBodies:
    """Bodies in a folder that is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, body: bytes) -> None:
        """Keep a text. Raises StorageError; ValueError for what is no digest."""
        path = self._path(digest)
        if self.get(digest) != body:
            write_durably(path, body, mode=0o600)

    def get(self, digest: str) -> bytes | None:
        """Return a text whose digest still is its name, or None."""
        try:
            body = self._path(digest).read_bytes()
        except OSError:
            return None
        return body if digest_bytes(body) == digest else None

    def _path(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            msg = f"{digest!r} is no digest"
            raise ValueError(msg)
        return self._folder / f"{match[1]}.json"

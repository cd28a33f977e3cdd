"""Texts by their digest, one file each, readable for their owner alone; outside the ledger, so that they can go.

A digest is keyed with a secret that lies among the texts: an amount, a name or a yes cannot be found by trying
what it might have been, by anybody who has the ledger alone. Digests that were made before there was a key
(`sha256:`) are still understood.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as keyed
from typing import TYPE_CHECKING

from trueup.kernel.canonical import digest_bytes
from trueup.kernel.errors import StorageError
from trueup.kernel.files import sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_DIGEST = re.compile(r"(sha256|hmac-sha256):([0-9a-f]{64})")
_PLAIN = "sha256"
_KEYED = "hmac-sha256"
_KEY_FILE = "digest-key"
_KEY_SIZE = 32


def digest_with(key: bytes, body: bytes) -> str:
    """Return the keyed digest of a text: HMAC-SHA-256 (RFC 2104)."""
    return f"{_KEYED}:{keyed(key, body, sha256).hex()}"


def is_digest(text: str) -> bool:
    """Tell whether a text is a digest by which a body may be kept."""
    return _DIGEST.fullmatch(text) is not None


class FolderBodies:
    """Bodies in a folder that is made when the first is kept.

    `new_key` makes the 32 bytes of the key when there is none yet; without it digests are not keyed.
    """

    def __init__(self, folder: Path, new_key: Callable[[], bytes] | None = None) -> None:
        self._folder = folder
        self._new_key = new_key
        self._key: bytes | None = None

    def digest(self, body: bytes) -> str:
        """Return the digest by which a text is kept and named in the ledger. Raises StorageError."""
        return digest_bytes(body) if self._new_key is None else digest_with(self._secret(self._new_key), body)

    def matches(self, digest: str, body: bytes) -> bool:
        """Tell whether a digest, keyed or from before there was a key, is that of a text."""
        plain = digest.startswith(f"{_PLAIN}:") or self._new_key is None
        return compare_digest(digest_bytes(body) if plain else self.digest(body), digest)

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
        return body if self.matches(digest, body) else None

    def kept(self) -> Iterator[str]:
        """Yield the digests of all texts that lie here."""
        for file in sorted(self._folder.glob("*.json")):
            prefix = _KEYED if file.name.startswith("k-") else _PLAIN
            digest = f"{prefix}:{file.stem.removeprefix('k-')}"
            if is_digest(digest):
                yield digest

    def erase(self, digest: str) -> bool:
        """Remove a text for good; False when there is none. Raises StorageError; ValueError for what is no digest."""
        path = self._path(digest)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(
                "cannot-erase", f"A body could not be erased: {error.strerror}.", "Make the folder writable."
            ) from error
        sync_folder(self._folder)
        return True

    def _path(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            msg = f"{digest!r} is no digest"
            raise ValueError(msg)
        return self._folder / f"{'k-' if match[1] == _KEYED else ''}{match[2]}.json"

    def _secret(self, new_key: Callable[[], bytes]) -> bytes:
        """Return the key; of two processes that make one at the same time, both use the first's."""
        if self._key is None:
            path = self._folder / _KEY_FILE
            try:
                if not path.exists():
                    _make_key(path, new_key())
                found = path.read_bytes()
            except OSError as error:
                raise StorageError(
                    "digest-key", f"The key of the digests cannot be used: {error.strerror}.", "Make it readable."
                ) from error
            if len(found) != _KEY_SIZE:
                raise StorageError("digest-key", "The key of the digests is damaged.", "Bring it back from a backup.")
            self._key = found
        return self._key


def _make_key(path: Path, key: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=".key.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(key)
            stream.flush()
            os.fsync(stream.fileno())
        # A hard link fails when the name is taken, and never shows half a file.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)  # noqa: PTH108 -- the name that mkstemp gave
    sync_folder(path.parent)

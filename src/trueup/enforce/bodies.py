"""Arguments that a person still has to see: outside the ledger, so that they can be erased without breaking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bodies(Protocol):
    """Texts by their digest, which is keyed: who has the ledger alone cannot find a text by trying.

    `put` is durable on return. `get` returns exactly what was put under that digest, or None: a text that was
    erased or altered is not there.
    """

    def digest(self, body: bytes) -> str:
        """Return the digest by which a text is kept and named in the ledger. Raises StorageError."""
        ...

    def matches(self, digest: str, body: bytes) -> bool:
        """Tell whether a digest, keyed or from before there was a key, is that of a text."""
        ...

    def put(self, digest: str, body: bytes) -> None:
        """Keep a text. Raises StorageError."""
        ...

    def get(self, digest: str) -> bytes | None:
        """Return a text, or None."""
        ...

    def kept(self) -> Iterator[str]:
        """Yield the digests of all texts that are there."""
        ...

    def erase(self, digest: str) -> bool:
        """Remove a text for good; False when there is none. Raises StorageError."""
        ...

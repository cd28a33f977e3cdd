"""Arguments that a person still has to see: outside the ledger, so that they can be erased without breaking it."""

from __future__ import annotations

from typing import Protocol


class Bodies(Protocol):
    """Texts by their digest.

    `put` is durable on return. `get` returns exactly what was put under that digest, or None: a text that was
    erased or altered is not there.
    """

    def put(self, digest: str, body: bytes) -> None:
        """Keep a text. Raises StorageError."""
        ...

    def get(self, digest: str) -> bytes | None:
        """Return a text, or None."""
        ...

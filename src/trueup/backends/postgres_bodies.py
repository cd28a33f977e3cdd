"""Texts by their digest, beside a ledger on PostgreSQL and in a schema of their own: what is erased there is gone.

Every machine that works on the programme sees the same texts and uses the same key for their digests.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from trueup.backends.bodies import digest_with, is_digest
from trueup.backends.postgres import connected, errors
from trueup.backends.postgres_layout import lock_of, schema_of
from trueup.kernel.canonical import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

_LAYOUT = (
    "CREATE SCHEMA IF NOT EXISTS LOG",
    "CREATE TABLE IF NOT EXISTS LOG.bodies (digest text PRIMARY KEY, body bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS LOG.digest_key (one boolean PRIMARY KEY CHECK (one), key bytea NOT NULL)",
)


class PostgresBodies:
    """Bodies in the schema beside a ledger's own; made when the first is kept. As of `FolderBodies`."""

    def __init__(self, url: str, origin: str, new_key: Callable[[], bytes]) -> None:
        self._url = url
        self._schema = f"{schema_of(origin)}_bodies"
        self._new_key = new_key
        self._key: bytes | None = None
        self._laid_out = False

    def digest(self, body: bytes) -> str:
        """Return the digest by which a text is kept and named in the ledger. Raises StorageError."""
        if self._key is None:
            self._run("INSERT INTO LOG.digest_key VALUES (true, %s) ON CONFLICT DO NOTHING", (self._new_key(),))
            self._key = bytes(self._run("SELECT key FROM LOG.digest_key")[0][0])
        return digest_with(self._key, body)

    def matches(self, digest: str, body: bytes) -> bool:
        """Tell whether a digest, keyed or from before there was a key, is that of a text."""
        return compare_digest(digest_bytes(body) if digest.startswith("sha256:") else self.digest(body), digest)

    def put(self, digest: str, body: bytes) -> None:
        """Keep a text. Raises StorageError; ValueError for what is no digest."""
        self._run(
            "INSERT INTO LOG.bodies VALUES (%s, %s) ON CONFLICT (digest) DO UPDATE SET body = excluded.body",
            (_checked(digest), body),
        )

    def get(self, digest: str) -> bytes | None:
        """Return a text whose digest still is its name, or None."""
        rows = self._run("SELECT body FROM LOG.bodies WHERE digest = %s", (_checked(digest),))
        body = bytes(rows[0][0]) if rows else None
        return body if body is not None and self.matches(digest, body) else None

    def kept(self) -> Iterator[str]:
        """Yield the digests of all texts that lie here."""
        yield from (str(row[0]) for row in self._run("SELECT digest FROM LOG.bodies ORDER BY digest"))

    def erase(self, digest: str) -> bool:
        """Remove a text for good; False when there is none. Raises StorageError; ValueError for what is no digest."""
        return bool(self._run("DELETE FROM LOG.bodies WHERE digest = %s RETURNING true", (_checked(digest),)))

    def _run(self, statement: str, arguments: Sequence[object] = ()) -> list[Any]:
        # A session for a moment: bodies are needed when something waits for a person, not at every action.
        with errors(), connected(self._url, read_only=False) as connection:
            if not self._laid_out:
                self._lay_out(connection)
            done = connection.execute(statement.replace("LOG", self._schema).encode(), arguments)
            return done.fetchall() if done.description is not None else []

    def _lay_out(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            # CREATE ... IF NOT EXISTS alone fails when two do it at the same time.
            connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (lock_of(self._schema),))
            for statement in _LAYOUT:
                connection.execute(statement.replace("LOG", self._schema).encode())
        self._laid_out = True


def _checked(digest: str) -> str:
    if not is_digest(digest):
        msg = f"{digest!r} is no digest"
        raise ValueError(msg)
    return digest

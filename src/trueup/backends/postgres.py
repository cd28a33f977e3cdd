"""A log in a schema of a PostgreSQL database: many writers on many machines, one order, shared flushes.

A writer holds an advisory lock from reading the frontier to its COMMIT. That COMMIT does not wait for the disk:
the lock is free again at once, and the writer then waits for a flush that covers its own and all earlier entries.
The flush of one writer serves all that came before it, so that many share one (group commit over processes).
A writer who is alone has nobody to let in early: its lock, insert and durable commit are one exchange (`extend`).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trueup.backends.postgres_appending import Open, PostgresTransaction, begun, exchanged, extended, looked_up, prepare
from trueup.backends.postgres_layout import HINT, defects_of, describe, lay_out, schema_of
from trueup.kernel.errors import LedgerBrokenError, StorageError, UsageError
from trueup.ledger.store import Defect, Edge, HashedRow, RawRow, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

_PORTION = 2_000
_SESSION = (
    b"SET client_encoding = 'UTF8'",
    # What statements and answers are written in, and what a look behind the lock relies on, whatever the default.
    b"SET standard_conforming_strings = on",
    b"SET bytea_output = hex",
    b"SET default_transaction_isolation = 'read committed'",
    b"SET lock_timeout = '30s'",
    # A stopped process must not hold the lock for ever.
    b"SET idle_in_transaction_session_timeout = '120s'",
    # Whatever the server's default: the flush at the end of a write is one that reaches the disk.
    b"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)
# The last statement writes a record of its own, and so waits until everything before it is on disk too.
_COMMIT = "COMMIT; SELECT pg_logical_emit_message(true, 'trueup', '')"


class PostgresStore:
    """A Store in the schema of one origin. `read_only` creates and changes nothing; no schema is an empty log.

    `url` is a libpq URL. Raises StorageError when psycopg is not installed.
    """

    def __init__(self, url: str, origin: str, *, read_only: bool = False) -> None:
        self._url = url
        self.schema = schema_of(origin)
        self._read_only = read_only
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._writer: psycopg.Connection[Any] | None = None
        self._reader: psycopg.Connection[Any] | None = None
        self._open: Open | None = None
        self._owner: int | None = None
        self._queries = _statements(self.schema)

    def size(self) -> int:
        """Return the number of entries."""
        mine = self._mine()
        if mine is not None:
            return mine.size
        rows = self._rows(self._queries["size"], ())
        return int(rows[0][0]) if rows else 0

    def nodes(self, index: int) -> bytes:
        """Return the joined node hashes of an entry. Raises LedgerBrokenError when there is none."""
        mine = self._mine()
        if mine is not None and index == mine.size - 1:
            return mine.last
        rows = self._rows(self._queries["nodes"], (index,))
        if not rows:
            raise LedgerBrokenError("entry-missing", f"Entry {index} is missing from the ledger.", HINT)
        return bytes(rows[0][0])

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return index and leaf of the entry that holds an id, or None."""
        mine = self._mine()
        if mine is not None and entry_id in mine.held:
            return mine.held[entry_id]
        rows = self._rows(self._queries["find"], ([entry_id],))
        return (int(rows[0][1]), bytes(rows[0][2])) if rows else None

    def newest_checkpoint(self) -> tuple[int, str] | None:
        """Return size and text of the newest signed checkpoint, or None."""
        mine = self._mine()
        if mine is not None and mine.notes is not None:
            return mine.notes[-1] if mine.notes else None
        rows = self._rows(self._queries["newest"], ())
        return (int(rows[0][0]), str(rows[0][1])) if rows else None

    def leaf(self, index: int) -> bytes | None:
        """Return an entry's bytes, or None when there is no such entry."""
        rows = self._rows(self._queries["leaf"], (index,))
        return bytes(rows[0][0]) if rows else None

    def leaves(self, event_type: str | None = None, after: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Stream index and bytes of all entries, or of one type, in order; those behind an index when it is given."""
        for rows in self._portions(self._queries["leaves"], event_type, event_type, after=after):
            for row in rows:
                yield int(row[0]), bytes(row[1])

    def raw_rows(self) -> Iterator[list[RawRow]]:
        """Stream everything that is stored of the entries, in order of index, in portions."""
        return self._portions(self._queries["raw"])

    def hashed_rows(self) -> Iterator[list[HashedRow]]:
        """Stream leaves and hashes, in order of index, in portions."""
        return self._portions(self._queries["hashed"])

    def altered_columns(self) -> list[int]:
        """Return the indices of entries whose leaf does not end as the columns beside it say."""
        import psycopg

        with errors(), connected(self._url, read_only=True) as connection:
            try:
                return [int(row[0]) for row in connection.execute(self._queries["altered"])]
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return []

    def raw_checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Stream size and text of the signed checkpoints, in order of size."""
        for rows in self._portions(self._queries["raw_checkpoints"]):
            for row in rows:
                yield int(row[0]), bytes(row[1])

    def defects(self) -> list[Defect]:
        """Check the schema against what was laid out; other threads may read meanwhile."""
        try:
            with errors(), connected(self._url, read_only=True) as connection:
                return defects_of(connection, self.schema)
        except (StorageError, LedgerBrokenError) as error:
            return [Defect("unreadable", error.message)]

    @contextmanager
    def write(
        self, ids: Sequence[str] = (), *, after: int | None = None, signs: bool = False
    ) -> Iterator[PostgresTransaction]:
        """Begin a transaction under the ledger's lock; an exception inside undoes it. All is looked up ahead."""
        if self._read_only:
            raise StorageError("read-only", "The ledger was opened for reading.", "")
        with self._writing:
            with errors():
                connection, self._open = self._begun(begun(self.schema, ids, after, signs=signs), ids, signs=signs)
            try:
                self._owner = threading.get_ident()
                yield PostgresTransaction(self, self._open, lambda: self._flush(connection))
                with errors():
                    _commit(connection, self._open)
            except BaseException:
                self._undo(connection)
                raise
            finally:
                self._open = self._owner = None

    def extend(self, edge: Edge, rows: Sequence[Row], note: str | None = None) -> bool:
        """Append rows in one exchange if the log ends as it is known to; as of `Store`.

        Of a connection that was lost meanwhile nobody can say what became of it: then it is False too. Whoever looks
        next takes the lock first, and what may still be under way finds the log longer, or the ids held.
        """
        import psycopg

        if self._read_only:
            raise StorageError("read-only", "The ledger was opened for reading.", "")
        with self._writing, errors():
            connection = self._writable()
            try:
                done = exchanged(connection, extended(self.schema, edge, rows, note))
                count = done.command_tuples if note is None else int(done.get_value(0, 0) or b"0")
                return count == len(rows)
            except psycopg.OperationalError:
                self._undo(connection)
                if connection.closed:
                    return False
                raise
            except BaseException:
                self._undo(connection)
                raise

    def close(self) -> None:
        """Let go of both connections."""
        with self._writing, self._reading:
            for connection in (self._writer, self._reader):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = None

    def _mine(self) -> Open | None:
        """Return the transaction that the asking thread has under way."""
        return self._open if self._owner == threading.get_ident() else None

    def _begun(self, text: bytes, ids: Sequence[str], *, signs: bool) -> tuple[psycopg.Connection[Any], Open]:
        """Begin on the connection at hand; where that was lost since it was last used, on a new one."""
        import psycopg

        connection = self._writable()
        try:
            return connection, looked_up(connection, text, ids, signs=signs)
        except psycopg.OperationalError:
            self._undo(connection)
            if not connection.closed:
                raise
        connection = self._writable()
        try:
            return connection, looked_up(connection, text, ids, signs=signs)
        except BaseException:
            self._undo(connection)
            raise

    def _flush(self, connection: psycopg.Connection[Any]) -> None:
        """Send what waits, so that what is read next sees it."""
        waiting = self._open.taken() if self._open is not None else []
        if waiting:
            with errors():
                connection.execute("; ".join(waiting).encode(), prepare=False)

    def _undo(self, connection: psycopg.Connection[Any]) -> None:
        import psycopg

        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute(b"ROLLBACK")
        except psycopg.Error:
            # A connection that cannot even undo is given up; the server undoes for it.
            connection.close()

    def _portions(self, query: bytes, *arguments: object, after: int | None = None) -> Iterator[list[Any]]:
        last = -(2**63) if after is None else after
        while rows := self._rows(query, (last, *arguments, _PORTION)):
            yield rows
            last = rows[-1][0]

    def _rows(self, query: bytes, arguments: Sequence[object]) -> list[Any]:
        mine = self._mine()
        if mine is not None:
            with errors():
                connection = self._writable()
                self._flush(connection)
                return connection.execute(query, arguments, binary=True).fetchall()
        with self._reading:
            return self._read(query, arguments)

    def _read(self, query: bytes, arguments: Sequence[object]) -> list[Any]:
        """Read on a connection of its own, so that nobody who reads waits for a flush."""
        import psycopg

        with errors():
            try:
                return self._readable().execute(query, arguments, binary=True).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                # Nothing was ever laid out here; a table that is gone from a schema that is there, `defects` names.
                return []
            except psycopg.OperationalError:
                # A connection that was lost since it was last used is replaced, once.
                if self._reader is None or not self._reader.closed:
                    raise
            return self._readable().execute(query, arguments, binary=True).fetchall()

    def _readable(self) -> psycopg.Connection[Any]:
        if self._reader is None or self._reader.closed:
            self._reader = open_connection(self._url, read_only=True)
        return self._reader

    def _writable(self) -> psycopg.Connection[Any]:
        if self._writer is None or self._writer.closed:
            with errors():
                connection = open_connection(self._url, read_only=False)
                try:
                    lay_out(connection, self.schema)
                    prepare(connection, self.schema)
                except BaseException:
                    connection.close()
                    raise
                self._writer = connection
        return self._writer


def _commit(connection: psycopg.Connection[Any], mine: Open) -> None:
    """Send what waits, commit, and wait for the disk, all in one exchange."""
    import psycopg

    if connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
        # A transaction in which something failed before ends with ROLLBACK, and no error.
        raise StorageError("ledger-storage", "The ledger's transaction had failed.", "Nothing was appended.")
    exchanged(connection, "; ".join((*mine.taken(), _COMMIT)).encode())


_AS_BYTES = "convert_to(id, 'UTF8'), convert_to(type, 'UTF8'), convert_to(time, 'UTF8'), convert_to(recorded, 'UTF8')"
_TAIL = """',"id":"' || id || '","recorded":"' || recorded || '","time":"' || time || '","type":"' || type || '"}'"""
_STATEMENTS: Mapping[str, str] = {
    "size": "SELECT coalesce(max(idx) + 1, 0) FROM LOG.entries",
    "nodes": "SELECT nodes FROM LOG.entries WHERE idx = %s",
    "leaf": "SELECT leaf FROM LOG.entries WHERE idx = %s",
    "find": "SELECT id, idx, leaf FROM LOG.entries WHERE id = ANY(%s)",
    "newest": "SELECT size, note FROM LOG.checkpoints ORDER BY size DESC LIMIT 1",
    "leaves": "SELECT idx, leaf FROM LOG.entries WHERE idx > %s AND (%s::text IS NULL OR type = %s)"
    " ORDER BY idx LIMIT %s",
    "raw": "SELECT idx, COLUMNS, leaf, nodes FROM LOG.entries WHERE idx > %s ORDER BY idx LIMIT %s",
    "hashed": "SELECT idx, leaf, nodes FROM LOG.entries WHERE idx > %s ORDER BY idx LIMIT %s",
    "altered": "SELECT idx FROM (SELECT idx, leaf, convert_to(TAIL, 'UTF8') AS tail FROM LOG.entries OFFSET 0) AS made"
    " WHERE tail IS DISTINCT FROM substr(leaf, greatest(1, length(leaf) - length(tail) + 1)) ORDER BY idx",
    "raw_checkpoints": "SELECT size, convert_to(note, 'UTF8') FROM LOG.checkpoints WHERE size > %s"
    " ORDER BY size LIMIT %s",
}


def _statements(schema: str) -> dict[str, bytes]:
    """Return the statements for one schema; its name holds nothing that SQL would have to quote."""
    return {
        name: text.replace("LOG.", f"{schema}.").replace("COLUMNS", _AS_BYTES).replace("TAIL", _TAIL).encode()
        for name, text in _STATEMENTS.items()
    }


def open_connection(url: str, *, read_only: bool) -> psycopg.Connection[Any]:
    """Open a session. Raises psycopg.Error, StorageError when psycopg is not installed, UsageError for a bad URL."""
    try:
        import psycopg
    except ImportError:
        raise StorageError(
            "no-psycopg",
            "A ledger on PostgreSQL needs psycopg, which is not installed.",
            "Install Trueup with its extra `runtime`:\n    pip install 'trueup[runtime]'",
        ) from None
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says of it quotes the address, and so its password.
        raise UsageError(
            "bad-store", "The URL of the ledger's database cannot be read.", "Write postgresql://USER@HOST/DATABASE."
        ) from None
    connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True, connect_timeout=15)
    for statement in _SESSION:
        connection.execute(statement)
    if read_only:
        connection.execute(b"SET default_transaction_read_only = on")
    return connection


@contextmanager
def connected(url: str, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
    """Open a session for a moment."""
    connection = open_connection(url, read_only=read_only)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def errors() -> Iterator[None]:
    """Turn PostgreSQL's errors into ours: damage is the ledger's, everything else the server's."""
    try:
        yield
    except Exception as error:
        import psycopg

        if isinstance(error, psycopg.Error):
            raise describe(error) from error
        raise

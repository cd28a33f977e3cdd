"""A log in one SQLite file: write-ahead logging, one writer at a time, on disk before `write` ends.

Reading leaves the folder as it was: without a write-ahead log the file is opened as immutable and watched for
changes; with one, file and log are copied and the copy is read (`trueup.backends.snapshot`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from trueup.backends.snapshot import Snapshot, is_new, writer_closed, writer_opens
from trueup.backends.sqlite_appending import (
    PATIENCE_SECONDS,
    Flush,
    Open,
    SqliteTransaction,
    done,
    fetched,
    looked_up,
)
from trueup.backends.sqlite_layout import FAILURES, LAYOUT, application_id, defects_of, describe
from trueup.kernel.errors import LedgerBrokenError, StorageError
from trueup.ledger.store import Defect, HashedRow, RawRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
_PORTION = 512
_SIZE = "SELECT coalesce(max(idx) + 1, 0) FROM entries"
_NODES = "SELECT nodes FROM entries WHERE idx = ?"
_FIND = "SELECT idx, leaf FROM entries WHERE id = ?"
_NEWEST = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1"
_AS_BYTES = "ifnull(CAST({} AS BLOB), x'')"
# Bytes whatever a damaged row holds, NULL too.
_RAW = (
    f"SELECT idx, {', '.join(map(_AS_BYTES.format, ('id', 'type', 'time', 'recorded', 'leaf', 'nodes')))}"  # noqa: S608 -- constants
    " FROM entries WHERE idx > ? ORDER BY idx LIMIT ?"
)
# Leaves that do not end as the columns say. LIMIT keeps SQLite from making the end of each leaf twice.
_ALTERED = (
    "SELECT idx FROM (SELECT idx, leaf, CAST("
    """',"id":"' || id || '","recorded":"' || recorded || '","time":"' || time || '","type":"' || type || '"}'"""
    " AS BLOB) AS tail FROM entries LIMIT -1) WHERE tail IS NULL OR substr(leaf, -length(tail)) IS NOT tail"
)
_HASHED = (
    f"SELECT idx, {', '.join(map(_AS_BYTES.format, ('leaf', 'nodes')))} FROM entries WHERE idx > ? ORDER BY idx LIMIT ?"  # noqa: S608 -- constants
)
_RAW_CHECKPOINTS = f"SELECT size, {_AS_BYTES.format('note')} FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?"  # noqa: S608 -- constants


class SqliteStore:
    """A Store in one file. `read_only` never creates or changes anything; a missing file is an empty log."""

    # A look at a file that is near costs next to nothing, and `write` takes one anyway.
    extend = None

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._reading = threading.RLock()
        self._snapshot = Snapshot(path) if read_only else None
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._flush = Flush(path)
        self._file = os.stat_result(range(10))
        self._owner: int | None = None
        self._open: Open | None = None

    def size(self) -> int:
        """Return the number of entries."""
        mine = self._mine()
        if mine is not None:
            return mine.size
        return int(self._one(_SIZE, (), (0,))[0])

    def nodes(self, index: int) -> bytes:
        """Return the joined node hashes of an entry. Raises LedgerBrokenError when there is none."""
        mine = self._mine()
        if mine is not None and index == mine.size - 1:
            return mine.last
        found = self._one(_NODES, (index,), None)
        if found is None:
            raise LedgerBrokenError("entry-missing", f"Entry {index} is missing from the ledger.", _HINT)
        return bytes(found[0])

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return index and leaf of the entry that holds an id, or None."""
        mine = self._mine()
        if mine is not None and entry_id in mine.held:
            return mine.held[entry_id]
        found = self._one(_FIND, (entry_id,), None)
        held = None if found is None else (int(found[0]), bytes(found[1]))
        if mine is not None:
            mine.held[entry_id] = held
        return held

    def newest_checkpoint(self) -> tuple[int, str] | None:
        """Return size and text of the newest signed checkpoint, or None."""
        found = self._one(_NEWEST, (), None)
        return None if found is None else (int(found[0]), str(found[1]))

    def leaf(self, index: int) -> bytes | None:
        """Return an entry's bytes, or None when there is no such entry."""
        found = self._one("SELECT leaf FROM entries WHERE idx = ?", (index,), None)
        return None if found is None else bytes(found[0])

    def leaves(self, event_type: str | None = None, after: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Stream index and bytes of all entries, or of one type, in order; those behind an index when it is given."""
        query = "SELECT idx, leaf FROM entries WHERE idx > ? AND (? IS NULL OR type = ?) ORDER BY idx LIMIT ?"
        for rows in self._portions(query, event_type, event_type, after=after):
            for row in rows:
                yield int(row[0]), bytes(row[1])

    def raw_rows(self) -> Iterator[list[RawRow]]:
        """Stream everything that is stored of the entries, in order of index, in portions."""
        return self._portions(_RAW)

    def hashed_rows(self) -> Iterator[list[HashedRow]]:
        """Stream leaves and hashes, in order of index, in portions."""
        return self._portions(_HASHED)

    def altered_columns(self) -> list[int]:
        """Return the indices of entries whose leaf does not end as the columns beside it say."""
        return self._apart(lambda connection: [int(row[0]) for row in connection.execute(_ALTERED)]) or []

    def raw_checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Stream size and text of the signed checkpoints, in order of size."""
        for rows in self._portions(_RAW_CHECKPOINTS):
            for row in rows:
                yield int(row[0]), bytes(row[1])

    def defects(self) -> list[Defect]:
        """Check structure, indexes, schema and header of the file; other threads may read meanwhile."""
        try:
            return self._apart(defects_of) or []
        except LedgerBrokenError as error:
            return [Defect("unreadable", error.message)]

    def _apart(self, query: Callable[[sqlite3.Connection], T]) -> T | None:
        """Answer a query from a snapshot of its own, so that other threads may read meanwhile."""
        own = Snapshot(self._path)
        try:
            return own.read(query)
        finally:
            own.close()

    @contextmanager
    def write(
        self, ids: Sequence[str] = (), *, after: int | None = None, signs: bool = False
    ) -> Iterator[SqliteTransaction]:
        """Begin a transaction under SQLite's writer lock; an exception inside undoes it. `ids` are looked up ahead."""
        del signs  # The newest checkpoint is near: it is read when it is asked for.
        if self._snapshot is not None:
            raise StorageError("read-only", "The ledger was opened for reading.", "")
        with self._lock:
            connection = self._writing()
            self._flush.begin(connection)
            self._owner = threading.get_ident()
            try:
                self._require_there()
                self._open = looked_up(connection, ids, after)
                yield SqliteTransaction(self, connection, self._open)
                done(connection, "COMMIT")
                self._flush.wait(self._open)
            except BaseException:
                # SQLite ends a transaction by itself on some errors (a full disk): then there is nothing to undo.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._open = self._owner = None

    def close(self) -> None:
        """Close the file; the last one out folds the write-ahead log into it."""
        with self._lock, self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if self._writer is not None:
                self._flush.close()
                self._writer.close()
                self._writer = None
                writer_closed(self._path)
            if self._snapshot is not None:
                self._snapshot.close()

    def _mine(self) -> Open | None:
        """Return the transaction that the asking thread has under way."""
        return self._open if self._owner == threading.get_ident() else None

    def _one(self, query: str, arguments: Sequence[object], otherwise: Any) -> Any:
        rows = self._rows(query, arguments)
        return rows[0] if rows else otherwise

    def _portions(self, query: str, *arguments: object, after: int | None = None) -> Iterator[list[Any]]:
        """Stream rows by their first column, which must rise: in a damaged tree it may not, and would not end."""
        last = -(2**63) if after is None else after
        while rows := self._rows(query, (last, *arguments, _PORTION)):
            if rows[0][0] <= last or rows[-1][0] < rows[0][0]:
                raise LedgerBrokenError("ledger-unreadable", "The ledger's entries are out of order on disk.", _HINT)
            yield rows
            if len(rows) < _PORTION:
                return
            last = rows[-1][0]

    def _rows(self, query: str, arguments: Sequence[object]) -> list[Any]:
        if self._owner == threading.get_ident():
            return fetched(self._writing(), query, arguments)
        with self._reading:
            if self._snapshot is None:
                return fetched(self._beside(), query, arguments)
            found = self._snapshot.read(lambda connection: connection.execute(query, arguments).fetchall())
            return found or []

    def _writing(self) -> sqlite3.Connection:
        with self._lock:
            if self._writer is None:
                writer_opens(self._path)
                try:
                    with _errors():
                        self._writer = _open_for_writing(self._path)
                    self._file = os.stat(self._path)  # noqa: PTH116 -- as below
                except BaseException:
                    writer_closed(self._path)
                    raise
            return self._writer

    def _require_there(self) -> None:
        """Refuse to write into a file that lies there no more: its entries would be gone with it, and nobody told."""
        try:
            there = os.path.samestat(os.stat(self._path), self._file)  # noqa: PTH116 -- each append
        except OSError:
            there = False
        if not there:
            raise LedgerBrokenError(
                "ledger-moved",
                f"{self._path.name} was removed or replaced while it was written.",
                f"{_HINT}\nThen start the program again that wrote it.",
            )

    def _beside(self) -> sqlite3.Connection:
        """Return a connection for reading beside the writer's, so that nobody who reads waits for the disk."""
        if self._reader is None:
            # Under the lock until the writer stands: the file is laid out by then.
            self._writing()
            self._require_there()
            with _errors():
                self._reader = sqlite3.connect(
                    f"file:{quote(str(self._path.resolve()))}?mode=ro",
                    uri=True,
                    timeout=PATIENCE_SECONDS,
                    isolation_level=None,
                    check_same_thread=False,
                )
        return self._reader


_HINT = "Find out what happened to it:\n  trueup ledger verify DIR"


def _open_for_writing(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError("cannot-write", f"{path.parent.name} cannot be made: {error.strerror}.", "") from error
    connection = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        # Only macOS knows it: there, fsync alone does not reach the disk.
        connection.execute("PRAGMA fullfsync = ON")
        if is_new(connection):
            _lay_out(connection)
        _check_format(connection, path.name)
        # From here on every transaction begins with its lock, and waits for it in a way of its own.
        connection.execute("PRAGMA busy_timeout = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(connection: sqlite3.Connection, name: str) -> None:
    if application_id(connection) != LAYOUT.application_id:
        raise LedgerBrokenError("not-a-ledger", f"{name} is a database, but not a ledger.", _HINT)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the journal mode once; two processes that do it at the same time are told `locked` at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                return
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if is_new(connection):
            for statement in LAYOUT.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {LAYOUT.application_id}")
            connection.execute(f"PRAGMA user_version = {LAYOUT.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _errors() -> Iterator[None]:
    """Turn SQLite's errors into ours: damage is the ledger's, everything else the disk's."""
    try:
        yield
    except FAILURES as error:
        raise describe(error) from error

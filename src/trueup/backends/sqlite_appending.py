"""How entries get into a log in a SQLite file: the wait for the writer's lock, and what is done under it."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.backends.sqlite_layout import FAILURES, describe, is_busy
from trueup.kernel.errors import StorageError
from trueup.ledger.appending.known import MOST_NEWS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trueup.ledger.store import Row, View

PATIENCE_SECONDS = 30.0
# After others held the lock, so many commits leave it before they wait for the disk.
_PATIENT = 8
# Until a wait is so long (seconds), so long a pause. One short pause is enough where two meet by chance. Where many
# write all the time, who has the lock gets on for some actions, which is quicker for all than taking turns at each; and
# who has waited for 40 ms goes first. A lock that is not free for a second is held by a command, or a stopped process.
_PAUSES = ((0.001, 0.000_7), (0.04, 0.02), (1.0, 0.000_25), (PATIENCE_SECONDS, 0.001))
_FIND_SEVERAL = "SELECT id, idx, leaf FROM entries WHERE id IN ({})"
_SEVERAL = 100
_LAST = "SELECT idx, nodes FROM entries ORDER BY idx DESC LIMIT 1"
_NEWS = "SELECT idx, leaf FROM entries WHERE idx > ? ORDER BY idx"
_INSERT = "INSERT INTO entries (idx, id, type, time, recorded, leaf, nodes) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(slots=True)
class Open:
    """A transaction under way: the edge of the log, the ids that were looked up ahead, and what is new."""

    size: int
    last: bytes
    held: dict[str, tuple[int, bytes] | None]
    news: list[tuple[int, bytes]] | None = None
    written: bool = False

    @property
    def rests(self) -> bool:
        """True where somebody is told that an entry is held already: its writer may still wait for the disk."""
        return any(self.held.values())


class Flush:
    """Who waits for the disk behind a commit: SQLite under its lock, or, where others want that, the store behind it.

    With `synchronous` NORMAL a commit ends up in the write-ahead log, which SQLite itself has on disk before it takes
    anything from there into the file. What FULL does more is to wait for the log's bytes under the lock. One who waits
    without the lock covers all who wrote before.
    """

    able = hasattr(os, "fdatasync")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log: int | None = None
        self._wanted = 0
        self.behind = False

    def begin(self, connection: sqlite3.Connection) -> None:
        """Take SQLite's lock, and settle who waits: where it had to be waited for, the store does for a while."""
        behind = self.able and self._wanted > 0
        if behind != self.behind:
            done(connection, f"PRAGMA synchronous = {'NORMAL' if behind else 'FULL'}")
            self.behind = behind
        self._wanted = _PATIENT if begin(connection) else max(self._wanted - 1, 0)

    def wait(self, mine: Open) -> None:
        """Return once everything that was committed is on disk, and is needed there. Raises StorageError.

        A commit that had nothing to write waits for nothing, whatever `synchronous` says.
        """
        if not (self.behind if mine.written else self.able and mine.rests):
            return
        try:
            os.fdatasync(self._opened())
        except OSError as error:
            raise StorageError(
                "ledger-storage",
                f"The ledger could not be brought to the disk: {error.strerror}.",
                "Nothing was appended unless it is found later; appending the same again is safe.",
            ) from error

    def close(self) -> None:
        """Let go of the write-ahead log."""
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _opened(self) -> int:
        """Return a descriptor of the write-ahead log; of the one that lies there now, if it was made anew."""
        if self._log is not None and os.fstat(self._log).st_nlink:
            return self._log
        self.close()
        self._log = os.open(f"{os.path.realpath(self._path)}-wal", os.O_RDWR)
        return self._log


class SqliteTransaction:
    """A Transaction in the file."""

    def __init__(self, view: View, connection: sqlite3.Connection, mine: Open) -> None:
        self._view = view
        self._connection = connection
        self._open = mine

    def size(self) -> int:
        """Return the number of entries."""
        return self._open.size

    def nodes(self, index: int) -> bytes:
        """Return the joined node hashes of an entry. Raises LedgerBrokenError when there is none."""
        return self._view.nodes(index)

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return index and leaf of the entry that holds an id, or None."""
        return self._view.find(entry_id)

    def newest_checkpoint(self) -> tuple[int, str] | None:
        """Return size and text of the newest signed checkpoint, or None."""
        return self._view.newest_checkpoint()

    def news(self) -> Sequence[tuple[int, bytes]] | None:
        """Return index and leaf of the entries behind the one that `write` was given; None when they are too many."""
        return self._open.news

    def insert(self, row: Row) -> None:
        """Add an entry at the end."""
        done(self._connection, _INSERT, row)
        mine = self._open
        mine.size, mine.last, mine.written = row.idx + 1, row.nodes, True
        mine.held[row.id] = (row.idx, row.leaf)

    def insert_checkpoint(self, size: int, text: str) -> None:
        """Add a signed checkpoint; one that is there already is kept."""
        self._open.written = True
        done(self._connection, "INSERT OR IGNORE INTO checkpoints (size, note) VALUES (?, ?)", (size, text))


def looked_up(connection: sqlite3.Connection, ids: Sequence[str], after: int | None) -> Open:
    """Read the edge of the log, what is new, and what holds some ids; many ids are left to be asked for one by one."""
    rows = fetched(connection, _LAST, ())
    size, last = (int(rows[0][0]) + 1, bytes(rows[0][1])) if rows else (0, b"")
    news: list[tuple[int, bytes]] | None = None
    if after is not None and 0 <= size - 1 - after <= MOST_NEWS:
        news = (
            [(int(idx), bytes(leaf)) for idx, leaf in fetched(connection, _NEWS, (after,))] if size - 1 > after else []
        )
    if not 0 < len(ids) <= _SEVERAL:
        return Open(size, last, {}, news)
    found = fetched(connection, _FIND_SEVERAL.format(",".join("?" * len(ids))), ids)
    held = {str(name): (int(idx), bytes(leaf)) for name, idx, leaf in found}
    return Open(size, last, {name: held.get(name) for name in ids}, news)


def begin(connection: sqlite3.Connection) -> bool:
    """Take SQLite's writer lock, as soon as it is free; tell whether it was not free at once.

    Raises StorageError when it is not given.

    SQLite's own way of waiting sleeps longer the longer it has waited, up to 100 ms, so that those who have just come
    go first; where several processes write all the time, some of them waited for seconds.
    """
    began, waited = time.monotonic(), 0.0
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except FAILURES as error:
            waited = time.monotonic() - began
            if not is_busy(error) or waited > PATIENCE_SECONDS:
                raise describe(error) from error
        else:
            return waited > 0
        time.sleep(next(pause for until, pause in _PAUSES if waited <= until))


def done(connection: sqlite3.Connection, statement: str, arguments: Sequence[object] = ()) -> None:
    """Execute a statement. Raises StorageError, LedgerBrokenError."""
    try:
        connection.execute(statement, arguments)
    except FAILURES as error:
        raise describe(error) from error


def fetched(connection: sqlite3.Connection, query: str, arguments: Sequence[object]) -> list[Any]:
    """Return the rows of a query. Raises StorageError, LedgerBrokenError."""
    try:
        return connection.execute(query, arguments).fetchall()
    except FAILURES as error:
        raise describe(error) from error

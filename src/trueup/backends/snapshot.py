"""How a ledger's file is read without leaving a trace: no lock files, no write-ahead log, no changed byte.

SQLite's own read-only mode creates files beside a database in write-ahead mode. Therefore: without a
write-ahead log the file is opened as immutable, and every answer is thrown away when the file changed
meanwhile; with one (a writer is at work, or died), file and log are copied and the copy is read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from trueup.backends.sqlite_layout import FAILURES, describe
from trueup.kernel.errors import LedgerBrokenError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_ATTEMPTS = 5
_SMALLEST_PAGE = 512

# POSIX drops all locks of a process on a file as soon as the process closes any descriptor of it. A copy that is
# read beside a writer of the same process must therefore stay open until that writer is closed, or another process
# takes the log for abandoned and deletes the write-ahead log under the writer. (SQLite does the same inside.)
_guard = threading.Lock()
_writers: defaultdict[str, int] = defaultdict(int)
_parked: defaultdict[str, list[int]] = defaultdict(list)

# What tells that a file changed: inode, size, modification time; None when there is no file.
_Stamp = tuple[int, int, int] | None


class Snapshot:
    """A reader of one file that may not exist. `read` answers None then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._connection: sqlite3.Connection | None = None
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._state: tuple[_Stamp, _Stamp] | None = None

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T | None:
        """Answer a query from one committed state of the file; None when nothing was ever written to it.

        Raises LedgerBrokenError when it cannot be read as a database, StorageError for everything else.
        """
        for _ in range(_ATTEMPTS):
            answer: T | None = None
            failure: Exception | None = None
            state = self._look()
            if state != self._state:
                self.close()
            try:
                connection = self._opened(state)
                answer = None if connection is None else query(connection)
            except FAILURES as error:
                failure = error
            if self._look() == state:
                if failure is not None:
                    raise describe(failure) from failure
                return answer
            self.close()
        return self._beside_a_writer(query)

    def close(self) -> None:
        """Forget the state that was read."""
        if self._connection is not None:
            self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()
        self._connection = self._copy = self._state = None

    def _look(self) -> tuple[_Stamp, _Stamp]:
        return _stamp(self._path), _stamp(self._wal)

    def _opened(self, state: tuple[_Stamp, _Stamp]) -> sqlite3.Connection | None:
        """Return a connection to the state, None where there is nothing to read."""
        if self._connection is None and (_filled(state[0]) or _filled(state[1])):
            if state[0] is None:
                raise LedgerBrokenError(
                    "ledger-unreadable",
                    f"{self._path.name} is gone, and its write-ahead log lies there still.",
                    "Stop what writes it, move the log aside, and bring the ledger back from your backup.",
                )
            if _filled(state[1]):
                self._connection = self._open_copy()
            else:
                self._connection = _connect(f"file:{quote(str(self._path.resolve()))}?mode=ro&immutable=1")
            if is_new(self._connection):
                _refuse_fragment(state[0])
                self.close()
        self._state = state
        return self._connection

    def _open_copy(self) -> sqlite3.Connection:
        try:
            self._copy = tempfile.TemporaryDirectory(prefix="trueup-ledger-")
            target = Path(self._copy.name) / "ledger.db"
            _copy_database(self._path, target)
            with suppress(FileNotFoundError):
                shutil.copyfile(self._wal, target.with_name("ledger.db-wal"))
        except OSError as error:
            raise StorageError(
                "cannot-copy",
                f"The ledger has an open write-ahead log and could not be copied for reading: {error.strerror}.",
                "Make room for temporary files, or wait for the writer to end.",
            ) from error
        return _connect(f"file:{quote(str(target))}?mode=rw")

    def _beside_a_writer(self, query: Callable[[sqlite3.Connection], T]) -> T | None:
        """Use SQLite's own locking: a writer so busy is alive, and its files are there already."""
        try:
            connection = _connect(f"file:{quote(str(self._path.resolve()))}?mode=ro")
            try:
                return None if is_new(connection) else query(connection)
            finally:
                connection.close()
        except FAILURES as error:
            raise describe(error) from error


def writer_opens(path: Path) -> None:
    """Note that this process holds locks on a file; call it before they are taken."""
    with _guard:
        _writers[_key(path)] += 1


def writer_closed(path: Path) -> None:
    """Note that the locks of one writer are given back, and close what waited for the last of them."""
    key = _key(path)
    with _guard:
        _writers[key] -= 1
        if _writers[key] <= 0:
            del _writers[key]
            for descriptor in _parked.pop(key, []):
                os.close(descriptor)


def _copy_database(source: Path, target: Path) -> None:
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
    finally:
        key = _key(source)
        with _guard:
            if key in _writers:
                _parked[key].append(descriptor)
            else:
                os.close(descriptor)


def _key(path: Path) -> str:
    return str(path.resolve())


def is_new(connection: sqlite3.Connection) -> bool:
    """Tell whether nothing was ever laid out in the file: a writer that died at its first step leaves that."""
    objects = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    marked = connection.execute("PRAGMA application_id").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return not objects and not marked and pages <= 1


def _refuse_fragment(stamp: _Stamp) -> None:
    """Refuse a file too short to hold a page: SQLite takes it for an empty database, but somebody wrote it."""
    if stamp is not None and 0 < stamp[1] < _SMALLEST_PAGE:
        msg = "file is not a database"
        raise sqlite3.DatabaseError(msg)


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(
            "ledger-storage", f"The ledger could not be looked at: {error.strerror}.", "Make the folder readable."
        ) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _filled(stamp: _Stamp) -> bool:
    return stamp is not None and stamp[1] > 0

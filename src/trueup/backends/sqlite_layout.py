"""What a ledger's file must look like, to the letter: anything more or less in it is a defect."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.errors import LedgerBrokenError, StorageError, TrueupError
from trueup.ledger.store import Defect

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Layout:
    """The schema, its version, and the number by which `file` and SQLite know the format."""

    statements: tuple[str, ...]
    version: int
    application_id: int


_ENTRIES = (
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,"
    " time TEXT NOT NULL, recorded TEXT NOT NULL, leaf BLOB NOT NULL, nodes BLOB NOT NULL) STRICT"
)
_CHECKPOINTS = "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT"
LAYOUT = Layout(
    statements=(_ENTRIES, _CHECKPOINTS),
    version=1,
    application_id=0x54724C67,  # "TrLg"
)

# What every column holds; the reference page of the ledger's file says the same.
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "entries": {
        "idx": "the entry's index, from 0 without gaps",
        "id": "from the leaf; held once",
        "type": "from the leaf",
        "time": "from the leaf",
        "recorded": "from the leaf",
        "leaf": "the exact bytes that are hashed: canonical JSON (RFC 8785)",
        "nodes": "SHA-256 hashes of the tree's nodes that this entry completes, joined, its own leaf hash first",
    },
    "checkpoints": {
        "size": "how many entries the checkpoint covers",
        "note": "the signed note: origin, size, root, one signature",
    },
}

# (type, name, table, sql) of everything that may stand in the schema.
_SCHEMA = frozenset(
    {
        ("table", "entries", "entries", _ENTRIES),
        ("index", "sqlite_autoindex_entries_1", "entries", None),
        ("table", "checkpoints", "checkpoints", _CHECKPOINTS),
    }
)
_MOST_REPORTED = 20
_PRIMARY = 0xFF  # extended result codes carry the primary one in the low byte
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOLFS,
}
_HINT = "Find out what happened to it:\n  trueup ledger verify DIR"


def application_id(connection: sqlite3.Connection) -> int:
    """Return the number in the header that names the format."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def defects_of(connection: sqlite3.Connection) -> list[Defect]:
    """Return what is wrong with the file below entries and hashes; [] when nothing is."""
    found = []
    # 1. Structure: pages, indexes, types and uniqueness, as SQLite checks them.
    for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST_REPORTED})"):
        if line != "ok":
            found.append(Defect("database", str(line)))
    # 2. Schema: exactly ours. A trigger or a further table could hide or add content.
    schema = set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))
    found += [Defect("schema", f"{kind} {name!r} does not belong here") for kind, name, _, _ in schema - _SCHEMA]
    found += [Defect("schema", f"{kind} {name!r} is missing or altered") for kind, name, _, _ in _SCHEMA - schema]
    # 3. Header: the marks that we set.
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if (application_id(connection), version) != (LAYOUT.application_id, LAYOUT.version):
        found.append(Defect("schema", "the file's format marks are not those of a ledger of version 1"))
    return found


# What SQLite raises; Python adds its own when the text of a damaged schema is not UTF-8.
FAILURES = (sqlite3.Error, UnicodeDecodeError)


def is_busy(error: Exception) -> bool:
    """Tell whether somebody else has what is needed."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _BUSY


def describe(error: Exception) -> TrueupError:
    """Return our error for one of SQLite's: the disk's and the lock's by their result codes, all else is damage."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if is_busy(error):
        return StorageError(
            "ledger-busy", "Another process holds the ledger.", "Wait for it to end, then run the command again."
        )
    if code in _DISK:
        return StorageError(
            "ledger-storage",
            f"The ledger could not be used: {error}.",
            "Nothing was appended. Make room, or make the folder writable, and run the command again.",
        )
    return LedgerBrokenError("ledger-unreadable", f"The ledger cannot be read: {error}.", _HINT)

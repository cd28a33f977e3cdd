"""What a ledger's schema in PostgreSQL must look like, to the letter, and what PostgreSQL's errors mean.

Every ledger has a schema of its own, named after its origin, so that several programmes may share a database.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import LedgerBrokenError, StorageError, TrueupError
from trueup.ledger.store import Defect

if TYPE_CHECKING:
    import psycopg

HINT = "Find out what happened to it:\n  trueup ledger verify DIR"
MARK = "trueup ledger 1"
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_LABEL = 40

_TABLES = (
    (
        "CREATE TABLE {0}.entries (idx bigint PRIMARY KEY, id text NOT NULL UNIQUE, type text NOT NULL,"
        " time text NOT NULL, recorded text NOT NULL, leaf bytea NOT NULL, nodes bytea NOT NULL)"
    ),
    "CREATE TABLE {0}.checkpoints (size bigint PRIMARY KEY, note text NOT NULL)",
    "COMMENT ON SCHEMA {0} IS 'trueup ledger 1'",
)
# What the catalogue says of a schema that was laid out like this: (kind, name, definition).
_CATALOGUE = """
SELECT 'relation', relname || ' ' || relkind::text, CASE WHEN relrowsecurity THEN 'row security' ELSE '' END
  FROM pg_class WHERE relnamespace = {0}::regnamespace AND relkind <> 't'
UNION ALL
SELECT 'column', relname || '.' || attname,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '' ELSE ' null' END
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
 WHERE relnamespace = {0}::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = {0}::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'trigger', tgname::text, '' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
 WHERE relnamespace = {0}::regnamespace
UNION ALL
SELECT 'rule', rulename::text, '' FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
 WHERE relnamespace = {0}::regnamespace
UNION ALL
SELECT 'function', proname::text, '' FROM pg_proc WHERE pronamespace = {0}::regnamespace
UNION ALL
SELECT 'index', relname::text, CASE WHEN indisvalid AND indisunique THEN '' ELSE 'not valid' END
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = {0}::regnamespace
"""
_COLUMNS = {
    "entries": {
        "idx": "bigint",
        "id": "text",
        "type": "text",
        "time": "text",
        "recorded": "text",
        "leaf": "bytea",
        "nodes": "bytea",
    },
    "checkpoints": {"size": "bigint", "note": "text"},
}
_CONSTRAINTS = {
    "entries_pkey": "PRIMARY KEY (idx)",
    "entries_id_key": "UNIQUE (id)",
    "checkpoints_pkey": "PRIMARY KEY (size)",
}
_EXPECTED = frozenset(
    {("relation", f"{table} r", "") for table in _COLUMNS}
    | {("column", f"{table}.{name}", kind) for table, columns in _COLUMNS.items() for name, kind in columns.items()}
    | {("constraint", name, text) for name, text in _CONSTRAINTS.items()}
    | {("relation", f"{name} i", "") for name in _CONSTRAINTS}
    | {("index", name, "") for name in _CONSTRAINTS}
)


def schema_of(origin: str) -> str:
    """Return the name of a ledger's schema: readable, plain in SQL, and another one for every origin."""
    label = _NOT_IN_A_NAME.sub("_", origin.lower()).strip("_")[:_LONGEST_LABEL]
    return f"trueup_{label}_{sha256(origin.encode()).hexdigest()[:8]}"


def lock_of(schema: str) -> int:
    """Return the number of the advisory lock that writers of a schema take: a signed 64-bit integer."""
    return int.from_bytes(sha256(schema.encode()).digest()[:8], "big", signed=True)


def lay_out(connection: psycopg.Connection[Any], schema: str) -> None:
    """Make the tables unless they are there. Raises StorageError, LedgerBrokenError for a schema of something else."""
    if mark_of(connection, schema) == MARK:
        return
    _require_usable(connection)
    with connection.transaction():
        connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (lock_of(schema),))
        if mark_of(connection, schema) == MARK:
            return
        if not _exists(connection, schema):
            connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
        elif connection.execute(_catalogue(schema)).fetchone() is not None:
            raise LedgerBrokenError("not-a-ledger", f"The schema {schema} is in use, but not by a ledger.", HINT)
        for statement in _TABLES:
            connection.execute(statement.format(f'"{schema}"').encode())


def mark_of(connection: psycopg.Connection[Any], schema: str) -> str | None:
    """Return the comment by which a ledger's schema is known; None without schema or comment."""
    found = connection.execute(
        b"SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", (schema,)
    ).fetchone()
    return None if found is None else found[0]


def defects_of(connection: psycopg.Connection[Any], schema: str) -> list[Defect]:
    """Return what is wrong with the schema: anything more or less in it than was laid out. [] when nothing is."""
    if not _exists(connection, schema):
        return []
    found = {tuple(row) for row in connection.execute(_catalogue(schema))}
    defects = [Defect("schema", f"{kind} {name!r} does not belong here") for kind, name, _ in found - _EXPECTED]
    defects += [Defect("schema", f"{kind} {name!r} is missing or altered") for kind, name, _ in _EXPECTED - found]
    if mark_of(connection, schema) != MARK:
        defects.append(Defect("schema", "the schema's mark is not that of a ledger of version 1"))
    return sorted(defects)


def describe(error: psycopg.Error) -> TrueupError:
    """Return our error for one of PostgreSQL's; its text never holds the address with its password."""
    state = error.sqlstate or ""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if state == "55P03":
        return StorageError(
            "ledger-busy", "Another process holds the ledger.", "Wait for it to end, then run the command again."
        )
    # Damage that PostgreSQL itself names, tables that are gone or altered, constraints that did not hold.
    if state[:2] in {"XX", "42", "23", "22"} and state != "42501":
        return LedgerBrokenError("ledger-unreadable", f"The ledger cannot be read: {text}.", HINT)
    return StorageError(
        "ledger-storage",
        f"The ledger's database could not be used: {text}.",
        "Nothing was appended unless it is found later; appending the same again is safe.",
    )


def _catalogue(schema: str) -> bytes:
    return _CATALOGUE.format(f"'{schema}'").encode()


def _exists(connection: psycopg.Connection[Any], schema: str) -> bool:
    return connection.execute(b"SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is not None


def _require_usable(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server on which durable means nothing, or text is not UTF-8."""
    settings = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in ("fsync", "server_encoding")}
    if settings["fsync"] != ("on",):
        raise StorageError(
            "not-durable",
            "The PostgreSQL server runs with fsync off; a ledger there could lose entries.",
            "Turn it on.",
        )
    if settings["server_encoding"] != ("UTF8",):
        raise StorageError(
            "not-utf8", "The PostgreSQL database is not in UTF-8.", "Make a database with ENCODING 'UTF8'."
        )

"""What a writer says to PostgreSQL: statements that the server has read beforehand, several of them in one exchange.

Most of an append is its exchanges with the server. Where a writer knows how the log ends, one is enough: take the lock,
insert if the log still ends so, commit. Else it takes two: lock and look; insert, commit, flush.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.backends.postgres_layout import lock_of
from trueup.ledger.appending.known import MOST_NEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import psycopg
    from psycopg.pq.abc import PGresult

    from trueup.ledger.store import Edge, Row, View

_BUFFERED = 1_000
# What is asked for here is found by its key, however small the tables were when the server planned.
_PLANS = b"SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off"
_ARRAYS = ("bigint[]", *["text[]"] * 4, *["bytea[]"] * 2)
_INTO = "INSERT INTO LOG.entries (idx, id, type, time, recorded, leaf, nodes) SELECT * FROM unnest({})"
_STILL = (
    " WHERE (SELECT idx = {} AND nodes = {} FROM LOG.entries ORDER BY idx DESC LIMIT 1)"
    " AND NOT EXISTS (SELECT FROM LOG.entries WHERE id = ANY({}))"
)
_ROWS = ", ".join(f"${n + 1}" for n in range(len(_ARRAYS)))
# The newest entry, those that hold some ids, what came behind an index, and the newest checkpoint.
_EDGE = (
    "(SELECT 0 AS kind, NULL::text AS name, idx, nodes AS data FROM LOG.entries ORDER BY idx DESC LIMIT 1)"
    " UNION ALL SELECT 1, id, idx, leaf FROM LOG.entries WHERE id = ANY($1)"
    " UNION ALL (SELECT 2, NULL, idx, leaf FROM LOG.entries WHERE idx > $2 ORDER BY idx LIMIT NEWS)"
    " UNION ALL (SELECT 3, note, size, NULL FROM LOG.checkpoints WHERE $3 ORDER BY size DESC LIMIT 1)"
).replace("NEWS", str(MOST_NEWS + 1))
_EXTEND = _INTO.format(_ROWS) + _STILL.format("$8", "$9", "$2")
_EXTEND_SIGNED = (
    "WITH new AS (EXTEND AND (SELECT note = $10 FROM LOG.checkpoints ORDER BY size DESC LIMIT 1) RETURNING idx),"
    " signed AS (INSERT INTO LOG.checkpoints (size, note) SELECT $11, $12 WHERE EXISTS (SELECT FROM new))"
    " SELECT count(*) FROM new"
).replace("EXTEND", _EXTEND)
_PREPARED: Mapping[str, tuple[str, str]] = {
    "edge": ("text[], bigint, boolean", _EDGE),
    "insert": (", ".join(_ARRAYS), _INTO.format(_ROWS)),
    "sign": ("bigint, text", "INSERT INTO LOG.checkpoints (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING"),
    "extend": (", ".join((*_ARRAYS, "bigint", "bytea")), _EXTEND),
    "extend_signed": (", ".join((*_ARRAYS, "bigint", "bytea", "text", "bigint", "text")), _EXTEND_SIGNED),
}


def prepare(connection: psycopg.Connection[Any], schema: str) -> None:
    """Have the server read the statements of a writer, once for its session. Raises psycopg.Error."""
    made = (
        f"PREPARE trueup_{name}({types}) AS {text.replace('LOG.', f'{schema}.')}"
        for name, (types, text) in _PREPARED.items()
    )
    connection.execute(_PLANS + b"; " + "; ".join(made).encode(), prepare=False)


def begun(schema: str, ids: Sequence[str], after: int | None, *, signs: bool) -> bytes:
    """Return what takes the lock and, in a statement of its own behind it, looks where the log ends."""
    arguments = f"{_texts(ids)}, {'NULL' if after is None else after}, {str(signs).lower()}"
    text = (
        f"BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_advisory_xact_lock({lock_of(schema)});"
        f" EXECUTE trueup_edge({arguments})"
    )
    return text.encode()


def extended(schema: str, edge: Edge, rows: Sequence[Row], note: str | None) -> bytes:
    """Return what takes the lock, inserts rows if the log still ends as it is known to, and commits durably.

    It is one transaction without BEGIN and COMMIT: the server ends it with the message. The statement behind the lock
    sees all that was committed under it (READ COMMITTED).
    """
    arguments = f"{_rows(rows)}, {edge.size - 1}, {_bytes(edge.last)}"
    name = "extend"
    if note is not None:
        name, arguments = "extend_signed", f"{arguments}, {_text(edge.note or '')}, {rows[-1].idx + 1}, {_text(note)}"
    return f"SELECT pg_advisory_xact_lock({lock_of(schema)}); EXECUTE trueup_{name}({arguments})".encode()


@dataclass(slots=True)
class Open:
    """A transaction under way: the frontier and whatever else was looked up, and what waits to be sent.

    `notes` ends with the newest checkpoint, where it was asked for.
    """

    size: int
    last: bytes
    held: dict[str, tuple[int, bytes] | None]
    news: list[tuple[int, bytes]] | None
    notes: list[tuple[int, str]] | None
    rows: list[Row] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """Return the statements that wait, and let go of them."""
        found = [*self.waiting, f"EXECUTE trueup_insert({_rows(self.rows)})"] if self.rows else self.waiting
        self.rows, self.waiting = [], []
        return found


class PostgresTransaction:
    """A Transaction on PostgreSQL: what it writes is kept until it has to be sent."""

    def __init__(self, view: View, mine: Open, flush: Callable[[], None]) -> None:
        self._view = view
        self._open = mine
        self._flush = flush

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
        mine = self._open
        mine.rows.append(row)
        mine.size, mine.last = row.idx + 1, row.nodes
        mine.held[row.id] = (row.idx, row.leaf)
        if len(mine.rows) >= _BUFFERED:
            self._flush()

    def insert_checkpoint(self, size: int, text: str) -> None:
        """Add a signed checkpoint; one that is there already is kept."""
        mine = self._open
        if mine.notes is not None:
            mine.notes.append((size, text))
        mine.waiting = [*mine.taken(), f"EXECUTE trueup_sign({size}, {_text(text)})"]


def looked_up(connection: psycopg.Connection[Any], text: bytes, ids: Sequence[str], *, signs: bool) -> Open:
    """Take the lock and read what stands behind it, in one exchange with the server. Raises psycopg.Error."""
    done = exchanged(connection, text)
    found: list[list[tuple[bytes, int, bytes]]] = [[], [], [], []]
    for n in range(done.ntuples):
        kind, name, idx, data = (done.get_value(n, column) or b"" for column in range(4))
        found[int(kind)].append((name, int(idx), bytes.fromhex(data[2:].decode("ascii"))))
    edge, held, news, notes = found
    size, last = (edge[0][1] + 1, edge[0][2]) if edge else (0, b"")
    known = {name.decode("utf-8"): (idx, leaf) for name, idx, leaf in held}
    return Open(
        size,
        last,
        {name: known.get(name) for name in ids},
        [(idx, leaf) for _, idx, leaf in news] if len(news) <= MOST_NEWS else None,
        [(at, note.decode("utf-8")) for note, at, _ in notes] if signs else None,
    )


def exchanged(connection: psycopg.Connection[Any], text: bytes) -> PGresult:
    """Send statements and wait for all of them; return what the last one answered. Raises psycopg.Error.

    By libpq itself: a cursor for each exchange takes a tenth of what a governed action does.
    """
    import psycopg

    if b"\0" in text:
        msg = "a statement ends with its first NUL"
        raise ValueError(msg)
    found = connection.pgconn.exec_(text)
    if found.status in {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}:
        return found
    if connection.closed:
        raise psycopg.OperationalError("the connection to the server was lost")
    raise psycopg.errors.error_from_result(found)


def _rows(rows: Sequence[Row]) -> str:
    numbers, *texts = zip(*((row.idx, row.id, row.type, row.time, row.recorded) for row in rows), strict=True)
    leaves, nodes = _binaries(row.leaf for row in rows), _binaries(row.nodes for row in rows)
    return ", ".join((f"'{{{','.join(map(str, numbers))}}}'", *map(_texts, texts), leaves, nodes))


def _binaries(values: Iterable[bytes]) -> str:
    return "'{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}'"


def _texts(values: Iterable[str]) -> str:
    return _text("{" + ",".join([f'"{_escaped(value)}"' for value in values]) + "}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _text(value: str) -> str:
    """Return a text in quotes, as a server with `standard_conforming_strings` reads it."""
    return "'" + value.replace("'", "''") + "'"


def _bytes(value: bytes) -> str:
    return f"'\\x{value.hex()}'"

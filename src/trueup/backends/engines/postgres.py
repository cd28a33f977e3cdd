"""PostgreSQL as an engine of observe: the events stay in their table, and only what was counted leaves it.

Everything is asked in one transaction that sees one state of the tables and is undone at the end: what is kept lies in
temporary tables, and nothing of the database is changed.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import ibis
import pyarrow as pa
from pyarrow import csv

from trueup.backends.engines.postgres_dialect import sql_of
from trueup.backends.engines.tables import RawTable, spec_of, usable
from trueup.kernel.canonical import digest
from trueup.kernel.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    import ibis.expr.types as ir
    import psycopg

    from trueup.backends.engines.tables import TableSpec

_SESSION = (
    b"SET client_encoding = 'UTF8'",
    b"SET TimeZone = 'UTC'",
    b"SET DateStyle = 'ISO, YMD'",
    b"SET extra_float_digits = 1",
    b"SET bytea_output = 'hex'",
    b"SET IntervalStyle = 'iso_8601'",
    # One state of every table, however long the questions take.
    b"BEGIN ISOLATION LEVEL REPEATABLE READ",
)
# By the number of the type: how it is read, and as what.
_TIMESTAMPTZ = 1184
_TYPES: dict[int, tuple[str, str]] = {
    16: ("{}", "boolean"),
    20: ("{}", "int64"),
    21: ("{}::bigint", "int64"),
    23: ("{}::bigint", "int64"),
    700: ("{}::text::float8", "float64"),
    701: ("{}", "float64"),
    1082: ("{}", "date"),
    1114: ("{}", "timestamp(6)"),
    _TIMESTAMPTZ: ("({} AT TIME ZONE 'UTC')", "timestamp(6)"),
    1700: ("{}", "decimal"),
}
_TEXT = ('{}::text COLLATE "C"', "string")


class PostgresEngine:
    """Computes expressions over tables of one database (`specs`: one table for each declared source).

    `url` is a libpq URL; it is never quoted in an error. Needs the right to read the tables and to make temporary
    ones. `label` stands in the names of what is made. Raises StorageError when psycopg is not installed; DataError
    `data-unreadable` when nobody answers.
    """

    def __init__(self, url: str, specs: Mapping[str, TableSpec], *, label: str = "pg") -> None:
        self._specs = specs
        self._label = label
        self._tables: dict[str, ir.Table] = {}
        self._made = 0
        self._connection = _connected(url)

    def table(self, data: str) -> ir.Table:
        """Return the events of a source; see Engine. Raises DataError as `usable`, `data-not-found`."""
        if data not in self._tables:
            spec = spec_of(self._specs, data)
            self._tables[data] = usable(self._raw(spec), spec, self.fetch)
        return self._tables[data]

    def load(self, rows: pa.Table) -> ir.Table:
        """Bring rows into the database; see Engine."""
        name = self._name("loaded")
        schema = ibis.Schema.from_pyarrow(rows.schema)
        columns = ", ".join(f"{_quoted(column)} {_declared(schema[column])}" for column in schema)
        text = io.BytesIO()
        csv.write_csv(rows, text, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
        with self._asked() as cursor:
            cursor.execute(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP".encode())
            with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)".encode()) as copy:
                copy.write(text.getvalue())
        return ibis.table(schema, name=name)

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once; see Engine."""
        name = self._name("kept")
        schema = expr.schema()
        # Sums of integers are wider here than in Ibis: what is kept has the types that are promised.
        columns = ", ".join(f"{_quoted(one)}::{_declared(schema[one])} AS {_quoted(one)}" for one in schema)
        with self._asked() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE {name} ON COMMIT DROP AS SELECT {columns} FROM ({sql_of(expr)}) AS q".encode()  # noqa: S608 -- quoted above
            )
            cursor.execute(f"ANALYZE {name}".encode())
        return ibis.table(schema, name=name)

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows; see Engine."""
        found = io.BytesIO()
        with self._asked() as cursor, cursor.copy(f"COPY ({sql_of(expr)}) TO STDOUT (FORMAT csv)".encode()) as copy:
            for block in copy:
                found.write(block)
        found.seek(0)
        return _read(found, expr.schema().to_pyarrow())

    def digest(self, data: str) -> str:
        """Return a digest of what a table holds: its columns, how many rows, and sums over them in any order.

        It shows any change of the table between two reviews; it is no proof against somebody who looks for rows
        with the same sum.
        """
        spec = spec_of(self._specs, data)
        name = _table_name(spec)
        parts = ", ".join(
            f"sum(('x' || substr(h, {1 + 16 * part}, 16))::bit(64)::bigint::numeric)" for part in range(4)
        )
        hashed = f"SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') AS h FROM {name} AS t"  # noqa: S608 -- quoted
        with self._asked(spec) as cursor:
            columns = _described(cursor, name)
            cursor.execute(f"SELECT count(*), {parts} FROM ({hashed}) AS hashes".encode())  # noqa: S608 -- quoted above
            (row,) = cursor.fetchall()
        return digest({"columns": [[*column] for column in columns], "sums": [str(part) for part in row]})

    def close(self) -> None:
        """Undo the transaction, with all that was kept, and let go of the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _raw(self, spec: TableSpec) -> RawTable:
        """Make the view of a table, its instants in naive UTC."""
        name, view = _table_name(spec), self._name("source")
        with self._asked(spec) as cursor:
            columns = _described(cursor, name)
            read = {column: _TYPES.get(kind, _TEXT) for column, kind in columns}
            chosen = ", ".join(f"{how.format(_quoted(one))} AS {_quoted(one)}" for one, (how, _) in read.items())
            cursor.execute(f"CREATE TEMP VIEW {view} AS SELECT {chosen} FROM {name}".encode())  # noqa: S608 -- quoted
        schema = ibis.schema({column: kind for column, (_, kind) in read.items()})
        return RawTable(ibis.table(schema, name=view), {column for column, kind in columns if kind == _TIMESTAMPTZ})

    @contextmanager
    def _asked(self, spec: TableSpec | None = None) -> Iterator[psycopg.Cursor[Any]]:
        """Ask under a savepoint, so that a question that fails spoils no other; errors are ours."""
        import psycopg

        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                yield cursor
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise DataError(
                "data-not-found",
                f"The database has no table {spec.place if spec else ''}.",
                "Correct `table` under the data's `source` in programme.yaml.",
            ) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise DataError(
                "data-unreadable",
                f"The database refuses: {_first_line(error)}.",
                "Grant its user SELECT on the table and TEMPORARY on the database.",
            ) from error
        except psycopg.Error as error:
            raise StorageError(
                "engine-failed",
                f"The events could not be computed: {_first_line(error)}.",
                "Look into the database's own log, and run the command again.",
            ) from error

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"trueup_{self._label}_{kind}_{self._made}"


def _connected(url: str) -> psycopg.Connection[Any]:
    try:
        import psycopg
    except ImportError:
        raise StorageError(
            "no-psycopg",
            "Events in PostgreSQL need psycopg, which is not installed.",
            "Install Trueup with its extra `runtime`:\n    pip install 'trueup[runtime]'",
        ) from None
    try:
        connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True, connect_timeout=15)
        for statement in _SESSION:
            connection.execute(statement)
    except psycopg.Error:
        # What libpq says of it may quote the address, and so its password.
        raise DataError(
            "data-unreadable",
            "The database of the events cannot be reached.",
            "Look whether it runs, and whether the URL in the environment is right: postgresql://USER@HOST/DATABASE.",
        ) from None
    return connection


def _described(cursor: psycopg.Cursor[Any], name: str) -> list[tuple[str, int]]:
    """Return the columns of a table with the numbers of their types."""
    cursor.execute(f"SELECT * FROM {name} LIMIT 0".encode())  # noqa: S608 -- quoted by the caller
    return [(column.name, column.type_code) for column in cursor.description or ()]


def _read(found: io.BytesIO, schema: pa.Schema) -> pa.Table:
    if not found.getbuffer().nbytes:
        return schema.empty_table()
    return csv.read_csv(
        found,
        csv.ReadOptions(column_names=schema.names),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _declared(kind: Any) -> str:
    """Return PostgreSQL's name of a type that our expressions have."""
    if kind.is_string():
        return 'text COLLATE "C"'
    for test, name in (
        (kind.is_boolean(), "boolean"),
        (kind.is_integer(), "bigint"),
        (kind.is_floating(), "float8"),
        (kind.is_timestamp(), "timestamp"),
        (kind.is_date(), "date"),
    ):
        if test:
            return name
    return "numeric"


def _table_name(spec: TableSpec) -> str:
    """Return a name for SQL: what stands before the first full stop is the schema."""
    return ".".join(_quoted(part) for part in (spec.table or "").split(".", 1))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")

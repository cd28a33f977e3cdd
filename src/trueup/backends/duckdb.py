"""DuckDB as the engine of observe: Parquet files as views, in one process, with no network and a folder to spill to."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb
import ibis

# What writes DuckDB's SQL; Ibis would import it at the first question.
import ibis.backends.duckdb

from trueup.kernel.errors import DataError, StorageError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    import ibis.expr.operations as ops
    import ibis.expr.types as ir
    import pyarrow as pa

QUOTE = "'"
# To write the SQL of a question takes longer than to answer it over a small log; the same ones come again, at the
# next review and in the next command of a process.
_REMEMBERED = 2048


class DuckEngine:
    """Computes expressions over normalised Parquet files.

    `paths`: for each declared source one file, or several that are one log.
    `memory_limit` as DuckDB writes it (`1GB`); what does not fit is spilled to a folder of its own inside
    `spill` (default: the system's folder for temporary files), removed by `close` or at exit.
    `threads` None takes every core.

    Ibis only writes the SQL: its own connection warns on this DuckDB and imports pandas, which takes as long as
    a small review.
    """

    def __init__(
        self,
        paths: Mapping[str, Path | Sequence[Path]],
        *,
        memory_limit: str = "1GB",
        threads: int | None = None,
        spill: Path | None = None,
    ) -> None:
        self._paths = paths
        self._tables: dict[str, ir.Table] = {}
        self._made = 0
        folder = Path(tempfile.mkdtemp(prefix="trueup-", dir=spill))
        self._tidy = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._connection = duckdb.connect(config=_settings(folder, memory_limit, threads))
        # Instants with a zone are read as UTC wherever this machine stands.
        self._connection.execute("SET TimeZone = 'UTC'")

    def table(self, data: str) -> ir.Table:
        """Return the events of a source; see Engine. Raises DataError `data-not-found`, `truncated`."""
        if data not in self._tables:
            self._tables[data] = self._opened(self._files(data), f"source_{data}")
        return self._tables[data]

    def load(self, rows: pa.Table) -> ir.Table:
        """Bring rows into the database; see Engine."""
        name = self._name("loaded")
        self._connection.register(f"{name}_rows", rows)
        self._connection.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_rows")
        self._connection.unregister(f"{name}_rows")
        return self._unbound(name)

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once; see Engine."""
        name = self._name("kept")
        try:
            self._connection.execute(f"CREATE TEMP TABLE {name} AS {_sql(expr)}")
        except duckdb.Error as error:
            raise _failed(error) from error
        # The schema of the expression, not of the result: sums of integers are wider in DuckDB than in Ibis.
        return ibis.table(expr.schema(), name=name)

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows; see Engine."""
        try:
            rows = self._connection.sql(_sql(expr)).to_arrow_table()
        except duckdb.Error as error:
            raise _failed(error) from error
        return rows.cast(expr.schema().to_pyarrow())

    def close(self) -> None:
        """Close the database and remove what was spilled."""
        self._connection.close()
        self._tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _files(self, data: str) -> list[Path]:
        """Look a source up only when it is asked for: `paths` may read it on the way."""
        found = self._paths.get(data, ())
        files = [found] if isinstance(found, Path) else list(found)
        if not files or not all(path.is_file() for path in files):
            raise DataError(
                "data-not-found",
                f"There is no file for the data {data!r}.{did_you_mean(data, self._paths)}",
                "Declare it under `data` in programme.yaml, with the path of its file as `source`.",
            )
        return files

    def _opened(self, files: Sequence[Path], name: str) -> ir.Table:
        try:
            self._view(files, _quoted(name))
            return self._unbound(name)
        except duckdb.Error as error:
            why = _first_line(error)
            for path in files:
                why = why.replace(str(path), path.name)
            raise DataError(
                "truncated",
                f"{files[0].name} is not a Parquet file that can be read: {why}",
                "Get a whole copy of the file. Nothing of it was used.",
            ) from error

    def _view(self, files: Sequence[Path], name: str) -> None:
        """Make the view of files, their instants in naive UTC. Rows of several files have no numbers of their own."""
        listed = ", ".join(_quoted(_literal(path), QUOTE) for path in files)
        file = f"read_parquet([{listed}], union_by_name = true)"
        columns = self._connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()  # noqa: S608 -- quoted above
        changed = [_naive_utc(_quoted(column[0]), column[1]) for column in columns]
        replace = ", ".join(change for change in changed if change)
        numbered = len(files) > 1 and any(column[0] == "_row" for column in columns)
        chosen = "* EXCLUDE (_row)" if numbered else "*"
        chosen = f"{chosen} REPLACE ({replace})" if replace else chosen
        self._connection.execute(f"CREATE VIEW {name} AS SELECT {chosen} FROM {file}")  # noqa: S608 -- quoted above

    def _unbound(self, name: str) -> ir.Table:
        """Return an expression that reads a table or view of this database."""
        none = self._connection.sql(f"FROM {_quoted(name)} LIMIT 0").to_arrow_table()
        return ibis.table(ibis.Schema.from_pyarrow(none.schema), name=name)

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"


def _settings(folder: Path, memory_limit: str, threads: int | None) -> dict[str, str | bool | int | float | list[str]]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Row order is promised to nobody; keeping it costs memory.
        "preserve_insertion_order": False,
    }
    return settings if threads is None else {**settings, "threads": threads}


def _sql(expr: ir.Table) -> str:
    # Names of columns and tables are part of an operation, and no data are: equal operations have equal SQL.
    return _compiled(expr.op())


@lru_cache(_REMEMBERED)
def _compiled(operation: ops.Relation) -> str:
    return str(ibis.to_sql(operation.to_expr(), dialect="duckdb", pretty=False))


def _naive_utc(name: str, kind: str) -> str | None:
    """Return the expression that turns instants of any kind into naive UTC microseconds; None when they are."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        # A cast would ask the calendar for every row (20 times slower); microseconds since 1970 are UTC already.
        return f"make_timestamp(epoch_us({name})) AS {name}"
    if kind in {"TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}:
        return f"{name}::TIMESTAMP AS {name}"
    return None


def _literal(path: Path) -> str:
    """Return a path in which nothing stands for other names: each wildcard as a class of one character."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _quoted(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark + mark) + mark


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _failed(error: Exception) -> StorageError:
    return StorageError(
        "engine-failed",
        f"The events could not be computed: {_first_line(error)}",
        "Make room on the disk for temporary files, or give the command more memory, and run it again.",
    )

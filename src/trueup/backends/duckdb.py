"""DuckDB as the engine of observe: parquet files as views, in one process, with no network and a folder to spill to."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb
import ibis

from trueup.kernel.errors import DataError, StorageError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import ibis.expr.types as ir
    import pyarrow as pa


QUOTE = "'"


class DuckEngine:
    """Computes expressions over normalised parquet files (`paths`: one file for each declared source).

    `memory_limit` as DuckDB writes it (`1GB`); what does not fit is spilled to a folder of its own inside
    `spill` (default: the system's folder for temporary files), removed by `close` or at exit.
    `threads` None takes every core.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        *,
        memory_limit: str = "1GB",
        threads: int | None = None,
        spill: Path | None = None,
    ) -> None:
        # Not copied: a path may be made only when it is asked for.
        self._paths = paths
        self._tables: dict[str, ir.Table] = {}
        self._kept = 0
        self._folder = Path(tempfile.mkdtemp(prefix="trueup-", dir=spill))
        self._tidy = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._backend = ibis.duckdb.connect(**self._settings(memory_limit, threads))
        # Instants with a zone are read as UTC wherever this machine stands.
        self._backend.con.execute("SET TimeZone = 'UTC'")

    def _settings(self, memory_limit: str, threads: int | None) -> dict[str, object]:
        settings: dict[str, object] = {
            "memory_limit": memory_limit,
            "temp_directory": str(self._folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # Row order is promised to nobody; keeping it costs memory.
            "preserve_insertion_order": False,
        }
        return settings if threads is None else {**settings, "threads": threads}

    def table(self, data: str) -> ir.Table:
        """Return the events of a source; see Engine. Raises DataError `data-not-found`, `truncated`."""
        if data not in self._tables:
            self._tables[data] = self._opened(data)
        return self._tables[data]

    def _opened(self, data: str) -> ir.Table:
        path = self._path(data)
        try:
            return self._backend.table(self._view(path))
        except duckdb.Error as error:
            raise DataError(
                "truncated",
                f"{path.name} is not a parquet file that can be read: {_first_line(error)}",
                "Get a whole copy of the file. Nothing of it was used.",
            ) from error

    def _path(self, data: str) -> Path:
        """Look a source up only when it is asked for: `paths` may read it on the way."""
        try:
            path = self._paths[data]
        except KeyError:
            path = None
        if path is None or not path.is_file():
            raise DataError(
                "data-not-found",
                f"There is no file for the data {data!r}.{did_you_mean(data, self._paths)}",
                "Declare it under `data` in programme.yaml, with the path of its file as `source`.",
            )
        return path

    def _view(self, path: Path) -> str:
        """Make the view of a file, its instants in naive UTC, and return the view's name."""
        connection = self._backend.con
        name = f"source_{len(self._tables)}"
        # In a list the path is a file, not a pattern of file names.
        file = f"read_parquet([{_quoted(str(path), QUOTE)}])"
        columns = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()  # noqa: S608 -- quoted above
        changed = [_naive_utc(_quoted(column[0]), column[1]) for column in columns]
        replace = ", ".join(change for change in changed if change)
        chosen = f"* REPLACE ({replace})" if replace else "*"
        connection.execute(f"CREATE VIEW {name} AS SELECT {chosen} FROM {file}")  # noqa: S608 -- quoted above
        return name

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once; see Engine."""
        self._kept += 1
        try:
            return self._backend.create_table(f"kept_{self._kept}", expr, temp=True)
        except duckdb.Error as error:
            raise _failed(error) from error

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows; see Engine."""
        try:
            return self._backend.to_pyarrow(expr)
        except duckdb.Error as error:
            raise _failed(error) from error

    def close(self) -> None:
        """Close the database and remove what was spilled."""
        self._backend.disconnect()
        self._tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _naive_utc(name: str, kind: str) -> str | None:
    """Return the expression that turns instants of any kind into naive UTC microseconds; None when they are."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        # A cast would ask the calendar for every row (20 times slower); microseconds since 1970 are UTC already.
        return f"make_timestamp(epoch_us({name})) AS {name}"
    if kind in {"TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}:
        return f"{name}::TIMESTAMP AS {name}"
    return None


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

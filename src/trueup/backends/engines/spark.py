"""Spark as an engine of observe: for events that lie in a cluster, or that no single machine should count."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import ibis
import pyarrow as pa

from trueup.backends.engines.spark_dialect import sql_of
from trueup.backends.engines.tables import RawTable, spec_of, usable
from trueup.kernel.canonical import digest
from trueup.kernel.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    import ibis.expr.types as ir
    from pyspark.sql import DataFrame, SparkSession

    from trueup.backends.engines.tables import TableSpec

# What an answer may depend on; everything else (memory, executors, shuffles) is the cluster's own configuration.
_MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "true",
}
# A session in this process listens to nobody else, shows no pages, and speaks of errors only.
_LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_WHOLE = ("tinyint", "smallint", "int", "bigint")
_KINDS = {
    "string": ("{}", "string"),
    "boolean": ("{}", "boolean"),
    "float": ("cast(cast({} as string) as double)", "float64"),
    "double": ("{}", "float64"),
    "date": ("{}", "date"),
    "timestamp": ("{}", "timestamp(6)"),
    "timestamp_ntz": ("cast({} as timestamp)", "timestamp(6)"),
    **dict.fromkeys(_WHOLE, ("cast({} as bigint)", "int64")),
}


def spark_session(url: str, settings: Mapping[str, str]) -> SparkSession:
    """Start a session, or return the one of this process; `url` is a Spark master (`local[*]`, `spark://HOST:7077`).

    Raises StorageError when pyspark or Java is not installed, DataError `data-unreadable` when nobody answers.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise StorageError(
            "no-pyspark",
            "Events in Spark need pyspark, which is not installed.",
            "Install Trueup with its extra `spark`:\n    pip install 'trueup[spark]'",
        ) from None
    builder = SparkSession.builder.master(url).appName("trueup")
    for name, value in ({**_LOCAL, **settings} if url.startswith("local") else settings).items():
        builder = builder.config(name, value)
    try:
        with _without_pandas():
            return builder.getOrCreate()
    except Exception as error:
        raise DataError(
            "data-unreadable",
            f"Spark does not start: {_first_line(error)}.",
            "Look whether Java 17 or newer is on the path, and whether the master answers.",
        ) from error


def spark_runs() -> bool:
    """Tell whether this process has a session already, which is then nobody's to stop but its owner's."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return False
    return SparkSession.getActiveSession() is not None


class SparkEngine:
    """Computes expressions over tables and Parquet folders (`specs`: one for each declared source).

    `session` is not closed by `close`. Paths are found relative to `root`. What is kept is held in the memory and on
    the disks of the executors. `label` stands in the names of what is made.
    """

    def __init__(
        self, session: SparkSession, specs: Mapping[str, TableSpec], root: Path, *, label: str = "spark"
    ) -> None:
        self._session = session.newSession()
        for name, value in _MEANING.items():
            self._session.conf.set(name, value)
        self._specs = specs
        self._label = label
        self._root = root
        self._tables: dict[str, ir.Table] = {}
        self._kept: list[str] = []
        self._made = 0

    def table(self, data: str) -> ir.Table:
        """Return the events of a source; see Engine. Raises DataError as `usable`, `data-not-found`."""
        if data not in self._tables:
            spec = spec_of(self._specs, data)
            self._tables[data] = usable(self._raw(spec), spec, self.fetch)
        return self._tables[data]

    def load(self, rows: pa.Table) -> ir.Table:
        """Bring rows into the session; see Engine."""
        name = self._name("loaded")
        with _asked():
            self._session.createDataFrame(rows).createOrReplaceTempView(f"{name}_rows")
        columns = [(one.name, one.dataType.simpleString()) for one in self._session.table(f"{name}_rows").schema]
        return self._view(name, f"{name}_rows", columns).rows

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once; see Engine."""
        name = self._name("kept")
        with _asked():
            # Its plan ends here: with `cache` every later question would plan all that went before it again.
            kept = self._session.sql(sql_of(expr)).localCheckpoint(eager=True)
            # Under names of its own: Spark would take its columns for those of the table that it came from.
            kept.selectExpr(*(f"{_quoted(one)} AS {_quoted(one)}" for one in kept.columns)).createOrReplaceTempView(
                name
            )
        self._kept.append(name)
        return ibis.table(expr.schema(), name=name)

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows; see Engine."""
        with _asked():
            rows = self._session.sql(sql_of(expr)).toArrow()
        return rows.cast(expr.schema().to_pyarrow())

    def digest(self, data: str) -> str:
        """Return a digest of what a table holds, as PostgresEngine does; rows with the same text are the same."""
        spec = spec_of(self._specs, data)
        rows = self._source(spec)
        name = self._name("hashed")
        with _asked():
            rows.createOrReplaceTempView(name)
            texts = ", ".join(f"cast({_quoted(one)} as string) as {_quoted(one)}" for one in rows.columns)
            hashed = f"SELECT sha2(to_json(struct({texts})), 256) AS h FROM {name}"  # noqa: S608 -- quoted above
            parts = ", ".join(
                f"sum(cast(conv(substr(h, {1 + 15 * part}, 15), 16, 10) as decimal(38, 0)))" for part in range(4)
            )
            row = self._session.sql(f"SELECT count(*), {parts} FROM ({hashed})").collect()[0]  # noqa: S608 -- no input
        columns = [[one.name, one.dataType.simpleString()] for one in rows.schema]
        return digest({"columns": columns, "sums": [str(part) for part in row]})

    def close(self) -> None:
        """Let go of what was kept."""
        for name in self._kept:
            self._session.catalog.dropTempView(name)
        self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _source(self, spec: TableSpec) -> DataFrame:
        from pyspark.errors import AnalysisException

        try:
            if spec.parquet is None:
                return self._session.table(spec.table or "")
            remote = "://" in spec.parquet
            return self._session.read.parquet(spec.parquet if remote else str(self._root / spec.parquet))
        except AnalysisException as error:
            raise DataError(
                "data-not-found",
                f"Spark finds no {'table' if spec.table else 'Parquet files'} {spec.place}.",
                "Correct `source` of the data in programme.yaml.",
            ) from error

    def _raw(self, spec: TableSpec) -> RawTable:
        name = self._name("source")
        with _asked():
            rows = self._source(spec)
            rows.createOrReplaceTempView(f"{name}_rows")
        return self._view(name, f"{name}_rows", [(one.name, one.dataType.simpleString()) for one in rows.schema])

    def _view(self, name: str, of: str, columns: list[tuple[str, str]]) -> RawTable:
        """Make a view in the types that our expressions have, its instants in naive UTC."""
        chosen, schema = [], {}
        for column, kind in columns:
            how, read_as = ("{}", "decimal") if kind.startswith("decimal") else _KINDS.get(kind, _TEXT)
            chosen.append(f"{how.format(_quoted(column))} AS {_quoted(column)}")
            schema[column] = read_as
        with _asked():
            self._session.sql(f"SELECT {', '.join(chosen)} FROM {of}").createOrReplaceTempView(name)  # noqa: S608 -- quoted
        zoned = {column for column, kind in columns if kind == "timestamp"}
        return RawTable(ibis.table(ibis.schema(schema), name=name), zoned)

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"trueup_{self._label}_{kind}_{self._made}"


_TEXT = ("cast({} as string)", "string")


@contextmanager
def _without_pandas() -> Iterator[None]:
    """Say nothing of a pandas that happens to be installed: it is not used here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


@contextmanager
def _asked() -> Iterator[None]:
    """Turn Spark's errors into ours."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        with _without_pandas():
            yield
    except (PySparkException, Py4JError) as error:
        raise StorageError(
            "engine-failed",
            f"The events could not be computed: {_first_line(error)}.",
            "Look into Spark's own log, and run the command again.",
        ) from error


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _first_line(error: Any) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")

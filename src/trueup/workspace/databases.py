"""The databases in which declared events lie: found by their URLs, which only the environment knows."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from trueup.declare.model.data import TableSource
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from trueup.backends.engines.postgres import PostgresEngine
    from trueup.backends.engines.spark import SparkEngine
    from trueup.backends.engines.tables import TableSpec
    from trueup.declare.programme import Programme
    from trueup.kernel.progress import Progress

_REFERENCE = "env:"
_POSTGRES = ("postgresql://", "postgres://")
_SPARK = ("local", "spark://")


class Databases:
    """The engines of the sources that are tables, one a URL, each opened when it is first asked for."""

    def __init__(self, programme: Programme, progress: Progress) -> None:
        self._programme = programme
        self._progress = progress
        self._declared = table_sources(programme)
        self._engines: dict[str, PostgresEngine | SparkEngine] = {}
        self._read: set[str] = set()
        self._digests: dict[str, str] = {}
        self._stack = ExitStack()

    def __contains__(self, data: str) -> bool:
        return data in self._declared

    def __bool__(self) -> bool:
        return bool(self._declared)

    def engine(self, data: str) -> PostgresEngine | SparkEngine:
        """Return the engine of a source. Raises DataError `data-unreadable`, StorageError; no error quotes a URL."""
        declared = self._declared[data]
        if declared.url not in self._engines:
            self._progress(f"opening the database of {data}")
            self._engines[declared.url] = self._opened(declared.url, f"db{len(self._engines)}")
        self._read.add(data)
        return self._engines[declared.url]

    def digest(self, data: str) -> str:
        """Return the digest of what a table holds. Raises as `engine`."""
        if data not in self._digests:
            engine = self.engine(data)
            self._progress(f"reading {self._declared[data].table or self._declared[data].parquet}")
            self._digests[data] = engine.digest(data)
        return self._digests[data]

    def digests(self) -> dict[str, str]:
        """Return the digest of every table that was read."""
        return {data: self.digest(data) for data in sorted(self._read)}

    def close(self) -> None:
        """Let go of every database."""
        self._stack.close()

    def _opened(self, declared: str, label: str) -> PostgresEngine | SparkEngine:
        url = _address(declared)
        specs = {data: _spec(self._programme, data, one) for data, one in self._declared.items() if one.url == declared}
        if url.startswith(_POSTGRES):
            from trueup.backends.engines.postgres import PostgresEngine

            return self._stack.enter_context(PostgresEngine(url, specs, label=label))
        if url.startswith(_SPARK):
            from trueup.backends.engines.spark import SparkEngine, spark_runs, spark_session

            ran = spark_runs()
            session = spark_session(url, {})
            if not ran:
                self._stack.callback(session.stop)
            return self._stack.enter_context(SparkEngine(session, specs, self._programme.root, label=label))
        raise DataError(
            "data-unreadable",
            f"{declared} is the address of no database that events can lie in.",
            "It begins with postgresql:// or spark://, or is local[*] for a Spark in this process.",
        )


def table_sources(programme: Programme) -> dict[str, TableSource]:
    """Return the declared sources that are tables of a database."""
    declared = programme.file.data.items()
    return {name: data.source for name, data in declared if isinstance(data.source, TableSource)}


def _address(declared: str) -> str:
    name = declared.removeprefix(_REFERENCE)
    if name == declared:
        return declared
    url = os.environ.get(name)
    if not url:
        raise DataError(
            "data-unreadable",
            f"programme.yaml reads events from `env:{name}`, and the environment has no {name}.",
            f"Set it:\n    export {name}=postgresql://USER@HOST/DATABASE",
        )
    return url


def _spec(programme: Programme, data: str, source: TableSource) -> TableSpec:
    """Return how a table is read: as a file would be, with the settings that make sense for one."""
    from trueup.backends.engines.tables import TableSpec
    from trueup.connectors.logs.declared import log_spec

    log = log_spec(programme, data)
    return TableSpec(
        table=source.table,
        parquet=source.parquet,
        times=log.times,
        zone=log.zone,
        case=log.case,
        activity=log.activity,
        duplicates=log.duplicates,
    )

"""The engines on which every KPI must come out the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.conformance.engines import on_postgres, on_spark
from tests.observe.small_logs import OpenEngine
from trueup.backends.duckdb import DuckEngine
from trueup.backends.engines.spark import spark_session
from trueup.observe.engine import Engine

Paths = Mapping[str, Path]
# One line an engine: what opens it over Parquet files, and what it asks the session of the tests for.
ENGINES: dict[str, Callable[[pytest.FixtureRequest, Paths], AbstractContextManager[Engine]]] = {
    "duckdb": lambda _, paths: DuckEngine(paths),
    "duckdb-spilling": lambda _, paths: DuckEngine(paths, memory_limit="60MB", threads=1),
    "postgres": lambda request, paths: on_postgres(request.getfixturevalue("postgres"), paths),
    "spark": lambda request, paths: on_spark(request.getfixturevalue("spark"), paths),
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A real Spark in this process, on two cores; skips where there is no Java."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine (Debian: apt install openjdk-17-jre-headless)")
    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        # Java compiled for every question would take longer than any answer over a hundred rows.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.memory": "1g",
        "spark.log.level": "ERROR",
    }
    session = spark_session("local[2]", settings)
    yield session
    session.stop()


# Spark takes a second for what others do in milliseconds: one sample of it in every run, the whole with --long.
SLOW = {"spark"}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.long] * (name in SLOW)) for name in ENGINES])
def open_engine(request: pytest.FixtureRequest) -> Iterator[OpenEngine]:
    """Open an engine over Parquet files, and close it after the test."""
    with ExitStack() as stack:

        def opened(paths: Paths) -> Engine:
            return stack.enter_context(ENGINES[request.param](request, paths))

        yield opened

"""The engines on which every KPI must come out the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.observe.small_logs import OpenEngine
from trueup.backends.duckdb import DuckEngine
from trueup.observe.engine import Engine

ENGINES: dict[str, Callable[[Mapping[str, Path]], DuckEngine]] = {
    "duckdb": DuckEngine,
    "duckdb-spilling": lambda paths: DuckEngine(paths, memory_limit="60MB", threads=1),
}


@pytest.fixture(params=list(ENGINES))
def open_engine(request: pytest.FixtureRequest) -> Iterator[OpenEngine]:
    """Open an engine over Parquet files, and close it after the test."""
    with ExitStack() as stack:

        def opened(paths: Mapping[str, Path]) -> Engine:
            return stack.enter_context(ENGINES[request.param](paths))

        yield opened

"""Sources in several databases behind one engine: each is asked where its events lie."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conformance.engines import on_postgres
from trueup.backends.duckdb import DuckEngine
from trueup.backends.engines.routed import RoutedEngine
from trueup.kernel.errors import StorageError


def test_each_question_goes_where_its_events_lie(postgres: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"case": ["a", "b"], "n": [1, 2]}), path)
    with DuckEngine({"file": path}) as files, on_postgres(postgres, {"table": path}) as database:
        engine = RoutedEngine(lambda data: database if data == "table" else files)
        loaded = engine.load(pa.table({"known": ["b"], "arm": ["new"]}))
        for data in ("file", "table"):
            rows = engine.table(data)
            joined = engine.keep(rows.join(loaded, rows["case"] == loaded["known"]).select("case", "arm"))
            assert engine.fetch(joined).to_pylist() == [{"case": "b", "arm": "new"}]
        both = engine.table("file").join(engine.table("table"), "case")
        with pytest.raises(StorageError, match="2 databases"):
            engine.fetch(both)
        with pytest.raises(StorageError, match="0 databases"):
            engine.fetch(loaded)

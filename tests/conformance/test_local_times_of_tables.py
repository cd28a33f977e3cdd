"""Local times of a table become the instants that they would become in a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.observe.small_logs import OpenEngine
from trueup.backends.engines.local_times import to_utc
from trueup.connectors.logs import zones

FIRST, LAST = datetime(2023, 1, 1), datetime(2025, 12, 31)


@pytest.mark.parametrize(
    "zone", ["Europe/London", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca", "UTC"]
)
def test_every_quarter_of_an_hour_is_read_as_in_a_file(open_engine: OpenEngine, tmp_path: Path, zone: str) -> None:
    count = (LAST - FIRST) // timedelta(minutes=15)
    local = pa.array([FIRST + timedelta(minutes=15 * number) for number in range(count)], pa.timestamp("us"))
    pq.write_table(pa.table({"n": pa.array(range(count)), "at": local}), tmp_path / "times.parquet")
    engine = open_engine({"times": tmp_path / "times.parquet"})
    rows = engine.table("times")
    found = engine.fetch(rows.mutate(at=to_utc(rows["at"], ZoneInfo(zone), FIRST, LAST)).order_by("n"))
    expected, _ = zones.to_utc(local, zone)
    assert found["at"].to_pylist() == expected.to_pylist()

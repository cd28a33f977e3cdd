"""Parquet: typed logs are used where they lie, everything else is brought into the same form as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from tests.connectors.conftest import Reader, Refuser

_SPEC = {"case": "case", "activity": "activity", "times": ("at",)}
_TIMES = [datetime(2018, 1, 31, 10, tzinfo=UTC), datetime(2018, 2, 1, 10, tzinfo=UTC)]


def _table(**columns: Any) -> pa.Table:
    usual = {"case": ["A", "A"], "activity": ["a", "b"], "at": pa.array(_TIMES, pa.timestamp("us", "UTC"))}
    return pa.table({**usual, **columns})


def _bytes(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def test_a_typed_log_is_used_where_it_lies(read: Reader, tmp_path: Path) -> None:
    found = read(_bytes(_table()), "log.parquet", **_SPEC)
    assert found.log.path == tmp_path / "log.parquet"
    assert found.log.rows == 2
    assert not list((tmp_path / "cache").glob("*.parquet"))


def test_times_without_a_zone_are_used_in_place_only_where_they_are_utc(read: Reader, tmp_path: Path) -> None:
    naive = _bytes(_table(at=pa.array([time.replace(tzinfo=None) for time in _TIMES], pa.timestamp("ms"))))
    assert read(naive, "log.parquet", zone="UTC", **_SPEC).log.path == tmp_path / "log.parquet"
    local = read(naive, "log.parquet", zone="Europe/Amsterdam", **_SPEC)
    assert local.log.path != tmp_path / "log.parquet"
    assert local.column("at")[0] == datetime(2018, 1, 31, 9)


def test_times_without_a_zone_need_one(refused: Refuser) -> None:
    naive = _bytes(_table(at=pa.array([time.replace(tzinfo=None) for time in _TIMES], pa.timestamp("us"))))
    assert refused(naive, "log.parquet", **_SPEC).code == "no-zone"


def test_other_units_zones_and_types_become_the_same_form(read: Reader) -> None:
    table = _table(
        case=pa.array([1, 2]),
        at=pa.array([time.replace(tzinfo=None) for time in _TIMES], pa.timestamp("ns")).cast(
            pa.timestamp("ns", "Europe/Amsterdam")
        ),
        amount=pa.array([1.5, None]),
    )
    found = read(_bytes(table), "log.parquet", **_SPEC)
    assert found.column("case") == ["1", "2"]
    assert found.column("amount") == ["1.5", None]
    assert found.column("at")[0] == datetime(2018, 1, 31, 10)
    assert str(found.table.schema.field("at").type) == "timestamp[us]"


def test_times_as_text_are_read_like_those_of_a_table(read: Reader) -> None:
    found = read(_bytes(_table(at=["31/1/2018 10:00", "1/2/2018 10:00"])), "log.parquet", zone="UTC", **_SPEC)
    assert found.column("at") == [time.replace(tzinfo=None) for time in _TIMES]


def test_nested_columns_are_not_read_and_that_is_noted(read: Reader) -> None:
    found = read(_bytes(_table(tags=[["x"], ["y"]])), "log.parquet", **_SPEC)
    assert found.log.columns == ("case", "activity", "at")
    assert "nested columns are not read: tags" in found.log.notes[0]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"case": ["A", None]}, "empty-case"),
        ({"case": ["A", " "]}, "empty-case"),
        ({"activity": [None, "b"]}, "empty-activity"),
        ({"at": pa.array([_TIMES[0], None], pa.timestamp("us", "UTC"))}, "bad-time"),
        ({"at": pa.array([0, 10**18], pa.timestamp("us", "UTC"))}, "bad-time"),
        ({"at": pa.array([1517392800, 1517392801])}, "bad-time"),
    ],
)
def test_refusals(refused: Refuser, columns: dict[str, Any], code: str) -> None:
    error = refused(_bytes(_table(**columns)), "log.parquet", zone="UTC", **_SPEC)
    assert error.code == code
    assert "row " in error.message


def test_repeated_events_are_found_in_a_typed_log_too(read: Reader, refused: Refuser) -> None:
    content = _bytes(pa.concat_tables([_table(), _table()]))
    error = refused(content, "log.parquet", **_SPEC)
    assert (error.code, "row 1 = row 3; row 2 = row 4" in error.message) == ("duplicate-events", True)
    assert read(content, "log.parquet", duplicates="drop", **_SPEC).log.rows == 2
    assert read(content, "log.parquet", duplicates="keep", **_SPEC).log.rows == 4


def test_a_missing_column_and_an_empty_log(refused: Refuser) -> None:
    assert refused(_bytes(_table().drop_columns(["case"])), "log.parquet", **_SPEC).code == "missing-column"
    assert refused(_bytes(_table().slice(0, 0)), "log.parquet", **_SPEC).code == "data-empty"


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_file_without_its_end_is_truncated(refused: Refuser, share: float) -> None:
    content = _bytes(_table())
    assert refused(content[: max(4, int(share * len(content)))], "log.parquet", **_SPEC).code == "truncated"


def test_damage_inside_is_found(refused: Refuser) -> None:
    content = bytearray(_bytes(_table(), compression="zstd"))
    content[4:40] = bytes(36)
    assert refused(bytes(content), "log.parquet", **_SPEC).code == "damaged"
    footer = bytearray(_bytes(_table()))
    footer[-60:-20] = bytes(40)
    assert refused(bytes(footer), "log.parquet", **_SPEC).code == "damaged"

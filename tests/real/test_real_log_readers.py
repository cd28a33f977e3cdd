"""The readers on logs that nobody here wrote, against parsers of a few lines each that share nothing with them."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from trueup.connectors.logs.normalise import LogSpec, NormalisedLog, normalised
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent

Row = tuple[str, str, datetime]

_XES: dict[str, Any] = {"case": "case:concept:name", "activity": "concept:name", "times": ("time:timestamp",)}
_INCIDENTS: dict[str, Any] = {
    "case": "number",
    "times": ("sys_updated_at", "opened_at", "resolved_at", "closed_at"),
    "zone": "UTC",
}


def _naive_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _day_first(text: str) -> datetime:
    return datetime.strptime(f"{text}Z", "%d/%m/%Y %H:%M%z").replace(tzinfo=None)


def _xes(path: Path) -> Iterator[Row]:
    """Yield (case, activity, instant) with nothing but the standard library's tree."""
    with gzip.open(path) as stream:
        for _, trace in ET.iterparse(stream):  # noqa: S314 -- a log of ours to check against, not input
            if trace.tag.endswith("}trace"):
                case = next(item.get("value", "") for item in trace if item.get("key") == "concept:name")
                for event in trace:
                    found = {item.get("key"): item.get("value", "") for item in event}
                    if event.tag.endswith("}event"):
                        yield case, found["concept:name"], _naive_utc(found["time:timestamp"])
                trace.clear()


def _rows(log: NormalisedLog, *columns: str) -> list[tuple[Any, ...]]:
    table: pa.Table = pq.read_table(log.path, columns=list(columns))
    return list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))


@pytest.mark.parametrize(
    ("name", "cases", "events", "duplicates"),
    [
        ("bpic2020/DomesticDeclarations.xes.gz", 10_357, 55_628, 0),
        ("bpic2020/RequestForPayment.xes.gz", 6_760, 36_072, 0),
        ("helpdesk/helpdesk.xes.gz", 4_580, 21_348, 127),
    ],
)
def test_every_event_of_an_xes_log(
    shared_data: Path, tmp_path: Path, name: str, cases: int, events: int, duplicates: int
) -> None:
    path = shared_data / "logs" / name
    if duplicates:
        with pytest.raises(DataError, match=f"{duplicates} events equal an earlier one"):
            normalised(path, LogSpec(**_XES), tmp_path, silent)
    log = normalised(path, LogSpec(**_XES, duplicates="keep"), tmp_path, silent)
    read = _rows(log, "case:concept:name", "concept:name", "time:timestamp")
    assert read == list(_xes(path))
    assert (len({case for case, *_ in read}), len(read), log.rows) == (cases, events, events)
    dropped = normalised(path, LogSpec(**_XES, duplicates="drop"), tmp_path, silent)
    assert dropped.rows == events - duplicates
    assert log.notes == ()


@pytest.mark.parametrize(
    ("parquet", "xes"),
    [
        ("bpic2020/DomesticDeclarations.parquet", "bpic2020/DomesticDeclarations.xes.gz"),
        ("helpdesk/helpdesk.parquet", "helpdesk/helpdesk.xes.gz"),
    ],
)
def test_a_parquet_copy_is_the_same_log(shared_data: Path, tmp_path: Path, parquet: str, xes: str) -> None:
    spec = LogSpec(**_XES, duplicates="keep")
    typed = normalised(shared_data / "logs" / parquet, spec, tmp_path, silent)
    assert typed.path == shared_data / "logs" / parquet, "typed times are used in place"
    read = normalised(shared_data / "logs" / xes, spec, tmp_path, silent)
    columns = ("case:concept:name", "concept:name", "org:resource")
    assert _rows(typed, *columns) == _rows(read, *columns)
    instants = [at.replace(tzinfo=None) for (at,) in _rows(typed, "time:timestamp")]
    assert instants == [at for (at,) in _rows(read, "time:timestamp")]


def test_the_receipts_change_their_offset_with_summer_time(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "logs" / "receipt" / "receipt.csv"
    log = normalised(path, LogSpec(**_XES), tmp_path, silent)
    with path.open(encoding="utf-8", newline="") as stream:
        expected = [
            (row["case:concept:name"], row["concept:name"], _naive_utc(row["time:timestamp"]))
            for row in csv.DictReader(stream)
        ]
    assert _rows(log, "case:concept:name", "concept:name", "time:timestamp") == expected
    assert (len({case for case, *_ in expected}), len(expected)) == (1_434, 8_577)
    assert log.notes == ()


def test_the_incidents_are_day_first_with_question_marks(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "logs" / "servicenow" / "incident_event_log.zip"
    log = normalised(path, LogSpec(**_INCIDENTS, activity="ident_state"), tmp_path, silent)
    with zipfile.ZipFile(path) as archive, archive.open("incident_event_log/incident_event_log.csv") as raw:
        records = list(csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline="")))
    header, rows = records[0], records[1:]
    assert log.rows == len(rows) == 141_712
    assert log.columns[16:18] == ("category", "category.1"), "a name that comes twice is told apart"
    assert "'category.1'" in log.notes[0]
    assert "day-first" in log.notes[1]
    assert [case for (case,) in _rows(log, "number")] == [row[0] for row in rows]
    assert len({row[0] for row in rows}) == 24_918
    for name in _INCIDENTS["times"]:
        column = header.index(name)
        expected = [None if row[column] == "?" else _day_first(row[column]) for row in rows]
        assert [at for (at,) in _rows(log, name)] == expected
    missing = header.index("caused_by")
    assert [value for (value,) in _rows(log, "caused_by")] == [
        None if row[missing] == "?" else row[missing] for row in rows
    ]


def test_the_copy_cut_at_119_998_rows_is_refused(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "logs" / "servicenow" / "incident_event_log-truncated.zip"
    spec: dict[str, Any] = {**_INCIDENTS, "activity": "incident_state"}
    with pytest.raises(DataError) as caught:
        normalised(path, LogSpec(**spec), tmp_path, silent)
    assert caught.value.code == "truncated"
    assert "after 119998 events: its last case, 'INC0029233', stops at 'New'" in caught.value.message
    accepted = normalised(path, LogSpec(**spec, truncated="accept"), tmp_path, silent)
    assert accepted.rows == 119_998
    assert any("looks cut off" in note for note in accepted.notes)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_real_log_cut_anywhere_is_truncated(shared_data: Path, tmp_path: Path, share: float) -> None:
    for name in ("helpdesk/helpdesk.xes.gz", "helpdesk/helpdesk.parquet", "servicenow/incident_event_log.zip"):
        whole = (shared_data / "logs" / name).read_bytes()
        cut = tmp_path / Path(name).name
        cut.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError) as caught:
            normalised(cut, LogSpec(), tmp_path / "cache", silent)
        assert caught.value.code == "truncated", name


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_real_table_cut_anywhere_is_truncated(shared_data: Path, tmp_path: Path, share: float) -> None:
    whole = (shared_data / "logs" / "receipt" / "receipt.csv").read_bytes()
    cut = tmp_path / "receipt.csv"
    cut.write_bytes(whole[: int(share * len(whole))].rpartition(b",")[0])
    with pytest.raises(DataError) as caught:
        normalised(cut, LogSpec(**_XES), tmp_path / "cache", silent)
    assert caught.value.code == "truncated"

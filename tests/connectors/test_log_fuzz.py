"""Whatever bytes arrive, a reader gives a log or a refusal; and a table that was written is read as it was."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from trueup.connectors.logs.normalise import LogSpec, NormalisedLog, normalised
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent

_SPEC = LogSpec(times=("at",), zone="UTC", case="case", activity="activity")
_XES_SPEC = LogSpec(times=("time:timestamp",), case="case:concept:name", activity="concept:name")
_TABLE = (
    'case,activity,at,note\r\nA1,start,29/2/2016 01:16,"x, ""y"""\r\nA1,end,1/3/2016 9:00,?\r\n'
    "NA,start,2/3/2016 10:00,é\r\n"
).encode()
_XES = (
    b'<?xml version="1.0" encoding="UTF-8"?><log xmlns="http://www.xes-standard.org/"><global scope="event">'
    b'<string key="concept:name" value="x"/></global><trace><string key="concept:name" value="c1"/><event>'
    b'<string key="concept:name" value="a"/><date key="time:timestamp" value="2018-01-31T10:00:00+01:00"/>'
    b'<list key="l"><values/></list></event></trace></log>'
)

_BEGINNINGS = [b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"PAR1", b"<?xml", b"\xff\xfe", b"<log>"]
_FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
_NAME = _FIELD.filter(str.strip)


def _try(content: bytes, name: str, spec: LogSpec) -> tuple[tuple[str, ...], list[list[str]]] | None:
    """Read bytes in a folder of their own; return names and rows, or None where they are refused as they should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        log = _log_or_refusal(path, spec)
        if isinstance(log, DataError):
            assert log.message, "a refusal says what is wrong"
            assert log.hint, "a refusal says the way out"
            return None
        table = pq.read_table(log.path)
    assert table.num_rows == log.rows
    return log.columns, [list(row.values())[:-1] for row in table.to_pylist()]


def _log_or_refusal(path: Path, spec: LogSpec) -> NormalisedLog | DataError:
    try:
        return normalised(path, spec, path.parent / "cache", silent)
    except DataError as error:
        return error


@st.composite
def _mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """The original with a few bytes changed, removed, repeated or put in."""
    content = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        to = min(len(content), at + draw(st.integers(0, 12)))
        put = draw(st.one_of(st.binary(max_size=6), st.sampled_from([b'"', b"\n", b",", b"<", b"&", b"\0", b"\xff"])))
        content[at:to] = draw(st.sampled_from([put, bytes(content[at:to]) * 2]))
    return bytes(content)


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_log_or_a_refusal(content: bytes) -> None:
    _try(content, "log.csv", _SPEC)
    _try(content, "log.csv", LogSpec())


@settings(max_examples=40)
@given(
    st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"PAR1", b"<?xml", b"\xff\xfe", b"<log>"]),
    st.binary(max_size=80),
)
def test_any_bytes_behind_a_known_beginning_are_a_log_or_a_refusal(magic: bytes, content: bytes) -> None:
    _try(magic + content, "log", _SPEC)


@settings(max_examples=40)
@given(_mutated(_TABLE))
def test_a_damaged_table_is_a_log_or_a_refusal(content: bytes) -> None:
    _try(content, "log.csv", _SPEC)


@settings(max_examples=100)
@given(_mutated(_TABLE))
def test_a_damaged_table_that_is_accepted_reads_as_everybody_reads_it(content: bytes) -> None:
    found = _try(content, "log.csv", LogSpec(missing=(), case=None))
    if found is not None and b";" not in content and b"\t" not in content and b"|" not in content:
        text = content.decode("utf-8-sig")
        records = [record for record in csv.reader(io.StringIO(text, newline="")) if record]
        assert found[1] == records[1:]


@settings(max_examples=40)
@given(_mutated(_XES))
def test_a_damaged_xes_log_is_a_log_or_a_refusal(content: bytes) -> None:
    _try(content, "log.xes", _XES_SPEC)


@settings(max_examples=40)
@given(_mutated(gzip.compress(_TABLE, mtime=0)))
def test_a_damaged_compressed_table_is_a_log_or_a_refusal(content: bytes) -> None:
    _try(content, "log.csv.gz", _SPEC)


@settings(max_examples=40)
@given(st.data())
def test_any_table_is_read_as_it_was_written(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    names = data.draw(st.lists(_NAME.filter(lambda name: name != "_row"), min_size=width, max_size=width, unique=True))
    rows = data.draw(st.lists(st.lists(_FIELD, min_size=width, max_size=width), min_size=1, max_size=8))
    out = io.StringIO()
    # A carriage return inside a field has to be quoted, which the usual writer leaves undone.
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerows([names, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(out.getvalue().encode())
        log = normalised(path, LogSpec(missing=()), Path(folder) / "cache", silent)
        table = pq.read_table(log.path)
    assert log.columns == tuple(names)
    assert [list(row.values())[:-1] for row in table.to_pylist()] == rows


_ZONES = ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
_INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30))


def _half(at: datetime) -> str:
    return "AM" if at.hour < 12 else "PM"


_FORMS: dict[str, Callable[[datetime], str]] = {
    "iso": lambda at: at.isoformat(),
    "space": lambda at: at.isoformat(" "),
    "zulu": lambda at: f"{at.isoformat()}Z",
    "slashes": lambda at: f"{at.day}/{at.month}/{at.year:04d} {at:%H:%M:%S}.{at.microsecond:06d}",
    "american": lambda at: (
        f"{at.month}/{at.day}/{at.year:04d} {at:%I:%M:%S}.{at.microsecond:06d} {'AP'[at.hour > 11]}M"
    ),
    "dots": lambda at: f"{at.day:02d}.{at.month:02d}.{at.year:04d} {at:%H:%M:%S},{at.microsecond:06d}",
}


@settings(max_examples=40)
@given(st.lists(_INSTANTS, min_size=1, max_size=6), st.sampled_from(sorted(_FORMS)), st.integers(-14 * 60, 14 * 60))
def test_any_instant_is_read_as_it_was_written(instants: list[datetime], form: str, offset: int) -> None:
    orders: dict[str, Literal["day-first", "month-first"]] = {"slashes": "day-first", "american": "month-first"}
    zone = ""
    if form == "space":
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    content = "at\n" + "".join(f'"{_FORMS[form](at)}{zone}"\n' for at in instants)
    spec = LogSpec(times=("at",), zone="UTC", dates=orders.get(form))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_text(content)
        log = normalised(path, spec, Path(folder) / "cache", silent)
        found = pq.read_table(log.path).column("at").to_pylist()
    shift = timedelta(minutes=offset) if zone else timedelta(0)
    assert found == [at - shift for at in instants]


@settings(max_examples=40)
@given(st.lists(_INSTANTS, min_size=1, max_size=5), st.sampled_from(_ZONES))
def test_local_times_agree_with_the_time_zone_database(instants: list[datetime], zone: str) -> None:
    content = "at\n" + "".join(f"{at.isoformat(' ')}\n" for at in instants)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_text(content)
        log = normalised(path, LogSpec(times=("at",), zone=zone), Path(folder) / "cache", silent)
        found = pq.read_table(log.path).column("at").to_pylist()
    for at, read in zip(instants, found, strict=True):
        expected = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        exists = expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == at
        assert read == expected.replace(tzinfo=None) or not exists

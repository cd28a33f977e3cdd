"""A table of a database as the events of a programme: checked as a log file is, and refused for the same reasons."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import ibis

from trueup.backends.engines.local_times import to_utc
from trueup.kernel.errors import DataError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import ibis.expr.types as ir
    import pyarrow as pa

# The years that a log may hold; see connectors.logs.
_FIRST = datetime(1900, 1, 1)  # noqa: DTZ001 -- naive UTC, as all engines hold instants
_LAST = datetime(2200, 1, 1)  # noqa: DTZ001 -- naive UTC
_ZONED_TEXT = r"([zZ]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$"
_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Where the events of a declared source lie in a database, and how they are to be read.

    `table` is a name (`events`, `sales.events`); for Spark also a folder of Parquet files (`parquet`). `times` are
    the columns that hold instants, that of the event itself first; `zone` is the IANA zone of times that carry none.
    `duplicates` says what happens to events that equal another in every column.
    """

    table: str | None = None
    parquet: str | None = None
    times: tuple[str, ...] = ()
    zone: str | None = None
    case: str | None = None
    activity: str | None = None
    duplicates: Literal["refuse", "drop", "keep"] = "keep"

    @property
    def place(self) -> str:
        """What people call it."""
        return self.table or self.parquet or ""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as its database holds it: text by code point, instants in naive UTC; `zoned` are those with a zone."""

    rows: ir.Table
    zoned: Collection[str]


def spec_of(specs: Mapping[str, TableSpec], data: str) -> TableSpec:
    """Return the table of a declared source. Raises DataError `data-not-found`."""
    if data not in specs:
        raise DataError(
            "data-not-found",
            f"There is no table for the data {data!r}.{did_you_mean(data, specs)}",
            "Declare it under `data` in programme.yaml, with url and table as `source`.",
        )
    return specs[data]


def usable(raw: RawTable, spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> ir.Table:
    """Return the events of a table, all declared times in naive UTC; nothing of it is used otherwise.

    Raises DataError `missing-column`, `bad-time`, `mixed-zones`, `no-zone`, `unknown-zone`, `empty-case`,
    `empty-activity`, `data-empty`, `duplicate-events`.
    """
    _require_columns(raw.rows, spec)
    rows = _timed(raw, spec, fetch)
    _require_whole(rows, spec, fetch)
    rows = _in_utc(rows, raw.zoned, spec, fetch)
    if spec.duplicates == "drop":
        return rows.distinct()
    if spec.duplicates == "refuse":
        _require_single(rows, spec, fetch)
    return rows


def _require_columns(rows: ir.Table, spec: TableSpec) -> None:
    for name in dict.fromkeys((spec.case, spec.activity, *spec.times)):
        if name is not None and name not in rows.columns:
            listed = ", ".join(repr(column) for column in rows.columns[:_COLUMNS])
            raise DataError(
                "missing-column",
                f"The table {spec.place} has no column {name!r}.{did_you_mean(name, rows.columns)}",
                f"It has {listed}{' ...' if len(rows.columns) > _COLUMNS else ''}.",
            )


def _timed(raw: RawTable, spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> ir.Table:
    """Bring days without a time of day to timestamps; refuse columns that hold no times."""
    days = {}
    for name in spec.times:
        kind = raw.rows[name].type()
        if kind.is_date():
            days[name] = raw.rows[name].cast("timestamp")
        elif not kind.is_timestamp():
            raise _no_times(raw.rows, name, spec, fetch)
    return raw.rows.mutate(**days) if days else raw.rows


def _no_times(rows: ir.Table, name: str, spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> DataError:
    column, kind = rows[name], rows[name].type()
    if kind.is_string():
        given = rows.filter(column.notnull())
        zoned = given[name].re_search(_ZONED_TEXT)
        counts = fetch(given.aggregate(zoned=given.count(where=zoned), n=given.count())).to_pylist()[0]
        if 0 < counts["zoned"] < counts["n"]:
            return DataError(
                "mixed-zones",
                f"{name!r} of the table {spec.place}: {counts['zoned']} times carry a zone, "
                f"{counts['n'] - counts['zoned']} do not.",
                "Correct the times in the table, or name a view that gives them as timestamps.",
            )
    return DataError(
        "bad-time",
        f"The column {name!r} of the table {spec.place} holds {'text' if kind.is_string() else kind}, not times.",
        "Name a view of the database that gives it as a timestamp, or another column under `at`.",
    )


def _require_whole(rows: ir.Table, spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> None:
    """Refuse a table without events, and events without a case, an activity or a time that a log may hold."""
    wrong = _wrong(rows, spec)
    counts = {f"wrong_{number}": rows.count(where=where) for number, (_, _, where) in enumerate(wrong)}
    found = fetch(rows.aggregate(n=rows.count(), **counts)).to_pylist()[0]
    if spec.times and not found["n"]:
        raise DataError("data-empty", f"The table {spec.place} holds no event.", "Name another table, or fill it.")
    for number, (code, what, _) in enumerate(wrong):
        count = found[f"wrong_{number}"]
        if count:
            raise _events(code, spec, count, what)


def _wrong(rows: ir.Table, spec: TableSpec) -> list[tuple[str, str, ir.BooleanValue]]:
    """What an event may not be: the code of the refusal, its words, and the condition."""
    found: list[tuple[str, str, ir.BooleanValue]] = []
    for code, what, name in (
        ("empty-case", "without a case", spec.case),
        ("empty-activity", "without an activity", spec.activity),
    ):
        if name is not None:
            text = rows[name].type().is_string()
            found.append((code, what, rows[name].isnull() | (rows[name] == "") if text else rows[name].isnull()))
    # Only the instant of the event itself has to be there.
    found += [("bad-time", "without a time", rows[name].isnull()) for name in spec.times[:1]]
    for name in spec.times:
        beyond = (rows[name] < _stamp(_FIRST)) | (rows[name] >= _stamp(_LAST))
        found.append(("bad-time", "with a time that is not between 1900 and 2200", beyond))
    return found


def _events(code: str, spec: TableSpec, count: int, what: str) -> DataError:
    events = "event" if count == 1 else "events"
    return DataError(
        code,
        f"The table {spec.place} holds {count:,} {events} {what}.",
        "Correct the table, or name a view that leaves these events out. Nothing of it was used.",
    )


def _in_utc(rows: ir.Table, zoned: Collection[str], spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> ir.Table:
    local = [name for name in spec.times if name not in zoned]
    if not local:
        return rows
    zone = _zone(local[0], spec)
    if zone is None:
        return rows
    ends = {f"{edge}_{n}": getattr(rows[name], edge)() for n, name in enumerate(local) for edge in ("min", "max")}
    found = fetch(rows.aggregate(**ends)).to_pylist()[0]
    changed = {}
    for number, name in enumerate(local):
        first, last = found[f"min_{number}"], found[f"max_{number}"]
        if first is not None and last is not None:
            changed[name] = to_utc(rows[name], zone, first, last)
    return rows.mutate(**changed) if changed else rows


def _zone(column: str, spec: TableSpec) -> zoneinfo.ZoneInfo | None:
    """Return the declared zone of local times, None for UTC."""
    if spec.zone is None:
        raise DataError(
            "no-zone",
            f"The times in {column!r} of the table {spec.place} carry no zone, and none is declared.",
            "Write `zone: UTC`, or the zone they were recorded in (`zone: Europe/London`), in the data.",
        )
    if spec.zone.upper() in {"UTC", "Z", "GMT"}:
        return None
    try:
        return zoneinfo.ZoneInfo(spec.zone)
    except (KeyError, ValueError, OSError):
        near = did_you_mean(spec.zone, zoneinfo.available_timezones())
        raise DataError(
            "unknown-zone",
            f"{spec.zone!r}, the zone of the table {spec.place}, is not a time zone.{near}",
            "Write `zone: UTC`, or a name such as Europe/London.",
        ) from None


def _require_single(rows: ir.Table, spec: TableSpec, fetch: Callable[[ir.Table], pa.Table]) -> None:
    distinct = rows.distinct()
    all_rows = fetch(rows.aggregate(n=rows.count())).to_pylist()[0]["n"]
    repeated = all_rows - fetch(distinct.aggregate(n=distinct.count())).to_pylist()[0]["n"]
    if repeated:
        raise DataError(
            "duplicate-events",
            f"The table {spec.place} holds {repeated:,} of {all_rows:,} events that equal another in every column.",
            "Nobody can tell copies from work that was done twice: write `duplicates: drop` or `duplicates: keep`.",
        )


def _stamp(at: datetime) -> ir.TimestampScalar:
    return ibis.literal(at, "timestamp")

"""The meaning of a KPI, written down once more: one case at a time, in plain Python, with no regard for speed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trueup.declare.model.kpi import UNIT_SECONDS, EventRef, Kpi

EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Expected:
    """What one case comes to."""

    start: datetime
    due: datetime
    value: float | None
    capped: bool


def matches(pattern: str, activity: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), activity, re.DOTALL) is not None


def seconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(seconds=1)


def by_case(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    cases: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
    return cases


def expected(kpi: Kpi, rows: Sequence[Mapping[str, Any]], window: timedelta, complete: Sequence[str] = ()) -> Expected:
    """Compute a KPI over all events of one case."""
    start = min(row["at"] for row in rows)
    seen = within(rows, window)
    value, capped = _value(kpi, seen, window, complete)
    return Expected(start, start + window, value, capped)


def within(rows: Sequence[Mapping[str, Any]], window: timedelta) -> list[Mapping[str, Any]]:
    """The events of a case that a KPI sees."""
    start = min(row["at"] for row in rows)
    return [row for row in rows if row["at"] < start + window]


def _value(
    kpi: Kpi, seen: Sequence[Mapping[str, Any]], window: timedelta, complete: Sequence[str]
) -> tuple[float | None, bool]:
    if kpi.duration is not None:
        return _duration(_time(seen, kpi.duration.start), _time(seen, kpi.duration.to), window, kpi)
    if kpi.share is not None and kpi.share.agree is not None:
        answer, label = (_last(seen, field) for field in kpi.share.agree)
        return (None if answer is None or label is None else float(answer == label)), False
    if kpi.share is not None:
        having = kpi.share.having is not None
        patterns = kpi.share.having if kpi.share.having is not None else kpi.share.without or ()
        return float((_count(seen, patterns) > 0) == having), False
    if kpi.count is not None:
        return float(max(0, _count(seen, kpi.count.of) - kpi.count.beyond)), False
    if kpi.throughput is not None:
        return float(_count(seen, kpi.throughput.of or complete) > 0), False
    assert kpi.ratio is not None
    if kpi.ratio.per == "completed" and not kpi.ratio.of_all and not _count(seen, complete):
        return None, False
    return _number(seen, kpi.ratio.of), False


def under(kpi: Kpi, seen: Sequence[Mapping[str, Any]], complete: Sequence[str]) -> float:
    """What a ratio of sums with `of_all` divides by: 1 for a completed case."""
    assert kpi.ratio is not None
    assert kpi.ratio.of_all
    return float(_count(seen, complete) > 0)


def _number(seen: Sequence[Mapping[str, Any]], field: str) -> float | None:
    given = [(row["at"], float(row[field])) for row in seen if row.get(field) is not None]
    return max(given)[1] if given else None


def _last(seen: Sequence[Mapping[str, Any]], field: str) -> str | None:
    given = [(row["at"], str(row[field])) for row in seen if row.get(field) is not None]
    return max(given)[1] if given else None


def _duration(start: datetime | None, to: datetime | None, window: timedelta, kpi: Kpi) -> tuple[float | None, bool]:
    unit = UNIT_SECONDS[kpi.shown_unit]
    if start is None:
        return None, False
    if to is None:
        return window.total_seconds() / unit, True
    return (None if to < start else (seconds(to) - seconds(start)) / unit), False


def _time(seen: Sequence[Mapping[str, Any]], ref: EventRef) -> datetime | None:
    times: list[datetime] = [row["at"] for row in seen if matches(ref.pattern, row["activity"])]
    if not times:
        return None
    return min(times) if ref.which == "first" else max(times)


def _count(seen: Sequence[Mapping[str, Any]], patterns: Sequence[str]) -> int:
    return sum(any(matches(pattern, row["activity"]) for pattern in patterns) for row in seen)

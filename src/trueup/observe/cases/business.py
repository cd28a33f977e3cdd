"""Business time: the seconds of a span that lie in working hours, by what had passed before each day.

The business time up to an instant is that of all days before its own, looked up, and the part of its own day. A span
is the difference of two such numbers, so it is exact, and costs the same over an hour as over a year. Everything is
in UTC: hours do not move with daylight saving.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from trueup.declare.model.kpi import KpiKind
from trueup.kernel.errors import DataError
from trueup.kernel.text import did_you_mean
from trueup.observe.cases.values import business_column, epoch_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from trueup.declare.model.working_time import WorkingTime
    from trueup.observe.cases.needs import Measure
    from trueup.observe.engine import Engine


def require_calendar(calendar: WorkingTime | None) -> None:
    """Raise DataError `unknown-calendar` for a country or region of which no holidays are known."""
    if calendar is None or calendar.country is None:
        return
    import holidays

    known = holidays.list_supported_countries(include_aliases=True)
    if calendar.country not in known:
        raise _unknown("country", calendar.country, list(known))
    if calendar.region is not None and calendar.region not in known[calendar.country]:
        raise _unknown(f"region of {calendar.country}", calendar.region, list(known[calendar.country]))


def holidays_of(calendar: WorkingTime, first: date, last: date) -> frozenset[date]:
    """Return the public holidays of a calendar's country in [first, last]. Source: the `holidays` library.

    A holiday that falls on a weekend and is observed on another day is free on both. Raises as `require_calendar`.
    """
    require_calendar(calendar)
    if calendar.country is None:
        return frozenset()
    import holidays

    years = range(first.year, last.year + 1)
    found = holidays.country_holidays(calendar.country, subdiv=calendar.region, years=years)
    return frozenset(day for day in found if first <= day <= last)


def _unknown(what: str, name: str, known: Sequence[str]) -> DataError:
    return DataError(
        "unknown-calendar",
        f"No public holidays are known of the {what} {name!r}.{did_you_mean(name, known)}",
        "Write ISO codes, such as country: GB and region: ENG, or leave them out.",
    )


def business_days(calendar: WorkingTime, first: date, last: date) -> pa.Table:
    """Return every day in [first, last]: `day`, business seconds `before` it since `first`, whether it is `open`."""
    free = holidays_of(calendar, first, last)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    opened = [int(day.weekday() in calendar.days.days and day not in free) for day in days]
    before, passed = [], 0
    for one in opened:
        before.append(passed)
        passed += one * calendar.day_seconds
    columns = {"day": pa.array(days, pa.date32()), "before": pa.array(before, pa.int64())}
    return pa.table({**columns, "open": pa.array(opened, pa.int64())})


def with_business_time(engine: Engine, cases: ir.Table, measures: Sequence[Measure]) -> ir.Table:
    """Add the business seconds of every measure that has a calendar (`business_column`).

    Raises as `require_calendar`.
    """
    timed = [(number, measure) for number, measure in enumerate(measures) if measure.kpi.calendar is not None]
    if not timed:
        return cases
    for number, measure in timed:
        calendar = measure.kpi.calendar
        assert calendar is not None
        days = calendar_days(engine, cases, calendar)
        points = {"due": "due"}
        if measure.columns:
            points["from"], points["to"] = measure.columns
        if measure.kpi.kind is KpiKind.DURATION:
            points["start"] = "start"
        cases = _spans(cases, days, calendar, points, number)
    return engine.keep(cases)


def calendar_days(engine: Engine, cases: ir.Table, calendar: WorkingTime) -> ir.Table:
    """Return the days of a calendar from the first start of a case to the last end of a window, in the engine."""
    ends = engine.fetch(cases.aggregate(first=cases["start"].min(), last=cases["due"].max())).to_pylist()[0]
    first, last = (_day(ends[name]) for name in ("first", "last"))
    return engine.load(business_days(calendar, first, last))


def _day(at: datetime | None) -> date:
    """The day of an instant; of a log without cases any day."""
    return at.date() if at is not None else datetime.fromtimestamp(0, UTC).date()


def _spans(cases: ir.Table, days: ir.Table, calendar: WorkingTime, points: dict[str, str], number: int) -> ir.Table:
    columns = cases.columns
    for point, column in points.items():
        cases = passed_until(cases, days, calendar, column, f"passed_{point}")
    spans = {}
    if "from" in points:
        spans["elapsed"] = cases["passed_to"] - cases["passed_from"]
        spans["left"] = cases["passed_due"] - cases["passed_from"]
    if "start" in points:
        spans["window"] = cases["passed_due"] - cases["passed_start"]
    named = {business_column(number, what): seconds for what, seconds in spans.items()}
    return cases.mutate(**named).select(*columns, *named)


def passed_until(cases: ir.Table, days: ir.Table, calendar: WorkingTime, column: str, name: str) -> ir.Table:
    """Add the business seconds that had passed at the time in a column; null where there is no time."""
    own = cases.mutate(own_day=cases[column].truncate("D").cast("date"))
    joined = own.left_join(days, own["own_day"] == days["day"])
    at = joined[column]
    today = epoch_seconds(at) - epoch_seconds(at.truncate("D")) - calendar.hours.opens
    length = ibis.literal(calendar.day_seconds, "int64")
    worked = ibis.greatest(ibis.least(today, length), ibis.literal(0, "int64"))
    passed = (joined["before"] + joined["open"] * worked).cast("int64")
    return joined.mutate(**{name: passed}).drop("own_day", "day", "before", "open")

"""The value of each KPI for each case, from the facts of its window.

Values are whole numbers wherever the KPI allows (seconds, 0 or 1, counts), so that their sums are exact on every
engine and in every order; they are brought into the KPI's unit at the very end. Null means: no value.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import ibis

from trueup.declare.model.kpi import KpiKind
from trueup.observe.cases.needs import from_actuals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from trueup.declare.model.kpi import Ratio
    from trueup.observe.cases.needs import Measure

# Fields below this are nought where they are multiplied, and denominators below that are: quotients stay finite.
_VANISHES = 1e-100
_LEAST_UNDER = 1e-20


def with_values(cases: ir.Table, measures: Sequence[Measure], window: int) -> ir.Table:
    """Add `kpi_i` (the unscaled value) and `capped_i` (0 or 1) for the i-th measure; `window` in seconds.

    And `under_i` where it is a ratio of sums: what the sum of its values is divided by.
    """
    columns: dict[str, ir.Value] = {}
    for number, measure in enumerate(measures):
        columns[f"kpi_{number}"] = _value(cases, number, measure, window)
        columns[f"capped_{number}"] = _capped(cases, number, measure, window)
        if measure.under is not None:
            columns[f"under_{number}"] = _under(cases, measure, measure.under)
    return cases.mutate(**columns)


def epoch_seconds(at: ir.TimestampColumn) -> ir.IntegerColumn:
    """Whole seconds since 1970: truncated first, because engines round differently."""
    return at.truncate("s").epoch_seconds().cast("int64")


def step_column(number: int) -> str:
    """Return the column of the waiting or service time, in seconds, of the measure at a position."""
    return f"step_{number}"


def business_column(number: int, what: str) -> str:
    """Return a column of business seconds of a measure: `elapsed` between its events, of its `window`, or `left`."""
    return f"business_{what}_{number}"


# ibis takes what replaces a null by position only.
_NO = False


def surely(condition: ir.BooleanValue) -> ir.BooleanValue:
    """What cannot be known (null) counts as not so."""
    return condition.fill_null(_NO)


def flag(condition: ir.BooleanValue) -> ir.IntegerValue:
    """1 where it holds, else 0: casts of booleans differ between engines."""
    return surely(condition).ifelse(1, 0).cast("int64")


def _value(cases: ir.Table, number: int, measure: Measure, window: int) -> ir.Value:
    kpi = measure.kpi
    if from_actuals(kpi):
        # One a case that counts in the denominator; what is divided by it is known by week only.
        return flag(cases[measure.columns[0]].notnull()) if measure.columns else ibis.literal(1, "int64")
    match kpi.kind:
        case KpiKind.DURATION:
            return _duration(cases, number, measure, window)
        case KpiKind.SHARE:
            return _share(cases, number, measure)
        case KpiKind.COUNT:
            beyond = cases[measure.columns[0]] - (kpi.count.beyond if kpi.count else 0)
            return (beyond > 0).ifelse(beyond, 0).cast("int64")
        case KpiKind.RATIO:
            return _field(cases, measure)
        case KpiKind.THROUGHPUT:
            return flag(cases[measure.columns[0]].notnull())


def _duration(cases: ir.Table, number: int, measure: Measure, window: int) -> ir.IntegerValue:
    """Seconds from one event to the other; the window's length without the second, no value without the first."""
    cap = _cap(cases, number, measure, window)
    if not measure.columns:
        seconds = cases[step_column(number)]
        # Not `least`: engines differ over its nulls.
        return (seconds > cap).ifelse(cap, seconds).cast("int64")
    start, to = (cases[column] for column in measure.columns)
    return ibis.cases(
        (start.isnull(), None),
        (to.isnull(), cap),
        (to < start, None),
        else_=_elapsed(cases, number, measure),
    ).cast("int64")


def _share(cases: ir.Table, number: int, measure: Measure) -> ir.IntegerValue:
    share = measure.kpi.share
    assert share is not None
    if share.within is not None:
        return _in_time(cases, number, measure)
    if share.agree is not None:
        answer, label = (cases[column] for column in measure.columns)
        return (answer.notnull() & label.notnull()).ifelse(flag(answer == label), None).cast("int64")
    seen = flag(cases[measure.columns[0]].notnull())
    return seen if share.having is not None else 1 - seen


def _cap(cases: ir.Table, number: int, measure: Measure, window: int) -> ir.IntegerValue:
    """Seconds of the window, or of its business time."""
    if measure.kpi.calendar is None:
        return ibis.literal(window, "int64")
    return cases[business_column(number, "window")]


def _elapsed(cases: ir.Table, number: int, measure: Measure) -> ir.IntegerValue:
    """Seconds between the two events of a measure, of its business time where it has one."""
    if measure.kpi.calendar is not None:
        return cases[business_column(number, "elapsed")]
    start, to = (cases[column] for column in measure.columns)
    return epoch_seconds(to) - epoch_seconds(start)


def _in_time(cases: ir.Table, number: int, measure: Measure) -> ir.IntegerValue:
    """1 where the second event came in time, else 0; no value where the time allowed ends after the window.

    Such a case has none even if it was in time: only those that came soon would count otherwise.
    """
    kpi = measure.kpi
    allowed = kpi.share.within_seconds if kpi.share is not None else 0
    start, to = (cases[column] for column in measure.columns)
    left = (
        epoch_seconds(cases["due"]) - epoch_seconds(start)
        if kpi.calendar is None
        else cases[business_column(number, "left")]
    )
    return ibis.cases(
        (start.isnull() | (left < allowed), None),
        (to.isnull(), ibis.literal(0, "int64")),
        (to < start, None),
        else_=flag(_elapsed(cases, number, measure) <= allowed),
    ).cast("int64")


def _capped(cases: ir.Table, number: int, measure: Measure, window: int) -> ir.IntegerValue:
    if measure.kpi.kind is not KpiKind.DURATION:
        return ibis.literal(0, "int64")
    if not measure.columns:
        return flag(cases[step_column(number)] > _cap(cases, number, measure, window))
    start, to = (cases[column] for column in measure.columns)
    return flag(start.notnull() & to.isnull())


def _field(cases: ir.Table, measure: Measure) -> ir.FloatingValue:
    ratio = measure.kpi.ratio
    assert ratio is not None
    columns = [cases[column] for column in measure.columns]
    summed, others = columns[: len(ratio.fields)], columns[len(ratio.fields) :]
    if ratio.prices is not None:
        summed = [_times(column, price) for column, price in zip(summed, _prices(ratio), strict=True)]
    value = reduce(add, summed)
    if measure.under is not None:
        return _under(cases, measure, measure.under).notnull().ifelse(value, None)
    return others[0].notnull().ifelse(value, None) if others else value


def _times(column: ir.FloatingColumn, price: float) -> ir.FloatingValue:
    """A field times its price. What is next to nothing is nothing: one engine refuses products that vanish."""
    floor, nought = (ibis.literal(value, "float64") for value in (_VANISHES, 0.0))
    return (column.abs() < floor).ifelse(nought, column) * ibis.literal(price, "float64")


def _prices(ratio: Ratio) -> list[float]:
    return [float(price) for price in (ratio.prices or {}).values()]


def _under(cases: ir.Table, measure: Measure, under: str) -> ir.FloatingValue:
    """1 or 0 for a completed case or another, or the field; none where that is below nought."""
    column = cases[under]
    if measure.kpi.ratio is not None and measure.kpi.ratio.of_all:
        return flag(column.notnull()).cast("float64")
    nought, least = (ibis.literal(value, "float64") for value in (0.0, _LEAST_UNDER))
    return ibis.cases((column < nought, None), (column < least, nought), else_=column)

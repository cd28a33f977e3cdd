"""Weekly sufficient statistics: one group-by over the cases for all KPIs at once."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import ibis

from trueup.declare.model.kpi import KpiKind
from trueup.evidence.adjust.ratios import linearised
from trueup.observe.cases.arms import arm_of, instant
from trueup.observe.cases.needs import from_actuals
from trueup.observe.cases.values import flag, surely
from trueup.observe.held import Held, weekly
from trueup.observe.tables import Arm, Segment, WeekStatistic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import ibis.expr.types as ir
    import pyarrow as pa

    from trueup.declare.model.workflow import Pilot
    from trueup.observe.cases.needs import Measure
    from trueup.observe.engine import Engine

# Squares are summed as the squares and products of two halves, so that no engine's integers overflow.
_HALF = 16
_LOW = 2**_HALF - 1

Cell = tuple[date, str, str | None]
# The single values of a measure in a cell, each with what it is divided by.
_Fractions = dict[Any, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """The cases of a workflow with their values: `made` computes them in the engine, one measure a position.

    `held` are the same cases in memory, where they are few enough; then hardly a question goes to the engine.
    `steps` tells how often which activity occurs in the window of which case.
    """

    engine: Engine
    made: Callable[[], ir.Table]
    measures: Sequence[Measure]
    segments: Sequence[Segment]
    pilot: Pilot | None
    window: int
    held: Held | None
    steps: Callable[[], pa.Table]

    def at(self, as_of: datetime) -> ir.Table:
        """Return the cases that have started by an instant, with `week`, `arm` and whether each is `mature`."""
        cases = self.made()
        started = cases.filter(cases["start"] <= instant(as_of))
        return started.mutate(
            week=started["start"].truncate("W").cast("date"),
            arm=arm_of(started, self.pilot, as_of),
            mature=started["due"] <= instant(as_of),
        )


def week_statistics(
    table: CaseTable, as_of: datetime, chosen: Sequence[int], segment: Segment | None
) -> list[WeekStatistic]:
    """Return the statistics of the measures at the positions chosen, by week, arm and value of the segment.

    Totals are exactly rounded sums, whatever the order of the cases.
    """
    if table.held is not None:
        rows, fractions = weekly(table.held, table.measures, as_of, chosen, segment)
    else:
        rows, fractions = _by_engine(table, as_of, chosen, segment)
    rows.sort(key=_cell_order)
    return [
        _statistic(row, table.measures[number], number, segment, fractions)
        for number in chosen
        for row in rows
        if not _is_elsewhere(table.measures[number], row["arm"])
    ]


def _by_engine(
    table: CaseTable, as_of: datetime, chosen: Sequence[int], segment: Segment | None
) -> tuple[list[dict[str, Any]], _Fractions]:
    """Ask the engine for the sums of every cell, and for the single values of KPIs that are not whole."""
    cases = segmented(table.at(as_of), segment, as_of)
    columns: dict[str, ir.Value] = {"immature": flag(~cases["mature"]).sum()}
    for number in chosen:
        columns.update(_sums(cases, table.measures[number], number))
    rows = table.engine.fetch(cases.group_by("week", "arm", "segment").aggregate(**columns)).to_pylist()
    return rows, _fractions(table, cases, chosen)


def segmented(cases: ir.Table, segment: Segment | None, as_of: datetime) -> ir.Table:
    """Add `segment`: its value as far as it is visible, null where there is none."""
    if segment is None:
        return cases.mutate(segment=cases["arm"].nullif(cases["arm"]))
    visible = surely(cases[segment.seen] <= instant(as_of))
    return cases.mutate(segment=visible.ifelse(cases[segment.value], None))


def _sums(cases: ir.Table, measure: Measure, number: int) -> dict[str, ir.Value]:
    value = cases[f"kpi_{number}"]
    counted = cases["mature"] & value.notnull()
    columns = {
        f"n_{number}": flag(counted).sum(),
        f"capped_{number}": counted.ifelse(cases[f"capped_{number}"], 0).sum(),
        f"events_{number}": flag(counted & (value != 0)).sum(),
        f"without_{number}": flag(cases["mature"] & value.isnull()).sum(),
    }
    if measure.whole:
        whole = counted.ifelse(value, 0)
        high, low = whole >> _HALF, whole & _LOW
        columns |= {
            f"total_{number}": whole.sum(),
            f"high_{number}": (high * high).sum(),
            f"cross_{number}": (high * low).sum(),
            f"low_{number}": (low * low).sum(),
        }
    return columns


def _statistic(
    row: dict[str, Any], measure: Measure, number: int, segment: Segment | None, fractions: _Fractions
) -> WeekStatistic:
    if measure.whole:
        high, cross, low = (int(row[f"{part}_{number}"]) for part in ("high", "cross", "low"))
        squares = (high << 2 * _HALF) + (cross << _HALF + 1) + low
        total, total_squares = int(row[f"total_{number}"]) / measure.scale, squares / measure.scale**2
        n = int(row[f"n_{number}"])
    else:
        single = fractions.get((number, row["week"], row["arm"], row["segment"]), [])
        values = [value for value, _ in single] if measure.under is None else _linearised(single)
        total, total_squares = math.fsum(values), math.fsum(value * value for value in values)
        n = len(values)
    return WeekStatistic(
        kpi=measure.name,
        week=row["week"],
        arm=row["arm"],
        segment=None if segment is None else segment_text(segment.name, row["segment"]),
        n=n,
        total=total,
        total_squares=total_squares,
        events=int(row[f"events_{number}"]),
        capped=int(row[f"capped_{number}"]),
        without_value=int(row[f"without_{number}"]),
        immature=int(row["immature"]),
    )


def _linearised(pairs: Iterable[tuple[float, float]]) -> list[float]:
    """Return one value a case, whose mean is the ratio of the sums; none where there is nothing to divide by.

    In one order, whatever the engine's: the sums in it are not exact.
    """
    ordered = sorted(pairs)
    found: list[float] = linearised([over for over, _ in ordered], [under for _, under in ordered]).tolist()
    return found


def segment_text(name: str, value: str | None) -> str:
    """Return how a segment is written beside a reading."""
    return f"{name}={'(none)' if value is None else value}"


def _fractions(table: CaseTable, cases: ir.Table, chosen: Iterable[int]) -> _Fractions:
    """The single values of KPIs that are no whole numbers, to be summed outside: engines add in any order."""
    values: _Fractions = defaultdict(list)
    for number in chosen:
        if table.measures[number].whole:
            continue
        name = f"kpi_{number}"
        counted = cases.filter(cases["mature"] & cases[name].notnull())
        under = ibis.literal(1.0, "float64") if table.measures[number].under is None else counted[f"under_{number}"]
        columns = table.engine.fetch(counted.select("week", "arm", "segment", value=name, under=under)).to_pydict()
        for week, arm, segment, value, by in zip(*columns.values(), strict=True):
            values[number, week, arm, segment].append((value, by))
    return values


def _is_elsewhere(measure: Measure, arm: str) -> bool:
    """A share among treated cases says nothing of other arms."""
    share = measure.kpi.share
    return share is not None and share.among == "treated" and arm != Arm.TREATED


def _cell_order(row: dict[str, Any]) -> tuple[date, str, bool, str]:
    return (row["week"], row["arm"], row["segment"] is not None, row["segment"] or "")


def is_weekly(measure: Measure) -> bool:
    """Tell whether a measure has one value a week: throughput, and what actuals are divided by."""
    return measure.kpi.kind is KpiKind.THROUGHPUT or from_actuals(measure.kpi)

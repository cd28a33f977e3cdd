"""How the values of a week are spread: counts in fixed buckets, the same for every week, arm and engine.

No engine is asked for a quantile, because they are not computed alike by all. Where one is declared the values of the
week leave the engine one by one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import ibis

from trueup.declare.model.kpi import KpiKind
from trueup.evidence.weekly import quantile_interval_of_week
from trueup.observe.held import cells_of
from trueup.observe.tables import WeekHistogram, WeekQuantile
from trueup.observe.weeks import is_weekly, segment_text, segmented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    import ibis.expr.types as ir

    from trueup.observe.cases.needs import Measure
    from trueup.observe.held import Held
    from trueup.observe.tables import Segment
    from trueup.observe.weeks import CaseTable, Cell

BUCKETS = 16


def edges_of(measure: Measure, window: int) -> tuple[float, ...]:
    """Return the lower edges of the buckets in the KPI's unit; none where a KPI has no range known beforehand.

    Durations: equal parts of the follow-up window (`window` seconds), its end in the last. Counts: one each, the last
    open upwards. Shares: without and with.
    """
    if is_weekly(measure) or not measure.whole:
        return ()
    if measure.kpi.kind is KpiKind.DURATION:
        return tuple(window * part / BUCKETS / measure.scale for part in range(BUCKETS))
    return tuple(float(edge) for edge in range(2 if measure.kpi.kind is KpiKind.SHARE else BUCKETS))


def week_histograms(table: CaseTable, number: int, as_of: datetime) -> list[WeekHistogram]:
    """Return the histogram of one measure over its mature cases with a value, by week and arm, in that order."""
    measure = table.measures[number]
    edges = edges_of(measure, table.window)
    if not edges:
        return []
    cases = table.at(as_of)
    value = cases[f"kpi_{number}"]
    counted = cases.filter(cases["mature"] & value.notnull())
    rows = counted.mutate(bucket=_bucket(counted[f"kpi_{number}"], measure, table.window, len(edges)))
    found = table.engine.fetch(rows.group_by("week", "arm", "bucket").aggregate(n=rows.count())).to_pylist()
    counts: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0] * len(edges))
    for row in found:
        counts[row["week"], row["arm"]][int(row["bucket"])] += row["n"]
    return [WeekHistogram(measure.name, week, arm, edges, tuple(counts[week, arm])) for week, arm in sorted(counts)]


def _bucket(value: ir.Value, measure: Measure, window: int, buckets: int) -> ir.Value:
    """Whole numbers only: every engine divides them alike."""
    place = value * buckets // max(window, 1) if measure.kpi.kind is KpiKind.DURATION else value
    return ibis.least(place, ibis.literal(buckets - 1, "int64")).cast("int64")


def week_quantiles(table: CaseTable, number: int, as_of: datetime, segment: Segment | None) -> list[WeekQuantile]:
    """Return the declared quantile of a measure over its mature cases with a value, by week, arm and segment.

    Nothing for a measure without one. Capped cases lie beyond everything that was seen whole.
    """
    measure = table.measures[number]
    if measure.kpi.quantile is None:
        return []
    held = table.held
    rows = _of_engine(table, number, as_of, segment) if held is None else _of_held(held, number, as_of, segment)
    values: dict[Cell, list[float]] = defaultdict(list)
    for cell, value, capped in rows:
        values[cell].append(math.inf if capped else value / measure.scale)
    return [
        WeekQuantile(
            measure.name,
            week,
            arm,
            None if segment is None else segment_text(segment.name, name),
            *quantile_interval_of_week(values[week, arm, name], measure.kpi.quantile),
        )
        for week, arm, name in values
    ]


def _of_engine(
    table: CaseTable, number: int, as_of: datetime, segment: Segment | None
) -> Iterator[tuple[Cell, int, int]]:
    cases = segmented(table.at(as_of), segment, as_of)
    counted = cases.filter(cases["mature"] & cases[f"kpi_{number}"].notnull())
    one = counted.select("week", "arm", "segment", value=f"kpi_{number}", capped=f"capped_{number}")
    for row in table.engine.fetch(one).to_pylist():
        yield (row["week"], row["arm"], row["segment"]), row["value"], row["capped"]


def _of_held(cases: Held, number: int, as_of: datetime, segment: Segment | None) -> Iterator[tuple[Cell, int, int]]:
    at, one = cases.at(as_of), cases.values[number]
    at = at.where(at.mature & one.known[at.place])
    columns = cells_of(cases, at, segment, as_of), one.value[at.place].tolist(), one.capped[at.place].tolist()
    yield from zip(*columns, strict=True)

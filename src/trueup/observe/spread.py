"""How the values of a week are spread: counts in fixed buckets, the same for every week, arm and engine.

Quantiles come from these counts, because exact quantiles are not computed alike by all engines.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import ibis

from trueup.declare.model.kpi import KpiKind
from trueup.observe.tables import WeekHistogram
from trueup.observe.weeks import is_weekly

if TYPE_CHECKING:
    from datetime import date, datetime

    import ibis.expr.types as ir

    from trueup.observe.cases.needs import Measure
    from trueup.observe.weeks import CaseTable

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

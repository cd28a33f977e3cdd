"""How the values of a week are spread: counts in fixed buckets, the same for every week, arm and engine.

Quantiles come from these counts, because exact quantiles are not computed alike by all engines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from trueup.declare.model.kpi import KpiKind
from trueup.observe.held import cells_of
from trueup.observe.tables import WeekHistogram
from trueup.observe.weeks import is_weekly, segment_text, segmented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trueup.observe.cases.needs import Measure
    from trueup.observe.held import Held
    from trueup.observe.tables import Segment
    from trueup.observe.weeks import CaseTable, Cell

BUCKETS = 16
# What a quantile that is declared is read from: its weeks are interpolated within a part of the window.
FINE_BUCKETS = 160


def edges_of(measure: Measure, window: int) -> tuple[float, ...]:
    """Return the lower edges of the buckets in the KPI's unit; none where a KPI has no range known beforehand.

    Durations: equal parts of the follow-up window (`window` seconds), its end in the last; finer ones for a declared
    quantile. Counts: one each, the last open upwards. Shares: without and with.
    """
    if is_weekly(measure) or not measure.whole:
        return ()
    if measure.kpi.kind is KpiKind.DURATION:
        parts = buckets_of(measure)
        return tuple(window * part / parts / measure.scale for part in range(parts))
    return tuple(float(edge) for edge in range(2 if measure.kpi.kind is KpiKind.SHARE else BUCKETS))


def buckets_of(measure: Measure) -> int:
    """Return how many buckets a measure has."""
    return BUCKETS if measure.kpi.quantile is None else FINE_BUCKETS


def week_histograms(
    table: CaseTable, number: int, as_of: datetime, segment: Segment | None = None
) -> list[WeekHistogram]:
    """Return the histogram of one measure over its mature cases with a value, by week, arm and value of a segment.

    In that order.
    """
    measure = table.measures[number]
    edges = edges_of(measure, table.window)
    if not edges:
        return []
    if table.held is not None:
        cells = _held(table.held, measure, number, as_of, segment, table.window)
    else:
        cells = _by_engine(table, number, as_of, segment)
    counts: dict[Cell, list[int]] = defaultdict(lambda: [0] * len(edges))
    for cell, place, n in cells:
        counts[cell][place] += n
    return [
        WeekHistogram(measure.name, *cell[:2], edges, tuple(counts[cell]), _name_of(segment, cell[2]))
        for cell in sorted(counts, key=lambda cell: (cell[0], cell[1], cell[2] or ""))
    ]


def _name_of(segment: Segment | None, value: str | None) -> str | None:
    return None if segment is None else segment_text(segment.name, value)


def _by_engine(
    table: CaseTable, number: int, as_of: datetime, segment: Segment | None
) -> Iterator[tuple[Cell, int, int]]:
    measure = table.measures[number]
    cases = segmented(table.at(as_of), segment, as_of)
    counted = cases.filter(cases["mature"] & cases[f"kpi_{number}"].notnull())
    bucket = _bucket(counted[f"kpi_{number}"], measure, table.window)
    rows = counted.mutate(bucket=ibis.least(bucket, ibis.literal(_last(measure), "int64")).cast("int64"))
    found = rows.group_by("week", "arm", "segment", "bucket").aggregate(n=rows.count())
    for row in table.engine.fetch(found).to_pylist():
        yield (row["week"], row["arm"], row["segment"]), int(row["bucket"]), int(row["n"])


def _held(
    cases: Held, measure: Measure, number: int, as_of: datetime, segment: Segment | None, window: int
) -> Iterator[tuple[Cell, int, int]]:
    """The same of cases in memory."""
    at, value = cases.at(as_of), cases.values[number]
    at = at.where(at.mature & value.known[at.place])
    named = cells_of(cases, at, segment, as_of)
    buckets = np.minimum(_bucket(value.value[at.place], measure, window), _last(measure))
    found = Counter(zip(named, buckets.tolist(), strict=True))
    for (cell, place), n in found.items():
        yield cell, place, n


def _last(measure: Measure) -> int:
    if measure.kpi.kind is KpiKind.SHARE:
        return 1
    return buckets_of(measure) - 1


def _bucket(value: Any, measure: Measure, window: int) -> Any:
    """Whole numbers only: every engine divides them alike."""
    return value * buckets_of(measure) // max(window, 1) if measure.kpi.kind is KpiKind.DURATION else value

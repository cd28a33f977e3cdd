"""From cases to samples: moments, events, and the blocks that stand for independent observations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.comparison import Sample
from trueup.evidence.adjust.ratios import linearised
from trueup.evidence.blocks import means_by_label
from trueup.evidence.designs.scales import PLAIN, Scale, Transform
from trueup.evidence.moments import Moments
from trueup.evidence.quantiles import influence_variance, sample_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from trueup.declare.model.registration import FrozenKpi
    from trueup.observe.tables import CaseVector, WeekStatistic

_WEEK_SECONDS = 604_800
# 1970-01-01 was a Thursday: three days after the Monday that begins week 0.
_MONDAY_OFFSET = 259_200


def sample_of(
    vector: CaseVector, *, by_unit: bool = False, transform: Transform = PLAIN, quantile: float | None = None
) -> Sample:
    """Summarise cases on a scale: moments, non-zero values, means of their weeks or, `by_unit`, of their units.

    Of a ratio of sums the values are linearised; of a quantile the mean is the quantile.
    """
    pairs = None if vector.under is None else np.column_stack([vector.value, vector.under])
    units = vector.unit.astype(str)
    found = sample_from(
        transform(vector.value), mondays_of(vector), units if by_unit else None, pairs=pairs, quantile=quantile
    )
    return replace(found, events=int(np.count_nonzero(vector.value)))


def sample_from(
    values: NDArray[np.float64],
    weeks: NDArray[np.str_],
    units: NDArray[np.str_] | None,
    *,
    pairs: NDArray[np.float64] | None = None,
    quantile: float | None = None,
) -> Sample:
    """Summarise single values; blocks are units where there are any, else weeks."""
    label = weeks if units is None else units
    if pairs is not None:
        values, blocks = linearised(pairs[:, 0], pairs[:, 1]), ratios_of(pairs, label)
    else:
        blocks = means_by_label(values, label)
    moments = Moments.of(values)
    if quantile is not None and len(values):
        moments = Moments(len(values), sample_quantile(values, quantile), influence_variance(values, quantile))
    return Sample(moments, int(np.count_nonzero(values)), blocks, values, weeks, units, pairs, quantile)


def ratios_of(pairs: NDArray[np.float64], label: NDArray[Any]) -> NDArray[np.float64]:
    """Return the linearised ratio of every label, in order of the labels: their mean is the ratio of all sums."""
    if not len(pairs):
        return np.array([], dtype=np.float64)
    _, block = np.unique(label, return_inverse=True)
    return linearised(*(np.bincount(block, weights=pairs[:, place]) for place in (0, 1)))


def mondays_of(vector: CaseVector) -> NDArray[np.str_]:
    """Return the Monday of every case's start, as ISO days, whose order is that of time."""
    return mondays((vector.started + _MONDAY_OFFSET) // _WEEK_SECONDS * _WEEK_SECONDS - _MONDAY_OFFSET)


def mondays(seconds: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return epoch seconds as ISO days."""
    return np.asarray(seconds.astype("datetime64[s]").astype("datetime64[D]").astype(str), dtype=np.str_)


def frozen_sample(frozen: FrozenKpi, *, log: bool = False, ratio: bool = False) -> Sample:
    """Return the registered baseline of a KPI as a sample; `log` as it was frozen on its logarithm.

    Of a ratio of sums the weeks are linearised.
    """
    if log and frozen.log is not None:
        on_log = [week.log_mean for week in frozen.weeks if week.log_mean is not None]
        found = Moments(frozen.n, frozen.log.mean, frozen.log.variance)
        return Sample(found, 0, np.array(on_log, dtype=np.float64))
    moments = Moments(frozen.n, frozen.mean if frozen.mean is not None else 0.0, frozen.variance or 0.0)
    known = [week for week in frozen.weeks if week.mean is not None]
    weeks = np.array([week.mean for week in known], dtype=np.float64)
    if ratio:
        under = np.array([week.n if week.under is None else week.under for week in known], dtype=np.float64)
        weeks = linearised(weeks * under, under)
        if len(weeks) and all(week.under is None for week in known):
            # Recorded by week: the ratio is that of the sums of its weeks.
            moments = replace(moments, mean=float(weeks.mean()))
    return Sample(moments, frozen.events or 0, weeks)


def weekly_sample(rows: Iterable[WeekStatistic], transform: Transform = PLAIN, *, ratio: bool = False) -> Sample:
    """Summarise a KPI that has one value a week, on a scale: the weeks are its cases and its blocks.

    What happens in a week happens in all its arms together, so that arms are added up. `ratio`: a recorded sum over
    cases, so that a week of many cases weighs as much as they are.
    """
    totals: dict[date, float] = {}
    counts: dict[date, int] = {}
    for row in rows:
        totals[row.week] = totals.get(row.week, 0.0) + row.total
        counts[row.week] = max(counts.get(row.week, 0), row.n)
    # A week in which nothing is mature yet has no value, which is not the value nought.
    weeks = [week for week in sorted(totals) if counts[week]]
    if ratio and transform.scale is Scale.PLAIN:
        values = linearised([totals[week] for week in weeks], [float(counts[week]) for week in weeks])
    else:
        values = transform([totals[week] / counts[week] for week in weeks])
    return Sample(Moments.of(values), int(np.count_nonzero(values)), values)

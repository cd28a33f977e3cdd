"""From cases to samples: moments, events, and the blocks that stand for independent observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.comparison import Sample
from trueup.evidence.designs.scales import PLAIN, Transform
from trueup.evidence.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from trueup.declare.model.registration import FrozenKpi
    from trueup.observe.tables import CaseVector, WeekStatistic

_WEEK_SECONDS = 604_800
# 1970-01-01 was a Thursday: three days after the Monday that begins week 0.
_MONDAY_OFFSET = 259_200


def sample_of(vector: CaseVector, *, by_unit: bool = False, transform: Transform = PLAIN) -> Sample:
    """Summarise cases on a scale: moments, non-zero values, means of their weeks or, `by_unit`, of their units."""
    values = transform(vector.value)
    weeks = mondays_of(vector)
    units = vector.unit.astype(str)
    return Sample(
        moments=Moments.of(values),
        events=int(np.count_nonzero(vector.value)),
        blocks=blocks_of(values, units if by_unit else weeks),
        values=values,
        weeks=weeks,
        units=units if by_unit else None,
    )


def mondays_of(vector: CaseVector) -> NDArray[np.str_]:
    """Return the Monday of every case's start, as ISO days, whose order is that of time."""
    return mondays((vector.started + _MONDAY_OFFSET) // _WEEK_SECONDS * _WEEK_SECONDS - _MONDAY_OFFSET)


def mondays(seconds: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return epoch seconds as ISO days."""
    return np.asarray(seconds.astype("datetime64[s]").astype("datetime64[D]").astype(str), dtype=np.str_)


def blocks_of(values: NDArray[np.float64], label: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of every label, in order of the labels."""
    if not len(values):
        return np.array([], dtype=np.float64)
    _, block = np.unique(label, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(block, weights=values) / np.bincount(block)
    return means


def frozen_sample(frozen: FrozenKpi, *, log: bool = False) -> Sample:
    """Return the registered baseline of a KPI as a sample; `log` as it was frozen on its logarithm."""
    if log and frozen.log is not None:
        on_log = [week.log_mean for week in frozen.weeks if week.log_mean is not None]
        found = Moments(frozen.n, frozen.log.mean, frozen.log.variance)
        return Sample(found, 0, np.array(on_log, dtype=np.float64))
    moments = Moments(frozen.n, frozen.mean if frozen.mean is not None else 0.0, frozen.variance or 0.0)
    weeks = [week.mean for week in frozen.weeks if week.mean is not None]
    return Sample(moments, frozen.events or 0, np.array(weeks, dtype=np.float64))


def weekly_sample(rows: Iterable[WeekStatistic], transform: Transform = PLAIN) -> Sample:
    """Summarise a KPI that has one value a week, on a scale: the weeks are its cases and its blocks.

    What happens in a week happens in all its arms together, so that arms are added up.
    """
    totals: dict[date, float] = {}
    counts: dict[date, int] = {}
    for row in rows:
        totals[row.week] = totals.get(row.week, 0.0) + row.total
        counts[row.week] = max(counts.get(row.week, 0), row.n)
    # A week in which nothing is mature yet has no value, which is not the value nought.
    values = transform([totals[week] / counts[week] for week in sorted(totals) if counts[week]])
    return Sample(Moments.of(values), int(np.count_nonzero(values)), values)

"""From cases to samples: moments, events, and the blocks that stand for independent observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.comparison import Sample
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


def sample_of(vector: CaseVector, *, by_unit: bool = False) -> Sample:
    """Summarise cases: moments, non-zero values, means of their weeks or, `by_unit`, of their units."""
    return Sample(
        moments=Moments.of(vector.value),
        events=int(np.count_nonzero(vector.value)),
        blocks=unit_means(vector) if by_unit else week_means(vector),
        values=vector.value,
    )


def week_means(vector: CaseVector) -> NDArray[np.float64]:
    """Return the mean of every week of case start, in order of time."""
    return _means(vector, (vector.started + _MONDAY_OFFSET) // _WEEK_SECONDS)


def unit_means(vector: CaseVector) -> NDArray[np.float64]:
    """Return the mean of every unit that was assigned, in order of its name."""
    return _means(vector, vector.unit.astype(str))


def _means(vector: CaseVector, label: NDArray[Any]) -> NDArray[np.float64]:
    if not len(vector):
        return np.array([], dtype=np.float64)
    _, block = np.unique(label, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(block, weights=vector.value) / np.bincount(block)
    return means


def frozen_sample(frozen: FrozenKpi) -> Sample:
    """Return the registered baseline of a KPI as a sample."""
    moments = Moments(frozen.n, frozen.mean if frozen.mean is not None else 0.0, frozen.variance or 0.0)
    weeks = [week.mean for week in frozen.weeks if week.mean is not None]
    return Sample(moments, frozen.events or 0, np.array(weeks, dtype=np.float64))


def weekly_sample(rows: Iterable[WeekStatistic]) -> Sample:
    """Summarise a KPI that has one value a week: the weeks are its cases and its blocks.

    What happens in a week happens in all its arms together, so that arms are added up.
    """
    totals: dict[date, float] = {}
    counts: dict[date, int] = {}
    for row in rows:
        totals[row.week] = totals.get(row.week, 0.0) + row.total
        counts[row.week] = max(counts.get(row.week, 0), row.n)
    # A week in which nothing is mature yet has no value, which is not the value nought.
    values = np.array([totals[week] / counts[week] for week in sorted(totals) if counts[week]], dtype=np.float64)
    return Sample(Moments.of(values), int(np.count_nonzero(values)), values)

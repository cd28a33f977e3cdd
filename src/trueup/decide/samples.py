"""From cases to samples: moments, events, and the blocks that stand for independent observations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trueup.decide.comparison import Sample
from trueup.evidence.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from trueup.declare.model.registration import FrozenKpi
    from trueup.observe.tables import CaseVector, WeekStatistic

_WEEK_SECONDS = 604_800
# 1970-01-01 was a Thursday: three days after the Monday that begins week 0.
_MONDAY_OFFSET = 259_200


def sample_of(vector: CaseVector, *, by_unit: bool = False) -> Sample:
    """Summarise cases: moments, non-zero values, means of their week (x unit) blocks."""
    return Sample(
        moments=Moments.of(vector.value),
        events=int(np.count_nonzero(vector.value)),
        blocks=block_means(vector, by_unit=by_unit),
        values=vector.value,
    )


def block_means(vector: CaseVector, *, by_unit: bool = False) -> NDArray[np.float64]:
    """Return the mean of every week (of case start) or week x unit block, in order of time."""
    if not len(vector):
        return np.array([], dtype=np.float64)
    weeks = (vector.started + _MONDAY_OFFSET) // _WEEK_SECONDS
    if by_unit:
        _, unit = np.unique(vector.unit.astype(str), return_inverse=True)
        weeks = weeks * (int(unit.max()) + 1) + unit
    _, block = np.unique(weeks, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(block, weights=vector.value) / np.bincount(block)
    return means


def frozen_sample(frozen: FrozenKpi) -> Sample:
    """Return the registered baseline of a KPI as a sample."""
    moments = Moments(frozen.n, frozen.mean if frozen.mean is not None else 0.0, frozen.variance or 0.0)
    weeks = [week.mean for week in frozen.weeks if week.mean is not None]
    return Sample(moments, frozen.events or 0, np.array(weeks, dtype=np.float64))


def weekly_sample(rows: Iterable[WeekStatistic]) -> Sample:
    """Summarise a KPI that has one value a week: the weeks are its cases and its blocks."""
    values = np.array([row.total / row.n for row in sorted(rows, key=lambda row: row.week) if row.n], dtype=np.float64)
    return Sample(Moments.of(values), int(np.count_nonzero(values)), values)

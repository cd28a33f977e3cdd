"""The weeks of a pilot, counted from its start: which of them are mature, and which lie far enough before it.

Blocks begin on the weekday of the start, so that none holds days of both sides. Cases of the last weeks before
the start are in neither: their follow-up reaches into the pilot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from trueup.decide.designs import Panel
from trueup.declare.model.kpi import KpiKind
from trueup.evidence.designs.scales import PLAIN, Scale, Transform, least_of
from trueup.evidence.designs.stable import BASELINE_WEEKS
from trueup.kernel.clock import end_of_day, start_of_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import FrozenKpi
    from trueup.observe.tables import CaseVector

_WEEK = 604_800
# What processes do that nobody touched, on the scale that they are compared on: the floor of every margin.
TIME_FLOOR = 0.20
EFFORT_FLOOR = 0.15
SHARE_FLOOR = 0.07


def transform_for(kpi: Kpi, values: ArrayLike) -> Transform:
    """Return the scale on which designs compare a KPI: logarithms of durations and of what is per case, else plain.

    Plain also where half of the durations are nought, and for quantiles, which no design but a draw by case compares.
    """
    if kpi.quantile is not None:
        return PLAIN
    if kpi.kind is KpiKind.COUNT:
        return Transform(Scale.LOG_COUNT)
    if kpi.kind is KpiKind.DURATION or kpi.scale == "log" or (kpi.ratio is not None and kpi.ratio.of == "effort"):
        least = least_of(values)
        return PLAIN if least is None else Transform(Scale.LOG, least)
    return PLAIN


def frozen_transform(frozen: FrozenKpi) -> Transform:
    """Return the scale that was registered."""
    return PLAIN if frozen.log is None else Transform(Scale(frozen.log.scale), frozen.log.least)


def floor_of(kpi: Kpi) -> float | None:
    """Return what an untouched KPI of this kind does anyway; None where before and after are never admitted.

    Volume (throughput, backlog) follows demand, and cost per case follows prices: neither is the workflow's doing.
    """
    if kpi.kind is KpiKind.DURATION and kpi.quantile is None:
        return TIME_FLOOR
    if kpi.kind is KpiKind.SHARE:
        return SHARE_FLOOR
    if kpi.kind is KpiKind.COUNT or (kpi.ratio is not None and kpi.ratio.of == "effort"):
        return EFFORT_FLOOR
    return None


@dataclass(frozen=True, slots=True)
class PilotWeeks:
    """Weeks counted from the start of a pilot: 0 is the first, -1 the last before it.

    `first` and `last` are the baseline's days, `triggered` the window that left it.
    """

    starts: datetime
    matures: timedelta
    first: date
    last: date
    triggered: tuple[date, date] | None = None

    @property
    def delay(self) -> int:
        """Weeks until a case is mature, rounded up."""
        return math.ceil(self.matures / timedelta(weeks=1))

    def mature(self, at: datetime) -> int:
        """Return how many whole weeks of the pilot are mature at an instant."""
        return max(math.floor((at - self.starts - self.matures) / timedelta(weeks=1)), 0)

    def number(self, vector: CaseVector) -> NDArray[np.int64]:
        """Return the week of every case."""
        weeks: NDArray[np.int64] = (vector.started - int(self.starts.timestamp())) // _WEEK
        return weeks

    def label(self, number: int) -> str:
        """Return the first day of a week."""
        return (self.starts + timedelta(weeks=number)).date().isoformat()

    def baseline(self, vector: CaseVector) -> NDArray[np.bool_]:
        """Tell which cases are the baseline's: inside its days, not in the weeks that gave rise to the pilot."""
        return self._within(vector, self.first, self.last) & ~self.left_out(vector)

    def left_out(self, vector: CaseVector) -> NDArray[np.bool_]:
        """Tell which cases started in the weeks that gave rise to the pilot."""
        if self.triggered is None:
            return np.zeros(len(vector), dtype=bool)
        return self._within(vector, *self.triggered)

    def numbers_before(self, weeks: int | None = BASELINE_WEEKS) -> range:
        """Return the baseline's weeks whose cases matured before the start; `weeks` of them at most, the latest."""
        begins = start_of_day(self.first)
        earliest = math.ceil((begins - self.starts) / timedelta(weeks=1))
        latest = min(-self.delay, math.floor((end_of_day(self.last) - self.starts) / timedelta(weeks=1)))
        return range(earliest if weeks is None else max(latest - weeks, earliest), latest)

    @staticmethod
    def _within(vector: CaseVector, first: date, last: date) -> NDArray[np.bool_]:
        begins, ends = int(start_of_day(first).timestamp()), int(end_of_day(last).timestamp())
        found: NDArray[np.bool_] = (vector.started >= begins) & (vector.started < ends)
        return found

    def panel(self, vector: CaseVector, transform: Transform, units: Sequence[str], numbers: Sequence[int]) -> Panel:
        """Return weekly means of units on a scale; the weeks numbered below 0 are its baseline."""
        values, names = transform(vector.value), vector.unit.astype(str)
        kept = np.isin(names, list(units)) & np.isin(self.number(vector), list(numbers))
        kept &= (self.number(vector) >= 0) | self.baseline(vector)
        rows = {unit: place for place, unit in enumerate(units)}
        columns = {number: place for place, number in enumerate(numbers)}
        row = np.array([rows[name] for name in names[kept]], dtype=np.int64)
        column = np.array([columns[int(number)] for number in self.number(vector)[kept]], dtype=np.int64)
        shape = (len(units), len(numbers))
        cases, totals, under = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        np.add.at(cases, (row, column), 1.0)
        np.add.at(totals, (row, column), values[kept])
        np.add.at(under, (row, column), 1.0 if vector.under is None else vector.under[kept])
        means = np.where(under > 0, totals / np.where(under > 0, under, 1.0), np.nan)
        cases = np.where(under > 0, cases, 0.0)
        labels = tuple(self.label(number) for number in numbers)
        return Panel(tuple(units), labels, means, cases, sum(number < 0 for number in numbers))

    def means(self, vector: CaseVector, transform: Transform, numbers: Sequence[int]) -> dict[str, float]:
        """Return the mean on a scale of every week that has a case, by its first day."""
        values, week = transform(vector.value), self.number(vector)
        return {
            self.label(number): float(values[week == number].mean()) for number in numbers if (week == number).any()
        }

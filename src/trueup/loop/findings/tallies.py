"""Weekly statistics added up: the cases of a workflow in some weeks, arms and segments, as findings compare them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.decide.comparison import LEAST_CASES, WEEKLY_LOOKS
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.evidence.moments import Moments
from trueup.evidence.weekly import share_interval_of_week
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from trueup.declare.model.kpi import Kpi
    from trueup.evidence.moments import Interval
    from trueup.loop.findings.seen import Seen
    from trueup.observe.tables import WeekStatistic

# What is looked at every week shares its level among as many looks as a pilot has.
LOOKED = ALPHA / WEEKLY_LOOKS
RECENT = timedelta(weeks=8)
LOOKS = f"95% shared by {WEEKLY_LOOKS} weekly looks"
WITHOUT = "(none)"


@dataclass(frozen=True, slots=True)
class Tally:
    """Cases, those that count for a share, their moments, and the mean of every whole week in order of time.

    A week of which some cases are too young is no block yet: the few that count would stand for all of it.
    """

    n: int
    events: int
    moments: Moments
    weeks: tuple[float, ...]

    @classmethod
    def of(cls, rows: Iterable[WeekStatistic]) -> Tally:
        """Add up rows of one KPI; what lies in one week is one week, whatever its arm."""
        given = list(rows)
        filled = [row for row in given if row.n]
        young = {row.week for row in given if row.immature}
        totals: dict[date, tuple[float, int]] = {}
        for row in (row for row in filled if row.week not in young):
            total, n = totals.get(row.week, (0.0, 0))
            totals[row.week] = (total + row.total, n + row.n)
        n = sum(row.n for row in filled)
        squares = math.fsum(row.total_squares for row in filled)
        moments = Moments.from_sums(n, math.fsum(row.total for row in filled), squares)
        means = tuple(totals[week][0] / totals[week][1] for week in sorted(totals))
        return cls(n, sum(row.events for row in filled), moments, means)


def of_segment(rows: Iterable[WeekStatistic], name: str) -> dict[str, list[WeekStatistic]]:
    """Return the rows of one segment by its value; cases without a value are left out."""
    found: dict[str, list[WeekStatistic]] = {}
    for row in rows:
        value = (row.segment or "").removeprefix(f"{name}=")
        if row.segment is not None and value not in {row.segment, WITHOUT}:
            found.setdefault(value, []).append(row)
    return found


def governed(rows: Iterable[WeekStatistic]) -> list[WeekStatistic]:
    """Return the rows of cases that the workflow treats: those of the treated arm, or all where there is no pilot."""
    return [row for row in rows if row.arm in {Arm.TREATED, Arm.ALL}]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something unwanted happened among recent cases, with its interval, in [0, 1]."""

    n: int
    interval: Interval

    def __str__(self) -> str:
        lower, upper = known(self.interval.lower) or 0.0, known(self.interval.upper) or 1.0
        return f"{self.interval.estimate:.1%} of {self.n} cases [{lower:.1%}, {upper:.1%}]"


def recent_rate(seen: Seen, workflow: str, kpi: str) -> Rate | None:
    """Return how many of the cases that began in the last eight weeks a share counts against; None below 30 cases.

    Of a share that is better higher, those that do not have it count. Raises DataError as the observer.
    """
    declared = seen.bench.programme.workflows[workflow].kpis[kpi]
    rows = seen.bench.observations.observer().weekly(workflow, seen.as_of, kpis=[kpi])
    since = (seen.as_of - RECENT).date()
    tally = Tally.of(row for row in governed(rows) if row.week >= since)
    if tally.n < LEAST_CASES:
        return None
    return Rate(tally.n, share_interval_of_week(unwanted(declared, tally), tally.n, LOOKED))


def unwanted(kpi: Kpi, tally: Tally) -> int:
    """Return the cases that a share counts against: those that have it, or do not where more of it is better."""
    return tally.n - tally.events if kpi.sign > 0 else tally.events


def share_of(kpi: Kpi, tally: Tally) -> float:
    """Return the unwanted cases as a share; 0 without cases."""
    return unwanted(kpi, tally) / tally.n if tally.n else 0.0


def unwanted_weeks(kpi: Kpi, weeks: Sequence[float]) -> list[float]:
    """Return weekly shares turned so that more is worse."""
    return [1 - share for share in weeks] if kpi.sign > 0 else list(weeks)

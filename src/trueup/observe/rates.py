"""KPIs with one value a week: throughput, and recorded effort or cost over cases.

A week is one observation, and only when it is whole: it lies in one period (before, baseline, pilot) and every
case that started in it is mature. A week in which nothing happened counts too, as zero cases; a week for which
no actuals are recorded is unknown, and absent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from trueup.kernel.clock import WEEK, start_of_day, week_of
from trueup.observe.tables import Arm, WeekStatistic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trueup.declare.model.kpi import Ratio
    from trueup.declare.model.workflow import Pilot
    from trueup.observe.actuals import ActualKind, Actuals

_EVER = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of case starts, and the arms that its cases can be in."""

    begins: datetime
    ends: datetime
    arms: tuple[Arm, ...]

    def holds(self, week: date) -> bool:
        """Tell whether the whole week lies in the period."""
        return self.begins <= start_of_day(week) and start_of_day(week) + WEEK <= self.ends


def periods(pilot: Pilot | None) -> list[Period]:
    """Return the periods that a pilot divides time into; without one there is a single period."""
    if pilot is None or pilot.starts is None:
        return [Period(_NEVER, _EVER, (Arm.ALL,))]
    starts = start_of_day(pilot.starts)
    in_pilot = (Arm.TREATED,) if pilot.design.assigned == "none" else (Arm.TREATED, Arm.CONTROL)
    pilot_itself = Period(starts, _EVER, in_pilot)
    if pilot.baseline is None or pilot.baseline.begins >= starts:
        return [Period(_NEVER, starts, (Arm.BEFORE,)), pilot_itself]
    ends = min(pilot.baseline.ends, starts)
    return [
        Period(_NEVER, pilot.baseline.begins, (Arm.BEFORE,)),
        Period(pilot.baseline.begins, ends, (Arm.BASELINE,)),
        Period(ends, starts, (Arm.BEFORE,)),
        pilot_itself,
    ]


def recorded(actuals: Actuals, ratio: Ratio, use_case: str, since: datetime, until: datetime) -> float | None:
    """Return hours or money recorded about a span, with the hours that have a price; None where a part lacks."""
    kind: ActualKind = "effort" if ratio.of == "effort" else "spend"
    parts = [actuals.total(kind, use_case, since=since, until=until)]
    for effort, price in (ratio.prices or {}).items():
        hours = actuals.total("effort", use_case, kind=effort, since=since, until=until)
        parts.append(None if hours is None else hours * price)
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


@dataclass(frozen=True, slots=True)
class WeekRates:
    """Turns counts of cases (`rows`: one measure, `total` the cases that count) into observations of weeks."""

    rows: Sequence[WeekStatistic]
    periods: Sequence[Period]
    window: int
    as_of: datetime

    def throughput(self) -> list[WeekStatistic]:
        """Return one observation a whole week, arm and segment; other weeks have n = 0."""
        found = {(row.week, row.arm, row.segment): row for row in self.rows}
        out = []
        for week in self._weeks():
            for arm, segment in self._places(week):
                row = found.get((week, arm, segment))
                count = row.total if row else 0.0
                immature = row.immature if row else 0
                whole = self._period(week) is not None
                out.append(_observation(self.rows[0].kpi, week, arm, segment, count if whole else None, immature))
        return out

    def over_actuals(self, recorded: Callable[[datetime, datetime], float | None]) -> list[WeekStatistic]:
        """Return recorded totals of a week over its cases; `n` counts cases, the spread between them is unknown."""
        cases: dict[date, float] = defaultdict(float)
        immature: dict[date, int] = defaultdict(int)
        for row in self.rows:
            cases[row.week] += row.total
            immature[row.week] += row.immature
        out = []
        for week in sorted(cases):
            begins = start_of_day(week)
            period = self._period(week)
            total = recorded(begins, begins + WEEK)
            if total is None or period is None:
                continue
            arm = period.arms[0] if len(period.arms) == 1 else Arm.ALL
            n = round(cases[week])
            known = (total, math.nan) if n else (0.0, 0.0)
            events = n if total else 0
            out.append(WeekStatistic(self.rows[0].kpi, week, str(arm), None, n, *known, events, 0, 0, immature[week]))
        return out

    def _weeks(self) -> Iterator[date]:
        """Every week from the first with a case to the last that is complete or has a case."""
        if not self.rows:
            return
        week = min(row.week for row in self.rows)
        last = max(*(row.week for row in self.rows), week_of(self.as_of - WEEK - timedelta(seconds=self.window)))
        while week <= last:
            yield week
            week += WEEK

    def _places(self, week: date) -> list[tuple[str, str | None]]:
        """The arms and segments that have an observation in a week, with or without a case."""
        seen = {(row.arm, row.segment) for row in self.rows if row.week == week}
        period = self._period(week)
        if period is not None:
            arms = {str(arm) for arm in period.arms}
            seen |= {(arm, segment) for arm in arms for segment in self._segments()}
        return sorted(seen, key=lambda place: (place[0], place[1] or ""))

    def _segments(self) -> set[str | None]:
        return {row.segment for row in self.rows}

    def _period(self, week: date) -> Period | None:
        """The period that a complete week lies in; None for a week that is cut, or too young."""
        if start_of_day(week) + WEEK + timedelta(seconds=self.window) > self.as_of:
            return None
        return next((period for period in self.periods if period.holds(week)), None)


def _observation(
    kpi: str, week: date, arm: str, segment: str | None, count: float | None, immature: int
) -> WeekStatistic:
    if count is None:
        return WeekStatistic(kpi, week, arm, segment, 0, 0.0, 0.0, 0, 0, 0, immature)
    return WeekStatistic(kpi, week, arm, segment, 1, count, count * count, int(count > 0), 0, 0, immature)

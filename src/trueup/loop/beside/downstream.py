"""What became of the work after the pilot's: the KPIs that are named for it, or those of the next steps.

Arms reach the same case's later steps. Another workflow has no arms: it is compared with its own weeks before, which
tells that it differs, not why.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from trueup.decide.bars import contrast_of
from trueup.decide.displacement import Displaced, Downstream, Gain, displaced
from trueup.decide.level import Level
from trueup.declare.model.kpi import UNIT_SECONDS, KpiKind
from trueup.evidence import gates
from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError
from trueup.loop.pilots.comparisons import is_weekly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from trueup.decide.comparison import Comparison
    from trueup.declare.model.kpi import Kpi
    from trueup.loop.pilots.comparisons import PilotView

_LEAST_WEEKS = 4
_SECONDS = "seconds"
# A passage that fewer of the cases take is no way that work goes.
_LEAST_PART = 0.01


def downstream_of(
    view: PilotView, primary: Comparison, level: Level, at: datetime, alpha: float
) -> tuple[Displaced, ...]:
    """Return every downstream KPI beside what the primary one gains; `alpha` is shared by them."""
    named = view.registration.downstream
    names = tuple(named) if named else tuple(next_steps(view, at))
    if not names:
        return ()
    share = alpha / len(names)
    gain = _gain(view, primary, at, share)
    return tuple(displaced(gain, _compared(view, name, level, at, share)) for name in names)


def next_steps(view: PilotView, at: datetime) -> Iterator[str]:
    """Yield the KPIs of this workflow that tell of steps behind the one at which the primary KPI ends.

    Declared KPIs alone, without guardrails, which have bars of their own, and negative controls.
    """
    taken = {view.registration.primary, *view.registration.guardrails, *(view.registration.negative_control or ())}
    asked = {name: _subjects(kpi) for name, kpi in view.workflow.kpis.items() if name not in taken}
    ends = _ends(view.workflow.kpis[view.registration.primary])
    if not ends or not any(asked.values()):
        return
    try:
        behind = _behind(view, ends, at)
    except DataError:
        return
    for name, patterns in asked.items():
        if name in view.registration.kpis and any(_matches(step, patterns) for step in behind):
            yield name


def _ends(kpi: Kpi) -> tuple[str, ...]:
    if kpi.duration is not None:
        return (kpi.duration.to.pattern,)
    if kpi.service is not None:
        return kpi.service.of
    return kpi.waiting.before if kpi.waiting is not None else ()


def _subjects(kpi: Kpi) -> tuple[str, ...]:
    """Return the steps that a KPI tells of; none for what is better higher, or tells of whole cases."""
    if kpi.sign > 0:
        return ()
    if kpi.waiting is not None:
        return kpi.waiting.before
    if kpi.service is not None:
        return kpi.service.of
    if kpi.count is not None:
        return kpi.count.of
    return (kpi.duration.start.pattern,) if kpi.duration is not None else ()


def _behind(view: PilotView, ends: Sequence[str], at: datetime) -> set[str]:
    """Return every step that follows, directly or later, one that matches."""
    flow = view.observer.flow(view.name, at)
    least = _LEAST_PART * sum(one.n for one in flow if one.before is None)
    after: dict[str, set[str]] = defaultdict(set)
    for one in flow:
        if one.before is not None and one.n >= least:
            after[one.before].add(one.after)
    found: set[str] = set()
    waiting = [step for step in after if _matches(step, ends)]
    while waiting:
        for step in after.get(waiting.pop(), set()) - found:
            found.add(step)
            waiting.append(step)
    return found


def _matches(step: str, patterns: Sequence[str]) -> bool:
    # `*` is the only wildcard.
    return any(fnmatchcase(step, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns)


def _gain(view: PilotView, primary: Comparison, at: datetime, alpha: float) -> Gain | None:
    """Return what a week gains by the primary KPI's estimate."""
    kpi = view.workflow.kpis[primary.kpi]
    estimate = primary.at_gate(alpha).estimate
    if primary.too_few() is not None or estimate != estimate:  # noqa: PLR0124 -- not a number where nothing is known
        return None
    seconds, cases = _seconds(kpi), primary.treated.n / _weeks(view, at)
    worth = contrast_of(kpi.worth_having, kpi.sign)
    bar = abs(worth.threshold - (1 - worth.ratio) * primary.control_mean) if kpi.worth_having else None
    scale = cases * (seconds or 1.0)
    return Gain(kpi.sign * estimate * scale, None if bar is None else bar * scale, _counted_in(kpi))


def _compared(view: PilotView, name: str, level: Level, at: datetime, alpha: float) -> Downstream:
    workflow, _, kpi = name.rpartition(".")
    if workflow and workflow != view.name:
        return _elsewhere(view, workflow, kpi, at, alpha)
    declared = view.workflow.kpis[kpi]
    nothing = Downstream(view.name, kpi, declared.shown_unit, declared.sign)
    try:
        found = view.compare(kpi, at) if kpi in view.registration.kpis else None
    except DataError as error:
        return replace(nothing, because=error.message)
    if found is None or found.too_few() is not None:
        return replace(nothing, because=found.too_few() if found else "it was not registered")
    interval, weekly = found.at_gate(alpha), is_weekly(declared)
    seconds = _seconds(declared) or 1.0
    amount = None if declared.kind is KpiKind.SHARE or weekly else interval.estimate * seconds
    return replace(
        nothing,
        level=Level.BEFORE_AFTER if found.before_after else level,
        interval=interval,
        a_week=None if amount is None else amount * found.treated.n / _weeks(view, at),
        counted_in=_counted_in(declared),
    )


def _elsewhere(view: PilotView, workflow: str, kpi: str, at: datetime, alpha: float) -> Downstream:
    """Compare another workflow's weeks since the start with those of this pilot's baseline."""
    declared = view.observer.programme.workflows[workflow].kpis[kpi]
    nothing = Downstream(workflow, kpi, declared.shown_unit, declared.sign)
    try:
        weeks = _means(view, workflow, kpi, at)
    except DataError as error:
        return replace(nothing, because=error.message)
    since, until = view.registration.baseline_from, view.registration.baseline_to
    before = [mean for week, (mean, _) in weeks.items() if since <= week and week + timedelta(days=6) <= until]
    after = {week: one for week, one in weeks.items() if start_of_day(week) >= view.starts}
    if min(len(before), len(after)) < _LEAST_WEEKS:
        few = f"{len(before)} mature weeks before and {len(after)} after, {_LEAST_WEEKS} of each are needed"
        return replace(nothing, because=few)
    interval = gates.block_contrast([mean for mean, _ in after.values()], before, alpha)
    cases = sum(n for _, n in after.values()) / len(after)
    amount = None if declared.kind is KpiKind.SHARE or is_weekly(declared) else interval.estimate
    return replace(
        nothing,
        level=Level.BEFORE_AFTER,
        interval=interval,
        a_week=None if amount is None else amount * (_seconds(declared) or 1.0) * cases,
        counted_in=_counted_in(declared),
    )


def _means(view: PilotView, workflow: str, kpi: str, at: datetime) -> dict[date, tuple[float, int]]:
    """Return mean and cases of every week in which all are mature, in order."""
    sums: dict[date, tuple[float, int]] = {}
    young: set[date] = set()
    for row in view.observer.weekly(workflow, at, kpis=[kpi]):
        total, n = sums.get(row.week, (0.0, 0))
        sums[row.week] = (total + row.total, n + row.n)
        if row.immature:
            young.add(row.week)
    return {week: (sums[week][0] / sums[week][1], sums[week][1]) for week in sorted(sums) if _whole(sums, young, week)}


def _whole(sums: dict[date, tuple[float, int]], young: set[date], week: date) -> bool:
    return sums[week][1] > 0 and week not in young


def _weeks(view: PilotView, at: datetime) -> float:
    """Return the weeks of which cases are mature, one at least."""
    return max((at - view.starts - view.weeks.matures) / timedelta(weeks=1), 1.0)


def _seconds(kpi: Kpi) -> float | None:
    """Return the seconds in a duration's unit; None for what is no time, or counts business days."""
    if kpi.kind is not KpiKind.DURATION:
        return None
    return float(kpi.unit_seconds) if kpi.shown_unit in UNIT_SECONDS else None


def _counted_in(kpi: Kpi) -> str | None:
    """Return what amounts of a KPI add up in: seconds, or its own unit; None for a share."""
    if kpi.kind is KpiKind.SHARE:
        return None
    return _SECONDS if _seconds(kpi) is not None else kpi.shown_unit

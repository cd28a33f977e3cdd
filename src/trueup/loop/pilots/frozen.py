"""The baseline as it is frozen: every KPI over its window, by week, and how the cases are mixed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING, Literal

import numpy as np

from trueup.decide.numbers import known
from trueup.decide.samples import sample_of, weekly_sample
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.registration import FrozenKpi, FrozenLog, FrozenSegment, FrozenWeek
from trueup.evidence.designs.scales import Scale, Transform
from trueup.evidence.moments import Moments
from trueup.evidence.quantiles import sample_quantile
from trueup.kernel.clock import start_of_day, week_of
from trueup.loop.pilots.comparisons import is_ratio_of_sums, is_weekly
from trueup.loop.pilots.promise import definition_digest, watched_kpis
from trueup.loop.pilots.validity import OTHER
from trueup.loop.pilots.weeks import transform_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from trueup.declare.model.workflow import Pilot, Window, Workflow
    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import CaseVector, Population

_KEPT_VALUES = 50
_FULL_WEEKS = 8
_YEAR_OF_WEEKS = 52


def frozen_kpi(bench: Workbench, name: str, workflow: Workflow, kpi: str, window: Window, as_of: datetime) -> FrozenKpi:
    """Return a KPI as it was defined and measured over the baseline, without the weeks that gave rise to the pilot."""
    observer = bench.observations.observer()
    declared = workflow.kpis[kpi]
    definition = {"definition": declared.definition(), "definition_digest": definition_digest(workflow, kpi)}
    if is_weekly(declared):
        rows = [
            row
            for row in observer.weekly(name, as_of, kpis=[kpi])
            if row.segment is None and _inside(row.week, window) and not _triggered(workflow, row.week)
        ]
        sample = weekly_sample(rows, ratio=is_ratio_of_sums(declared))
        transform = transform_for(declared, weekly_sample(rows).blocks)
        weeks = tuple(_week(row.week, np.array([row.total / row.n]), transform, row.n) for row in rows if row.n)
        capped, values = 0, weekly_sample(rows).blocks
    else:
        vector = baseline_cases(bench, name, workflow, kpi, window, as_of)
        sample, values = sample_of(vector, quantile=declared.quantile), vector.value
        transform = transform_for(declared, values)
        weeks = tuple(_weeks(vector, window, transform, declared.quantile))
        capped = int(vector.capped.sum())
    return FrozenKpi(
        **definition,
        unit=declared.shown_unit,
        n=sample.n,
        mean=known(sample.moments.mean) if sample.n else None,
        variance=known(sample.moments.variance) if sample.n > 1 else None,
        events=sample.events if declared.kind is KpiKind.SHARE else None,
        capped=capped,
        log=_log(values, transform),
        weeks=weeks,
    )


def baseline_cases(
    bench: Workbench, name: str, workflow: Workflow, kpi: str, window: Window, as_of: datetime
) -> CaseVector:
    """Return the baseline's cases that are mature at `as_of`, without those that gave rise to the pilot."""
    observer = bench.observations.observer()
    vector = observer.cases(name, kpi, since=window.begins, until=window.ends, mature_by=as_of)
    trigger = _trigger(workflow)
    if trigger is None:
        return vector
    begins, ends = int(trigger.begins.timestamp()), int(trigger.ends.timestamp())
    return vector.where((vector.started < begins) | (vector.started >= ends))


def _trigger(workflow: Workflow) -> Window | None:
    because = workflow.pilot.because_of if workflow.pilot else None
    return None if because is None or isinstance(because, str) else because.window()


def _triggered(workflow: Workflow, week: date) -> bool:
    """Tell whether a week holds a day of those that gave rise to the pilot."""
    trigger = _trigger(workflow)
    begins = start_of_day(week)
    return trigger is not None and begins < trigger.ends and begins + timedelta(weeks=1) > trigger.begins


def _log(values: NDArray[np.float64], transform: Transform) -> FrozenLog | None:
    if transform.scale is Scale.PLAIN or not len(values):
        return None
    found = Moments.of(transform(values))
    scale: Literal["log", "log count"] = "log" if transform.scale is Scale.LOG else "log count"
    return FrozenLog(scale=scale, least=transform.least, mean=found.mean, variance=found.variance)


def _week(week: date, values: NDArray[np.float64], transform: Transform, n: int) -> FrozenWeek:
    log_mean = None if transform.scale is Scale.PLAIN else float(transform(values).mean())
    return FrozenWeek(week=week, n=n, mean=fsum(values.tolist()) / len(values), log_mean=log_mean)


def _inside(week: date, window: Window) -> bool:
    return start_of_day(week) >= window.begins and start_of_day(week) + timedelta(weeks=1) <= window.ends


def _weeks(vector: CaseVector, window: Window, transform: Transform, quantile: float | None) -> list[FrozenWeek]:
    """Return the full weeks of the window: a week cut by its edge would be a block of other days."""
    places: dict[date, list[int]] = {}
    for place, started in enumerate(vector.started.tolist()):
        places.setdefault(week_of(datetime.fromtimestamp(started, UTC)), []).append(place)
    return [
        _case_week(week, vector, np.array(places[week]), transform, quantile)
        for week in sorted(places)
        if _inside(week, window)
    ]


def _case_week(
    week: date, vector: CaseVector, places: NDArray[np.int64], transform: Transform, quantile: float | None
) -> FrozenWeek:
    values = vector.value[places]
    if quantile is not None:
        return FrozenWeek(week=week, n=len(values), mean=sample_quantile(values, quantile))
    if vector.under is not None:
        under = fsum(vector.under[places].tolist())
        mean = fsum(values.tolist()) / under if under else None
        return FrozenWeek(week=week, n=len(values), mean=mean, under=under)
    return _week(week, values, transform, len(values))


def mix_of(population: Population) -> tuple[FrozenSegment, ...]:
    """Return how many cases fell into each segment, the rare values together."""
    by_name: dict[str, Counter[str | None]] = {}
    for (name, value), count in population.mix.items():
        by_name.setdefault(name, Counter())[value] += count
    cells: list[FrozenSegment] = []
    for name, counts in sorted(by_name.items()):
        kept = counts.most_common(_KEPT_VALUES)
        cells += [FrozenSegment(name=name, value=value, n=count) for value, count in kept]
        rest = counts.total() - sum(count for _, count in kept)
        if rest:
            cells.append(FrozenSegment(name=name, value=OTHER, n=rest))
    return tuple(cells)


def doubts_of(workflow: Workflow, pilot: Pilot, kpis: Mapping[str, FrozenKpi]) -> tuple[str, ...]:
    """Return what no gate can judge, and which KPIs tell nothing."""
    return (*cannot_judge(workflow, pilot), *never_varies(workflow, kpis))


def cannot_judge(workflow: Workflow, pilot: Pilot) -> tuple[str, ...]:
    """Return what is promised and can never be judged by this design: it needs cases that are drawn one by one."""
    if pilot.design.assigned == "random" and pilot.design.unit == "case":
        return ()
    tails = [kpi for kpi in watched_kpis(workflow) if workflow.kpis[kpi].quantile is not None]
    notes = [f"no gate can judge {kpi}: a quantile is compared where cases are drawn one by one" for kpi in tails]
    if pilot.adjust is not None and (pilot.adjust.covariates or pilot.design.assigned != "none"):
        notes.append("not adjusted: covariates are for cases drawn one by one, strata also for weeks before and after")
    return tuple(notes)


def never_varies(workflow: Workflow, kpis: Mapping[str, FrozenKpi]) -> tuple[str, ...]:
    """Return the KPIs that tell nothing of the baseline's cases: mostly the name of an activity is not that of the log.

    Weekly ones (actuals may come later) and those of treated cases alone are left out.
    """
    notes = []
    for name, frozen in kpis.items():
        kpi = workflow.kpis[name]
        if is_weekly(kpi) or (kpi.share is not None and kpi.share.among is not None):
            continue
        if not frozen.n:
            notes.append(f"{name}: no case of the baseline has a value; are its names those of the log?")
        elif frozen.capped == frozen.n:
            notes.append(f"{name}: every case was cut at the window, as where no activity bears the name of its end")
        elif frozen.n > 1 and frozen.variance == 0:
            notes.append(f"{name}: the same in all {frozen.n} cases; are its names those of the log?")
    return tuple(notes)


def notes_of(pilot: Pilot, primary: FrozenKpi, *, attested: bool) -> tuple[str, ...]:
    """Return what people should know of a baseline before they rely on it."""
    notes = []
    weeks = len(primary.weeks)
    if weeks < _FULL_WEEKS:
        notes.append(f"only {weeks} full baseline weeks; {_FULL_WEEKS} are the least that a comparison should rest on")
    elif weeks < _YEAR_OF_WEEKS:
        notes.append(f"season not identifiable: {weeks} baseline weeks of {_YEAR_OF_WEEKS}")
    if pilot.design.column is not None and not attested:
        notes.append("level D: nobody attests the assignment; let the business owner register it with --by")
    return tuple(notes)

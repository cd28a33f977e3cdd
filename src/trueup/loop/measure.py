"""Readings: what the events say each KPI was, week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.decide.level import Level
from trueup.decide.numbers import known
from trueup.declare.model.kpi import KpiKind
from trueup.evidence.moments import Interval, unknown
from trueup.evidence.weekly import mean_interval_of_week, share_interval_of_week
from trueup.kernel.errors import NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.ledger.records import Reading
from trueup.loop.pilots.level import registered_level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.programme import Programme
    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import WeekQuantile, WeekStatistic


def measure(bench: Workbench, workflow: str | None, as_of: datetime, *, segments: bool = False) -> list[Reading]:
    """Return the readings of one workflow, or of all that declare events.

    Raises NotFoundError for an unknown workflow, DataError when a log cannot be read as declared, and, with
    `segments`, for a segment with more values than can be compared.
    """
    names = [require_workflow(bench.programme, workflow)] if workflow else _with_events(bench.programme)
    readings: list[Reading] = []
    for done, name in enumerate(names):
        bench.progress(f"measuring {name}", done, len(names))
        if segments:
            _require_segments(bench, name)
        readings += readings_of(bench, name, as_of, segments=segments)
    return readings


def _require_segments(bench: Workbench, name: str) -> None:
    events = bench.programme.workflows[name].events
    lacking = bench.observations.observer().lacking(name)
    refused = next((lacking[segment] for segment in (events.segment if events else ()) if segment in lacking), None)
    if refused is not None:
        raise refused


def spread(bench: Workbench, workflow: str | None, as_of: datetime) -> list[dict[str, Any]]:
    """Return the weekly histograms of every KPI that has fixed buckets. Raises as `measure`."""
    names = [require_workflow(bench.programme, workflow)] if workflow else _with_events(bench.programme)
    return [
        {"workflow": name, "unit": kpi.shown_unit, **histogram.to_json()}
        for name in names
        for kpi_name, kpi in bench.programme.workflows[name].kpis.items()
        for histogram in bench.observations.observer().histograms(name, kpi_name, as_of)
    ]


def require_workflow(programme: Programme, name: str) -> str:
    """Return the name; NotFoundError with the nearest one when no such workflow is declared."""
    if name in programme.workflows:
        return name
    known_names = ", ".join(sorted(programme.workflows)) or "none"
    raise NotFoundError(
        "no-such-workflow",
        f"There is no workflow {name!r}.{did_you_mean(name, programme.workflows)}",
        f"Declared are: {known_names}.",
    )


def _with_events(programme: Programme) -> list[str]:
    return sorted(name for name, workflow in programme.workflows.items() if workflow.events and workflow.kpis)


def readings_of(
    bench: Workbench,
    name: str,
    as_of: datetime,
    *,
    kpis: Sequence[str] | None = None,
    segments: bool = False,
) -> list[Reading]:
    """Return the weekly readings of one workflow at an instant."""
    workflow = bench.programme.workflows[name]
    level = level_in_force(bench.programme, name)
    observer = bench.observations.observer()
    rows = observer.weekly(name, as_of, kpis=kpis, segments=segments)
    tails = {row.kpi for row in rows if workflow.kpis[row.kpi].quantile is not None}
    found = [one for kpi in tails for one in observer.quantiles(name, kpi, as_of, segments=segments)]
    by_place = {(one.kpi, one.week, str(one.arm), one.segment): one for one in found}
    return [
        _reading(name, workflow.kpis[row.kpi], row, level, by_place.get((row.kpi, row.week, str(row.arm), row.segment)))
        for row in rows
    ]


def level_in_force(programme: Programme, name: str) -> Level:
    """Return the level of the registered design; before registration nothing better than before/after is earned."""
    registration = programme.registrations.get(name)
    return registered_level(registration) if registration else Level.BEFORE_AFTER


def _reading(name: str, kpi: Kpi, row: WeekStatistic, level: Level, tail: WeekQuantile | None) -> Reading:
    interval = _interval(kpi, row, tail)
    value = interval.estimate if kpi.quantile is not None else row.total / row.n if row.n else None
    return Reading(
        workflow=name,
        kpi=row.kpi,
        week=row.week,
        arm=str(row.arm),
        segment=row.segment,
        n=row.n,
        value=known(value),
        lower=known(interval.lower),
        upper=known(interval.upper),
        unit=kpi.shown_unit,
        evidence_level=str(level),
        immature=row.immature,
        capped=row.capped,
        without_value=row.without_value,
    )


def _interval(kpi: Kpi, row: WeekStatistic, tail: WeekQuantile | None) -> Interval:
    """Return the 95% interval of one week on its own; infinite where one value a week leaves no spread."""
    if kpi.quantile is not None:
        return Interval(tail.value, tail.lower, tail.upper) if tail is not None else unknown()
    if kpi.kind is KpiKind.SHARE:
        return share_interval_of_week(row.events, row.n)
    return mean_interval_of_week(row.n, row.total, row.total_squares)

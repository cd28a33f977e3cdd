"""Waiting and service times: what a case spent before a step, and what the step itself took.

Neither depends on the order of events at one instant. A case waited for a step since the last earlier instant at
which anything happened in it; where the log tells starts from completions, from the last completion of any step (or
its first event) to the start of this one. The service time of a step is the sum of its completions less the sum of
its starts, which needs no pairing; where a start or a completion is missing there is no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from trueup.kernel.errors import DataError
from trueup.observe.cases.business import calendar_days, passed_until
from trueup.observe.cases.patterns import matching
from trueup.observe.cases.values import epoch_seconds, flag, step_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import ibis.expr.types as ir

    from trueup.declare.model.kpi import Kpi, Service
    from trueup.declare.model.workflow import Lifecycle
    from trueup.observe.cases.needs import Measure
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine

    _Clock = Callable[[ir.Table, str, str], ir.Table]


def require_steps(name: str, kpi: Kpi, source: EventSource) -> None:
    """Raise DataError `no-lifecycle` where a service time is asked of a log that only knows instants."""
    if kpi.service is not None and source.lifecycle is None:
        raise DataError(
            "no-lifecycle",
            f"The service time {name!r} needs the start of a step beside its completion, and no column tells them.",
            "Name it under `events`, for example lifecycle: {column: lifecycle:transition}, or measure `waiting`.",
        )


def with_steps(
    engine: Engine,
    cases: ir.Table,
    source: EventSource,
    measures: Sequence[Measure],
    activities: Sequence[str],
) -> ir.Table:
    """Add `step_i`, the seconds of the i-th measure, for each that is a waiting or service time; null: no value."""
    asked = [(number, one) for number, one in enumerate(measures) if one.kpi.waiting or one.kpi.service]
    if not asked:
        return cases
    lifecycle = source.lifecycle
    within = source.with_states().join(cases.select("case", "due"), "case")
    seen = engine.keep(within.filter(within["at"] < within["due"]))
    for number, measure in asked:
        passed = _clock(engine, cases, measure.kpi)
        if measure.kpi.waiting is not None:
            times = _waiting(seen, _one_of(seen, matching(measure.kpi.waiting.before, activities)), lifecycle, passed)
        else:
            assert measure.kpi.service is not None
            assert lifecycle is not None
            times = _service(seen, measure.kpi.service, lifecycle, activities, passed)
        cases = _joined(cases, times, number, measure.kpi.service)
    return engine.keep(cases)


def _one_of(events: ir.Table, names: frozenset[str]) -> ir.BooleanValue:
    return events["activity"].isin(tuple(sorted(names))) if names else ibis.literal(value=False)


def _clock(engine: Engine, cases: ir.Table, kpi: Kpi) -> _Clock:
    """What adds the seconds up to the time in a column: all of them, or those of business time."""
    calendar = kpi.calendar
    if calendar is None:
        return lambda events, column, name: events.mutate(**{name: epoch_seconds(events[column])})
    days = calendar_days(engine, cases, calendar)
    return lambda events, column, name: passed_until(events, days, calendar, column, name)


def _waiting(seen: ir.Table, step: ir.BooleanValue, lifecycle: Lifecycle | None, passed: _Clock) -> ir.Table:
    """Per case the time before each instant at which the step came, or, where the log tells, began."""
    if lifecycle is not None:
        step &= seen["state"].isin(lifecycle.starts)
    done = flag(seen["state"].isin(lifecycle.completes)) if lifecycle is not None else ibis.literal(0, "int64")
    instants = (
        seen.mutate(hit=flag(step), done=done)
        .group_by("case", "at")
        .aggregate(hit=lambda event: event["hit"].max(), done=lambda event: event["done"].max())
    )
    since = instants.mutate(since=_since(instants, lifecycle))
    hits = since.filter(since["hit"] == 1)
    hits = hits.mutate(since=ibis.coalesce(hits["since"], hits["at"]))
    hits = passed(passed(hits, "at", "until_step"), "since", "until_then")
    waited = hits["until_step"] - hits["until_then"]
    return hits.mutate(waited=waited).group_by("case").aggregate(seconds=lambda hit: hit["waited"].sum().cast("int64"))


def _since(instants: ir.Table, lifecycle: Lifecycle | None) -> ir.Value:
    """From when a case waits at an instant; null at its first, which waited for nothing that the log knows."""
    at = instants["at"]
    if lifecycle is None:
        return at.lag().over(group_by=instants["case"], order_by=at)
    so_far = ibis.window(group_by=instants["case"], order_by=at, preceding=None, following=0)
    ended = (instants["done"] == 1).ifelse(at, None)
    return ibis.coalesce(ended.max().over(so_far), at.min().over(so_far))


def _service(
    seen: ir.Table, service: Service, lifecycle: Lifecycle, activities: Sequence[str], passed: _Clock
) -> ir.Table:
    """Per case the completions less the starts of the step; null where their numbers differ."""
    steps = seen.filter(_one_of(seen, matching(service.of, activities)))
    started, completed = (flag(steps["state"].isin(states)) for states in (lifecycle.starts, lifecycle.completes))
    steps = steps.mutate(sign=(completed - started).cast("int64"))
    steps = steps.filter(steps["sign"] != 0)
    own = [steps["case"], steps["activity"], steps["sign"]]
    steps = steps.mutate(rank=ibis.row_number().over(group_by=own, order_by=steps["at"]).cast("int64"))
    counted = flag(steps["rank"] >= service.beyond)
    steps = passed(steps.mutate(counted=counted), "at", "until_step")
    steps = steps.mutate(signed=steps["sign"] * steps["until_step"] * steps["counted"])
    sums = steps.group_by("case", "activity").aggregate(
        seconds=steps["signed"].sum().cast("int64"), open=steps["sign"].sum().cast("int64")
    )
    whole = flag((sums["open"] == 0) & (sums["seconds"] >= 0))
    cases = sums.mutate(whole=whole).group_by("case")
    known = cases.aggregate(
        seconds=lambda t: t["seconds"].sum().cast("int64"), whole=lambda t: t["whole"].min().cast("int64")
    )
    return known.mutate(seconds=(known["whole"] == 1).ifelse(known["seconds"], None))


def _joined(cases: ir.Table, times: ir.Table, number: int, service: Service | None) -> ir.Table:
    times = times.select(of_case="case", seconds="seconds")
    joined = cases.left_join(times, cases["case"] == times["of_case"])
    seconds = joined["seconds"]
    if service is not None and service.beyond:
        # A case that never had the step had none beyond any number of times.
        seconds = joined["of_case"].isnull().ifelse(ibis.literal(0, "int64"), seconds)
    return joined.mutate(**{step_column(number): seconds.cast("int64")}).drop("of_case", "seconds")

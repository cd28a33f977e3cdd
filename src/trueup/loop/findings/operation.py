"""Operation: what the workflow could not answer, what left the normal path, and whether its work is still the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.decide.comparison import LEAST_CASES
from trueup.declare.model.kpi import KpiKind
from trueup.declare.programme import workflow_file
from trueup.evidence.checks import MIX_BREAK
from trueup.evidence.gates import block_contrast
from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError
from trueup.loop.findings.tallies import (
    LOOKED,
    LOOKS,
    RECENT,
    Tally,
    governed,
    of_segment,
    recent_rate,
    share_of,
    unwanted,
    unwanted_weeks,
)
from trueup.loop.health.drift import drift as drifts_of
from trueup.loop.health.seen import NotKnown, cases_of
from trueup.loop.pilots.validity import MIX_SHIFT, mix_stability
from trueup.observe.population import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Unanswered, Workflow
    from trueup.loop.findings.seen import Found, Seen
    from trueup.observe.tables import WeekStatistic

_LATELY = timedelta(weeks=6)
_LEAST_WEEKS = 4
# With fewer cases the index of an unchanged mix comes near the limit by chance.
_LEAST_MIX = 100
_NAMED = 2
# Of what the topic that rose most adds to the share, another one has to add so much to be named beside it.
_WORTH_NAMING = 0.25


def unanswered(seen: Seen) -> Iterator[Found]:
    """RUN01: the share without an answer is surely higher in the last six weeks than in those before."""
    for name, workflow in seen.living():
        asked = workflow.unanswered
        kpi = workflow.kpis.get(asked.kpi) if asked else None
        if asked is None or kpi is None or kpi.kind is not KpiKind.SHARE:
            continue
        try:
            rows = seen.bench.observations.observer().weekly(name, seen.as_of, kpis=[asked.kpi], segments=True)
        except DataError:
            continue
        detail = _rising(asked, kpi, governed(rows))
        if detail is not None:
            fix = "Read what those cases asked for; fill the first gap, or route them elsewhere."
            where = seen.place(workflow_file(name), "unanswered", "kpi")
            yield seen.found("RUN01", name, where, f"{name}.{asked.kpi} {detail}", fix, asked.kpi)


def _rising(asked: Unanswered, kpi: Kpi, rows: Sequence[WeekStatistic]) -> str | None:
    """Say how the share rose and over which topics, or None. Weeks are the observations: they share shocks."""
    every = [row for row in rows if row.segment is None]
    young = {row.week for row in every if row.immature}
    whole = [row for row in every if row.n and row.week not in young]
    newest = max((row.week for row in whole), default=None)
    if newest is None:
        return None
    parted = newest - _LATELY
    before, after = (Tally.of(row for row in whole if (row.week > parted) is late) for late in (False, True))
    if min(before.n, after.n) < LEAST_CASES or min(len(before.weeks), len(after.weeks)) < _LEAST_WEEKS:
        return None
    later, earlier = unwanted_weeks(kpi, after.weeks), unwanted_weeks(kpi, before.weeks)
    interval = block_contrast(later, earlier, LOOKED)
    if interval.lower <= 0:
        return None
    said = (
        f"went from {share_of(kpi, before):.1%} of {before.n} cases to {share_of(kpi, after):.1%} of {after.n} in the "
        f"last six weeks with cases old enough ({interval.estimate * 100:+.1f} pp "
        f"[{interval.lower * 100:+.1f}, {interval.upper * 100:+.1f}], {LOOKS})"
    )
    topics = _topics(asked, kpi, rows, before.n, after.n, newest) if asked.topic else []
    return said + (f"; most of the rise: {', '.join(topics)}." if topics else ".")


def _topics(
    asked: Unanswered, kpi: Kpi, rows: Sequence[WeekStatistic], before: int, after: int, newest: date
) -> list[str]:
    """Return the topics that add most to the rise, with their cases now."""
    rises, parted = [], newest - _LATELY
    for topic, every in of_segment(rows, asked.topic or "").items():
        its = [row for row in every if row.week <= newest]
        then, now = (Tally.of(row for row in its if (row.week > parted) is late) for late in (False, True))
        rise = unwanted(kpi, now) / after - unwanted(kpi, then) / before
        if rise > 0:
            rises.append((rise, f"{topic} ({unwanted(kpi, now)} of its {now.n} cases)"))
    most = max((rise for rise, _ in rises), default=0.0)
    return [said for rise, said in sorted(rises, reverse=True)[:_NAMED] if rise >= _WORTH_NAMING * most]


def exceptions(seen: Seen) -> Iterator[Found]:
    """RUN02: of the cases of the last eight weeks more left the normal path than the workflow can absorb."""
    for name, workflow in seen.living():
        limit = workflow.exceptions
        kpi = workflow.kpis.get(limit.kpi or "") if limit else None
        if limit is None or limit.kpi is None or kpi is None or kpi.kind is not KpiKind.SHARE:
            continue
        try:
            rate = recent_rate(seen, name, limit.kpi)
        except DataError:
            continue
        if rate is not None and rate.interval.lower > limit.at_most:
            detail = (
                f"{name}.{limit.kpi}: {rate} left the normal path in eight weeks ({LOOKS}); "
                f"at most {limit.at_most * 100:g}% is declared."
            )
            fix = "Take the commonest exception into the workflow, or out of its scope."
            where = seen.place(workflow_file(name), "exceptions", "at_most")
            yield seen.found("RUN02", name, where, detail, fix)


def drift(seen: Seen) -> Iterator[Found]:
    """RUN04: the cases of the last eight weeks fall into other segments than those of the registered baseline."""
    for name, workflow in seen.living():
        registration = seen.bench.programme.registrations.get(name)
        pilot = workflow.pilot
        if registration is None or pilot is None or not (workflow.events and workflow.events.segment):
            continue
        since = max(start_of_day(registration.starts), seen.as_of - RECENT - _window(workflow))
        if since >= seen.as_of:
            continue
        try:
            observer = seen.bench.observations.observer()
            population = observer.population(name, since=since, until=seen.as_of, as_of=seen.as_of)
        except DataError:
            continue
        yield from _drifted(seen, name, registration, population.mix)


def _window(workflow: Workflow) -> timedelta:
    """Return how long a case takes to count: the newest that do began that long ago."""
    matures = workflow.events.matures_after if workflow.events else None
    return matures.delta() if matures else timedelta(0)


def _drifted(
    seen: Seen, name: str, registration: Registration, mix: dict[tuple[str, str | None], int]
) -> Iterator[Found]:
    before: dict[str, Counter[str | None]] = {}
    for cell in registration.mix:
        before.setdefault(cell.name, Counter())[cell.value] += cell.n
    for segment, then in before.items():
        now = Counter({value: n for (of, value), n in mix.items() if of == segment})
        index = mix_stability(then, now)
        if segment != ACTIVITY and now.total() >= _LEAST_MIX and index > MIX_SHIFT:
            detail = (
                f"The cases of {name!r} are of another mix of {segment} than those of the baseline: stability index "
                f"{index:.2f}, at most {MIX_SHIFT:g}, over {now.total()} cases of eight weeks; "
                f"{_moved_most(then, now)}."
            )
            fix = "See on reviewed cases whether the output still holds for them; retrain, or narrow the scope."
            where = seen.place(workflow_file(name), "events", "segment")
            yield seen.found("RUN04", name, where, detail, fix, segment)


def _moved_most(then: Counter[str | None], now: Counter[str | None]) -> str:
    def gap(value: str | None) -> float:
        return now[value] / now.total() - then[value] / then.total()

    # A value is a word or nothing; its own text settles ties.
    most = max({*then, *now}, key=lambda value: (abs(gap(value)), str(value)))
    return f"{most or '(none)'} went from {then[most] / then.total():.0%} to {now[most] / now.total():.0%}"


def outputs(seen: Seen) -> Iterator[Found]:
    """RUN04: answers, or how sure the model is of them, surely differ from the reference days, and by much."""
    for name, workflow in seen.living():
        health = workflow.health
        if health is None or not (health.answer or health.confidence):
            continue
        try:
            cases = cases_of(seen.bench, name, seen.as_of)
        except DataError:
            continue
        if isinstance(cases, NotKnown):
            continue
        for one in drifts_of(cases, LOOKED, ("answer", "confidence")).found():
            if one.state(LOOKED) != "drifted":
                continue
            what = "answers" if one.role == "answer" else "confidence"
            detail = (
                f"The {what} of {name!r} ({one.field}) moved: stability index {one.index:.2f}, at most {MIX_BREAK:g}, "
                f"over {one.after} cases of eight weeks beside {one.before} of the reference days (weeks in random "
                f"order, {LOOKS}); {one.cell} went from {one.was:.0%} to {one.now:.0%}."
            )
            fix = (
                "See on reviewed cases whether the answers are still right; ask what changed in the model or its input."
            )
            where = seen.place(workflow_file(name), "health", one.role)
            yield seen.found("RUN04", name, where, detail, fix, one.field)


RULES = (unanswered, exceptions, drift, outputs)

"""A stable cycle: one week with its checkpoint held, no guardrail crossed, nothing serious, few exceptions.

Each of the four is known or it is not; what is not known is not stable, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trueup.decide.guardrail import GuardrailState
from trueup.kernel.clock import parse_instant, start_of_day
from trueup.kernel.errors import DataError
from trueup.loop.gates import watched_guardrails
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.validity import moved_promise, unrecorded
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.ledger.entry import Entry
    from trueup.loop.workbench import Workbench

DEFAULT_CYCLES = 2
SERIOUS = (1, 2)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Cycle:
    """The ISO week that begins on `week`; `against` says what keeps it from being stable, nothing where it is."""

    week: date
    against: tuple[str, ...]

    @property
    def stable(self) -> bool:
        """Tell whether all four are known to hold."""
        return not self.against

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {"week": self.week.isoformat(), "stable": self.stable, "because": list(self.against)}


def cycles_wanted(workflow: Workflow) -> int:
    """Return how many stable cycles in a row are asked for: `autonomy.stable_cycles`, else two."""
    declared = workflow.autonomy.stable_cycles if workflow.autonomy else None
    return DEFAULT_CYCLES if declared is None else declared


def last_cycles(bench: Workbench, name: str, as_of: datetime, count: int) -> list[Cycle]:
    """Return the newest whole weeks of a workflow, oldest first; reads back no further than the first unstable one.

    A week that has just ended is left out until its checkpoint is held: the review that is being made may be it.
    """
    found: list[Cycle] = []
    end = _last_monday(as_of)
    if not _held(bench, end - _WEEK, end) and as_of < end + _WEEK:
        end -= _WEEK
    while len(found) < count:
        found.append(cycle(bench, name, end - _WEEK))
        end -= _WEEK
        if not found[-1].stable:
            break
    return found[::-1]


def cycle(bench: Workbench, name: str, start: datetime) -> Cycle:
    """Judge the week that begins at an instant (Monday, 00:00Z)."""
    end = start + _WEEK
    against = [
        *_checkpoint(bench, start, end),
        *_guardrails(bench, name, start, end),
        *_incidents(bench, name, start, end),
        *_exceptions(bench, name, end),
    ]
    return Cycle(start.date(), tuple(against))


def _last_monday(as_of: datetime) -> datetime:
    day = start_of_day(as_of.date())
    return day - timedelta(days=day.weekday())


def _held(bench: Workbench, start: datetime, end: datetime) -> bool:
    """Tell whether a review looked from within the week; from its very end is still its own."""
    return any(start < _looked_from(item.entry) <= end for item in bench.ledger.entries("review.applied"))


def _checkpoint(bench: Workbench, start: datetime, end: datetime) -> Iterator[str]:
    if not _held(bench, start, end):
        yield "no checkpoint was held"


def _looked_from(entry: Entry) -> datetime:
    text = entry.data.get("as_of")
    return parse_instant(str(text)) if text else entry.time


def _guardrails(bench: Workbench, name: str, start: datetime, end: datetime) -> Iterator[str]:
    """Say what is crossed by the watched sequence at the end of the week, or why that cannot be known."""
    workflow, registration = bench.programme.workflows[name], bench.programme.registrations.get(name)
    if registration is None:
        yield "guardrails are not known: no baseline is registered"
        return
    if not registration.guardrails:
        yield "guardrails are not known: none is registered"
        return
    try:
        view = PilotView(name, workflow, registration, bench.observations.observer())
        invalid = unrecorded(bench, name) or moved_promise(view)
        if invalid is not None:
            yield f"guardrails are not known: {invalid.because}"
            return
        source = workflow.events.data if workflow.events else None
        newest = view.observer.newest(source, end) if source else None
        if newest is None or parse_instant(newest) < start or view.starts >= end:
            yield "guardrails are not known: there are no events of that week"
            return
        for reading in watched_guardrails(view, end):
            if reading.state is GuardrailState.CROSSED:
                yield f"guardrail {reading.kpi} is crossed ({reading.margin})"
    except DataError as error:
        yield f"guardrails are not known: {error.message}"


def _incidents(bench: Workbench, name: str, start: datetime, end: datetime) -> Iterator[str]:
    for item in bench.ledger.entries("incident.recorded"):
        data = item.entry.data
        if data.get("workflow") == name and start <= item.entry.time < end and data.get("severity") in SERIOUS:
            yield f"incident {data.get('incident')} of severity {data.get('severity')} (ledger entry {item.index})"


def _exceptions(bench: Workbench, name: str, end: datetime) -> Iterator[str]:
    """Compare the share of exceptions among the cases that became old enough to count in the week with its limit."""
    workflow = bench.programme.workflows[name]
    limit = workflow.exceptions
    kpi = workflow.kpis.get(limit.kpi or "") if limit else None
    if limit is None or limit.kpi is None or kpi is None:
        yield "exceptions are not known: no limit with a KPI is declared under `exceptions`"
        return
    matures = workflow.events.matures_after if workflow.events else None
    until = end - (matures.delta() if matures else timedelta())
    try:
        cases = bench.observations.observer().cases(name, limit.kpi, since=until - _WEEK, until=until, mature_by=end)
    except DataError as error:
        yield f"exceptions are not known: {error.message}"
        return
    governed = cases.of(Arm.TREATED) if len(cases.of(Arm.TREATED)) else cases
    if not len(governed):
        yield f"exceptions are not known: no case with a value for {limit.kpi} became old enough to count"
        return
    share = float(governed.value.mean())
    share = share if kpi.sign < 0 else 1.0 - share
    if share > limit.at_most:
        yield f"{share:.1%} exceptions ({limit.kpi}), at most {limit.at_most:.1%} declared"

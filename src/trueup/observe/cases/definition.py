"""What the files say is to be known of a workflow's cases: its measures, its segments, its unit. No event is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError
from trueup.observe.cases.arms import arms_column, with_assigned, with_rollout
from trueup.observe.cases.business import require_calendar, with_business_time
from trueup.observe.cases.facts import facts_of
from trueup.observe.cases.needs import Attribute, Measure, Needs, fields_of, measure_of
from trueup.observe.cases.source import declared_workflow
from trueup.observe.cases.steps import require_steps, with_steps
from trueup.observe.cases.values import with_values
from trueup.observe.tables import Beforehand, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir

    from trueup.declare.model.workflow import Pilot, Workflow
    from trueup.declare.programme import Programme
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine


@dataclass(frozen=True, slots=True)
class Drawn:
    """The arms that our own router gave cases, the instants at which it did, and the first instants of a rollout."""

    arms: Mapping[str, str]
    since: Mapping[str, datetime]
    launches: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Definition:
    """What is asked of the cases of a workflow.

    `refused` says why a KPI cannot be computed, `lacking` which fields that rates are to be compared by the log does
    not have. `unit` is the column of what was assigned (None: the case), `further` splits beyond segments, `beforehand`
    what is known of a case before it is assigned.
    """

    workflow: Workflow
    needs: Needs
    measures: Sequence[Measure]
    segments: Sequence[Segment]
    unit: str | None
    further: Sequence[Segment]
    beforehand: Beforehand
    refused: Mapping[str, DataError]
    lacking: Mapping[str, DataError]

    @property
    def pilot(self) -> Pilot | None:
        """The pilot of the workflow, if it has one."""
        return self.workflow.pilot

    @property
    def positions(self) -> dict[str, int]:
        """The place of every KPI that can be computed."""
        return {measure.name: place for place, measure in enumerate(self.measures)}


def definition_of(programme: Programme, name: str, source: EventSource, activities: Sequence[str]) -> Definition:
    """Return what is asked of a workflow's cases; `activities` are those of its events, sorted.

    Raises NotFoundError for an unknown workflow, DataError for a segment or unit that the log does not have.
    """
    declared = declared_workflow(programme, name)
    needs = Needs(tuple(activities))
    measures, refused = _measures(declared, source, needs)
    names = declared.events.segment if declared.events else ()
    segments = [_segment(one, needs.attribute(Attribute(one, "first"))) for one in names]
    pilot = declared.pilot
    by_case = pilot is None or pilot.design.unit == "case" or pilot.design.assigned == "none"
    unit = None if pilot is None or by_case else needs.attribute(Attribute(pilot.design.unit, "first"))
    further = {} if unit is None or pilot is None else {pilot.design.unit: unit}
    splits, lacking = _splits(declared, source, needs)
    kept = [_segment(one, column) for one, column in (further | splits).items() if one not in names]
    known = _beforehand(pilot, source, needs)
    return Definition(declared, needs, measures, segments, unit, kept, known, refused, lacking)


def cases_of(engine: Engine, source: EventSource, definition: Definition, drawn: Drawn) -> ir.Table:
    """Compute the cases with the values of all measures and keep them as a table. Raises as `facts_of`."""
    pilot, measures, needs = definition.pilot, definition.measures, definition.needs
    facts = facts_of(engine, source, needs, arms_column(pilot))
    stepped = with_steps(engine, facts, source, measures, needs.activities)
    valued = with_values(with_business_time(engine, stepped, measures), measures, source.window)
    design = pilot.design if pilot else None
    assigned = with_assigned(engine, valued, design, drawn.arms, drawn.since)
    if definition.unit is not None and design is not None and design.assigned == "staggered":
        assigned = with_rollout(assigned, definition.unit, drawn.launches)
    return engine.keep(assigned)


def launches_of(programme: Programme, workflow: str) -> dict[str, datetime]:
    """Return the first instant of every unit of a registered rollout."""
    registration = programme.registrations.get(workflow)
    return {launch.unit: start_of_day(launch.on) for launch in registration.rollout} if registration else {}


def _splits(declared: Workflow, source: EventSource, needs: Needs) -> tuple[dict[str, str], dict[str, DataError]]:
    """Ask for what rates are compared by, beyond segments. A field that lacks stops only that question."""
    asked = [declared.groups.field if declared.groups else None]
    asked.append(declared.unanswered.topic if declared.unanswered else None)
    found, lacking = {}, {}
    for name in dict.fromkeys(filter(None, asked)):
        try:
            source.column(name)
        except DataError as error:
            lacking[name] = error
        else:
            found[name] = needs.attribute(Attribute(name, "first"))
    return found, lacking


def _beforehand(pilot: Pilot | None, source: EventSource, needs: Needs) -> Beforehand:
    """Ask for what the comparison is adjusted for. A field that lacks stops only that."""
    adjust = pilot.adjust if pilot else None
    asked = (adjust.covariates, adjust.strata) if adjust else ((), ())
    found: list[tuple[Segment, ...] | None] = []
    for names, numeric in zip(asked, (True, False), strict=True):
        try:
            for name in names:
                source.column(name)
        except DataError:
            found.append(None)
        else:
            columns = [(name, needs.attribute(Attribute(name, "first", numeric=numeric))) for name in names]
            found.append(tuple(_segment(name, column) for name, column in columns) or None)
    return Beforehand(*found)


def _measures(declared: Workflow, source: EventSource, needs: Needs) -> tuple[list[Measure], dict[str, DataError]]:
    """The KPIs that can be computed; what speaks against the others is said when they are asked for."""
    complete = declared.events.complete if declared.events else ()
    measures, refused = [], {}
    for name, kpi in declared.kpis.items():
        try:
            for field in fields_of(kpi):
                source.column(field)
            require_steps(name, kpi, source)
            require_calendar(kpi.calendar)
            measures.append(measure_of(name, kpi, complete, needs))
        except DataError as error:
            refused[name] = error
    return measures, refused


def _segment(name: str, value: str) -> Segment:
    return Segment(name, value, value.replace("value_", "seen_"))

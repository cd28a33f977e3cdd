"""The observer: from the events of a programme's workflows to the tables that decisions are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError, NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.observe.acting import acting
from trueup.observe.cases.arms import arms_column, with_assigned, with_rollout
from trueup.observe.cases.business import require_calendar, with_business_time
from trueup.observe.cases.facts import facts_of
from trueup.observe.cases.flow import passages
from trueup.observe.cases.needs import Attribute, Measure, Needs, from_actuals, measure_of
from trueup.observe.cases.source import declared_workflow, source_of
from trueup.observe.cases.steps import require_steps, with_steps
from trueup.observe.cases.values import with_values
from trueup.observe.formats import writings
from trueup.observe.held import MOST_HELD, held
from trueup.observe.population import population_of
from trueup.observe.profiles import Profiler, described, duplicates, newest, reader_of
from trueup.observe.rates import WeekRates, periods
from trueup.observe.readiness.parts import readiness_of
from trueup.observe.readiness.record import unread
from trueup.observe.spread import week_histograms
from trueup.observe.tables import Segment
from trueup.observe.tracing import traced
from trueup.observe.vectors import case_vector
from trueup.observe.weeks import CaseTable, is_weekly, week_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.declare.programme import Programme
    from trueup.ledger.records import Profile
    from trueup.observe.actuals import ActualKind, Actuals
    from trueup.observe.cases.flow import Passage
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine
    from trueup.observe.formats import Mixture, Writing
    from trueup.observe.readiness.record import Readiness
    from trueup.observe.tables import CaseVector, Population, TracedCase, WeekHistogram, WeekStatistic


_Asked = tuple[str, "datetime", tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A workflow whose cases are computed: kept, because every question about it starts there."""

    source: EventSource
    table: CaseTable
    positions: Mapping[str, int]
    unit: str | None
    further: Sequence[Segment]


@dataclass
class Observer:
    """Answers what the events say. One pass over the events of a workflow serves all questions about it.

    `digest_of` tells the SHA-256 of the file of a data source. `assignments` map a workflow to the arms that our
    own router gave its cases, `assigned_from` to the instants at which it did: an arm that came after the case's
    first event is none. Without `actuals`, everything that is computed from them is unknown. The cases of a
    log in a file are held in memory up to `most_held`; the answers are the same.
    """

    programme: Programme
    engine: Engine
    digest_of: Callable[[str], str]
    actuals: Callable[[], Actuals] | None = None
    assignments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    assigned_from: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    most_held: int = MOST_HELD
    _open: dict[str, _Opened] = field(default_factory=dict, init=False, repr=False)
    _lacking: dict[str, dict[str, DataError]] = field(default_factory=dict, init=False, repr=False)
    _ready: dict[tuple[str, datetime], Readiness] = field(default_factory=dict, init=False, repr=False)
    _profiles: dict[_Asked, Profile] = field(default_factory=dict, init=False, repr=False)
    _written: dict[tuple[str, datetime], list[Writing]] = field(default_factory=dict, init=False, repr=False)
    _newest: dict[tuple[str, datetime], str | None] = field(default_factory=dict, init=False, repr=False)
    _refused: dict[tuple[str, str], DataError] = field(default_factory=dict, init=False, repr=False)

    def weekly(
        self, workflow: str, as_of: datetime, *, kpis: Sequence[str] | None = None, segments: bool = False
    ) -> list[WeekStatistic]:
        """Return the weekly statistics of the KPIs named (None: all), with `segments` also split.

        Split by every declared segment, by the unit that was assigned, by the field of `groups` and the topic of
        `unanswered`; a field that the log lacks is named by `lacking`.

        Ordered by KPI, segment, week, arm. Raises NotFoundError for a workflow or KPI that is not declared;
        DataError `no-events`, `no-maturity`, `no-completion`, `missing-column`, `no-case`, `bad-time`.
        """
        opened = self._opened(workflow)
        chosen = [self._position(workflow, kpi) for kpi in (kpis if kpis is not None else self._kpis(workflow))]
        rows: list[WeekStatistic] = []
        for segment in (None, *opened.table.segments, *opened.further) if segments else (None,):
            by_kpi: dict[str, list[WeekStatistic]] = {}
            for row in week_statistics(opened.table, as_of, chosen, segment):
                by_kpi.setdefault(row.kpi, []).append(row)
            for position in chosen:
                measure = opened.table.measures[position]
                found = by_kpi.get(measure.name, [])
                rows += self._rates(workflow, opened, measure, found, as_of) if is_weekly(measure) else found
        return rows

    def _rates(
        self, workflow: str, opened: _Opened, measure: Measure, rows: list[WeekStatistic], as_of: datetime
    ) -> list[WeekStatistic]:
        rates = WeekRates(rows, periods(opened.table.pilot), opened.table.window, as_of)
        if not from_actuals(measure.kpi):
            return rates.throughput()
        use_case = self.programme.workflows[workflow].use_case
        # Actuals are of a use case: with two workflows nobody can say which of them an hour went to.
        if self.actuals is None or use_case is None or self.programme.workflows_of(use_case) != [workflow]:
            return []
        if any(row.segment is not None for row in rows) or measure.kpi.ratio is None:
            return []
        actuals = self.actuals()
        kind: ActualKind = "effort" if measure.kpi.ratio.of == "effort" else "spend"
        return rates.over_actuals(lambda since, until: actuals.total(kind, use_case, since=since, until=until))

    def cases(self, workflow: str, kpi: str, *, since: datetime, until: datetime, mature_by: datetime) -> CaseVector:
        """Return the cases with since <= start < until that are mature at `mature_by`, in order.

        Throughput is 1 for a case that counts, else 0; what comes from actuals has no value a case.
        Raises as `weekly`.
        """
        opened = self._opened(workflow)
        position = self._position(workflow, kpi)
        return case_vector(opened.table, position, opened.unit, since=since, until=until, mature_by=mature_by)

    def histograms(self, workflow: str, kpi: str, as_of: datetime) -> list[WeekHistogram]:
        """Return how a KPI's values are spread, by week and arm, where it has fixed buckets. Raises as `weekly`."""
        opened = self._opened(workflow)
        return week_histograms(opened.table, self._position(workflow, kpi), as_of)

    def population(self, workflow: str, *, since: datetime, until: datetime, as_of: datetime) -> Population:
        """Return the cases that started in [since, until), as they stood at an instant. Raises as `weekly`."""
        opened = self._opened(workflow)
        return population_of(opened.table, opened.source.events, since=since, until=until, as_of=as_of)

    def flow(self, workflow: str, as_of: datetime) -> list[Passage]:
        """Return how mature cases passed from step to step, most frequent first. Raises as `weekly`."""
        opened = self._opened(workflow)
        cases = opened.table.at(as_of)
        return passages(self.engine, cases.filter(cases["mature"]), opened.source)

    def lacking(self, workflow: str) -> Mapping[str, DataError]:
        """Return the fields that rates are to be compared by and that the log does not have. Raises as `weekly`."""
        self._opened(workflow)
        return self._lacking.get(workflow, {})

    def actors(self, workflow: str, patterns: Sequence[str], *, since: datetime, until: datetime) -> dict[str, int]:
        """Return how often each actor did what matches, in [since, until). Raises as `weekly`, and `no-actor`."""
        opened = self._opened(workflow)
        events = self.programme.workflows[workflow].events
        if events is None or events.actor is None:
            raise DataError(
                "no-actor",
                f"The workflow {workflow!r} does not say who did what, so nobody's use of it is known.",
                f"Name the column of people as `actor` under `events` in workflows/{workflow}.yaml.",
            )
        return acting(self.engine, opened.source, events.actor, patterns, since, until)

    def trace(self, workflow: str, kpi: str, cases: Sequence[str], as_of: datetime) -> list[TracedCase]:
        """Return the named cases with the events that the KPI saw of them by an instant. Raises as `weekly`."""
        opened = self._opened(workflow)
        position = self._position(workflow, kpi)
        events = self.programme.workflows[workflow].events
        return traced(opened.table, position, opened.source, events.complete if events else (), cases, as_of)

    def profile(self, data: str, as_of: datetime, joint: Sequence[tuple[str, ...]] = ()) -> Profile:
        """Return how the declared fields of a source are filled, and those of each tuple of `joint` together.

        Raises NotFoundError for data that are not declared, DataError `missing-column`, `bad-pattern`.
        """
        key = (data, as_of, tuple(joint))
        if key not in self._profiles:
            source = described(self.programme, data)
            profiler = Profiler(self.engine, data, source, reader_of(self.programme, data), as_of)
            self._profiles[key] = profiler.profile(joint, self.digest_of(data))
        return self._profiles[key]

    def readiness(self, data: str, as_of: datetime) -> Readiness:
        """Return how ready a source was, part by part; a source that cannot be read is unknown in every part.

        Raises NotFoundError for data that are not declared.
        """
        if (data, as_of) not in self._ready:
            try:
                digest = self.digest_of(data)
                self._ready[data, as_of] = readiness_of(
                    self.engine, self.programme, data, as_of, digest, lambda: self._writings(data, as_of)
                )
            except DataError as error:
                self._ready[data, as_of] = unread(data, error)
        return self._ready[data, as_of]

    def mixtures(self, data: str, as_of: datetime) -> list[Mixture]:
        """Return the declared fields of a source that are written in several ways. Raises as `profile`."""
        return [mixture for one in self._writings(data, as_of) for mixture in one.mixtures]

    def _writings(self, data: str, as_of: datetime) -> list[Writing]:
        if (data, as_of) not in self._written:
            self._written[data, as_of] = writings(self.engine, self.programme, data, as_of)
        return self._written[data, as_of]

    def newest(self, data: str, as_of: datetime) -> str | None:
        """Return the ISO instant of the newest event of a source up to `as_of`; None without events or times."""
        source = described(self.programme, data)
        if (data, as_of) not in self._newest:
            reader = reader_of(self.programme, data)
            self._newest[data, as_of] = newest(self.engine, data, reader, as_of, source.fields)
        return self._newest[data, as_of]

    def duplicates(self, data: str) -> int:
        """Return how many rows of a source repeat another one in every column."""
        return duplicates(self.engine, data)

    def _kpis(self, workflow: str) -> list[str]:
        return list(self.programme.workflows[workflow].kpis)

    def _position(self, workflow: str, kpi: str) -> int:
        opened = self._opened(workflow)
        if (workflow, kpi) in self._refused:
            raise self._refused[workflow, kpi]
        if kpi not in opened.positions:
            known = self._kpis(workflow)
            raise NotFoundError(
                "no-such-kpi",
                f"The workflow {workflow!r} has no KPI {kpi!r}.{did_you_mean(kpi, known)}",
                f"Declared are: {', '.join(known) or 'none'}.",
            )
        return opened.positions[kpi]

    def _opened(self, workflow: str) -> _Opened:
        if workflow not in self._open:
            self._open[workflow] = self._computed(workflow)
        return self._open[workflow]

    def _computed(self, workflow: str) -> _Opened:
        declared = declared_workflow(self.programme, workflow)
        source = source_of(self.programme, self.engine, workflow)
        needs = Needs(self._activities(source))
        measures = self._measures(workflow, declared, source, needs)
        names = declared.events.segment if declared.events else ()
        segments = [_segment(name, needs.attribute(Attribute(name, "first"))) for name in names]
        pilot = declared.pilot
        by_case = pilot is None or pilot.design.unit == "case" or pilot.design.assigned == "none"
        unit = None if pilot is None or by_case else needs.attribute(Attribute(pilot.design.unit, "first"))
        splits = self._splits(workflow, declared, source, needs)
        facts = facts_of(self.engine, source, needs, arms_column(pilot))
        stepped = with_steps(self.engine, facts, source, measures, needs.activities)
        valued = with_values(with_business_time(self.engine, stepped, measures), measures, source.window)
        design = pilot.design if pilot else None
        drawn, since = self.assignments.get(workflow, {}), self.assigned_from.get(workflow, {})
        assigned = with_assigned(self.engine, valued, design, drawn, since)
        if unit is not None and design is not None and design.assigned == "staggered":
            assigned = with_rollout(assigned, unit, self._launches(workflow))
        cases = self.engine.keep(assigned)
        most = self.most_held if self._in_a_file(source.data) else 0
        in_memory = held(self.engine, cases, measures, pilot, most)
        table = CaseTable(self.engine, cases, measures, segments, pilot, source.window, in_memory)
        assigned_unit = pilot.design.unit if pilot else ""
        further = {} if unit is None else {assigned_unit: unit}
        further |= splits
        kept = [_segment(name, column) for name, column in further.items() if name not in names]
        return _Opened(source, table, {measure.name: place for place, measure in enumerate(measures)}, unit, kept)

    def _in_a_file(self, data: str) -> bool:
        """Tell whether a source is a file: what lies in a database is added up there, and only sums leave it."""
        declared = self.programme.file.data.get(data)
        return declared is None or declared.source is None or isinstance(declared.source, str)

    def _splits(self, workflow: str, declared: Workflow, source: EventSource, needs: Needs) -> dict[str, str]:
        """Ask for what rates are compared by, beyond segments. A field that lacks stops only that question."""
        asked = [declared.groups.field if declared.groups else None]
        asked.append(declared.unanswered.topic if declared.unanswered else None)
        found = {}
        for name in dict.fromkeys(filter(None, asked)):
            try:
                source.column(name)
            except DataError as error:
                self._lacking.setdefault(workflow, {})[name] = error
            else:
                found[name] = needs.attribute(Attribute(name, "first"))
        return found

    def _launches(self, workflow: str) -> dict[str, datetime]:
        """The first instant of every unit of a registered rollout."""
        registration = self.programme.registrations.get(workflow)
        return {launch.unit: start_of_day(launch.on) for launch in registration.rollout} if registration else {}

    def _measures(self, workflow: str, declared: Workflow, source: EventSource, needs: Needs) -> list[Measure]:
        """The KPIs that can be computed; what speaks against the others is said when they are asked for."""
        complete = declared.events.complete if declared.events else ()
        measures = []
        for name, kpi in declared.kpis.items():
            try:
                if kpi.ratio is not None and not from_actuals(kpi):
                    source.column(kpi.ratio.of)
                require_steps(name, kpi, source)
                require_calendar(kpi.calendar)
                measures.append(measure_of(name, kpi, complete, needs))
            except DataError as error:
                self._refused[workflow, name] = error
        return measures

    def _activities(self, source: EventSource) -> tuple[str, ...]:
        rows = self.engine.fetch(source.with_states().select("activity").distinct())
        return tuple(sorted(name for name in rows["activity"].to_pylist() if name is not None))


def _segment(name: str, value: str) -> Segment:
    return Segment(name, value, value.replace("value_", "seen_"))

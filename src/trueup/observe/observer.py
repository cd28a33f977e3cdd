"""The observer: from the events of a programme's workflows to the tables that decisions are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from trueup.kernel.errors import DataError, NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.observe.acting import acting
from trueup.observe.cases.crowds import without_crowds
from trueup.observe.cases.definition import Drawn, cases_of, definition_of, launches_of
from trueup.observe.cases.flow import passages
from trueup.observe.cases.needs import Measure, from_actuals
from trueup.observe.cases.source import declared_workflow, source_of
from trueup.observe.held import MOST_HELD, held_of, rows_of
from trueup.observe.keeping.answers import Answers, NoAnswers
from trueup.observe.keeping.cases import KeptCases
from trueup.observe.keeping.sources import Sources
from trueup.observe.population import population_of, steps_in
from trueup.observe.rates import WeekRates, periods, recorded
from trueup.observe.readiness.parts import readiness_of
from trueup.observe.readiness.record import unread
from trueup.observe.spread import week_histograms, week_quantiles
from trueup.observe.tracing import traced
from trueup.observe.vectors import case_vector
from trueup.observe.weeks import CaseTable, is_weekly, week_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir
    import pyarrow as pa

    from trueup.declare.programme import Programme
    from trueup.ledger.records import Profile
    from trueup.observe.actuals import Actuals
    from trueup.observe.cases.definition import Definition
    from trueup.observe.cases.flow import Passage
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine
    from trueup.observe.formats import Mixture
    from trueup.observe.readiness.record import Readiness
    from trueup.observe.tables import CaseVector, Population, TracedCase, WeekHistogram, WeekQuantile, WeekStatistic


@dataclass(frozen=True, slots=True)
class _Opened:
    """A workflow whose cases are known: what is asked of them, and they themselves."""

    definition: Definition
    table: CaseTable


@dataclass
class Observer:
    """Answers what the events say. One pass over the events of a workflow serves all questions about it.

    `digest_of` tells the SHA-256 of the file of a data source. `assignments` map a workflow to the arms that our
    own router gave its cases, `assigned_from` to the instants at which it did: an arm that came after the case's
    first event is none. Without `actuals`, everything that is computed from them is unknown. The cases of a
    log in a file are held in memory up to `most_held`, and kept in `answers` for the next command; the figures are the
    same.
    """

    programme: Programme
    engine: Engine
    digest_of: Callable[[str], str]
    actuals: Callable[[], Actuals] | None = None
    assignments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    assigned_from: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    most_held: int = MOST_HELD
    answers: Answers = field(default_factory=NoAnswers)
    _open: dict[str, _Opened] = field(default_factory=dict, init=False, repr=False)
    _live: dict[str, tuple[EventSource, Definition, ir.Table]] = field(default_factory=dict, init=False, repr=False)
    _ready: dict[tuple[str, datetime], Readiness] = field(default_factory=dict, init=False, repr=False)
    _asked: list[Sources] = field(default_factory=list, init=False, repr=False)

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
        for segment in (None, *opened.table.segments, *opened.definition.further) if segments else (None,):
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
        ratio = measure.kpi.ratio
        return rates.over_actuals(lambda since, until: recorded(actuals, ratio, use_case, since, until))

    def cases(self, workflow: str, kpi: str, *, since: datetime, until: datetime, mature_by: datetime) -> CaseVector:
        """Return the cases with since <= start < until that are mature at `mature_by`, in order.

        Throughput is 1 for a case that counts, else 0; what comes from actuals has no value a case.
        Raises as `weekly`.
        """
        opened, position = self._opened(workflow), self._position(workflow, kpi)
        unit, known = opened.definition.unit, opened.definition.beforehand
        return case_vector(opened.table, position, unit, known, since=since, until=until, mature_by=mature_by)

    def histograms(self, workflow: str, kpi: str, as_of: datetime) -> list[WeekHistogram]:
        """Return how a KPI's values are spread, by week and arm, where it has fixed buckets. Raises as `weekly`."""
        opened = self._opened(workflow)
        return week_histograms(opened.table, self._position(workflow, kpi), as_of)

    def quantiles(self, workflow: str, kpi: str, as_of: datetime, *, segments: bool = False) -> list[WeekQuantile]:
        """Return the quantile that a KPI declares by week and arm, with `segments` also split. Raises as `weekly`."""
        opened, position = self._opened(workflow), self._position(workflow, kpi)
        splits = (None, *opened.table.segments, *opened.definition.further) if segments else (None,)
        return [one for split in splits for one in week_quantiles(opened.table, position, as_of, split)]

    def population(self, workflow: str, *, since: datetime, until: datetime, as_of: datetime) -> Population:
        """Return the cases that started in [since, until), as they stood at an instant. Raises as `weekly`."""
        opened = self._opened(workflow)
        return population_of(
            opened.table, lambda: self._source(workflow).events(), since=since, until=until, as_of=as_of
        )

    def flow(self, workflow: str, as_of: datetime) -> list[Passage]:
        """Return how mature cases passed from step to step, most frequent first. Raises as `weekly`."""
        cases = self._opened(workflow).table.at(as_of)
        return passages(self.engine, cases.filter(cases["mature"]), self._source(workflow))

    def lacking(self, workflow: str) -> Mapping[str, DataError]:
        """Return the fields that cases cannot be split by: not in the log, or too many values. Raises as `weekly`."""
        return self._opened(workflow).definition.lacking

    def actors(self, workflow: str, patterns: Sequence[str], *, since: datetime, until: datetime) -> dict[str, int]:
        """Return how often each actor did what matches, in [since, until). Raises as `weekly`, and `no-actor`."""
        self._opened(workflow)
        events = self.programme.workflows[workflow].events
        if events is None or events.actor is None:
            raise DataError(
                "no-actor",
                f"The workflow {workflow!r} does not say who did what, so nobody's use of it is known.",
                f"Name the column of people as `actor` under `events` in workflows/{workflow}.yaml.",
            )
        return acting(self.engine, self._source(workflow), events.actor, patterns, since, until)

    def trace(self, workflow: str, kpi: str, cases: Sequence[str], as_of: datetime) -> list[TracedCase]:
        """Return the named cases with the events that the KPI saw of them by an instant. Raises as `weekly`."""
        opened = self._opened(workflow)
        position = self._position(workflow, kpi)
        events = self.programme.workflows[workflow].events
        complete = events.complete if events else ()
        return traced(opened.table, position, self._source(workflow), complete, cases, as_of)

    def profile(self, data: str, as_of: datetime, joint: Sequence[tuple[str, ...]] = ()) -> Profile:
        """Return how the declared fields of a source are filled, and those of each tuple of `joint` together.

        Raises NotFoundError for data that are not declared, DataError `missing-column`, `bad-pattern`.
        """
        return self._sources.profile(data, as_of, joint, self.digest_of(data))

    def readiness(self, data: str, as_of: datetime) -> Readiness:
        """Return how ready a source was, part by part; a source that cannot be read is unknown in every part.

        Raises NotFoundError for data that are not declared.
        """
        if (data, as_of) not in self._ready:
            try:
                digest = self.digest_of(data)
                self._ready[data, as_of] = readiness_of(self._sources, data, as_of, digest)
            except DataError as error:
                self._ready[data, as_of] = unread(data, error)
        return self._ready[data, as_of]

    def mixtures(self, data: str, as_of: datetime) -> list[Mixture]:
        """Return the declared fields of a source that are written in several ways. Raises as `profile`."""
        return [mixture for one in self._sources.writings(data, as_of) for mixture in one.mixtures]

    def newest(self, data: str, as_of: datetime) -> str | None:
        """Return the ISO instant of the newest event of a source up to `as_of`; None without events or times."""
        return self._sources.newest(data, as_of)

    def duplicates(self, data: str) -> int:
        """Return how many rows of a source repeat another one in every column."""
        return self._sources.duplicates(data)

    @property
    def _sources(self) -> Sources:
        if not self._asked:
            self._asked.append(Sources(self.programme, self.engine, self.answers))
        return self._asked[0]

    def _kpis(self, workflow: str) -> list[str]:
        return list(self.programme.workflows[workflow].kpis)

    def _position(self, workflow: str, kpi: str) -> int:
        definition = self._opened(workflow).definition
        if kpi in definition.refused:
            raise definition.refused[kpi]
        positions = definition.positions
        if kpi not in positions:
            known = self._kpis(workflow)
            raise NotFoundError(
                "no-such-kpi",
                f"The workflow {workflow!r} has no KPI {kpi!r}.{did_you_mean(kpi, known)}",
                f"Declared are: {', '.join(known) or 'none'}.",
            )
        return positions[kpi]

    def _opened(self, workflow: str) -> _Opened:
        if workflow not in self._open:
            self._open[workflow] = self._kept_or_computed(workflow)
        return self._open[workflow]

    def _kept_or_computed(self, workflow: str) -> _Opened:
        """Take the cases of a log in a file as they were kept, or compute them, and keep them for the next time."""
        declared = declared_workflow(self.programme, workflow)
        data = declared.events.data if declared.events else None
        in_a_file = data is not None and self.most_held > 0 and self._in_a_file(data)
        place = KeptCases.of(self.answers, self.programme, workflow, self._drawn(workflow)) if in_a_file else None
        kept = place.get() if place else None
        if kept is not None:
            source = source_of(self.programme, kept, workflow)
            definition, rows = definition_of(self.programme, workflow, source, kept.activities), kept.rows
        else:
            source, definition, cases = self._computed(workflow)
            rows = rows_of(self.engine, cases, self.most_held if in_a_file else 0)
            if place and rows is not None:
                place.put(source.raw.schema().to_pyarrow(), definition.needs.activities, rows)
        in_memory = None if rows is None else held_of(rows, definition.measures, definition.pilot)
        definition = without_crowds(
            definition, in_memory.values_of if in_memory else lambda names: self._values_of(workflow, names)
        )
        table = CaseTable(
            self.engine,
            lambda: self._computed(workflow)[2],
            definition.measures,
            definition.segments,
            definition.pilot,
            source.window,
            in_memory,
            cache(lambda: self._steps(workflow, place)),
        )
        return _Opened(definition, table)

    def _computed(self, workflow: str) -> tuple[EventSource, Definition, ir.Table]:
        """Compute the cases of a workflow where its events lie."""
        if workflow not in self._live:
            source = source_of(self.programme, self.engine, workflow)
            definition = definition_of(self.programme, workflow, source, self._activities(source))
            self._live[workflow] = source, definition, cases_of(self.engine, source, definition, self._drawn(workflow))
        return self._live[workflow]

    def _values_of(self, workflow: str, names: Sequence[str]) -> dict[str, int]:
        cases = self._computed(workflow)[2]
        counts = cases.aggregate(**{name: cases[name].nunique() for name in names})
        found: dict[str, int] = self.engine.fetch(counts).to_pylist()[0]
        return found

    def _steps(self, workflow: str, place: KeptCases | None) -> pa.Table:
        def compute() -> pa.Table:
            source, _, cases = self._computed(workflow)
            return steps_in(self.engine, source.events(), cases)

        return place.steps(compute) if place else compute()

    def _source(self, workflow: str) -> EventSource:
        """The events of a workflow where they lie."""
        return self._computed(workflow)[0]

    def _drawn(self, workflow: str) -> Drawn:
        arms, since = self.assignments.get(workflow, {}), self.assigned_from.get(workflow, {})
        return Drawn(arms, since, launches_of(self.programme, workflow))

    def _in_a_file(self, data: str) -> bool:
        """Tell whether a source is a file: what lies in a database is added up there, and only sums leave it."""
        declared = self.programme.file.data.get(data)
        return declared is None or declared.source is None or isinstance(declared.source, str)

    def _activities(self, source: EventSource) -> tuple[str, ...]:
        rows = self.engine.fetch(source.with_states().select("activity").distinct())
        return tuple(sorted(name for name in rows["activity"].to_pylist() if name is not None))

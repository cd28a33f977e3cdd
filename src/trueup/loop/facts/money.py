"""What a use case was promised to be worth, what the KPIs measure, what was realised, what was spent: never mixed.

Promised and measured are yearly, realised and spent are to date. What is not known is None, and never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.decide.numbers import known
from trueup.kernel.errors import DataError, LedgerBrokenError
from trueup.loop.pilots.comparisons import PilotView, is_weekly
from trueup.loop.pilots.validity import moved_promise, unrecorded
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from trueup.declare.model.use_case import UseCase, ValueLine
    from trueup.loop.workbench import Workbench

YEAR = timedelta(days=365)
_WEEK = timedelta(weeks=1)
# Fewer weeks than these say nothing of a KPI that has one value a week.
# The estimate is the same at every level.
_LEVEL = 0.05
_LEAST_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Effect:
    """What treatment changed of a KPI: the gain a case (in its unit, positive is better) and how many cases it meets.

    `a_year` cases are to be expected in a year at the registered volume, `so_far` were treated and are mature;
    `weeks` have passed since the pilot's start.
    """

    gain: float
    a_year: float
    so_far: int
    weeks: float


@dataclass(frozen=True, slots=True)
class Line:
    """One value line in money: expected a year, measured a year, realised to date."""

    name: str
    promised: float
    measured: float | None = None
    realised: float | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """A use case in money. `measured` and `realised` add up the lines for which they are known."""

    use_case: str
    lines: tuple[Line, ...]
    spend: float | None

    @property
    def promised(self) -> float | None:
        """The value a year that the files expect (p50 of every line); None without value lines."""
        return sum(line.promised for line in self.lines) if self.lines else None

    @property
    def measured(self) -> float | None:
        """The value a year that the KPIs support, at the registered volume."""
        return _sum(line.measured for line in self.lines)

    @property
    def realised(self) -> float | None:
        """The value to date of the treated cases."""
        return _sum(line.realised for line in self.lines)

    @property
    def expected(self) -> float | None:
        """The value a year now expected: measured where it is known, else as promised; None without value lines."""
        values = [line.promised if line.measured is None else line.measured for line in self.lines]
        return sum(values) if values else None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "use_case": self.use_case,
            "promised": known(self.promised),
            "measured": known(self.measured),
            "realised": known(self.realised),
            "spend": known(self.spend),
            "lines": [
                {
                    "line": line.name,
                    "promised": known(line.promised),
                    "measured": known(line.measured),
                    "realised": known(line.realised),
                }
                for line in self.lines
            ],
        }


def money_of(name: str, use_case: UseCase, effects: Mapping[str, Effect | None], spend: float | None) -> Money:
    """Put the figures of a use case side by side; `effects` are by the KPI that a value line is measured by."""
    lines = tuple(_line(line, value, effects) for line, value in use_case.value.items())
    return Money(name, lines, spend)


def _line(name: str, value: ValueLine, effects: Mapping[str, Effect | None]) -> Line:
    price = (1.0 if value.rate is None else value.rate) * (1.0 if value.each is None else value.each)
    promised = price * value.range.p50
    effect = effects.get(value.measured_by.kpi) if value.measured_by else None
    if value.measured_by is None or effect is None:
        return Line(name, promised)
    if value.measured_by.per == "week":
        return Line(name, promised, price * effect.gain * (YEAR / _WEEK), price * effect.gain * effect.weeks)
    if value.measured_by.per == "case":
        return Line(name, promised, price * effect.gain * effect.a_year, price * effect.gain * effect.so_far)
    return Line(name, promised)


def money(bench: Workbench, as_of: datetime, workflow: str | None = None) -> list[Money]:
    """Return the figures of every use case that is worth or has cost something; of one workflow's alone where named."""
    programme = bench.programme
    wanted = set(programme.use_cases) if workflow is None else {programme.workflows[workflow].use_case}
    found = []
    for name, use_case in sorted(programme.use_cases.items()):
        if name in wanted:
            kpis = {line.measured_by.kpi for line in use_case.value.values() if line.measured_by}
            effects = {kpi: effect_of(bench, kpi, as_of) for kpi in sorted(kpis)}
            found.append(money_of(name, use_case, effects, _spend(bench, name, as_of)))
    return [one for one in found if one.lines or one.spend is not None]


def effect_of(bench: Workbench, kpi: str, as_of: datetime) -> Effect | None:
    """Return what treatment changed of `workflow.kpi` by an instant; None where no comparison can say."""
    name, _, own = kpi.partition(".")
    workflow, registration = bench.programme.workflows.get(name), bench.programme.registrations.get(name)
    if workflow is None or own not in workflow.kpis or registration is None or own not in registration.kpis:
        return None
    if workflow.kpis[own].quantile is not None or workflow.kpis[own].paired:
        # So much a case is a mean: a quantile or a ratio of sums, times the cases, is nobody's money.
        return None
    view = PilotView(name, workflow, registration, bench.observations.observer())
    if as_of <= view.starts or moved_promise(view) or unrecorded(bench, name):
        return None
    try:
        compared = view.compare(own, as_of)
        population = view.observer.population(name, since=view.starts, until=as_of, as_of=as_of)
    except DataError:
        return None
    few = compared.treated.n < _LEAST_WEEKS if is_weekly(workflow.kpis[own]) else compared.too_few() is not None
    if few or not compared.control.n:
        return None
    return Effect(
        gain=workflow.kpis[own].sign * compared.at_gate(_LEVEL).estimate,
        a_year=registration.cases_a_week * (YEAR / _WEEK),
        so_far=population.by_arm.get(Arm.TREATED, 0),
        weeks=(as_of - view.starts) / _WEEK,
    )


def _spend(bench: Workbench, use_case: str, as_of: datetime) -> float | None:
    try:
        return bench.observations.actuals().total("spend", use_case, as_of=as_of)
    except (LedgerBrokenError, DataError):
        # Readings can be had without the ledger and without the files of finance: what they hold is then not known.
        return None


def _sum(values: Iterable[float | None]) -> float | None:
    those_known = [value for value in values if value is not None]
    return sum(those_known) if those_known else None

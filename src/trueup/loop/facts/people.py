"""The people of a workflow: who is eligible, who is trained against the plan, who uses it, in how many of the cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trueup.decide.numbers import interval_json, known
from trueup.declare.model.kpi import KpiKind
from trueup.evidence.weekly import share_interval_of_week
from trueup.kernel.clock import end_of_day
from trueup.kernel.errors import DataError, LedgerBrokenError
from trueup.kernel.quantities import BarKind
from trueup.loop.facts.recorded import recorded_training
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.evidence.moments import Interval
    from trueup.kernel.quantities import Bar
    from trueup.loop.workbench import Workbench
    from trueup.observe.people import WorkflowPerson

USED_WITHIN = timedelta(days=28)
_COUNT = re.compile(r"\b(\d{1,6})\b(?!-)")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What `scale_plan.training` promises, as far as its text says it: how many people, by when."""

    text: str
    people: int | None = None
    by: date | None = None

    @classmethod
    def read(cls, text: str | None) -> TrainingPlan | None:
        """Read `12 clerks by 2018-03-31`; what the text does not say stays unknown. None without text."""
        if text is None or not text.strip():
            return None
        found = _DAY.search(text)
        rest = _DAY.sub(" ", text)
        count = _COUNT.search(rest)
        try:
            day = date.fromisoformat(found[0]) if found else None
        except ValueError:
            day = None
        return cls(text, int(count[1]) if count else None, day)


@dataclass(frozen=True, slots=True)
class CaseAdoption:
    """A share KPI among treated cases: in how many of them the workflow's work was used."""

    kpi: str
    n: int
    interval: Interval
    target: Bar | None


@dataclass(frozen=True, slots=True)
class PeopleAdoption:
    """Eligible people by whether they used it since an instant: `users` of `eligible`. `target` is a share."""

    users: int
    eligible: int
    target: float | None

    @property
    def share(self) -> float | None:
        """The share of eligible people who used it; None where nobody is eligible."""
        return self.users / self.eligible if self.eligible else None


@dataclass(frozen=True, slots=True)
class People:
    """What is known of the people of one workflow; None where it is not. `untrained` are eligible."""

    workflow: str
    eligible: tuple[str, ...] | None
    trained: tuple[str, ...] | None
    plan: TrainingPlan | None
    cases: CaseAdoption | None
    users: PeopleAdoption | None
    unknown: tuple[str, ...] = ()

    @property
    def untrained(self) -> tuple[str, ...]:
        """Eligible people of whom no training is known by then."""
        return tuple(sorted(set(self.eligible or ()) - set(self.trained or ())))

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "workflow": self.workflow,
            "eligible": None if self.eligible is None else len(self.eligible),
            "trained": None if self.trained is None else len(self.trained),
            "plan": _plan_json(self.plan),
            "among_cases": _cases_json(self.cases),
            "among_people": _users_json(self.users),
            "unknown": list(self.unknown),
        }


def _plan_json(plan: TrainingPlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {"text": plan.text, "people": plan.people, "by": plan.by.isoformat() if plan.by else None}


def _cases_json(cases: CaseAdoption | None) -> dict[str, Any] | None:
    if cases is None:
        return None
    target = str(cases.target) if cases.target else None
    return {"kpi": cases.kpi, "n": cases.n, **interval_json(cases.interval), "target": target}


def _users_json(users: PeopleAdoption | None) -> dict[str, Any] | None:
    if users is None:
        return None
    return {
        "users": users.users,
        "eligible": users.eligible,
        "value": known(users.share),
        "target": users.target,
    }


def people(bench: Workbench, as_of: datetime, workflow: str | None = None) -> list[People]:
    """Return what is known of the people of every workflow that says anything of them, or of the one named."""
    names = sorted(bench.programme.workflows) if workflow is None else [workflow]
    found = [people_of(bench, name, as_of) for name in names]
    return [one for one in found if one.eligible is not None or one.plan or one.cases or one.users]


def people_of(bench: Workbench, name: str, as_of: datetime) -> People:
    """Return what is known of the people of a workflow. What cannot be read is unknown, with the reason."""
    workflow, unknown = bench.programme.workflows[name], []
    rows: list[WorkflowPerson] | None = None
    try:
        declared = bench.programme.file.actuals and bench.programme.file.actuals.people
        rows = [one for one in bench.observations.people() if one.workflow == name] if declared else None
    except DataError as error:
        unknown.append(error.message)
    eligible = None if rows is None else tuple(sorted({one.person for one in rows if one.eligible}))
    trained: tuple[str, ...] | None = None
    try:
        known_rows = [*(rows or ()), *_recorded(bench, name)]
        trained = _trained(known_rows, as_of) if known_rows else None
    except LedgerBrokenError as error:
        unknown.append(error.message)
    plan = workflow.pilot.scale_plan if workflow.pilot else None
    cases = users = None
    try:
        cases = among_cases(bench, name, workflow, as_of)
        users = among_people(bench, name, workflow, eligible, as_of)
    except DataError as error:
        unknown.append(error.message)
    return People(
        name, eligible, trained, TrainingPlan.read(plan.training if plan else None), cases, users, tuple(unknown)
    )


def _recorded(bench: Workbench, name: str) -> list[WorkflowPerson]:
    return [one for one in recorded_training(bench.ledger.entries("training.recorded")) if one.workflow == name]


def _trained(rows: Iterable[WorkflowPerson], as_of: datetime) -> tuple[str, ...]:
    return tuple(sorted({one.person for one in rows if one.trained_on is not None and one.trained_on <= as_of}))


def adoption_kpi(workflow: Workflow) -> str | None:
    """Return the share that counts as use: the one that is named, else the first that is among treated cases."""
    if workflow.adoption and workflow.adoption.kpi:
        return workflow.adoption.kpi if workflow.adoption.kpi in workflow.kpis else None
    shares = {name: kpi.share for name, kpi in workflow.kpis.items() if kpi.kind is KpiKind.SHARE}
    return next((name for name, share in shares.items() if share and share.among == "treated" and share.having), None)


def among_cases(bench: Workbench, name: str, workflow: Workflow, as_of: datetime) -> CaseAdoption | None:
    """Return adoption among the mature treated cases; None where no share says what use is. Raises DataError."""
    kpi = adoption_kpi(workflow)
    if kpi is None or workflow.events is None:
        return None
    rows = bench.observations.observer().weekly(name, as_of, kpis=[kpi])
    treated = [row for row in rows if row.arm == Arm.TREATED and row.segment is None]
    n, events = sum(row.n for row in treated), sum(row.events for row in treated)
    target = workflow.kpis[kpi].target
    return CaseAdoption(kpi, n, share_interval_of_week(events, n), target)


def among_people(
    bench: Workbench, name: str, workflow: Workflow, eligible: Sequence[str] | None, as_of: datetime
) -> PeopleAdoption | None:
    """Return adoption among eligible people, by the actors of the events that say so; None where nothing does.

    Raises DataError where the actors cannot be read.
    """
    kpi = adoption_kpi(workflow)
    share = workflow.kpis[kpi].share if kpi else None
    if workflow.events is None or workflow.events.actor is None or share is None or not share.having or not eligible:
        return None
    declared = workflow.adoption
    within = declared.within.delta() if declared and declared.within else USED_WITHIN
    observer = bench.observations.observer()
    since = as_of - within
    if not set(observer.actors(name, ["*"], since=since, until=as_of)) & set(eligible):
        raise DataError(
            "actors-unknown",
            f"No actor of the log of {name!r} is an eligible person of the people file, so nobody's use is known.",
            "Name the column that holds the ids of people as `actor` under `events`.",
        )
    acted = observer.actors(name, share.having, since=since, until=as_of)
    target = declared.people_at_least if declared else None
    return PeopleAdoption(len(set(eligible) & set(acted)), len(set(eligible)), target)


def behind_plan(one: People, as_of: datetime) -> bool:
    """Tell whether the day of the training plan is over and fewer people are known to be trained than it promised."""
    plan = one.plan
    if plan is None or plan.people is None or plan.by is None or one.trained is None:
        return False
    return as_of >= end_of_day(plan.by) and len(one.trained) < plan.people


def below_level(one: CaseAdoption) -> bool:
    """Tell whether adoption among cases is surely below a target that is a level."""
    target = one.target
    return bool(target and target.kind is BarKind.LEVEL and one.n and one.interval.upper < target.value)

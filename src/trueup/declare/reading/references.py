"""What files say about each other: every id leads somewhere, or it is a finding with what was probably meant.

Owners are not asked about here: that a person of that name exists is part of OWN01 to OWN03.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trueup.declare.measures import ActualsMeasure, DataMeasure, Measure, parse_measure
from trueup.declare.model.data import Assumption
from trueup.declare.model.people import Right
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import PROGRAMME_FILE, Path_, Programme, scenario_file, use_case_file, workflow_file
from trueup.declare.reading.problems import problem
from trueup.kernel.finding import Finding, Span
from trueup.kernel.text import did_you_mean, shown

RUNTIME = "runtime"


class Kind(StrEnum):
    """What an id can lead to; the value is how it is called in a sentence."""

    PERSON = "person under `people`"
    OBJECTIVE = "objective"
    DATA = "data source under `data`"
    USE_CASE = "use case"
    WORKFLOW = "workflow"
    KPI = "KPI (WORKFLOW.KPI)"
    OWN_KPI = "KPI of this workflow"


@dataclass(frozen=True, slots=True)
class Reference:
    """An id that stands in a file and must lead to something. `key` where the id is itself a key."""

    path: Path_
    kind: Kind
    name: str
    key: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Every id that the files declare, whether or not what it names could be read; None: nobody can know."""

    names: Mapping[Kind, frozenset[str] | None]
    kpis: Mapping[str, frozenset[str] | None]

    @classmethod
    def of(cls, raw: Mapping[str, Any], use_cases: Iterable[str], workflows: Mapping[str, Any]) -> Known:
        """Collect the ids from the plain data of the files, so that a value that does not fit still has its name.

        `raw` is what programme.yaml says (empty when unread), `workflows` what each workflow says (None when unread).
        """
        unread = not raw
        kpis = {name: None if data is None else _keys(data, "kpis") for name, data in workflows.items()}
        full = [{f"{name}.{kpi}" for kpi in declared or ()} for name, declared in kpis.items()]
        names: dict[Kind, frozenset[str] | None] = {
            Kind.PERSON: None if unread else _keys(raw, "people"),
            Kind.OBJECTIVE: None if unread else _keys(raw, "objectives"),
            Kind.DATA: None if unread else _keys(raw, "data") | {RUNTIME},
            Kind.USE_CASE: frozenset(use_cases),
            Kind.WORKFLOW: frozenset(workflows),
            Kind.KPI: frozenset().union(*full),
        }
        return cls(names, kpis)

    def of_kind(self, kind: Kind, workflow: str | None = None) -> frozenset[str] | None:
        """Return the ids of a kind; of the KPIs of one workflow."""
        return self.kpis.get(workflow or "") if kind is Kind.OWN_KPI else self.names[kind]

    def has(self, reference: Reference, workflow: str | None = None) -> bool:
        """Tell whether a reference leads somewhere; yes where that cannot be known."""
        if reference.kind is Kind.KPI and self.kpis.get(reference.name.partition(".")[0], ()) is None:
            return True
        known = self.of_kind(reference.kind, workflow)
        return known is None or reference.name in known


def _keys(data: Any, key: str) -> frozenset[str]:
    inside = data.get(key) if isinstance(data, dict) else None
    return frozenset(inside) if isinstance(inside, dict) else frozenset()


def reference_findings(programme: Programme, known: Known) -> Iterator[Finding]:
    """Yield what is wrong with the ids in all files, and with the measures that hold them."""
    yield from _dangling(programme, known, PROGRAMME_FILE, _of_programme(programme.file))
    for name, assumption in programme.file.assumptions.items():
        yield from _assumption(programme, known, name, assumption)
    for name, use_case in programme.use_cases.items():
        yield from _dangling(programme, known, use_case_file(name), _of_use_case(use_case))
    for name, workflow in programme.workflows.items():
        yield from _dangling(programme, known, workflow_file(name), _of_workflow(workflow), name)
    for name, expected in programme.scenarios.items():
        of = Reference(("workflow",), Kind.WORKFLOW, expected.workflow)
        yield from _dangling(programme, known, scenario_file(name), [of])


def _dangling(
    programme: Programme, known: Known, file: str, references: Iterable[Reference], workflow: str | None = None
) -> Iterator[Finding]:
    for reference in references:
        if reference.name and not known.has(reference, workflow):
            places = programme.places
            where = places.of_key(file, *reference.path) if reference.key else places.of(file, *reference.path)
            yield _dangles(where, reference, known.of_kind(reference.kind, workflow) or frozenset())


def _dangles(where: Span, reference: Reference, known: frozenset[str]) -> Finding:
    meant = did_you_mean(reference.name, sorted(known))
    detail = f"{shown(reference.name)} is not a {reference.kind}.{meant}"
    if not known:
        return problem("REF01", where, detail, "Declare it, or remove the reference; none is declared so far.")
    some = ", ".join(sorted(known)[:8]) + (", ..." if len(known) > 8 else "")
    return problem("REF01", where, detail, f"Correct the id or declare it; there are: {some}.")


def _all(kind: Kind, names: Iterable[str], *path: str) -> Iterator[Reference]:
    for position, name in enumerate(names):
        yield Reference((*path, position), kind, name)


def _one(kind: Kind, name: str | None, *path: str) -> Iterator[Reference]:
    if name is not None:
        yield Reference(path, kind, name)


def _evidence(name: object, *path: str) -> Iterator[Reference]:
    """Read `data.NAME`, where evidence may also be said in prose."""
    if isinstance(name, str) and name.startswith("data."):
        yield Reference(path, Kind.DATA, name.removeprefix("data."))


def _of_programme(file: ProgrammeFile) -> Iterator[Reference]:
    yield from _one(Kind.PERSON, file.sponsor, "sponsor")
    for name, objective in file.objectives.items():
        yield from _one(Kind.KPI, objective.kpi, "objectives", name, "kpi")
    if file.operating_model is not None:
        yield from _one(Kind.PERSON, file.operating_model.coordination, "operating_model", "coordination")
        yield from _all(Kind.PERSON, file.operating_model.decides, "operating_model", "decides")
    yield from _of_assessment(file)
    for name, assumption in file.assumptions.items():
        yield from _all(Kind.USE_CASE, assumption.supports, "assumptions", name, "supports")
    for name, incident in file.incidents.items():
        yield from _all(Kind.PERSON, incident.tell, "incidents", name, "tell")
    for name, supplier in file.suppliers.items():
        yield from _one(Kind.PERSON, supplier.owner, "suppliers", name, "owner")
        yield from _one(Kind.KPI, supplier.kpi, "suppliers", name, "kpi")
    yield from _of_callers(file)
    for position, waiver in enumerate(file.waivers):
        yield Reference(("waivers", position, "by"), Kind.PERSON, waiver.by)


def _of_callers(file: ProgrammeFile) -> Iterator[Reference]:
    for name, caller in file.callers.items():
        yield from _all(Kind.WORKFLOW, caller.workflows, "callers", name, "workflows")
        if Right.DECIDE in caller.may:
            # A service approves nothing.
            yield Reference(("callers", name), Kind.PERSON, name, key=True)


def _of_assessment(file: ProgrammeFile) -> Iterator[Reference]:
    if file.assessment is not None:
        for name in ("outcome_clarity", "ownership", "data_readiness", "risk_posture", "team_capacity"):
            score = getattr(file.assessment, name)
            yield from _evidence(score and score.evidence, "assessment", name, "evidence")


def _of_use_case(use_case: UseCase) -> Iterator[Reference]:
    yield from _one(Kind.OBJECTIVE, use_case.objective, "objective")
    for name, line in use_case.value.items():
        if line.measured_by is not None:
            yield Reference(("value", name, "measured_by", "kpi"), Kind.KPI, line.measured_by.kpi)
    if use_case.feasibility is not None:
        yield from _evidence(use_case.feasibility.data, "feasibility", "data")
    yield from _all(Kind.USE_CASE, use_case.needs, "needs")
    yield from _all(Kind.USE_CASE, use_case.excludes, "excludes")


def _of_workflow(workflow: Workflow) -> Iterator[Reference]:
    yield from _one(Kind.USE_CASE, workflow.use_case, "use_case")
    if workflow.events is not None:
        yield from _one(Kind.DATA, workflow.events.data, "events", "data")
    if workflow.pilot is not None:
        yield from _one(Kind.OWN_KPI, workflow.pilot.primary, "pilot", "primary")
        for name in workflow.pilot.guardrails:
            yield Reference(("pilot", "guardrails", name), Kind.OWN_KPI, name, key=True)
        yield from _all(Kind.OWN_KPI, workflow.pilot.negative_control, "pilot", "negative_control")
        for position, name in enumerate(workflow.pilot.downstream):
            yield Reference(("pilot", "downstream", position), Kind.KPI if "." in name else Kind.OWN_KPI, name)
    for key in ("groups", "exceptions", "unanswered", "adoption"):
        yield from _one(Kind.OWN_KPI, getattr(getattr(workflow, key), "kpi", None), key, "kpi")
    for name, action in workflow.actions.items():
        yield from _all(Kind.PERSON, action.approvers, "actions", name, "approvers")


def _assumption(programme: Programme, known: Known, name: str, assumption: Assumption) -> Iterator[Finding]:
    places, path = programme.places, ("assumptions", name)
    given = [key for key in ("at_least", "at_most") if (PROGRAMME_FILE, (*path, key)) in places.values]
    if len(given) != 1:
        detail = f"`assumptions.{name}` has {'both bounds' if given else 'no bound'}; it needs one of the two."
        fix = "Write `at_least:` or `at_most:`, the one beyond which the belief is wrong."
        yield problem("TYPE01", places.of_key(PROGRAMME_FILE, *path), detail, fix)
    if assumption.measure is None:
        return
    where = places.of(PROGRAMME_FILE, *path, "measure")
    try:
        measure = parse_measure(assumption.measure)
    except ValueError as error:
        yield problem("TYPE01", where, f"`assumptions.{name}.measure`: {error}.", "Write it in one of these forms.")
        return
    reference = _measured(measure, (*path, "measure"))
    yield from _dangling(programme, known, PROGRAMME_FILE, [reference])


def _measured(measure: Measure, path: Path_) -> Reference:
    if isinstance(measure, DataMeasure):
        return Reference(path, Kind.DATA, measure.data)
    if isinstance(measure, ActualsMeasure):
        return Reference(path, Kind.USE_CASE, measure.use_case)
    return Reference(path, Kind.KPI, f"{measure.workflow}.{measure.kpi}")

"""People: able to use what is live, and using it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.use_case import Stage
from trueup.declare.programme import PROGRAMME_FILE, workflow_file
from trueup.evidence.weekly import share_interval_of_week
from trueup.kernel.errors import DataError
from trueup.kernel.quantities import BarKind
from trueup.loop.facts.recorded import recorded_training
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trueup.declare.model.workflow import Workflow
    from trueup.loop.findings.seen import Found, Seen
    from trueup.observe.people import WorkflowPerson

_NAMED = 3


def untrained(seen: Seen) -> Iterator[Found]:
    """PPL01: eligible users of a live workflow without training, or adoption surely below its target."""
    people = _people(seen)
    for name, workflow in seen.workflows():
        if seen.stage(workflow) is not Stage.PRODUCTION:
            continue
        yield from _without_training(seen, name, people)
        yield from _unused(seen, name, workflow)


def _people(seen: Seen) -> Sequence[WorkflowPerson]:
    try:
        return seen.bench.observations.people()
    except DataError:
        return ()


def _without_training(seen: Seen, name: str, people: Sequence[WorkflowPerson]) -> Iterator[Found]:
    rows = [one for one in people if one.workflow == name and one.eligible]
    known = [*rows, *(one for one in recorded_training(seen.entries) if one.workflow == name)]
    trained = {one.person for one in known if one.trained_on is not None and one.trained_on <= seen.as_of}
    missing = sorted({one.person for one in rows} - trained)
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        eligible = len({one.person for one in rows})
        detail = f"{len(missing)} of {eligible} eligible people of {name!r} are not trained: {some}."
        fix = (
            f"Train them, and put it on record:\n    trueup record DIR training --workflow {name} --person WHO --by WHO"
        )
        yield seen.found("PPL01", name, seen.place(PROGRAMME_FILE, "actuals", "people"), detail, fix, "training")


def _unused(seen: Seen, name: str, workflow: Workflow) -> Iterator[Found]:
    for kpi_name, kpi in workflow.kpis.items():
        target = kpi.target
        among_treated = kpi.share is not None and kpi.share.among == "treated"
        if kpi.kind is not KpiKind.SHARE or not among_treated or target is None or target.kind is not BarKind.LEVEL:
            continue
        try:
            rows = seen.bench.observations.observer().weekly(name, seen.as_of, kpis=[kpi_name])
        except DataError:
            continue
        treated = [row for row in rows if row.arm == Arm.TREATED and row.segment is None]
        n, events = sum(row.n for row in treated), sum(row.events for row in treated)
        share = share_interval_of_week(events, n)
        if n and share.upper < target.value:
            detail = f"{kpi_name} of {name!r} is {share.estimate:.0%} of {n} treated cases; {target} is the target."
            fix = "Ask those who do not use it, before anything is built on."
            where = seen.place(workflow_file(name), "kpis", kpi_name, "target")
            yield seen.found("PPL01", name, where, detail, fix, f"adoption {kpi_name}")


RULES = (untrained,)

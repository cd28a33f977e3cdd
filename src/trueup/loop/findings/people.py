"""People: able to use what is live, using it, and not dependent on whoever sold it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.decide.bars import Side, contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.declare.model.use_case import Stage
from trueup.declare.programme import PROGRAMME_FILE, workflow_file
from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError
from trueup.loop.facts.people import behind_plan, below_level, people_of
from trueup.loop.pilots.comparisons import PilotView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.people import Supplier
    from trueup.declare.model.workflow import Workflow
    from trueup.loop.facts.people import People
    from trueup.loop.findings.seen import Found, Seen

_NAMED = 3
NINETY_DAYS = timedelta(days=90)


def untrained(seen: Seen) -> Iterator[Found]:
    """PPL01: users of what is live without training, training behind its plan, or use surely below its target."""
    for name, workflow in seen.living():
        known_people = people_of(seen.bench, name, seen.as_of)
        yield from _behind_plan(seen, name, known_people)
        if seen.stage(workflow) is Stage.PRODUCTION:
            yield from _without_training(seen, name, known_people)
            yield from _unused(seen, name, workflow, known_people)


def _without_training(seen: Seen, name: str, people: People) -> Iterator[Found]:
    missing, eligible = people.untrained, people.eligible or ()
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        detail = f"{len(missing)} of {len(eligible)} eligible people of {name!r} are not trained: {some}."
        fix = (
            f"Train them, and put it on record:\n    trueup record DIR training --workflow {name} --person WHO --by WHO"
        )
        yield seen.found("PPL01", name, seen.place(PROGRAMME_FILE, "actuals", "people"), detail, fix, "training")


def _behind_plan(seen: Seen, name: str, people: People) -> Iterator[Found]:
    plan = people.plan
    if plan is not None and behind_plan(people, seen.as_of):
        detail = f"{len(people.trained or ())} people of {name!r} are known to be trained; {plan.text!r} was the plan."
        fix = (
            "Train them and put it on record, or write the plan that can be kept:\n"
            f"    trueup record DIR training --workflow {name} --person WHO --by WHO"
        )
        where = seen.place(workflow_file(name), "pilot", "scale_plan", "training")
        yield seen.found("PPL01", name, where, detail, fix, "plan")


def _unused(seen: Seen, name: str, workflow: Workflow, people: People) -> Iterator[Found]:
    fix = "Ask those who do not use it, before anything is built on."
    cases, users = people.cases, people.users
    if cases is not None and below_level(cases):
        where = seen.place(workflow_file(name), "kpis", cases.kpi, "target")
        detail = (
            f"{cases.kpi} of {name!r} is {cases.interval.estimate:.0%} of {cases.n} treated cases "
            f"[{cases.interval.lower:.0%}, {cases.interval.upper:.0%}]; {cases.target} is the target."
        )
        yield seen.found("PPL01", name, where, detail, fix, f"adoption {cases.kpi}")
    share = users.share if users else None
    if users is not None and users.target is not None and share is not None and share < users.target:
        within = workflow.adoption.within if workflow.adoption and workflow.adoption.within else "28d"
        detail = (
            f"{users.users} of {users.eligible} eligible people used {name!r} within {within} ({share:.0%}); "
            f"{users.target:.0%} is the target."
        )
        where = seen.place(workflow_file(name), "adoption", "people_at_least")
        yield seen.found("PPL01", name, where, detail, fix, "adoption among people")


def unkept_promise(seen: Seen) -> Iterator[Found]:
    """PPL03: 90 days after a supplier began, the KPI that it promised to move has surely not moved so far."""
    for name, supplier in sorted(seen.bench.programme.file.suppliers.items()):
        workflow, _, kpi = (supplier.kpi or "").partition(".")
        begun = start_of_day(supplier.since) if supplier.since else None
        looked_at = seen.whole or workflow == seen.only
        if begun is None or supplier.expected is None or not looked_at or seen.as_of < begun + NINETY_DAYS:
            continue
        detail = _short_of(seen, workflow, kpi, supplier)
        if detail is not None:
            where = seen.place(PROGRAMME_FILE, "suppliers", name, "expected")
            fix = "Hold the supplier to it, or end it while that is cheap."
            detail = f"{name!r} promised {supplier.expected} of {supplier.kpi}: {detail}"
            yield seen.found("PPL03", name, where, detail, fix, "promise")


def _short_of(seen: Seen, name: str, kpi: str, supplier: Supplier) -> str | None:
    """Say what was measured where it is surely short of the promise; None where it is not, or nothing can say."""
    workflow, registration = seen.bench.programme.workflows.get(name), seen.bench.programme.registrations.get(name)
    if workflow is None or registration is None or kpi not in registration.kpis or kpi not in workflow.kpis:
        return None
    view = PilotView(name, workflow, registration, seen.bench.observations.observer())
    if seen.as_of <= view.starts:
        return None
    try:
        compared = view.compare(kpi, seen.as_of)
    except DataError:
        return None
    contrast = contrast_of(supplier.expected, workflow.kpis[kpi].sign)
    if compared.too_few() is not None or contrast.side(compared.at_gate(ALPHA, contrast.ratio)) is not Side.BAD:
        return None
    plain = compared.at_gate(ALPHA)
    ends = [known(end) for end in (plain.lower, plain.upper)]
    lower, upper = ("unknown" if end is None else f"{end:+.3g}" for end in ends)
    return f"{plain.estimate:+.3g} {compared.unit} [{lower}, {upper}] after {(seen.as_of - view.starts).days} days."


RULES = (untrained, unkept_promise)

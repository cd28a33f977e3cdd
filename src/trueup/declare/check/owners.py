"""Somebody, by name, answers for every outcome: engineering cannot own one, and neither can a team."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.declare.check.rule import Hit, rule
from trueup.declare.check.subject import CHOSEN, PROPOSED, Subject, listed
from trueup.declare.model.use_case import Stage
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity
from trueup.kernel.text import shown

_RELIABILITY = ("prompts", "knowledge", "incidents", "escalation")


@rule("OWN01", Severity.ERROR, "No accountable business owner")
def accountable_owner(subject: Subject) -> Iterator[Hit]:
    """Nobody adopts what nobody answers for.

    An objective, a use case that is proposed or running, and a workflow that runs each need one person of the
    business who answers for the outcome. A team cannot be asked on a Monday why the number did not move, and a
    supplier does not carry the consequence. Ideas need no owner yet.

    Fix:
        Name one person, by the id that stands under `people` in `programme.yaml`.

    Bad:
        owner: finance-ops            # a team

    Good:
        owner: finance-lead           # declared under people
    """
    for name, objective in subject.programme.file.objectives.items():
        path = ("objectives", name, "owner")
        lacking = subject.lacks(objective, PROGRAMME_FILE, *path)
        yield from _judge(subject, f"Objective {name!r}", objective.owner, lacking, PROGRAMME_FILE, *path)
    for name, use_case, file in subject.use_cases():
        asked = use_case.stage in PROPOSED and subject.lacks(use_case, file, "owner")
        yield from _judge(subject, f"Use case {name!r}", use_case.owner, asked, file, "owner")
    for name, workflow, file in subject.workflows():
        owner = workflow.owners.business
        asked = subject.stage(workflow) in CHOSEN and subject.lacks(workflow.owners, file, "owners", "business")
        yield from _judge(subject, f"Workflow {name!r}", owner, asked, file, "owners", "business")


def _judge(subject: Subject, what: str, owner: str | None, lacking: bool, file: str, *path: str) -> Iterator[Hit]:
    where = subject.place(file, *path)
    write = f"Write `{path[-1]}: ID` with the id of one person under `people`."
    if lacking:
        yield Hit(where, f"{what} has no owner: nobody answers for its outcome.", write)
    elif owner and (reason := subject.unaccountable(owner)) is not None:
        yield Hit(where, f"{what} is owned by {shown(owner)}, which is {reason}", write)


@rule("OWN02", Severity.ERROR, "Production workflow without named owners for its reliability")
def reliability_owners(subject: Subject) -> Iterator[Hit]:
    """Reliability depends on ownership.

    In production somebody changes the prompts, somebody keeps the knowledge current, somebody answers an
    incident, and somebody is called when that is not enough. Where one of them has no name, the fault is found
    by a customer, and the first hour goes into finding out whose it is.

    Fix:
        Name a person for each of `prompts`, `knowledge`, `incidents` and `escalation` under `owners`. One person
        may hold several.

    Bad:
        owners: {business: finance-lead}

    Good:
        owners: {business: finance-lead, prompts: clerk, knowledge: clerk, incidents: finance-lead, escalation: coo}
    """
    for name, workflow, file in subject.workflows(frozenset({Stage.PRODUCTION})):
        missing = [role for role in _RELIABILITY if subject.lacks(workflow.owners, file, "owners", role)]
        if missing:
            yield Hit(
                subject.key(file, "owners"),
                f"Workflow {name!r} is in production and names nobody for {listed(missing)}.",
                f"Add under `owners`: {', '.join(f'{role}: ID' for role in missing)}.",
            )
        yield from _unknown(subject, name, workflow, file)


@rule("OWN04", Severity.ERROR, "Reliability owner who is not a person")
def real_owners(subject: Subject) -> Iterator[Hit]:
    """A name that is nobody's is worse than none: it looks as if somebody had been asked.

    Owners of prompts, knowledge, incidents and escalation may wait until production. Those that are named before
    are persons, declared under `people`. (In production this is OWN02.)

    Fix:
        Write the id of a person, or leave it out until somebody has agreed.

    Bad:
        owners: {business: finance-lead, prompts: the-vendor}

    Good:
        owners: {business: finance-lead, prompts: clerk}
    """
    for name, workflow, file in subject.workflows():
        if subject.stage(workflow) is not Stage.PRODUCTION:
            yield from _unknown(subject, name, workflow, file)


def _unknown(subject: Subject, name: str, workflow: Workflow, file: str) -> Iterator[Hit]:
    for role in _RELIABILITY:
        owner = getattr(workflow.owners, role)
        if owner and (reason := subject.unaccountable(owner)) is not None:
            detail = f"For {role} workflow {name!r} names {shown(owner)}, which is {reason}"
            yield Hit(subject.place(file, "owners", role), detail, f"Write `{role}: ID` with the id of one person.")


@rule("OWN03", Severity.WARNING, "Workstream of a pilot without a named owner")
def workstream_owners(subject: Subject) -> Iterator[Hit]:
    """Work that belongs to everybody is done by nobody.

    A pilot is integration, training, data and change work at once, each with its own pace. A named owner for each
    is a condition of the launch, because the stream without one is the stream that is late.

    Fix:
        Write the id of a person behind every workstream, or delete the workstream.

    Bad:
        workstreams: {integration: finance-lead, training: }

    Good:
        workstreams: {integration: finance-lead, training: clerk}
    """
    for name, workflow, _pilot, file in subject.pilots():
        for stream, owner in workflow.workstreams.items():
            where = subject.place(file, "workstreams", stream)
            fix = f"Write `{stream}: ID` with the id of a person under `people`."
            if not owner:
                yield Hit(where, f"Workstream {stream!r} of the pilot {name!r} has no owner.", fix)
            elif (reason := subject.unaccountable(owner)) is not None:
                detail = f"Workstream {stream!r} of the pilot {name!r} is owned by {shown(owner)}, which is {reason}"
                yield Hit(where, detail, fix)


@rule("OWN05", Severity.WARNING, "Nobody may sign a decision to scale")
def signatory(subject: Subject) -> Iterator[Hit]:
    """A gate that says go is worth nothing when nobody may say yes.

    More autonomy, a decision to scale, a copy to the next workflow and every waiver are signed by the sponsor or by
    somebody in `operating_model.decides`. Without either, the first good result waits for an appointment.

    Fix:
        Name a person as `sponsor`, or in `operating_model.decides`.

    Bad:
        programme: Finance operations

    Good:
        programme: Finance operations
        sponsor: coo
    """
    programme = subject.programme.file
    unsigned = subject.lacks(programme, PROGRAMME_FILE, "sponsor") and subject.lacks(
        programme.operating_model, PROGRAMME_FILE, "operating_model", "decides"
    )
    running = [repr(name) for name, *_ in subject.workflows(CHOSEN)]
    if unsigned and running:
        yield Hit(
            subject.place(PROGRAMME_FILE, "sponsor"),
            f"There is no sponsor and nobody decides, so no result of {listed(running)} can be scaled or waived.",
            "Add `sponsor: ID` with the id of a person under `people`.",
        )


RULES = (accountable_owner, reliability_owners, workstream_owners, real_owners, signatory)

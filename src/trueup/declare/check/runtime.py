"""A promise about errors holds only as long as a rise would be seen, and a yes only where somebody can say it."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import CHOSEN, Subject, listed
from trueup.declare.model.people import Role
from trueup.declare.model.workflow import Action, Autonomy, AutonomyLevel, Impact, Workflow
from trueup.kernel.finding import Severity


@elsewhere("RUN01", Severity.WARNING, "Low-confidence or unanswered share rising")
def unanswered() -> None:
    """What the workflow cannot answer shows where its knowledge ends.

    A rising share of unanswered or uncertain cases means that the work has moved and the knowledge has not, or that
    people bring it questions that it was never made for.

    Fix:
        Read the topics that the finding names, and fill the first of them, or route them elsewhere.

    Bad:
        unanswered: {kpi: unanswered, topic: category}      # 4% -> 11% in six weeks; most of it: travel abroad

    Good:
        knowledge: [knowledge/expenses/*.md, knowledge/travel/*.md]
    """


@elsewhere("RUN02", Severity.WARNING, "Exceptions above what the workflow can absorb")
def exceptions() -> None:
    """Weak handling of exceptions kills pilots.

    Every exception goes to a person. Above the declared share the people who were to be relieved have more to do
    than before, and they stop using it.

    Fix:
        Take the commonest exception into the workflow, or out of its scope.

    Bad:
        exceptions: {at_most: 10%, kpi: escalation_rate}    # 17% measured

    Good:
        scope: domestic declarations up to 500; the rest goes the old way
    """


@elsewhere("RUN03", Severity.ERROR, "Error rate of automatic actions can no longer be bounded as promised")
def unbounded_errors() -> None:
    """Autonomy was granted on a bound; when the bound cannot be promised any more, it is taken back at once.

    Fix:
        Review what was done alone since the change, find what changed (model, prompt, tool, input), and earn the
        level again on fresh evidence.

    Bad:
        autonomy: {level: act, wrong_at_most: 3%}      # upper end of the bound: 4.4%

    Good:
        autonomy: {level: approve, wrong_at_most: 3%}
    """


@elsewhere("RUN04", Severity.WARNING, "Input or output of the model has drifted")
def drift() -> None:
    """Models degrade without anybody touching them: the world that they were made for moves.

    Fix:
        Compare the segments that the finding names with those of the baseline; retrain, or narrow the scope.

    Bad:
        population stability index .31 over budget_number since January

    Good:
        retraining is budgeted, and done when the drift is confirmed on reviewed cases
    """


@elsewhere("RUN05", Severity.WARNING, "High-impact action without an outcome, or with a reversal never rehearsed")
def missing_outcome() -> None:
    """Attempts are not outcomes.

    An action that was allowed and whose effect nobody recorded may have happened twice, or not at all. A reversal
    that was never tried is a hope.

    Fix:
        Record the outcome, and rehearse the reversal before the workflow may act.

    Bad:
        approve: {impact: high, reversible_by: erp.declaration.reopen}      # never called

    Good:
        the rehearsal stands in the ledger as a checklist entry
    """


@rule("RUN06", Severity.WARNING, "A rise in errors that cannot be detected in time", complete=False)
def detectable_rise(subject: Subject) -> Iterator[Hit]:
    """Automatic demotion that cannot fire is a promise on paper.

    Whether a rise is seen depends on how far it lies above what is accepted, and on how many outcomes are reviewed
    in time. A rise to what is allowed anyway is no rise; a limit of zero can never be shown to be kept; being sure
    to 100% takes all cases there will ever be; a workflow that may act alone with no `detect` is watched by nobody;
    and where a confidence decides what is done alone, outcomes of a log that tells none say nothing of it.
    The volume and the share in review are judged once there is data.

    Fix:
        Set `detect.rise_to` well above `wrong_at_most`, and both within reach of the volume.

    Bad:
        autonomy: {may_reach: act, wrong_at_most: 3%, sure: 95%, detect: {rise_to: 3%, within: 4w}}

    Good:
        autonomy: {may_reach: act, wrong_at_most: 3%, sure: 95%, detect: {rise_to: 10%, within: 4w}}
    """
    for name, workflow, file in subject.workflows():
        autonomy = workflow.autonomy
        if autonomy is None:
            continue
        for path, detail, fix in _impossible(autonomy):
            yield Hit(subject.place(file, "autonomy", *path), f"In workflow {name!r} {detail}.", fix)
        if _unheard(workflow, autonomy):
            yield Hit(
                subject.place(file, "autonomy", "reviewed"),
                f"Workflow {name!r} acts alone from a confidence on, and its log does not say how sure an answer was: "
                "no outcome counts.",
                "Name the field of the log: `health: {confidence: FIELD}`.",
            )
        alone = AutonomyLevel.ACT in {autonomy.level, autonomy.may_reach}
        if alone and subject.stage(workflow) in CHOSEN and subject.lacks(autonomy, file, "autonomy", "detect"):
            yield Hit(
                subject.place(file, "autonomy", "detect"),
                f"Workflow {name!r} may act alone and declares no rise in errors that must be noticed.",
                "Add `detect: {rise_to: 10%, within: 4w}` under `autonomy`.",
            )


def _unheard(workflow: Workflow, autonomy: Autonomy) -> bool:
    """Tell whether a confidence is needed and the log, which holds the outcomes, does not tell any."""
    told = workflow.health is not None and workflow.health.confidence is not None
    return autonomy.reviewed is not None and autonomy.confidence is not None and not told


def _impossible(autonomy: Autonomy) -> Iterator[tuple[tuple[str, ...], str, str]]:
    limit, detect = autonomy.wrong_at_most, autonomy.detect
    if limit is not None and detect is not None and detect.rise_to <= limit:
        detail = f"a rise to {detect.rise_to * 100:g}% is to be noticed and {limit * 100:g}% is allowed anyway"
        yield ("detect", "rise_to"), detail, f"Write a `rise_to` well above {limit * 100:g}%."
    if limit == 0:
        yield (
            ("wrong_at_most",),
            "no error at all is allowed, which no number of cases can show",
            "Write a share above 0%.",
        )
    if limit == 1:
        yield (
            ("wrong_at_most",),
            "every outcome may be wrong, so no rise can ever be noticed",
            "Write a share below 100%.",
        )
    if autonomy.sure == 1:
        yield ("sure",), "the bound must be 100% sure, which takes all cases there will ever be", "Write `sure: 95%`."
    if detect is not None and detect.within.days == 0:
        yield (
            ("detect", "within"),
            "a rise is to be noticed in no time, before any outcome is reviewed",
            "Write `within: 4w`.",
        )


@elsewhere("RUN07", Severity.ERROR, "Scenario that the gate answers otherwise")
def broken_scenario() -> None:
    """What somebody declared that the gate must say, it says no more.

    A scenario is a request with the verdict that is expected of it: the refund that has to wait, the mail that must
    never leave. A policy is changed for one reason and moves another; the scenario is where that shows, before
    anything runs. `trueup apply` refuses what would break one.

    Fix:
        Correct the policy, the limit or the level; or, where the other answer is wanted by now, the scenario.

    Bad:
        large-refund: {request: {tool: erp.refund, arguments: {amount: 900}}, verdict: hold}     # it is allowed

    Good:
        refund: {tool: erp.refund, impact: high, approval: always}
    """


@rule("RUN08", Severity.WARNING, "Fewer people may approve than an action needs")
def enough_approvers(subject: Subject) -> Iterator[Hit]:
    """An approval that nobody can give is a no that nobody said.

    Everybody who says yes is another person, and whoever asked is none of them. Where fewer are declared than an
    action needs, each such request waits until it expires.

    Fix:
        Name more `approvers`, give people the role approver or owner, or lower `approvers_needed`.

    Bad:
        pay: {tool: erp.pay, impact: high, approval: always, approvers: [finance-lead], approvers_needed: 2}

    Good:
        pay: {tool: erp.pay, impact: high, approval: always, approvers: [finance-lead, coo], approvers_needed: 2}
    """
    if not subject.people_read:
        return
    for name, workflow, file in subject.workflows():
        for key, action in workflow.actions.items():
            able = _able(subject, workflow, action)
            if _asks_people(action) and len(able) < action.approvers_needed:
                who = listed([repr(one) for one in sorted(able)]) or "nobody"
                yield Hit(
                    subject.place(file, "actions", key, "approvers"),
                    f"Action {key!r} of {name!r} needs {_people(action.approvers_needed)} to say yes, and {who} may.",
                    "Name enough `approvers`; whoever asked does not count.",
                )


def _asks_people(action: Action) -> bool:
    """Tell whether a person is ever asked: high impact, and what nobody declared, always; a plain read never."""
    if action.impact in {Impact.HIGH, None} or action.approval in {"always", "until-act"}:
        return True
    return action.approval is None and (action.impact is not Impact.NONE or bool(action.egress))


def _able(subject: Subject, workflow: Workflow, action: Action) -> set[str]:
    """Return who may decide: those named, else by their role, and whom it is handed on to where it gets old."""
    people = subject.programme.file.people
    named = {who for who in action.approvers if who in people}
    by_role = {who for who, person in people.items() if {Role.APPROVER, Role.OWNER} & set(person.roles)}
    later = {workflow.owners.escalation} & set(people) if action.escalate_after is not None else set()
    return (named if action.approvers else by_role) | {who for who in later if who}


def _people(count: int) -> str:
    return "somebody" if count == 1 else f"{count} people"


RULES = (
    unanswered,
    exceptions,
    unbounded_errors,
    drift,
    missing_outcome,
    detectable_rise,
    broken_scenario,
    enough_approvers,
)

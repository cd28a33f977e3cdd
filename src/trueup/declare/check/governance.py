"""What must not happen is decided before it can: by a person at the gate, a rule for the data, a plan for the day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from trueup.declare.cedar import names, policies
from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import CHOSEN, PROPOSED, Subject, listed
from trueup.declare.model.data import DataSource
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Impact
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity, Span
from trueup.kernel.text import did_you_mean

_COUNTED = re.compile(r"(?:\w+_)?per_(?:minute|hour|day|week|month|year|case|run|person)|budget|total|count")
_WINDOWS = ("per_minute", "per_hour", "per_day", "per_week", "per_month", "per_case", "budget")


@rule("GOV01", Severity.ERROR, "Action with high impact that needs no approval")
def human_gate(subject: Subject) -> Iterator[Hit]:
    """The human gate is part of the design, not a setting for later.

    An action with high impact changes the world in a way that is dear to undo. It asks a person always, or until the
    workflow has earned the level `act` on evidence; it never simply goes through. Saying nothing about approval is
    the same as asking nobody.

    Fix:
        Write `approval: until-act` (autonomy and sampling guard it then) or `approval: always`.

    Bad:
        approve: {tool: erp.declaration.approve, impact: high, approval: never}

    Good:
        approve: {tool: erp.declaration.approve, impact: high, approval: until-act, approvers: [finance-lead]}
    """
    for name, workflow, file in subject.workflows():
        for action_name, action in workflow.actions.items():
            open_ = action.approval == "never" or subject.lacks(action, file, "actions", action_name, "approval")
            if action.impact is Impact.HIGH and open_:
                says = "declares `approval: never`" if action.approval else "declares no approval"
                yield Hit(
                    subject.place(file, "actions", action_name, "approval"),
                    f"Action {action_name!r} of {name!r} has high impact and {says}: no person stands before it.",
                    "Write `approval: until-act` or `approval: always`, and name its `approvers`.",
                )


@rule("GOV02", Severity.ERROR, "Data without a rule for its handling")
def handling(subject: Subject) -> Iterator[Hit]:
    """The rule must exist before the data flows.

    A level of sensitivity means what is masked, which models may see it and how long it is kept; a level without a
    rule means nothing. Personal data that is neither masked nor has a recorded lawful basis may not be used at all.

    Fix:
        Declare the level under `sensitivity`; for personal data record the `lawful_basis`, and mask what is not needed.

    Bad:
        data: {declarations: {source: data/declarations.csv, sensitivity: confidential}}      # sensitivity: is empty

    Good:
        sensitivity: {confidential: {mask: [email, phone, iban], models: [on-premises], retain: 400d}}
    """
    programme = subject.programme.file
    data = [(f"Data {id_!r}", one.sensitivity, (PROGRAMME_FILE, "data", id_)) for id_, one in programme.data.items()]
    work = [(f"Workflow {id_!r}", one.sensitivity, (file,)) for id_, one, file in subject.workflows()]
    for what, level, at in [*data, *work]:
        declared = (PROGRAMME_FILE, ("sensitivity", level or "")) in subject.programme.places.values
        if level and level not in programme.sensitivity and not declared:
            yield Hit(
                subject.place(*at, "sensitivity"),
                f"{what} is {level!r} and no rule says how it is handled.{did_you_mean(level, programme.sensitivity)}",
                f"Add `sensitivity: {{{level}: {{mask: [...], models: [...], retain: 400d}}}}`.",
            )
    for name, use_case, file in subject.use_cases(CHOSEN):
        if _lacks_basis(subject, use_case, file) and not _masked(subject, name, use_case):
            yield Hit(
                subject.place(file, "risk", "lawful_basis"),
                f"Use case {name!r} uses personal data that is not masked, and records no lawful basis.",
                "Add `risk.lawful_basis`, and `mask` to the sensitivity level of its data.",
            )


def _lacks_basis(subject: Subject, use_case: UseCase, file: str) -> bool:
    risk = use_case.risk
    return risk is not None and risk.personal_data is True and subject.lacks(risk, file, "risk", "lawful_basis")


def _masked(subject: Subject, name: str, use_case: UseCase) -> bool:
    """Tell whether every declared source of a use case is of a level that masks something."""
    sources = list(_sources(subject, name, use_case))
    levels = subject.programme.file.sensitivity
    return bool(sources) and all(source.sensitivity in levels and levels[source.sensitivity].mask for source in sources)


def _sources(subject: Subject, name: str, use_case: UseCase) -> Iterator[DataSource]:
    data = use_case.feasibility.data if use_case.feasibility is not None else None
    ids = {str(data).removeprefix("data.")} if data is not None else set()
    for other in subject.workflows_of[name]:
        events = subject.programme.workflows[other].events
        ids |= {events.data} if events is not None and events.data else set()
    return (source for key, source in subject.programme.file.data.items() if key in ids)


@rule("GOV03", Severity.ERROR, "Policy that can never match, or cannot be used", complete=False)
def matching_policy(subject: Subject) -> Iterator[Hit]:
    """A policy that silently does nothing is worse than none: somebody relies on it.

    A policy that names an action, a tool or a workflow that is not declared, or a limit on a field that nothing
    declares, will never apply. The files alone show these; what only compiling shows is found later: a policy that is
    not Cedar, or reads what may be missing without asking for it, closes the gate until it is mended.

    Fix:
        Correct the name (the finding says what comes close), or declare what it names.

    Bad:
        forbid(principal, action == Action::"aprove", resource);

    Good:
        forbid(principal, action == Action::"approve", resource);
    """
    if subject.all_workflows_read:
        for file, text in policies(subject.programme.root):
            yield from _policy(subject, file, text)
    for name, workflow, file in subject.workflows():
        for action_name in workflow.actions:
            yield from _limits(subject, name, action_name, file)


def _policy(subject: Subject, file: str, text: str | None) -> Iterator[Hit]:
    if text is None:
        yield Hit(Span(file), f"{file} cannot be read as text, so nothing in it applies.", "Save it as UTF-8 text.")
    known = _vocabulary(subject)
    for named in names(text or ""):
        there = known[named.kind]
        if not any(fnmatchcase(name, _exact(named.name)) for name in there):
            pattern = " matches" if "*" in named.name else " is declared as"
            yield Hit(
                Span(file, named.line, named.col),
                f"No {named.kind}{pattern} {named.name!r}, so this never applies.{did_you_mean(named.name, there)}",
                f"Name a declared {named.kind}, or declare it in a workflow.",
            )


def _exact(pattern: str) -> str:
    """Return a pattern for fnmatch in which `*` is the only wildcard."""
    return re.sub(r"([?\[])", r"[\1]", pattern)


def _vocabulary(subject: Subject) -> dict[str, set[str]]:
    """Return every name that a policy may use. Impacts stand for the groups of actions that have them."""
    workflows = subject.programme.workflows
    actions = [(name, key, action) for name, workflow in workflows.items() for key, action in workflow.actions.items()]
    tools = {tool for _name, _key, action in actions for tool in (action.tool, action.reversible_by) if tool}
    ids = {key for _name, key, _action in actions} | {f"{name}.{key}" for name, key, _action in actions}
    return {"action": ids | tools | {str(impact) for impact in Impact}, "tool": tools, "workflow": set(workflows)}


def _limits(subject: Subject, name: str, action_name: str, file: str) -> Iterator[Hit]:
    workflow = subject.programme.workflows[name]
    action = workflow.actions[action_name]
    data = (workflow.events.data if workflow.events is not None else None) or ""
    source = subject.programme.file.data.get(data)
    # Without declared fields the columns of the source are not known from the files alone.
    if source is None or not source.fields:
        return
    known = {*source.fields, *source.fields.values(), *source.expects, *action.egress}
    for field in action.limits:
        if field not in known and not _COUNTED.fullmatch(field):
            yield Hit(
                subject.key(file, "actions", action_name, "limits", field),
                f"Action {action_name!r} of {name!r} is limited by {field!r}, which is no declared field of {data!r}: "
                f"the limit never applies.{did_you_mean(field, {*known, *_WINDOWS})}",
                f"Write one of {', '.join(sorted(source.fields))}, {', '.join(_WINDOWS)}, "
                f"or declare it under `data.{data}.fields`.",
            )


@rule("GOV04", Severity.WARNING, "No incident plan")
def incident_plan(subject: Subject) -> Iterator[Hit]:
    """A rollback that was decided in advance is fast; one that is discussed during the incident is not.

    Before anything runs it is known what counts as an incident and how severe it is, what is done first, whom to
    tell, and within which time.

    Fix:
        Declare the incidents that can happen, each with `severity`, `first`, `tell` and `within`.

    Bad:
        incidents: {wrong-payment: {severity: 1}}

    Good:
        incidents: {wrong-payment: {severity: 1, tell: [coo], within: 1h, first: rollback}}
    """
    programme = subject.programme.file
    running = [name for name, *_ in subject.workflows(CHOSEN)]
    if running and subject.lacks(programme, PROGRAMME_FILE, "incidents"):
        yield Hit(
            subject.place(PROGRAMME_FILE, "incidents"),
            f"No incident is declared, and {listed([repr(name) for name in running])} "
            f"{'is' if len(running) == 1 else 'are'} in a pilot or in production.",
            "Add `incidents: {NAME: {severity: 1, tell: [ID], within: 1h, first: rollback}}`.",
        )
    for name, incident in programme.incidents.items():
        keys = ("first", "tell", "within")
        missing = [key for key in keys if subject.lacks(incident, PROGRAMME_FILE, "incidents", name, key)]
        if missing:
            yield Hit(
                subject.key(PROGRAMME_FILE, "incidents", name),
                f"The plan for incident {name!r} does not say {listed([_ASKS[key] for key in missing])}.",
                f"Add {listed([f'`{key}`' for key in missing])}.",
            )


_ASKS = {"first": "what is done first", "tell": "whom to tell", "within": "how soon"}


@rule("GOV05", Severity.WARNING, "Customer-facing output without a review of facts and brand")
def reviewed_output(subject: Subject) -> Iterator[Hit]:
    """Errors reach customers, and a customer does not tell a model's error from the company's word.

    What customers read is checked for its facts against the sources, and for how the company speaks, before it
    leaves.

    Fix:
        Require both checks in the workflow.

    Bad:
        faces: customer               # and in the workflow checks: {factuality: required, brand_voice: none}

    Good:
        checks: {factuality: required, brand_voice: required}
    """
    for name, workflow, file in subject.workflows(CHOSEN):
        use_case = subject.programme.use_cases.get(workflow.use_case or "")
        if use_case is None or use_case.faces != "customer":
            continue
        checks = workflow.checks
        missing = [
            key
            for key in ("factuality", "brand_voice")
            if getattr(checks, key, None) == "none" or subject.lacks(checks, file, "checks", key)
        ]
        if missing:
            yield Hit(
                subject.place(file, "checks", missing[0]),
                f"Customers read what {name!r} writes, and {listed(missing)} is not checked before it leaves.",
                f"Write {listed([f'`{key}: required`' for key in missing])} under `checks`.",
            )


@rule("GOV06", Severity.WARNING, "Risk class missing, or its obligations uncovered")
def risk_class(subject: Subject) -> Iterator[Hit]:
    """Regulation follows the use, not the model.

    The same model is harmless in one use and forbidden in another, so every proposed use case has its own class. A
    high class brings duties that the files show: data whose validity is stated (`expects`), a bound on differences
    between groups (`groups`), a person to whom it is escalated. Personal data needs a lawful basis, masked or not.

    Fix:
        Write `risk.eu_ai_act` (prohibited, high, limited, minimal) and `risk.personal_data`, and declare what the class
        asks for.

    Bad:
        risk: {personal_data: true}

    Good:
        risk: {eu_ai_act: limited, personal_data: true, lawful_basis: legitimate-interests, affects: employees}
    """
    for name, use_case, file in subject.use_cases(PROPOSED):
        if subject.lacks(use_case.risk, file, "risk", "eu_ai_act"):
            yield Hit(
                subject.place(file, "risk", "eu_ai_act"),
                f"Use case {name!r} has no risk class, so nobody knows which duties it brings.",
                "Add `risk: {eu_ai_act: CLASS}`: prohibited, high, limited or minimal.",
            )
        for key, detail, fix in _uncovered(subject, name, use_case, file):
            yield Hit(subject.place(file, "risk", key), f"Use case {name!r} {detail}.", fix)


def _uncovered(subject: Subject, name: str, use_case: UseCase, file: str) -> Iterator[tuple[str, str, str]]:
    risk = use_case.risk
    if risk is None:
        return
    if risk.eu_ai_act == "prohibited":
        yield "eu_ai_act", f"is prohibited and still at stage {use_case.stage}", "Set `stage: stopped`."
    if use_case.stage not in CHOSEN:
        return
    if subject.lacks(risk, file, "risk", "personal_data"):
        yield (
            "personal_data",
            "does not say whether it uses personal data",
            "Add `risk.personal_data: true` or `false`.",
        )
    if _lacks_basis(subject, use_case, file) and _masked(subject, name, use_case):
        yield "lawful_basis", "uses personal data, masked, and records no lawful basis", "Add `risk.lawful_basis`."
    if risk.eu_ai_act == "high":
        missing = _high_duties(subject, name, use_case)
        if missing:
            yield (
                "eu_ai_act",
                f"is of high risk and lacks {listed(missing)}",
                "Declare them, or waive this with a reason.",
            )


def _high_duties(subject: Subject, name: str, use_case: UseCase) -> list[str]:
    workflows = [subject.programme.workflows[other] for other in subject.workflows_of[name]]
    covered = {
        "a bound on differences between groups (`groups`)": all(other.groups for other in workflows),
        "a person to whom it is escalated (`owners.escalation`)": all(other.owners.escalation for other in workflows),
        "data whose validity is stated (`expects`)": all(
            source.expects for source in _sources(subject, name, use_case)
        ),
    }
    return [duty for duty, kept in covered.items() if not kept]


@elsewhere("GOV07", Severity.WARNING, "Approvals rubber-stamped, or starving")
def hollow_approvals() -> None:
    """An approval that nobody reads is not a control.

    Seconds for each decision and a yes every time mean that the approver has become part of the automation. Items
    that wait past their limit mean that there is no approver.

    Fix:
        Fewer and better questions: batch what is alike, raise the limits of what is harmless, name a second approver.

    Bad:
        214 approvals, 100% yes, median 3 seconds

    Good:
        31 approvals of what exceeds the limits, 9% edited, median 70 seconds
    """


@elsewhere("GOV08", Severity.WARNING, "Outcome rates differ between groups beyond the declared bound")
def unequal_groups() -> None:
    """Ethics are checks, not statements.

    When one group is refused more often than the declared bound allows, either the work differs between the groups
    or the workflow treats them differently; both are answers that somebody has to give.

    Fix:
        Compare like with like (case mix), look at the cases that the finding names, and take autonomy back until it
        is explained.

    Bad:
        groups: {field: department, rates_within: 5pp}      # 11 pp apart

    Good:
        the difference is explained by the case mix, on record, and within 5 pp at equal mix
    """


@rule("GOV09", Severity.WARNING, "Model of a kind that its data does not allow")
def permitted_model(subject: Subject) -> Iterator[Hit]:
    """The level of sensitivity of the data says which kinds of model may see it.

    The runtime refuses the call; better to see it here than on the first day.

    Fix:
        Choose a model of a permitted kind, or change the rule where the people who made it agree.

    Bad:
        model: {name: env:TRUEUP_MODEL, kind: us-cloud}      # confidential: {models: [on-premises, eu]}

    Good:
        model: {name: env:TRUEUP_MODEL, kind: on-premises}
    """
    programme = subject.programme.file
    for name, workflow, file in subject.workflows():
        source = programme.data.get(workflow.events.data or "") if workflow.events is not None else None
        kind = workflow.model.kind if workflow.model is not None else None
        for name_of in dict.fromkeys((workflow.sensitivity or "", (source.sensitivity if source else None) or "")):
            level = programme.sensitivity.get(name_of)
            if level is not None and kind and level.models and kind not in level.models:
                yield Hit(
                    subject.place(file, "model", "kind"),
                    f"Workflow {name!r} uses a model of kind {kind!r}; {name_of!r} data may go to "
                    f"{listed([repr(model) for model in level.models])} only.",
                    f"Write `kind: {level.models[0]}`, or change `sensitivity.{name_of}.models`.",
                )


RULES = (
    human_gate,
    handling,
    matching_policy,
    incident_plan,
    reviewed_output,
    risk_class,
    hollow_approvals,
    unequal_groups,
    permitted_model,
)

"""A KPI measures what people get out of the work, against a baseline that was locked before it began."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import ABOUT_TO_LAUNCH, Subject, listed, shifted
from trueup.declare.model.kpi import Kpi, KpiKind
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import PROGRAMME_FILE, registration_file
from trueup.kernel.finding import Severity
from trueup.kernel.quantities import Bar, BarKind

_MODEL_WORDS = re.compile(
    "accuracy|precision|recall|f1|auc|auroc|roc|bleu|rouge|perplexity|loss|logloss|mape|rmse|mae|confidence"
)
_QUALITY_WORDS = re.compile(
    "quality|errors?|defects?|rework|reopened|rejected|complaints?|satisfaction|csat|nps|wrong|correct|corrections|"
    "first|returned|reversed|accuracy"
)
_ADOPTION_WORDS = re.compile("adoption|usage|used|users|active|drafted")
_WEEKS_NEEDED = 8


@rule("KPI01", Severity.WARNING, "Pilot without a locked baseline", complete=False)
def locked_baseline(subject: Subject) -> Iterator[Hit]:
    """A claim of improvement is a comparison, and half of it lies before the start.

    A baseline that is chosen after the result can be chosen to suit it. Locked before the launch, with its
    definitions, its bars and its hash in the ledger, the comparison can be checked by somebody who doubts it. A
    baseline that is locked late still counts and is marked `registered_late` wherever its verdict is shown.

    Fix:
        Lock it before the pilot starts:

          trueup baseline DIR WORKFLOW --by OWNER

    Bad:
        pilot: {starts: 2018-01-06}       # and no registrations/expense-approval.yaml

    Good:
        pilot: {starts: 2018-01-06}       # registrations/expense-approval.yaml was written by baseline
    """
    for name, _workflow, pilot, file in subject.pilots():
        registration = registration_file(name)
        locked = name in subject.programme.registrations or (subject.programme.root / registration).exists()
        if pilot.starts is None or locked:
            continue
        days = (pilot.starts - subject.today).days
        if days > ABOUT_TO_LAUNCH:
            continue
        when = f"starts on {pilot.starts}" if days > 0 else f"started on {pilot.starts}"
        yield Hit(
            subject.place(file, "pilot", "starts"),
            f"The pilot {name!r} {when} and {registration} does not exist: what it promised is not on record.",
            f"Run `trueup baseline . {name} --by OWNER`.",
        )


@rule("KPI02", Severity.WARNING, "Success measured by model accuracy alone")
def beyond_accuracy(subject: Subject) -> Iterator[Hit]:
    """A model that is right 94% of the time in a workflow that no one uses is worth nothing.

    Accuracy says how good a component is. Whether people use it (adoption), whether work gets faster or cheaper
    (operation) and whether its results are better (quality of the outcome) are other questions, and the business
    pays for their answers.

    Fix:
        Declare at least one KPI of adoption, of the operation, or of the quality of the outcome, computed from the
        events of the workflow.

    Bad:
        kpis:
          model_accuracy: {share: {with: [prediction right]}, better: higher}

    Good:
        kpis:
          cycle_time: {duration: {from: first Submitted, to: last Paid}, better: lower}
          adoption:   {share: {with: [drafted by assistant], among: treated}, better: higher}
    """
    for name, workflow, file in subject.workflows():
        if workflow.kpis and all(_about_model(kpi_name, kpi) for kpi_name, kpi in workflow.kpis.items()):
            yield Hit(
                subject.key(file, "kpis"),
                f"Workflow {name!r} measures only its model ({listed(sorted(workflow.kpis))}): "
                "nothing says whether anybody uses it, or what the work gains.",
                "Add a KPI of adoption, operation or quality of the outcome under `kpis`.",
            )


def _about_model(name: str, kpi: Kpi) -> bool:
    operational = kpi.kind in {KpiKind.DURATION, KpiKind.THROUGHPUT}
    return not operational and _says(name, _MODEL_WORDS)


@rule("KPI03", Severity.WARNING, "Output is counted and its quality is not")
def quality_beside_volume(subject: Subject) -> Iterator[Hit]:
    """Activity is not impact.

    A count of things produced rises when people produce more, whether or not anybody needed them. Beside every
    count of output stands a KPI that falls when the output is bad: cases without a rejection, rework, complaints.

    Fix:
        Add a KPI of quality to the workflow, and make it a guardrail of the pilot.

    Bad:
        kpis:
          letters_written: {throughput: {of: [Letter Sent]}, better: higher}

    Good:
        kpis:
          letters_written: {throughput: {of: [Letter Sent]}, better: higher}
          first_time_right: {share: {without: [Letter Corrected]}, better: higher}
    """
    for name, workflow, file in subject.workflows():
        if any(_about_quality(kpi_name, kpi) for kpi_name, kpi in workflow.kpis.items()):
            continue
        for kpi_name, kpi in workflow.kpis.items():
            if _about_volume(kpi):
                yield Hit(
                    subject.place(file, "kpis", kpi_name, kpi.kind.value),
                    f"KPI {kpi_name!r} of {name!r} counts output, and no KPI beside it falls when the output is bad.",
                    "Add a KPI of quality, for example `{share: {without: [Rejected*]}, better: higher}`.",
                )


def _about_volume(kpi: Kpi) -> bool:
    return (kpi.throughput is not None and kpi.better != "lower") or (kpi.count is not None and kpi.better == "higher")


def _about_quality(name: str, kpi: Kpi) -> bool:
    if kpi.share is not None:
        return kpi.share.among is None and not _says(name, _ADOPTION_WORDS)
    return _says(name, _QUALITY_WORDS) or (kpi.count is not None and kpi.better == "lower")


def _says(name: str, words: re.Pattern[str]) -> bool:
    return any(words.fullmatch(word) for word in re.findall(r"[a-z0-9]+", name.casefold()))


@elsewhere("KPI04", Severity.WARNING, "An aggregate hides a segment that got worse")
def hidden_segment() -> None:
    """An average that improves can stand on a group for which things got worse.

    The aggregate may even reverse when it is split, because the mix has moved. Those who got worse see the tool
    fail daily while the report says that it works.

    Fix:
        Look at the segments that the finding names (`trueup measure`), and decide for them on their own: leave them
        out of the scope, or repair what they need.

    Bad:
        kpi cycle_time: -12% over all; segment budget_number=77 +18%

    Good:
        scope: all budgets except 77, which waits for its own rules
    """


@elsewhere("KPI05", Severity.NOTE, "KPI flat after six to eight weeks")
def flat_kpi() -> None:
    """Six to eight weeks without movement are an answer, not a delay.

    Either the use case is the wrong one, or it is the right one built weakly: people do not use it, or it does not
    change the step that takes the time. Both call for a decision; more weeks of the same do not.

    Fix:
        Read adoption first. Used and flat: pivot to another use case. Not used: repair the work around it.

    Bad:
        week 8: cycle_time -0.4 d [-1.3, +0.5], and the plan says continue

    Good:
        week 8: stop, the next use case of the portfolio starts
    """


@elsewhere("KPI11", Severity.WARNING, "A gain that comes back as a loss downstream")
def displaced_gain() -> None:
    """What one step no longer does another may have to do: waiting moves to the next queue, haste returns as rework.

    A pilot is judged by its primary KPI. Where the work after it surely got worse by so much that what is left of the
    gain is less than the smallest lift worth having, the organisation has gained nothing, whatever the gate says.

    Fix:
        Look at what comes after as part of the pilot: make it a guardrail of the next registration, widen the
        workflow to the step that pays, or stop. Another workflow is only compared with its own weeks before: see
        first whether something else happened there.

    Bad:
        handling time -2 h a case; next week's queue: waiting +2.5 h a case

    Good:
        pilot: {downstream: [waiting_for_payment, payments.rework]}     # seen beside every gate
    """


@rule("KPI06", Severity.ERROR, "Bar that asks the KPI to get worse")
def bar_direction(subject: Subject) -> Iterator[Hit]:
    """A sign in the wrong direction turns a promise into its opposite.

    Changes are written in the KPI's own direction: where lower is better an improvement is negative. A target of
    `+10%` on such a KPI would call it a success when the work takes longer.

    Fix:
        Turn the sign of the bar, or correct `better`.

    Bad:
        cycle_time: {duration: {from: first A, to: last B}, better: lower, target: +30%}

    Good:
        cycle_time: {duration: {from: first A, to: last B}, better: lower, target: -30%}
    """
    for name, workflow, file in subject.workflows():
        for kpi_name, kpi in workflow.kpis.items():
            for key, bar in (("target", kpi.target), ("worth_having", kpi.worth_having)):
                if _worse(kpi, bar):
                    yield Hit(
                        subject.place(file, "kpis", kpi_name, key),
                        f"`{key}: {bar}` on {name}.{kpi_name}, where {kpi.better} is better, asks it to get worse.",
                        f"Write `{key}: {_turned(bar)}`, or correct `better`.",
                    )
    for objective, declared in subject.programme.file.objectives.items():
        objective_kpi = subject.programme.kpi(declared.kpi or "")
        for position, target in enumerate(declared.targets):
            if objective_kpi is not None and _worse(objective_kpi, target.reach):
                yield Hit(
                    subject.place(PROGRAMME_FILE, "objectives", objective, "targets", position, "reach"),
                    f"Objective {objective!r} wants {target.reach} of {declared.kpi}, "
                    f"where {objective_kpi.better} is better: that is worse.",
                    f"Write `reach: {_turned(target.reach)}`, or correct `better` of the KPI.",
                )


def _worse(kpi: Kpi, bar: Bar | None) -> bool:
    if bar is None or kpi.better is None or bar.kind is BarKind.LEVEL:
        return False
    return bar.value * kpi.sign < 0


def _turned(bar: Bar | None) -> str:
    return "" if bar is None else ("-" if bar.value > 0 else "+") + bar.text.lstrip("+-")


@rule("KPI07", Severity.ERROR, "KPI that decides something and has no direction")
def direction(subject: Subject) -> Iterator[Hit]:
    """A bar means nothing until it is known which way is up.

    Whether an interval clears a bar, and whether a guardrail is crossed, depends on whether lower or higher is
    better. It is never guessed from the name or from a sign.

    Fix:
        Add `better: lower` or `better: higher` to the KPI.

    Bad:
        rework: {count: {of: Submitted*, beyond: 1}}              # a guardrail of the pilot

    Good:
        rework: {count: {of: Submitted*, beyond: 1}, better: lower}
    """
    promised = {objective.kpi for objective in subject.programme.file.objectives.values()}
    for name, workflow, file in subject.workflows():
        for kpi_name, kpi in workflow.kpis.items():
            uses = list(_uses(workflow, kpi_name, kpi))
            if f"{name}.{kpi_name}" in promised:
                uses.append("the KPI of an objective")
            if uses and subject.lacks(kpi, file, "kpis", kpi_name, "better"):
                yield Hit(
                    subject.place(file, "kpis", kpi_name, "better"),
                    f"KPI {kpi_name!r} of {name!r} is {uses[0]} and does not say whether lower or higher is better.",
                    "Add `better: lower` or `better: higher`.",
                )


def _uses(workflow: Workflow, name: str, kpi: Kpi) -> Iterable[str]:
    if workflow.pilot is not None and workflow.pilot.primary == name:
        yield "the primary KPI of the pilot"
    if workflow.pilot is not None and name in workflow.pilot.guardrails:
        yield "a guardrail of the pilot"
    if kpi.target is not None or kpi.worth_having is not None:
        yield "given a bar"


@rule("KPI08", Severity.WARNING, "Primary KPI without the smallest lift worth having")
def worth_having(subject: Subject) -> Iterator[Hit]:
    """Without a smallest lift worth having, any movement that is not zero looks like success.

    It is the bar of weeks 4 and 8, and it decides how long the pilot must run. Said before the start it is a
    judgement of the business; said afterwards it is a reading of the result.

    Fix:
        Give the pilot's primary KPI `worth_having` (and `target`, which the scale decision needs).

    Bad:
        cycle_time: {duration: {from: first A, to: last B}, better: lower, target: -30%}

    Good:
        cycle_time: {duration: {from: first A, to: last B}, better: lower, target: -30%, worth_having: -10%}
    """
    for name, workflow, pilot, file in subject.pilots():
        kpi = workflow.kpis.get(pilot.primary or "")
        if kpi is None or (pilot.gates and all(gate.bar is not None for gate in pilot.gates.values())):
            continue
        if subject.lacks(kpi, file, "kpis", pilot.primary or "", "worth_having"):
            yield Hit(
                subject.place(file, "kpis", pilot.primary or "", "worth_having"),
                f"{pilot.primary!r} decides the pilot {name!r} and does not say which change would be worth having.",
                "Add `worth_having`, for example `worth_having: -10%`.",
            )


@rule("KPI09", Severity.ERROR, "Baseline that reaches into the pilot")
def baseline_before_pilot(subject: Subject) -> Iterator[Hit]:
    """A baseline that reaches into the pilot compares the pilot with itself.

    Its days lie wholly before the start; the last of them may be the day before.

    Fix:
        End the baseline before the day on which the pilot starts.

    Bad:
        pilot: {starts: 2018-01-06, baseline: {from: 2017-01-01, to: 2018-01-31}}

    Good:
        pilot: {starts: 2018-01-06, baseline: {from: 2017-01-01, to: 2017-12-31}}
    """
    for name, _workflow, pilot, file in subject.planned_pilots():
        window, starts = pilot.baseline, pilot.starts
        if window is not None and starts is not None and window.end >= starts:
            yield Hit(
                subject.place(file, "pilot", "baseline", "to"),
                f"The baseline of {name!r} runs to {window.end} and the pilot starts on {starts}.",
                f"Write `to: {shifted(starts, -1)}` or an earlier day.",
            )


@rule("KPI10", Severity.WARNING, "Baseline shorter than eight full weeks")
def long_enough_baseline(subject: Subject) -> Iterator[Hit]:
    """Processes drift from week to week, and a short baseline takes the drift for the level.

    Eight full ISO weeks (Monday to Sunday, UTC) are the least from which the spread of a weekly mean can be
    judged. Fewer make every later comparison look surer than it is.

    Fix:
        Begin the baseline earlier.

    Bad:
        baseline: {from: 2017-12-01, to: 2017-12-31}

    Good:
        baseline: {from: 2017-01-01, to: 2017-12-31}
    """
    for name, _workflow, pilot, file in subject.planned_pilots():
        window = pilot.baseline
        if window is None:
            continue
        monday = shifted(window.start, -window.start.weekday() % 7)
        sunday = shifted(window.end, -((window.end.weekday() + 1) % 7))
        weeks = max(0, ((sunday - monday).days + 1) // 7)
        if weeks < _WEEKS_NEEDED:
            yield Hit(
                subject.place(file, "pilot", "baseline", "from"),
                f"The baseline of {name!r} holds {weeks} full weeks; {_WEEKS_NEEDED} are needed to know its spread.",
                f"Begin it on {shifted(sunday, 1 - 7 * _WEEKS_NEEDED)} or earlier.",
            )


RULES = (
    locked_baseline,
    beyond_accuracy,
    quality_beside_volume,
    hidden_segment,
    flat_kpi,
    displaced_gain,
    bar_direction,
    direction,
    worth_having,
    baseline_before_pilot,
    long_enough_baseline,
)

"""A pilot has an end, a bar that was set before the start, and an answer to `what happens if it works?`."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import Subject, listed, shifted
from trueup.declare.model.kpi import Kpi
from trueup.declare.model.use_case import Stage
from trueup.declare.model.workflow import Design, Pilot, gate_week
from trueup.kernel.finding import Severity
from trueup.kernel.quantities import Bar, BarKind

_LAST_SCALE_WEEK = 12


@rule("GATE01", Severity.ERROR, "Pilot without an end")
def dated_gates(subject: Subject) -> Iterator[Hit]:
    """Pilots without an end become purgatory.

    They are too promising to stop and too unproven to scale, so they stay, and they cost the next one. Every pilot
    therefore has a stop/go point at week 4 and at week 8, and a decision to scale by week 12 at the latest.

    Fix:
        Declare the three gates; the last carries `scale: true`.

    Bad:
        pilot: {starts: 2018-01-06, primary: cycle_time}

    Good:
        pilot: {starts: 2018-01-06, primary: cycle_time, gates: {week-4: {}, week-8: {}, week-12: {scale: true}}}
    """
    fix = "Write `gates: {week-4: {}, week-8: {}, week-12: {scale: true}}`."
    for name, _workflow, pilot, file in subject.pilots():
        missing = [f"stop/go at {gate}" for gate in ("week-4", "week-8") if gate not in pilot.gates]
        if not any(gate.scale and gate_week(week) <= _LAST_SCALE_WEEK for week, gate in pilot.gates.items()):
            missing.append("decision to scale by week 12")
        if missing:
            where = subject.key(file, "pilot", "gates")
            yield Hit(where, f"The pilot {name!r} has no {listed(missing)}: nothing ends it.", fix)
    for name, _use_case, file in subject.use_cases(frozenset({Stage.PILOT})):
        workflows = [subject.programme.workflows[other] for other in subject.workflows_of[name]]
        if subject.all_workflows_read and all(workflow.pilot is None for workflow in workflows):
            detail = f"Use case {name!r} is at stage pilot and no workflow of it declares a `pilot`: nothing ends it."
            write = f"Add a `pilot` with gates to a workflow that says `use_case: {name}`, or correct the stage."
            yield Hit(subject.place(file, "stage"), detail, write)


@elsewhere("GATE02", Severity.WARNING, "Pilot past its last gate with no decision")
def purgatory() -> None:
    """A pilot that is past its last gate and undecided goes on because nobody said no.

    It keeps its people, its budget and its place among the parallel pilots, and teaches nothing that was not known
    at the gate.

    Fix:
        Decide it. The review lists the gate with its evidence:

          trueup review DIR

    Bad:
        pilot: {starts: 2018-01-06, gates: {week-12: {scale: true}}}      # it is June, and `decided` is missing

    Good:
        pilot: {decided: {week-12: {outcome: stop, on: 2018-04-02, by: finance-lead}}}
    """


@rule("GATE03", Severity.WARNING, "Pilot without a scale plan")
def scale_plan(subject: Subject) -> Iterator[Hit]:
    """`What happens if it works?` is answered before the start, or the success goes nowhere.

    A pilot that works needs somebody who takes it over, people who are trained, and somebody who operates it. Asked
    after the gate, each of these takes a quarter, and the team that built it has gone.

    Fix:
        Say who takes over (`handover`), who is trained by when (`training`) and who operates it (`operates`).

    Bad:
        pilot: {starts: 2018-01-06, primary: cycle_time}

    Good:
        scale_plan: {handover: clerk, training: 12 clerks by 2018-03-31, operates: finance-lead}
    """
    for name, _workflow, pilot, file in subject.pilots():
        keys = ("handover", "training", "operates")
        missing = [key for key in keys if subject.lacks(pilot.scale_plan, file, "pilot", "scale_plan", key)]
        if missing:
            yield Hit(
                subject.key(file, "pilot", "scale_plan"),
                f"The pilot {name!r} does not say what happens if it works: no {listed(missing)}.",
                f"Add {listed([f'`{key}`' for key in missing])} under `pilot.scale_plan`.",
            )


@rule(
    "GATE04",
    Severity.ERROR,
    "Gate with a bar below what is worth having, or moved after its registration",
    complete=False,
)
def honest_bar(subject: Subject) -> Iterator[Hit]:
    """A bar that is lower than the smallest lift worth having says go to something that is worth nothing.

    The same holds for a bar, a KPI or a guardrail that changes once it is registered: a bar moved after the data is
    no bar. (A registration that is merely late is marked `registered_late`, and is not this.)

    Fix:
        Raise the gate's `bar` to `worth_having`, or delete it: without one the gate uses `worth_having`.

    Bad:
        kpis: {cycle_time: {duration: {from: first A, to: last B}, better: lower, worth_having: -10%}}
        pilot: {primary: cycle_time, gates: {week-4: {bar: -5%}}}

    Good:
        kpis: {cycle_time: {duration: {from: first A, to: last B}, better: lower, worth_having: -10%}}
        pilot: {primary: cycle_time, gates: {week-4: {bar: -15%}}}
    """
    for name, kpi, gate, bar, file in _barred_gates(subject):
        worth = kpi.worth_having
        sign = _sign(kpi)
        if worth is not None and sign is not None and bar.kind is worth.kind and bar.value * sign < worth.value * sign:
            yield Hit(
                subject.place(file, "pilot", "gates", gate, "bar"),
                f"Gate {gate!r} of {name!r} passes at {bar}, and a change below {worth} is not worth having.",
                f"Write `bar: {worth}` or more, or delete it.",
            )


def _barred_gates(subject: Subject) -> Iterator[tuple[str, Kpi, str, Bar, str]]:
    for name, workflow, pilot, file in subject.planned_pilots():
        kpi = workflow.kpis.get(pilot.primary or "")
        for week, gate in pilot.gates.items():
            if kpi is not None and gate.bar is not None:
                yield name, kpi, week, gate.bar, file


def _sign(kpi: Kpi) -> int | None:
    """Return +1 where more is better; where the KPI does not say, what its own bar says; None when neither does."""
    if kpi.better is not None:
        return kpi.sign
    worth = kpi.worth_having
    if worth is None or worth.kind is BarKind.LEVEL or worth.value == 0:
        return None
    return 1 if worth.value > 0 else -1


@elsewhere("GATE05", Severity.WARNING, "Checkpoint missed")
def missed_checkpoint() -> None:
    """Quality drifts between looks.

    The weekly checkpoint is the only moment at which a slow change is seen while it is small. A week without one
    also breaks the row of stable cycles that more autonomy needs.

    Fix:
        Look weekly. Applying an empty review is a checkpoint, and may carry notes:

          trueup review DIR
          trueup apply DIR REVIEW --by WHO

    Bad:
        reviews: {checkpoint: weekly}     # the last was 19 days ago

    Good:
        reviews: {checkpoint: weekly}     # one entry a week in the ledger
    """


@rule("GATE06", Severity.WARNING, "Gate that cannot speak yet when it is due")
def mute_gate(subject: Subject) -> Iterator[Hit]:
    """A case counts once it is mature, and a gate that is due before any case is mature will say hold.

    Whatever happens in the pilot, the answer is known beforehand, so the meeting is wasted and its name misleads.

    Fix:
        Start earlier, shorten `matures_after` if cases really end sooner, or judge the gate on a KPI that is known
        sooner. The other gates stay as they are.

    Bad:
        events: {matures_after: 35d}
        pilot: {starts: 2018-01-06, gates: {week-4: {}}}      # day 28: no case is 35 days old

    Good:
        events: {matures_after: 21d}
        pilot: {starts: 2018-01-06, gates: {week-4: {}}}      # the cases of the first week count
    """
    for name, workflow, pilot, file in subject.planned_pilots():
        matures = workflow.events.matures_after if workflow.events is not None else None
        if matures is None:
            continue
        for gate in pilot.gates:
            if gate not in pilot.decided and 7 * gate_week(gate) <= matures.days:
                yield Hit(
                    subject.key(file, "pilot", "gates", gate),
                    f"Gate {gate!r} of {name!r} is due on day {7 * gate_week(gate)} and a case counts after "
                    f"{matures}: it will say hold, whatever happens. {_first_word(pilot, matures.days)}",
                    "Shorten `events.matures_after` if cases end sooner, or decide this gate on another KPI.",
                )


def _first_word(pilot: Pilot, days: float) -> str:
    """Say when the first case is mature, and which gate comes after that."""
    speaking = next((gate for gate in pilot.gates if 7 * gate_week(gate) > days), None)
    whole = int(days) + (days % 1 > 0)
    if pilot.starts is None:
        first = f"The first case counts on day {whole}"
    else:
        first = f"The first date on which it could speak is {shifted(pilot.starts, whole)}"
    return f"{first}; the first gate after that is {speaking!r}." if speaking else f"{first}, after every gate."


@rule("GATE07", Severity.NOTE, "Gate with a bar of another kind than what is worth having")
def comparable_bar(subject: Subject) -> Iterator[Hit]:
    """A relative bar and one in points cannot be compared before the baseline is known.

    Whether `+3pp` is more than `+10%` depends on the level that both start from. Nobody can see beforehand that the
    gate is at least as strict as what is worth having.

    Fix:
        Write both in the same kind: both `%` with a sign, both `pp`, or both as levels.

    Bad:
        worth_having: +10%            # and at the gate: bar: +3pp

    Good:
        worth_having: +3pp            # and at the gate: bar: +4pp
    """
    for name, kpi, gate, bar, file in _barred_gates(subject):
        if kpi.worth_having is not None and bar.kind is not kpi.worth_having.kind:
            yield Hit(
                subject.place(file, "pilot", "gates", gate, "bar"),
                f"Gate {gate!r} of {name!r} passes at {bar} ({bar.kind}), and {kpi.worth_having} "
                f"({kpi.worth_having.kind}) is worth having: which is more depends on the baseline.",
                "Write both in the same kind.",
            )


@rule("GATE08", Severity.WARNING, "Guardrail that asks for an improvement")
def guardrail_direction(subject: Subject) -> Iterator[Hit]:
    """A guardrail says how much worse is still acceptable, in the KPI's own direction.

    Where lower is better, worse is more: `no_worse_than: +2pp`. With the sign turned it demands an improvement, and
    the pilot is stopped although nothing got worse.

    Fix:
        Turn the sign. If an improvement is meant, it is a KPI with a bar and not a guardrail.

    Bad:
        guardrails: {escalation_rate: {no_worse_than: -2pp}}      # better: lower

    Good:
        guardrails: {escalation_rate: {no_worse_than: +2pp}}
    """
    for name, workflow, pilot, file in subject.planned_pilots():
        for guarded, guardrail in pilot.guardrails.items():
            kpi, bar = workflow.kpis.get(guarded), guardrail.no_worse_than
            if kpi is None or kpi.better is None or bar.kind is BarKind.LEVEL or bar.value * kpi.sign <= 0:
                continue
            yield Hit(
                subject.place(file, "pilot", "guardrails", guarded, "no_worse_than"),
                f"{guarded!r} of {name!r} is better when {kpi.better}, so {bar} is an improvement, not a margin.",
                f"Write `no_worse_than: {'-' if bar.value > 0 else '+'}{bar.text.lstrip('+-')}`.",
            )


@rule("GATE09", Severity.ERROR, "Pilot without a primary KPI")
def primary_kpi(subject: Subject) -> Iterator[Hit]:
    """A gate has one number to decide on, chosen before the start.

    With several to choose from afterwards, one of them has moved by luck.

    Fix:
        Name one KPI of the workflow as `primary`; those that must not get worse are `guardrails`.

    Bad:
        pilot: {starts: 2018-01-06, gates: {week-4: {}, week-8: {}, week-12: {scale: true}}}

    Good:
        pilot: {starts: 2018-01-06, primary: cycle_time, gates: {week-4: {}, week-8: {}, week-12: {scale: true}}}
    """
    for name, workflow, pilot, file in subject.pilots():
        if subject.lacks(pilot, file, "pilot", "primary"):
            yield Hit(
                subject.place(file, "pilot", "primary"),
                f"The pilot {name!r} has no primary KPI, so none of its gates can be judged.",
                f"Add `primary: KPI` (declared: {', '.join(workflow.kpis) or 'none yet'}).",
            )


@rule("GATE10", Severity.ERROR, "Design that cannot tell the arms apart")
def readable_arms(subject: Subject) -> Iterator[Hit]:
    """Two arms that nobody can tell apart cannot be compared.

    A column says in which arm a case is only where each of its values belongs to one arm. A share of 0% or 100%
    leaves one arm empty.

    Fix:
        Give `treated` and `control` values of the column that do not overlap, and a `share` between the two ends.

    Bad:
        design: {assigned: random, by: column arm, treated: [assisted]}

    Good:
        design: {assigned: random, by: column arm, treated: [assisted], control: [usual], share: 80%}
    """
    for name, _workflow, pilot, file in subject.planned_pilots():
        if (pilot.design.assigned == "none") or (fault := _fault(pilot)) is None:
            continue
        key, detail, fix = fault
        yield Hit(subject.place(file, "pilot", "design", key), f"The design of {name!r} {detail}.", fix)


def _fault(pilot: Pilot) -> tuple[str, str, str] | None:
    design = pilot.design
    if design.by is not None and design.by != "ledger" and not design.column:
        return (
            "by",
            f"is assigned by {design.by!r}, which is neither ours nor a column",
            "Write `ledger` or `column NAME`.",
        )
    if design.column:
        both = sorted(set(design.treated) & set(design.control))
        if both:
            return "control", f"has {both[0]!r} in both arms", "Leave each value in one arm."
        for key, values in (("treated", design.treated), ("control", design.control)):
            if not values:
                return key, f"does not say which values of {design.column!r} are {key}", f"Add `{key}: [VALUE]`."
    if design.share in {0, 1}:
        return "share", f"leaves one arm empty (share {design.share:.0%})", "Write a share such as `80%`."
    return _fault_of_units(design)


def _fault_of_units(design: Design) -> tuple[str, str, str] | None:
    if design.assigned == "matched" and (design.column is None or design.unit != design.column):
        unit = design.column or "NAME"
        return "unit", "does not name the units that are matched", f"Write `by: column {unit}` and `unit: {unit}`."
    if design.assigned == "staggered" and design.unit == "case":
        return "unit", "does not say what is launched one after the other", "Write `unit: NAME`, a column of the log."
    return None


RULES = (
    dated_gates,
    purgatory,
    scale_plan,
    honest_bar,
    missed_checkpoint,
    mute_gate,
    comparable_bar,
    guardrail_direction,
    primary_kpi,
    readable_arms,
)

"""Which gates ask for an answer now, and what each of them says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.decide.bars import Side, contrast_of
from trueup.decide.beside import level_after
from trueup.decide.gate import ALPHA, GateQuestion, GateVerdict, Outcome, Unknown, judge
from trueup.decide.guardrail import GuardrailReading, GuardrailState, judge_guardrail
from trueup.decide.level import Level
from trueup.decide.sensitivity import hanging_together, sensitivity_of
from trueup.declare.model.workflow import gate_week
from trueup.evidence import power
from trueup.evidence.designs.scales import Scale
from trueup.kernel.errors import DataError
from trueup.kernel.quantities import Bar
from trueup.loop.beside.checks import checks_of
from trueup.loop.beside.downstream import downstream_of
from trueup.loop.pilots.adjusting import beside_raw, not_adjusted
from trueup.loop.pilots.checklist import checklist_of
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.level import registered_level
from trueup.loop.pilots.validity import broken_series, moved_promise, stale_data, unrecorded, unusable_arms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from trueup.decide.beside import DesignChecks
    from trueup.decide.comparison import Comparison
    from trueup.decide.displacement import Displaced
    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Pilot, Workflow
    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import Population


@dataclass(frozen=True, slots=True)
class JudgedGate:
    """A gate with what was asked, what was answered, and what it rests on.

    `checklist` maps each pre-expansion item to the ledger entry with its evidence (None: no evidence); empty at gates
    that do not scale. `portfolio` is what all pilots together say of it, as published; None while nobody asked.
    `checks` are those of a design without drawn arms, `downstream` the KPIs of what comes after the work.
    """

    workflow: str
    gate: str
    due: datetime
    question: GateQuestion
    verdict: GateVerdict
    registration: Registration | None
    population: Population | None
    watch: Comparison | None
    forecast_weeks: int | None
    checklist: Mapping[str, int | None] = field(default_factory=dict)
    portfolio: Mapping[str, Any] | None = None
    checks: DesignChecks | None = None
    downstream: tuple[Displaced, ...] = ()


def judged_gates(bench: Workbench, as_of: datetime) -> Iterator[JudgedGate]:
    """Yield every due and undecided gate, and a stop for every guardrail that the watch finds crossed."""
    for name, workflow in sorted(bench.programme.workflows.items()):
        pilot = workflow.pilot
        if pilot is None or pilot.starts is None or pilot.ended is not None or workflow.events is None:
            continue
        bench.progress(f"judging the gates of {name}")
        yield from _of_pilot(bench, name, workflow, pilot, as_of)


def _of_pilot(bench: Workbench, name: str, workflow: Workflow, pilot: Pilot, as_of: datetime) -> Iterator[JudgedGate]:
    waiting = sorted((gate for gate in pilot.gates if gate not in pilot.decided), key=gate_week)
    stopped = False
    for gate in waiting:
        due = pilot.due(gate)
        if due is None:
            continue
        if due <= as_of:
            judged = judge_gate(bench, name, workflow, gate, at=due)
            stopped = stopped or judged.verdict.outcome is Outcome.STOP
            yield judged
        elif not stopped:
            yield from _crossed_in_between(bench, name, workflow, gate, as_of)
            return


def judge_gate(bench: Workbench, name: str, workflow: Workflow, gate: str, *, at: datetime) -> JudgedGate:
    """Judge one gate on the pilot cases that were mature at the instant given."""
    pilot = workflow.pilot
    assert pilot is not None
    registration = bench.programme.registrations.get(name)
    if registration is None:
        unknown = Unknown("no-baseline", f"no baseline is registered: trueup baseline DIR {name}")
        question = _question(workflow, pilot, gate, Level.BEFORE_AFTER, unknown=unknown)
        return JudgedGate(name, gate, at, question, judge(question), None, None, None, None)
    view = PilotView(name, workflow, registration, bench.observations.observer())
    level = registered_level(registration)
    broken = unrecorded(bench, name) or moved_promise(view)
    if broken is not None:
        question = _question(workflow, pilot, gate, level, unknown=broken)
        return JudgedGate(name, gate, at, question, judge(question), registration, None, None, None)
    try:
        return judge_registered(bench, view, gate, at, level)
    except DataError as error:
        question = _question(workflow, pilot, gate, level, unknown=Unknown(error.code, error.message))
        return JudgedGate(name, gate, at, question, judge(question), registration, None, None, None)


def judge_registered(bench: Workbench, view: PilotView, gate: str, at: datetime, level: Level) -> JudgedGate:
    """Judge one gate by a registration as it stands, whether the ledger knows it or not. Raises DataError."""
    pilot, registration = view.workflow.pilot, view.registration
    assert pilot is not None
    population = view.observer.population(view.name, since=view.starts, until=at, as_of=at)
    unknown = _unknowable(bench, view, population, at)
    primary = view.compare(registration.primary, at)
    never = primary.unanswerable()
    unknown = unknown or not_adjusted(registration, primary)
    unknown = Unknown("quantile-needs-cases", never) if never is not None and unknown is None else unknown
    # A KPI with one value a week has no concurrent arm, whatever the design: it is before/after.
    level = Level.BEFORE_AFTER if primary.before_after else level
    notes: tuple[str, ...] = ("registered late",) if registration.late else ()
    notes += geometric(primary)
    broken = broken_series(view, population, at)
    if broken and primary.frozen and unknown is None and primary.too_few_cases() is None:
        unknown = Unknown("series-broken", f"not comparable with the baseline: {broken}")
    elif broken:
        notes = (*notes, broken)
    checks = None if unknown else checks_of(view, primary, at, bench.weigher)
    level, notes = _weakened(view, gate, level, checks, primary, notes)
    checklist = checklist_of(bench.ledger, view.name, at) if pilot.gates[gate].scale else {}
    question = _question(
        view.workflow,
        pilot,
        gate,
        level,
        unknown=unknown,
        comparison=primary,
        missing_checklist=tuple(item for item, entry in checklist.items() if entry is None),
        # A baseline that is no baseline says nothing about guardrails either.
        guardrails=() if unknown else tuple(_guardrails(view, at, at)),
        next_speaking=_next_speaking(view, pilot, gate, primary),
        notes=notes,
    )
    verdict = judge(question)
    forecast = _forecast(view, verdict, primary, at)
    judged = JudgedGate(view.name, gate, at, question, verdict, registration, population, primary, forecast)
    downstream = () if unknown else downstream_of(view, primary, level, at, ALPHA / len(registration.gates))
    return replace(judged, checklist=checklist, checks=checks, downstream=downstream)


def _weakened(
    view: PilotView,
    gate: str,
    level: Level,
    checks: DesignChecks | None,
    primary: Comparison,
    notes: tuple[str, ...],
) -> tuple[Level, tuple[str, ...]]:
    """Lower the level where a check takes a claim back, and say so; where nothing is claimed there is none to take."""
    pilot, kpi, alpha = view.workflow.pilot, view.workflow.kpis[primary.kpi], ALPHA / len(view.registration.gates)
    contrast = contrast_of((pilot.gates[gate].bar if pilot else None) or kpi.worth_having, kpi.sign)
    if checks is None or primary.side(contrast, alpha) is not Side.GOOD:
        return level, notes
    left, weak = level_after(level, checks), checks.weakened()
    said = (f"level {level} lowered to {left}: {weak}",) if left is not level else (weak,) if weak else ()
    return left, (*notes, *said, *checks.notes(primary.at_gate(alpha).estimate))


def _unknowable(bench: Workbench, view: PilotView, population: Population, at: datetime) -> Unknown | None:
    events = view.workflow.events
    source = events.data if events else None
    declared = bench.programme.file.data.get(source or "")
    newest = view.observer.newest(source, at) if source else None
    fresh = declared.fresh_within.delta() if declared and declared.fresh_within else None
    return stale_data(view, at, newest, fresh) or unusable_arms(view, population)


def _question(
    workflow: Workflow,
    pilot: Pilot,
    gate: str,
    level: Level,
    *,
    unknown: Unknown | None = None,
    comparison: Comparison | None = None,
    guardrails: tuple[GuardrailReading, ...] = (),
    next_speaking: str | None = None,
    missing_checklist: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> GateQuestion:
    kpi: Kpi | None = workflow.kpis.get(pilot.primary or "")
    declared = pilot.gates[gate]
    return GateQuestion(
        workflow=workflow.workflow,
        gate=gate,
        week=gate_week(gate),
        scale=declared.scale,
        last=gate_week(gate) == max(gate_week(name) for name in pilot.gates),
        gates=len(pilot.gates),
        level=level,
        sign=kpi.sign if kpi else 1,
        worth_having=declared.bar or (kpi.worth_having if kpi else None),
        target=kpi.target if kpi else None,
        comparison=comparison,
        guardrails=guardrails,
        unknown=unknown,
        next_speaking=next_speaking,
        missing_checklist=missing_checklist,
        notes=notes,
    )


def _guardrails(view: PilotView, at: datetime, watched_at: datetime) -> Iterator[GuardrailReading]:
    alpha = ALPHA / max(len(view.registration.gates), 1)
    for kpi, margin in view.registration.guardrails.items():
        if kpi not in view.workflow.kpis:
            continue
        comparison = view.compare(kpi, at)
        watch = comparison if watched_at == at else view.compare(kpi, watched_at)
        sign = view.workflow.kpis[kpi].sign
        yield judge_guardrail(comparison, Bar.parse(margin), sign, alpha=alpha, watch=watch, watch_alpha=ALPHA)


def _crossed_in_between(
    bench: Workbench, name: str, workflow: Workflow, gate: str, as_of: datetime
) -> Iterator[JudgedGate]:
    """Between gates only the watched sequence speaks, and only for a guardrail."""
    registration = bench.programme.registrations.get(name)
    pilot = workflow.pilot
    if registration is None or pilot is None or not registration.guardrails:
        return
    view = PilotView(name, workflow, registration, bench.observations.observer())
    if view.starts >= as_of or unrecorded(bench, name) or moved_promise(view):
        return
    # The readings first: they are cheap, and in nearly every week nothing is crossed.
    readings = tuple(watched_guardrails(view, as_of))
    if not any(reading.state is GuardrailState.CROSSED for reading in readings):
        return
    population = view.observer.population(name, since=view.starts, until=as_of, as_of=as_of)
    if unusable_arms(view, population) is not None or (not view.concurrent and broken_series(view, population, as_of)):
        return
    question = _question(
        workflow,
        pilot,
        gate,
        registered_level(registration),
        comparison=view.compare(registration.primary, as_of),
        guardrails=readings,
    )
    yield JudgedGate(
        name,
        gate,
        as_of,
        question,
        judge(question),
        registration,
        population,
        question.comparison,
        None,
    )


def watched_guardrails(view: PilotView, as_of: datetime) -> Iterator[GuardrailReading]:
    """Yield every registered guardrail by the sequence that may be looked at on any day: crossed, or open."""
    for kpi, margin in view.registration.guardrails.items():
        comparison = view.compare(kpi, as_of)
        contrast = contrast_of(Bar.parse(margin), view.workflow.kpis[kpi].sign)
        watched = comparison.watched(ALPHA, contrast.ratio)
        crossed = contrast.side(watched).value == "bad"
        plain = comparison.watched(ALPHA)
        yield GuardrailReading(
            kpi=kpi,
            unit=comparison.unit,
            state=GuardrailState.CROSSED if crossed else GuardrailState.OPEN,
            margin=margin,
            interval=plain,
            watched=plain,
            n=comparison.cases,
        )


def _next_speaking(view: PilotView, pilot: Pilot, gate: str, primary: Comparison) -> str | None:
    """Name the first later gate by which, at this volume, every arm has enough mature cases."""
    events = view.workflow.events
    delay = events.matures_after.days / 7 if events and events.matures_after else 0.0
    slowest = min(primary.treated.n, primary.treated.n if primary.frozen else primary.control.n)
    weeks_so_far = max(gate_week(gate) - delay, 0.0)
    per_week = slowest / weeks_so_far if weeks_so_far > 0 and slowest else _planned(view)
    for later in sorted((name for name in pilot.gates if gate_week(name) > gate_week(gate)), key=gate_week):
        if per_week * (gate_week(later) - delay) >= 30:
            return later
    return None


def _planned(view: PilotView) -> float:
    share = float(view.registration.design.get("share") or 1.0)
    smaller = min(share, 1 - share) if view.concurrent and share < 1 else 1.0
    return view.registration.cases_a_week * smaller


def _forecast(view: PilotView, verdict: GateVerdict, primary: Comparison, at: datetime) -> int | None:
    """Weeks until the interval would leave the bar, at this volume and estimate."""
    if verdict.outcome is not Outcome.HOLD or verdict.bar is None:
        return None
    cases = primary.treated.n + (0 if primary.frozen else primary.control.n)
    events = view.workflow.events
    delay = events.matures_after.days / 7 if events and events.matures_after else 0.0
    weeks = max((at - view.starts) / timedelta(weeks=1) - delay, 1.0)
    bar = verdict.bar
    floor = primary.frozen_share(bar.contrast.ratio) ** 0.5 * (bar.interval.upper - bar.interval.estimate)
    return power.weeks_to_decide(bar.interval, bar.contrast.threshold, cases, cases / weeks, floor)


def geometric(comparison: Comparison) -> tuple[str, ...]:
    """Say that means are geometric ones, where a KPI is compared on logarithms."""
    if comparison.transform.scale is Scale.PLAIN:
        return ()
    return ("compared on logarithms: means are geometric means, a relative change is that of the usual case",)


def gate_sensitivity(judged: JudgedGate) -> dict[str, Any] | None:
    """Return what would overturn the verdict: a week or a unit less, or a bias; None where nothing was compared."""
    comparison, bar = judged.question.comparison, judged.verdict.bar
    if comparison is None or bar is None:
        return None
    return sensitivity_of(comparison, bar.contrast, judged.question.alpha).to_json()


def gate_adjusted(judged: JudgedGate) -> dict[str, Any] | None:
    """Return the adjusted figures beside the raw one, and which decides; None where none were registered."""
    comparison = judged.question.comparison
    if comparison is None:
        return None
    return beside_raw(judged.registration, comparison, judged.question.alpha)


def gate_inputs(judged: JudgedGate) -> dict[str, Any]:
    """Return the numbers that went into the formula: counts, means, variances, blocks, how weeks hang together."""
    comparison = judged.question.comparison
    if comparison is None:
        return {}
    sides = {"treated": comparison.treated, "control": comparison.control}
    return {
        "alpha": judged.question.alpha,
        "basis": comparison.basis.value,
        "scale": comparison.transform.scale.value,
        "control_is": "frozen baseline" if comparison.frozen else "concurrent arm",
    } | {
        arm: {
            "n": side.n,
            "mean": comparison.transform.back(side.moments.mean) if side.n else None,
            "variance": side.moments.variance if side.n > 1 else None,
            "events": side.events if comparison.share else None,
            "blocks": [float(block) for block in side.blocks],
            **hanging_together(side),
        }
        for arm, side in sides.items()
    }

"""The strategy: tried in time, followed by something in production, looked at again, and still true."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.decide.assumption import judge_assumption
from trueup.declare.measures import DataMeasure, parse_measure
from trueup.declare.model.use_case import Stage
from trueup.declare.model.workflow import gate_week
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.clock import format_instant, start_of_day
from trueup.loop.findings.seen import days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.data import Assumption
    from trueup.loop.findings.seen import Found, Seen

HALF_A_YEAR = timedelta(days=183)
_PHASE = {"sme": timedelta(weeks=4), "enterprise": timedelta(weeks=8)}


def paralysis(seen: Seen) -> Iterator[Found]:
    """STRAT01: the strategy phase is over its limit, and no pilot has begun."""
    file = seen.bench.programme.file
    if not seen.whole or file.adopted is None or _begun(seen) or _in_production(seen):
        return
    size = file.assessment.organisation.size if file.assessment and file.assessment.organisation else None
    declared = file.limits.strategy_phase if file.limits else None
    limit = declared.delta() if declared else _PHASE[size or "enterprise"]
    passed = seen.as_of - start_of_day(file.adopted)
    if passed > limit:
        detail = f"{days(passed)} days after adoption (at most {days(limit)}) no pilot has begun."
        fix = "Start the smallest pilot that could prove the first use case wrong."
        yield seen.found("STRAT01", "strategy", seen.place(PROGRAMME_FILE, "adopted"), detail, fix)


def nothing_in_production(seen: Seen) -> Iterator[Found]:
    """STRAT02: six months after adoption nothing is in production; says which of three causes the data shows."""
    adopted = seen.bench.programme.file.adopted
    if not seen.whole or adopted is None or _in_production(seen) or seen.as_of - start_of_day(adopted) <= HALF_A_YEAR:
        return
    cause, fix = _cause(seen)
    detail = f"{days(seen.as_of - start_of_day(adopted))} days after adoption nothing is in production: {cause}."
    yield seen.found("STRAT02", "strategy", seen.place(PROGRAMME_FILE, "adopted"), detail, fix)


def _cause(seen: Seen) -> tuple[str, str]:
    """Return the cause that the data shows, and what follows from it."""
    undecided = [name for name, *_ in seen.running() if _has_undecided(seen, name)]
    if undecided:
        return f"pilots were never decided: {', '.join(undecided)}", "Decide them; scale one that cleared its bar."
    on_data = sorted(_failed_on_data(seen))
    if on_data:
        return f"pilots failed on data: {', '.join(on_data)}", "Repair the data that they need, or narrow the scope."
    if not _begun(seen):
        return "use cases that nobody has started", "Start the smallest pilot of the first use case."
    running = [name for name, *_ in seen.running()]
    if running:
        return f"pilots are still running: {', '.join(running)}", "Hold them to their gates; none may go on undecided."
    return "use cases that nobody has started since the last pilot ended", "Start the next use case of the portfolio."


def _has_undecided(seen: Seen, name: str) -> bool:
    """Tell whether a gate of a pilot is due and undecided, or whether it is held past its last one."""
    pilot = seen.bench.programme.workflows[name].pilot
    if pilot is None:
        return False
    due = {gate: pilot.due(gate) for gate in pilot.gates}
    passed = sorted((gate for gate, at in due.items() if at is not None and at <= seen.as_of), key=gate_week)
    held = len(passed) == len(pilot.gates) and bool(passed) and passed[-1] in pilot.decided
    return any(gate not in pilot.decided for gate in passed) or held


def _failed_on_data(seen: Seen) -> Iterator[str]:
    """Yield workflows whose pilot was decided unknown, or rests on an assumption about data that was found false."""
    programme = seen.bench.programme
    false = {
        use_case
        for assumption in programme.file.assumptions.values()
        if assumption.found and not assumption.found.holds and _about_data(assumption)
        for use_case in assumption.supports
    }
    for name, workflow in programme.workflows.items():
        pilot = workflow.pilot
        if pilot is None or pilot.starts is None or start_of_day(pilot.starts) > seen.as_of:
            continue
        unknown = any(decided.outcome == "unknown" for decided in pilot.decided.values())
        if unknown or workflow.use_case in false:
            yield name


def _about_data(assumption: Assumption) -> bool:
    try:
        return isinstance(parse_measure(assumption.measure or ""), DataMeasure)
    except ValueError:
        return False


def overdue_review(seen: Seen) -> Iterator[Found]:
    """STRAT03: longer than the declared cadence since the strategy was last reviewed."""
    file = seen.bench.programme.file
    cadence = file.reviews.strategy if file.reviews else None
    adopted = start_of_day(file.adopted) if file.adopted else None
    since = seen.last_review or adopted
    if not seen.whole or cadence is None or since is None or seen.as_of - since <= cadence.delta():
        return
    what = "no review was applied since the adoption" if seen.last_review is None else "the last review was applied"
    detail = f"{what[0].upper()}{what[1:]} {days(seen.as_of - since)} days ago; {cadence} is the declared cadence."
    fix = f"Review it, or declare the cadence that is really kept:\n    trueup review {seen.bench.root}"
    where = seen.place(PROGRAMME_FILE, "reviews", "strategy")
    yield seen.found("STRAT03", "strategy", where, detail, fix, format_instant(since))


def false_assumption(seen: Seen) -> Iterator[Found]:
    """STRAT04: an assumption that is false and not signed as such, or that the declared data cannot measure."""
    for name, assumption in sorted(seen.bench.programme.file.assumptions.items()):
        if not seen.believes(assumption):
            continue
        where = seen.place(PROGRAMME_FILE, "assumptions", name, "measure")
        if assumption.measure is None:
            detail = f"The assumption {name!r} has no measure, so it can never be found false."
            yield seen.found("STRAT04", name, where, detail, "Write a `measure` that declared data answer.", "none")
            continue
        measured = seen.measured.get(name)
        if measured is None:
            continue
        if measured.unmeasurable:
            detail = f"The assumption {name!r} cannot be measured: {measured.reason.rstrip('.')}."
            yield seen.found("STRAT04", name, where, detail, "Correct `measure`, or the data.", "unmeasurable")
            continue
        verdict = judge_assumption(assumption, measured.value)
        if verdict.holds is False and (assumption.found is None or assumption.found.holds):
            detail = f"The assumption {name!r} is false: {verdict.because}."
            fix = f"Sign what was found, and let the ranking follow:\n    trueup review {seen.bench.root}"
            yield seen.found("STRAT04", name, where, detail, fix, "false")


def _begun(seen: Seen) -> bool:
    pilots = [workflow.pilot for workflow in seen.bench.programme.workflows.values() if workflow.pilot]
    return any(pilot.starts is not None and start_of_day(pilot.starts) <= seen.as_of for pilot in pilots)


def _in_production(seen: Seen) -> bool:
    return any(use_case.stage is Stage.PRODUCTION for use_case in seen.bench.programme.use_cases.values())


RULES = (paralysis, nothing_in_production, overdue_review, false_assumption)

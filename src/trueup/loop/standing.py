"""Where each objective stands: what was promised, and what the events support at any instant one may look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.bars import Side, contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.level import Level
from trueup.decide.numbers import interval_json
from trueup.decide.sensitivity import hanging_together
from trueup.declare.model.programme import Objective
from trueup.kernel.clock import WEEK, end_of_day, parse_instant, start_of_day
from trueup.kernel.errors import DataError, LedgerBrokenError
from trueup.kernel.quantities import Bar, BarKind
from trueup.loop.measure import level_in_force
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.validity import moved_promise, unrecorded

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.decide.comparison import Comparison
    from trueup.declare.model.programme import Target
    from trueup.loop.workbench import Workbench

MOST_LOOKS = 26
_STATES = {Side.GOOD: "reached", Side.BAD: "not reached", Side.ACROSS: "not sure yet"}


@dataclass(frozen=True, slots=True)
class _Looked:
    """A comparison that could be made, and when its last case could have matured."""

    comparison: Comparison
    level: Level
    until: datetime
    sign: int
    ended: bool


def objective_standings(bench: Workbench, as_of: datetime) -> list[dict[str, Any]]:
    """Return one row per objective: targets as declared, the measured difference with its interval, or why not.

    The interval is the anytime-valid one (95%), because this may be looked at on any day.
    """
    return [_standing(bench, name, one, as_of) for name, one in bench.programme.file.objectives.items()]


def primary_standing(bench: Workbench, workflow: str, kpi: str, as_of: datetime) -> dict[str, Any]:
    """Return the same of one KPI of a workflow, without targets."""
    return _standing(bench, workflow, Objective(kpi=f"{workflow}.{kpi}"), as_of)


def looks(bench: Workbench, workflow: str, kpi: str, as_of: datetime) -> list[dict[str, Any]]:
    """Return the anytime-valid interval of a KPI as it stood at every look: weekly from the pilot's start, and now.

    A long pilot is looked at `MOST_LOOKS` times, evenly; where nothing can be said yet, there is no row.
    """
    registration = bench.programme.registrations.get(workflow)
    if registration is None:
        return []
    starts = start_of_day(registration.starts)
    weeks = max(int((as_of - starts) / WEEK), 0)
    step = max(-(-weeks // MOST_LOOKS), 1)
    instants = [starts + week * WEEK for week in range(weeks, 0, -step)][::-1]
    if not instants or instants[-1] != as_of:
        instants.append(as_of)
    found: list[dict[str, Any]] = []
    for instant in instants:
        looked = _compared(bench, workflow, kpi, instant)
        if isinstance(looked, str) or (found and found[-1]["on"] == looked.until.date().isoformat()):
            continue
        cases = looked.comparison.treated.n + (0 if looked.comparison.frozen else looked.comparison.control.n)
        on = looked.until.date().isoformat()
        found.append({"on": on, "cases": cases, **interval_json(looked.comparison.watched(ALPHA))})
    return found


def inputs_of(bench: Workbench, workflow: str, kpi: str, as_of: datetime) -> dict[str, Any]:
    """Return the numbers that go into a KPI's measured difference; empty where there is none. As of `gate_inputs`."""
    looked = _compared(bench, workflow, kpi, as_of)
    if isinstance(looked, str):
        return {}
    compared = looked.comparison
    return {
        "alpha": ALPHA,
        "basis": compared.basis.value,
        "control_is": "frozen baseline" if compared.frozen else "concurrent arm",
    } | {
        arm: {
            "n": side.n,
            "mean": side.moments.mean if side.n else None,
            "variance": side.moments.variance if side.n > 1 else None,
            "events": side.events if compared.share else None,
            "blocks": [float(block) for block in side.blocks],
            **hanging_together(side),
        }
        for arm, side in (("treated", compared.treated), ("control", compared.control))
    }


def _standing(bench: Workbench, name: str, objective: Objective, as_of: datetime) -> dict[str, Any]:
    workflow, _, kpi = (objective.kpi or "").partition(".")
    row: dict[str, Any] = {
        "id": name,
        "outcome": objective.outcome,
        "owner": objective.owner,
        "workflow": workflow or None,
        "kpi": kpi or None,
        "unit": None,
        "measured": None,
        "control": None,
        "cases": None,
        "evidence_level": None,
        "means": None,
        "until": None,
        "targets": [_target(target, None, as_of) for target in objective.targets],
        "because": None,
    }
    try:
        looked = _compared(bench, workflow, kpi, as_of)
    except (DataError, LedgerBrokenError) as error:
        looked = error.message
    if isinstance(looked, str):
        return row | {"because": looked}
    compared = looked.comparison
    return row | {
        "unit": compared.unit,
        "measured": interval_json(compared.watched(ALPHA)),
        "control": compared.control_mean,
        "cases": compared.treated.n + (0 if compared.frozen else compared.control.n),
        "evidence_level": str(looked.level),
        "means": looked.level.wording,
        "until": looked.until.date().isoformat(),
        "targets": [_target(target, looked, as_of) for target in objective.targets],
    }


def _compared(bench: Workbench, name: str, kpi: str, as_of: datetime) -> _Looked | str:
    """Return the comparison, or the sentence that says why there is none."""
    workflow, registration = bench.programme.workflows.get(name), bench.programme.registrations.get(name)
    if workflow is None or kpi not in workflow.kpis:
        return "no KPI of a workflow measures it"
    if registration is None or kpi not in registration.kpis:
        return f"no baseline is registered: trueup baseline DIR {name}"
    view = PilotView(name, workflow, registration, bench.observations.observer())
    if as_of <= view.starts:
        return f"the pilot starts on {registration.starts}"
    invalid = unrecorded(bench, name) or moved_promise(view)
    if invalid is not None:
        return invalid.because
    until = _until(view, as_of)
    if until is None:
        return "there are no events yet"
    comparison = view.compare(kpi, until)
    few = comparison.unanswerable() or comparison.too_few()
    if few is not None or not comparison.control.n:
        return few or "nothing to compare with"
    level = Level.BEFORE_AFTER if comparison.before_after else level_in_force(bench.programme, name)
    ended = workflow.pilot.ended if workflow.pilot else None
    return _Looked(comparison, level, until, workflow.kpis[kpi].sign, ended is not None and ended <= as_of.date())


def _until(view: PilotView, as_of: datetime) -> datetime | None:
    """Return the last instant that the events can speak of: a silence after the newest is not an effect."""
    source = view.workflow.events.data if view.workflow.events else None
    newest = view.observer.newest(source, as_of) if source else None
    if newest is None:
        return None
    until = min(as_of, end_of_day(parse_instant(newest).date()))
    ended = view.workflow.pilot.ended if view.workflow.pilot else None
    return until if ended is None else min(until, start_of_day(ended))


def _target(target: Target, looked: _Looked | None, as_of: datetime) -> dict[str, Any]:
    bar = target.reach
    row: dict[str, Any] = {
        "reach": str(bar) if bar is not None else None,
        "by": target.by.isoformat() if target.by else None,
        "change": None,
        "state": "unknown",
    }
    if bar is None or looked is None:
        return row
    contrast = contrast_of(bar, looked.sign)
    state = _STATES[contrast.side(looked.comparison.watched(ALPHA, contrast.ratio))]
    if state == "reached" and not looked.level.at_least(Level.MATCHED):
        # Something moved as promised; this design cannot tell whether the workflow moved it.
        state = "cause not known"
    elif state == "not reached" and not looked.ended and target.by is not None and as_of < start_of_day(target.by):
        state = "not yet"
    return row | {"change": _change(bar, looked.comparison.control_mean), "state": state}


def _change(bar: Bar, control: float) -> float | None:
    """Return the promised difference in the KPI's unit; None where the target is a level."""
    if bar.kind is BarKind.RELATIVE:
        return bar.value * control
    return None if bar.kind is BarKind.LEVEL else bar.value

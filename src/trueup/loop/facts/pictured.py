"""What a picture of a workflow shows: the figures of its KPIs beside what was promised, and the flow of its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.decide.designs import MatchedUnits, RolloutOrder
from trueup.kernel.errors import NotFoundError
from trueup.kernel.quantities import Bar, BarKind
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.standing import looks, primary_standing

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.decide.comparison import Comparison
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Pilot
    from trueup.loop.workbench import Workbench


def pictured(bench: Workbench, workflow: str, as_of: datetime) -> dict[str, Any]:
    """Return the weekly readings of every KPI with its baseline, and the days of the gates.

    Raises NotFoundError, DataError as `measure`.
    """
    name = require_workflow(bench.programme, workflow)
    declared, registration = bench.programme.workflows[name], bench.programme.registrations.get(name)
    rows = [one.to_json() for one in readings_of(bench, name, as_of)]
    kpis = [
        {
            "kpi": kpi,
            "unit": meant.shown_unit,
            "better": meant.better,
            "baseline": baseline_band(registration, kpi),
            "readings": [row for row in rows if row["kpi"] == kpi],
        }
        for kpi, meant in declared.kpis.items()
    ]
    return {"workflow": name, "kpis": kpis, "gates": _gate_days(declared.pilot)}


def flow(bench: Workbench, workflow: str, as_of: datetime) -> list[dict[str, Any]]:
    """Return how mature cases passed from step to step. Raises as `pictured`."""
    name = require_workflow(bench.programme, workflow)
    return [one.to_json() for one in bench.observations.observer().flow(name, as_of)]


def baseline_band(registration: Registration | None, kpi: str) -> dict[str, float] | None:
    """Return the registered baseline of a KPI: its `mean`, and its lowest and highest week (`low`, `high`)."""
    frozen = registration.kpis.get(kpi) if registration else None
    if frozen is None or frozen.mean is None:
        return None
    weeks = [week.mean for week in frozen.weeks if week.mean is not None]
    return {"mean": frozen.mean, "low": min([*weeks, frozen.mean]), "high": max([*weeks, frozen.mean])}


def watched(bench: Workbench, workflow: str, as_of: datetime) -> dict[str, Any]:
    """Return every weekly look at the primary KPI of a pilot, its bars as differences, and the days of its gates.

    Raises NotFoundError `no-pilot` for a workflow without a registered one, and as `pictured`.
    """
    name, registration = _registered(bench, workflow)
    declared = bench.programme.workflows[name]
    primary = registration.primary
    standing = primary_standing(bench, name, primary, as_of)
    texts = {"worth having": registration.worth_having, "target": registration.target}
    placed = {word: difference_of(text, standing["control"]) for word, text in texts.items() if text}
    return {
        "workflow": name,
        "kpi": primary,
        "unit": declared.kpis[primary].shown_unit,
        "looks": looks(bench, name, primary, as_of),
        "bars": {word: value for word, value in placed.items() if value is not None},
        "gates": _gate_days(declared.pilot),
    }


def difference_of(text: str, control: float | None) -> float | None:
    """Return a declared bar as a difference in the KPI's unit; None where it is a level or nothing is known."""
    try:
        bar = Bar.parse(text)
    except ValueError:
        return None
    if bar.kind is BarKind.RELATIVE:
        return None if control is None else bar.value * control
    return None if bar.kind is BarKind.LEVEL else bar.value


def placebo(bench: Workbench, workflow: str, as_of: datetime) -> dict[str, Any]:
    """Return the change of the primary KPI beside those of placebos: other orders of a rollout, or other units.

    `unknown` says why there are none. Raises as `watched`.
    """
    name, registration = _registered(bench, workflow)
    view = PilotView(name, bench.programme.workflows[name], registration, bench.observations.observer())
    comparison = view.compare(registration.primary, as_of)
    shown = {"workflow": name, "kpi": registration.primary, "scale": comparison.transform.scale.value}
    analysis = comparison.analysis
    found = analysis.placebos() if isinstance(analysis, MatchedUnits | RolloutOrder) else None
    if found is None:
        return {**shown, "of": None, "effect": None, "effects": [], "unknown": _no_placebo(comparison)}
    of = "order" if isinstance(analysis, RolloutOrder) else "units"
    return {**shown, "of": of, "effect": found[0], "effects": found[1].tolist(), "unknown": None}


def _no_placebo(comparison: Comparison) -> str:
    if isinstance(comparison.analysis, MatchedUnits | RolloutOrder):
        return "There are too few units or weeks for placebos yet."
    return "Placebos are of rollouts in random order and of matched units; this pilot has another design."


def _registered(bench: Workbench, workflow: str) -> tuple[str, Registration]:
    name = require_workflow(bench.programme, workflow)
    registration = bench.programme.registrations.get(name)
    if registration is None:
        raise NotFoundError(
            "no-pilot",
            f"The workflow {name!r} has no registered pilot, so nothing was compared.",
            f"Register it before it starts:\n    trueup baseline {bench.root} {name}",
        )
    return name, registration


def _gate_days(pilot: Pilot | None) -> dict[str, str]:
    due = {gate: pilot.due(gate) for gate in pilot.gates} if pilot else {}
    return {gate: at.date().isoformat() for gate, at in due.items() if at is not None}

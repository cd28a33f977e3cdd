"""What a picture of a workflow shows: the figures of its KPIs beside what was promised, and the flow of its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.loop.measure import readings_of, require_workflow

if TYPE_CHECKING:
    from datetime import datetime

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


def _gate_days(pilot: Pilot | None) -> dict[str, str]:
    due = {gate: pilot.due(gate) for gate in pilot.gates} if pilot else {}
    return {gate: at.date().isoformat() for gate, at in due.items() if at is not None}

"""Workflow: did it move the number? Every KPI week by week, with its intervals; the gates and what they decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.standing import primary_standing
from trueup.web.chart import chart

if TYPE_CHECKING:
    from trueup.declare.model.workflow import Workflow
    from trueup.web.site import Look, Site


def workflow(site: Site, look: Look, name: str) -> dict[str, Any]:
    """Return the page's model. Raises NotFoundError for a workflow that is not declared, or not any more."""
    with site.bench() as bench:
        declared = bench.programme.workflows[require_workflow(bench.programme, name)]
        gates = _gates(declared)
        readable = declared.events is not None and bool(declared.kpis)
        rows = [one.to_json() for one in readings_of(bench, name, look.as_of)] if readable else []
        primary = declared.pilot.primary if declared.pilot else None
        standing = primary_standing(bench, name, primary, look.as_of) if primary else None
    due = {gate["gate"]: gate["due"][:10] for gate in gates}
    kpis = []
    for kpi, meant in declared.kpis.items():
        own = [row for row in rows if row["kpi"] == kpi]
        kpis.append({"kpi": kpi, "unit": meant.shown_unit, "readings": own, "chart": chart(own, due, meant.shown_unit)})
    return {
        "id": name,
        "name": declared.workflow,
        "use_case": declared.use_case,
        "owner": declared.owners.business,
        "autonomy": str(declared.autonomy.level) if declared.autonomy else None,
        "primary": primary,
        "standing": standing,
        "gates": gates,
        "kpis": sorted(kpis, key=lambda one: one["kpi"] != primary),
    }


def _gates(declared: Workflow) -> list[dict[str, Any]]:
    pilot, found = declared.pilot, []
    for gate in pilot.gates if pilot else ():
        due, decided = pilot.due(gate) if pilot else None, pilot.decided.get(gate) if pilot else None
        if due is not None:
            outcome = {"outcome": decided.outcome, "on": decided.on.isoformat(), "by": decided.by} if decided else None
            found.append({"gate": gate, "due": format_instant(due), "decided": outcome})
    return found

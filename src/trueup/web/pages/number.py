"""Why this number: from a KPI's measured difference to its formula, readings, events and declared line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.programme import workflow_file
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.standing import inputs_of, primary_standing
from trueup.loop.why import open_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.web.site import Look, Site

_WAYS = {
    "cases": "anytime-valid sequence over single cases",
    "units": "difference of unit means; the looks of a pilot share the level",
    "blocks": "anytime-valid sequence over weekly means",
}


def number(site: Site, look: Look, name: str, kpi: str) -> dict[str, Any]:
    """Return the chain of a KPI of a workflow. Raises NotFoundError for one that is not declared."""
    require_workflow(site.checked(look).programme, name)
    with site.bench(look, name) as bench:
        declared = bench.programme.workflows[name]
        if kpi not in declared.kpis:
            raise NotFoundError(
                "no-such-kpi",
                f"The workflow {name!r} has no KPI {kpi!r}.{did_you_mean(kpi, declared.kpis)}",
                f"Declared are: {', '.join(declared.kpis) or 'none'}.",
            )
        standing = primary_standing(bench, name, kpi, look.as_of)
        inputs = inputs_of(bench, name, kpi, look.as_of)
        registration = bench.programme.registrations.get(name)
        readings = [one.to_json() for one in readings_of(bench, name, look.as_of, kpis=[kpi])]
        since = registration.baseline_from.isoformat() if registration else ""
        chain = {
            "readings": [row for row in readings if str(row["week"]) >= since],
            "inputs": inputs,
            "formula": _formula(standing, inputs),
            "declared": [workflow_file(name), "kpis", kpi],
        }
        change = {"kind": "gate", "subject": name, "kpi": kpi, "due": format_instant(look.as_of), "gate": ""}
        saved = {"id": "now", "changes": [change], "chains": [chain], "data": dict(bench.observations.digests())}
        opened = open_change(bench, saved, 1)
        name_shown, unit = declared.workflow, declared.kpis[kpi].shown_unit
    kept = ("readings", "formula", "events", "declared", "data")
    return {
        "workflow": name,
        "name": name_shown,
        "kpi": kpi,
        "unit": unit,
        "files": look.files.to_json(),
        "standing": standing,
        **{key: opened[key] for key in kept},
    }


def _formula(standing: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    if not inputs:
        return {"name": "none: nothing can be compared", "expression": standing["because"], "inputs": {}}
    return {
        "name": _WAYS[str(inputs["basis"])],
        "expression": f"mean(treated) - mean({inputs['control_is']}), two-sided level {inputs['alpha']:g}, "
        "valid at every look",
        "inputs": dict(inputs),
    }

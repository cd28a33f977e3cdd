"""The promise of a pilot: everything that must not move once it is registered, as one comparable value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from trueup.kernel.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Pilot, Workflow
    from trueup.kernel.canonical import Json


def watched_kpis(workflow: Workflow) -> list[str]:
    """Return the primary KPI and the guardrails of a pilot that are declared, primary first."""
    pilot = workflow.pilot
    if pilot is None:
        return []
    names = ([pilot.primary] if pilot.primary else []) + list(pilot.guardrails)
    return [name for name in dict.fromkeys(names) if name in workflow.kpis]


def definition_digest(workflow: Workflow, kpi: str) -> str:
    """Return the digest of what a KPI computes (not of its bars)."""
    return digest(cast("Json", workflow.kpis[kpi].definition()))


def population_of(workflow: Workflow) -> dict[str, Any]:
    """Return whose cases count: the source, its columns, what completes a case, what a segment is."""
    if workflow.events is None:
        return {}
    return workflow.events.model_dump(mode="json", exclude_none=True, exclude={"matures_after"})


def adjust_json(pilot: Pilot) -> dict[str, Any] | None:
    """Return what the comparison is adjusted for as it is registered; None where nothing is."""
    return None if pilot.adjust is None else pilot.adjust.model_dump(mode="json")


def promise_of(workflow: Workflow) -> dict[str, Any]:
    """Return the promise that the files now make; empty without a pilot."""
    pilot, events = workflow.pilot, workflow.events
    if pilot is None or events is None:
        return {}
    primary = workflow.kpis.get(pilot.primary or "")
    adjust = {"adjust": adjust_json(pilot)} if pilot.adjust is not None else {}
    controls = {name: definition_digest(workflow, name) for name in pilot.negative_control if name in workflow.kpis}
    return (
        adjust
        | _named(controls, pilot.downstream)
        | {
            "starts": str(pilot.starts),
            "matures_after": str(events.matures_after),
            "population": population_of(workflow),
            "design": pilot.design.model_dump(mode="json", exclude_none=True),
            "primary": pilot.primary,
            "worth_having": str(primary.worth_having) if primary and primary.worth_having else None,
            "target": str(primary.target) if primary and primary.target else None,
            "guardrails": {name: str(guardrail.no_worse_than) for name, guardrail in pilot.guardrails.items()},
            "gates": {
                name: {"scale": gate.scale, "bar": str(gate.bar) if gate.bar else None}
                for name, gate in pilot.gates.items()
            },
            "kpis": {name: definition_digest(workflow, name) for name in watched_kpis(workflow)},
        }
    )


def promised(registration: Registration) -> dict[str, Any]:
    """Return the promise that was registered, in the same form."""
    watched = [registration.primary, *registration.guardrails]
    adjust = {"adjust": registration.adjust} if registration.adjust is not None else {}
    named, kpis = registration.negative_control or (), registration.kpis
    controls = {name: kpis[name].definition_digest for name in named if name in kpis}
    return (
        adjust
        | _named(controls, registration.downstream or ())
        | {
            "starts": str(registration.starts),
            "matures_after": registration.matures_after,
            "population": registration.population,
            "design": registration.design,
            "primary": registration.primary,
            "worth_having": registration.worth_having,
            "target": registration.target,
            "guardrails": registration.guardrails,
            "gates": {name: {"scale": gate.scale, "bar": gate.bar} for name, gate in registration.gates.items()},
            "kpis": {name: registration.kpis[name].definition_digest for name in watched if name in registration.kpis},
        }
    )


def _named(controls: Mapping[str, str], downstream: Sequence[str]) -> dict[str, Any]:
    """Return what is named beside the primary KPI; nothing for what is not, as before it could be."""
    named = {"negative_control": dict(controls), "downstream": list(downstream)}
    return {key: kpis for key, kpis in named.items() if kpis}


def moved(workflow: Workflow, registration: Registration) -> list[str]:
    """Name what the files now say otherwise than the registration, in the words of the files."""
    now, then = promise_of(workflow), promised(registration)
    return [key for key in then | now if now.get(key) != then.get(key)]

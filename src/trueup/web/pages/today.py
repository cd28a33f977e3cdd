"""Today: is the strategy working, and what needs me? Objectives, one strip of the loop a workflow, the queue."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.enforce.standing.stale import as_they_stand
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import TrueupError
from trueup.kernel.finding import Finding, Severity
from trueup.loop.autonomy.blind import inbox
from trueup.loop.standing import objective_standings
from trueup.web.pages.review import current
from trueup.web.pages.spend import spend_by_objective
from trueup.web.pages.strip import by_workflow, strip_of, worst_first
from trueup.workspace import approval_desk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.loop.workbench import Workbench
    from trueup.web.site import Look, Site

_SOON = timedelta(weeks=4)
_SEVERITIES = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
# Whoever has more to decide reads the review; the page says how many there are.
MOST_SHOWN = 20


def today(site: Site, look: Look) -> dict[str, Any]:
    """Return the page's model. A programme with errors still has its findings, and says what cannot be shown."""
    checked = site.checked(look)
    findings = sorted((found for found in checked.findings if found.waived is None), key=_by_severity)
    model: dict[str, Any] = {
        "programme": checked.programme.file.programme,
        "currency": checked.programme.file.currency,
        "as_of": format_instant(look.as_of),
        "files": look.files.to_json(),
        "objectives": [],
        "workflows": [],
        "changes": [],
        "approvals": [],
        "reviews": [],
        "gates": gates_ahead(checked.programme, look.as_of),
        "findings": [found.to_json() for found in findings],
        "held": None,
        "summary": None,
    }
    try:
        changes = current(site, look)["changes"]
        with site.bench(look) as bench:
            model |= _measured(bench, changes, look.as_of)
    except TrueupError as error:
        model["held"] = error.to_json()
    return model


def _by_severity(found: Finding) -> tuple[int, object]:
    return (_SEVERITIES[found.severity], found.sort_key())


def _measured(bench: Workbench, changes: Sequence[Mapping[str, Any]], as_of: datetime) -> dict[str, Any]:
    about = by_workflow([item for item in bench.ledger.entries() if item.entry.time <= as_of])
    names = sorted(bench.programme.workflows)
    strips = [strip_of(bench, name, about.get(name, []), changes, as_of) for name in names]
    spend = spend_by_objective(bench, as_of)
    objectives = [row | {"spend": spend[row["id"]]} for row in objective_standings(bench, as_of)]
    return {
        "objectives": objectives,
        "summary": summary_of(objectives),
        "workflows": sorted(strips, key=worst_first),
        "changes": changes,
        "approvals": waiting(bench, as_of),
        "reviews": [one.to_json() for one in inbox(bench, None, as_of)],
    }


def waiting(bench: Workbench, as_of: datetime) -> list[dict[str, Any]]:
    """Return the held steps that a person has to decide on at an instant, the first to expire first; no arguments."""
    kept = ("id", "workflow", "action", "tool", "case", "reasons", "approvers", "requested_at", "expires_at", "stale")
    desk = approval_desk(bench)
    asked = [one for one in desk.waiting(as_of) if one.requested_at <= as_of]
    rows = [one.to_json() for one in sorted(as_they_stand(desk, asked), key=lambda one: (one.expires_at, one.id))]
    return [{key: row[key] for key in kept} for row in rows]


def summary_of(objectives: Sequence[Mapping[str, Any]]) -> str | None:
    """Say in a sentence how many first targets are reached, and how the others stand; None without objectives."""
    states = Counter(row["targets"][0]["state"] if row["targets"] else "unknown" for row in objectives)
    if not states:
        return None
    others = "".join(f", {count} {state}" for state, count in states.most_common() if state != "reached")
    return f"{states['reached']} of {len(objectives)} objectives reached{others}."


def gates_ahead(programme: Programme, as_of: datetime) -> list[dict[str, Any]]:
    """Return the gates that fall due within four weeks, the nearest first."""
    found = []
    for name, workflow in programme.workflows.items():
        pilot = workflow.pilot
        if pilot is None or (pilot.ended is not None and pilot.ended <= as_of.date()):
            continue
        for gate in pilot.gates:
            due = pilot.due(gate)
            if due is not None and gate not in pilot.decided and as_of < due <= as_of + _SOON:
                owner = workflow.owners.business
                found.append({"workflow": name, "gate": gate, "due": format_instant(due), "owner": owner})
    return sorted(found, key=lambda one: (one["due"], one["workflow"]))

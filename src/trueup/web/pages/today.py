"""Today: is the strategy working, and what needs me? Objectives, one strip of the loop a workflow, the queue."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import TrueupError
from trueup.kernel.finding import Finding, Severity
from trueup.loop.review import compute, to_json
from trueup.loop.standing import objective_standings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.ledger.entry import Recorded
    from trueup.loop.workbench import Workbench
    from trueup.web.site import Look, Site

_SOON = timedelta(weeks=4)
_RANKS = {"stop": 0, "hold": 1, "unknown": 2, "go": 3}
_SEVERITIES = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_ENFORCING = ("action.", "approval.", "case.", "policy.")


def today(site: Site, look: Look) -> dict[str, Any]:
    """Return the page's model. A programme with errors still has its findings, and says what cannot be shown."""
    checked = site.checked()
    findings = sorted((found for found in checked.findings if found.waived is None), key=_by_severity)
    model: dict[str, Any] = {
        "programme": checked.programme.file.programme,
        "as_of": format_instant(look.as_of),
        "objectives": [],
        "workflows": [],
        "changes": [],
        "gates": gates_ahead(checked.programme, look.as_of),
        "findings": [found.to_json() for found in findings],
        "held": None,
        "summary": None,
    }
    try:
        with site.bench() as bench:
            model |= _measured(bench, look.as_of)
    except TrueupError as error:
        model["held"] = error.to_json()
    return model


def _by_severity(found: Finding) -> tuple[int, object]:
    return (_SEVERITIES[found.severity], found.sort_key())


def _measured(bench: Workbench, as_of: datetime) -> dict[str, Any]:
    entries = [item for item in bench.ledger.entries() if item.entry.time <= as_of]
    changes = to_json(compute(bench, as_of), "now")["changes"]
    strips = [strip_of(bench, name, entries, changes, as_of) for name in sorted(bench.programme.workflows)]
    objectives = objective_standings(bench, as_of)
    return {
        "objectives": objectives,
        "summary": summary_of(objectives),
        "workflows": sorted(strips, key=_worst_first),
        "changes": changes,
    }


def _worst_first(strip: Mapping[str, Any]) -> tuple[int, str]:
    return (min(_RANKS[strip[part]["state"]] for part in PARTS), strip["id"])


def summary_of(objectives: Sequence[Mapping[str, Any]]) -> str | None:
    """Say in a sentence how many first targets are reached, and how the others stand; None without objectives."""
    states = Counter(row["targets"][0]["state"] if row["targets"] else "unknown" for row in objectives)
    if not states:
        return None
    others = "".join(f", {count} {state}" for state, count in states.most_common() if state != "reached")
    return f"{states['reached']} of {len(objectives)} objectives reached{others}."


PARTS = ("declared", "enforced", "observed", "decided")


def strip_of(
    bench: Workbench, name: str, entries: Sequence[Recorded], changes: Sequence[Mapping[str, Any]], as_of: datetime
) -> dict[str, Any]:
    """Return one workflow round the loop: each part with a state (go, hold, stop, unknown), a day and a sentence."""
    about = [item for item in entries if _subject(item) == name]
    waiting = [change for change in changes if change["kind"] == "gate" and change["subject"] == name]
    return {
        "id": name,
        "name": bench.programme.workflows[name].workflow,
        "declared": _declared(bench.programme, name, as_of),
        "enforced": _enforced(bench.programme, name, about),
        "observed": _observed(bench, name, as_of),
        "decided": _decided(about, waiting),
    }


def _part(state: str, on: str | None, says: str) -> dict[str, Any]:
    return {"state": state, "on": on, "says": says}


def _subject(item: Recorded) -> object:
    data = item.entry.data
    return data.get("workflow") or data.get("subject")


def _declared(programme: Programme, name: str, as_of: datetime) -> dict[str, Any]:
    pilot, registration = programme.workflows[name].pilot, programme.registrations.get(name)
    if pilot is None or pilot.starts is None:
        return _part("unknown", None, "no pilot declared")
    if registration is None:
        return _part("hold", pilot.starts.isoformat(), "no baseline registered")
    if pilot.ended is not None and pilot.ended <= as_of.date():
        return _part("stop", pilot.ended.isoformat(), "pilot ended")
    late = ", registered late" if registration.late else ""
    word = "pilot runs" if pilot.starts <= as_of.date() else "pilot starts"
    return _part("hold" if late else "go", pilot.starts.isoformat(), word + late)


def _enforced(programme: Programme, name: str, about: Sequence[Recorded]) -> dict[str, Any]:
    acts = [item for item in about if item.entry.type.startswith(_ENFORCING)]
    if acts:
        last = acts[-1].entry
        return _part("go", format_instant(last.time)[:10], last.type.replace(".", " ").replace("_", " "))
    if not programme.workflows[name].actions:
        return _part("unknown", None, "no actions declared")
    return _part("unknown", None, "no request yet")


def _observed(bench: Workbench, name: str, as_of: datetime) -> dict[str, Any]:
    events = bench.programme.workflows[name].events
    source = events.data if events else None
    if source is None:
        return _part("unknown", None, "no events declared")
    try:
        newest = bench.observations.observer().newest(source, as_of)
    except TrueupError as error:
        return _part("stop", None, error.message)
    if newest is None:
        return _part("unknown", None, "no events yet")
    declared = bench.programme.file.data.get(source)
    limit = declared.fresh_within.delta() if declared and declared.fresh_within else None
    if limit is not None and as_of - parse_instant(newest) > limit:
        return _part("hold", newest[:10], "not fresh")
    return _part("go", newest[:10], "fresh")


def _decided(about: Sequence[Recorded], open_changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if open_changes:
        change = open_changes[0]
        return _part("hold", str(change["due"])[:10], f"{change['gate']} waits")
    decisions = [item.entry for item in about if item.entry.type == "change.decided"]
    if not decisions:
        return _part("unknown", None, "nothing decided yet")
    last = decisions[-1]
    outcome, gate = str(last.data.get("outcome")), last.data.get("gate") or last.data.get("kind")
    return _part(outcome if outcome in _RANKS else "go", format_instant(last.time)[:10], f"{gate}: {outcome}")


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

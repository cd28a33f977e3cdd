"""One workflow round the loop: declared, enforced, observed, decided; each a state, a day and a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.ledger.entry import Recorded
    from trueup.loop.workbench import Workbench

RANKS = {"stop": 0, "hold": 1, "unknown": 2, "go": 3}
_ENFORCING = ("action.", "approval.", "case.", "policy.")
PARTS = ("declared", "enforced", "observed", "decided")


def by_workflow(entries: Sequence[Recorded]) -> dict[str, list[Recorded]]:
    """Return the entries about each workflow."""
    found: dict[str, list[Recorded]] = {}
    for item in entries:
        found.setdefault(str(item.entry.data.get("workflow") or item.entry.data.get("subject")), []).append(item)
    return found


def worst_first(strip: Mapping[str, Any]) -> tuple[list[int], str]:
    """Order strips by their worst part, then by the next; by id among equals."""
    return (sorted(RANKS[strip[part]["state"]] for part in PARTS), strip["id"])


def strip_of(
    bench: Workbench, name: str, about: Sequence[Recorded], changes: Sequence[Mapping[str, Any]], as_of: datetime
) -> dict[str, Any]:
    """Return one workflow round the loop: each part with a state (go, hold, stop, unknown), a day and a sentence.

    `about` are the entries about it up to the instant, `changes` the open ones of the review.
    """
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
    return _part(outcome if outcome in RANKS else "go", format_instant(last.time)[:10], f"{gate}: {outcome}")

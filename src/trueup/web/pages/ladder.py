"""The autonomy ladder: where a workflow stands, how far it may go, and the evidence towards the next rung."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import AutonomyLevel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Autonomy
    from trueup.loop.workbench import Workbench

RUNGS = tuple(AutonomyLevel)
MEANS = {
    AutonomyLevel.SHADOW: "proposes, and only the measurement sees it",
    AutonomyLevel.DRAFT: "proposes to a person who does the work",
    AutonomyLevel.APPROVE: "acts after a person's yes",
    AutonomyLevel.ACT: "acts alone within limits; a random share is still reviewed",
}


def ladder(bench: Workbench, name: str, changes: Sequence[Mapping[str, Any]], as_of: datetime) -> dict[str, Any] | None:
    """Return the rungs of a workflow and what stands before the next; None where no autonomy is declared.

    `reviewed` and `wrong` count the decided approvals up to the instant; an edit counts as wrong.
    """
    declared = bench.programme.workflows[name].autonomy
    if declared is None:
        return None
    proposed = [change for change in changes if change["kind"] == "autonomy" and change.get("subject") == name]
    reviewed, wrong = _reviewed(bench, name, as_of)
    return {
        "level": str(declared.level),
        "may_reach": str(declared.may_reach) if declared.may_reach else None,
        "rungs": [{"level": str(rung), "means": MEANS[rung], "state": _state(declared, rung)} for rung in RUNGS],
        "next": _next(declared),
        "wrong_at_most": declared.wrong_at_most,
        "sure": declared.sure,
        "stable_cycles": declared.stable_cycles,
        "reviewed": reviewed,
        "wrong": wrong,
        "proposed": proposed[0] if proposed else None,
    }


def _state(declared: Autonomy, rung: AutonomyLevel) -> str:
    at, here = RUNGS.index(rung), RUNGS.index(declared.level)
    if at == here:
        return "here"
    if at < here:
        return "below"
    within = declared.may_reach is not None and at <= RUNGS.index(declared.may_reach)
    return "open" if within else "not allowed"


def _next(declared: Autonomy) -> str | None:
    above = RUNGS[RUNGS.index(declared.level) + 1 :]
    return str(above[0]) if above and _state(declared, above[0]) == "open" else None


def _reviewed(bench: Workbench, name: str, as_of: datetime) -> tuple[int, int]:
    """Return how many held steps a person has decided on, and how many of these were not taken as they were."""
    asked = {
        item.entry.data.get("approval")
        for item in bench.ledger.entries("approval.requested")
        if item.entry.data.get("workflow") == name
    }
    decided = [
        item.entry.data.get("decision")
        for item in bench.ledger.entries("approval.decided")
        if item.entry.data.get("approval") in asked and item.entry.time <= as_of
    ]
    judged = [decision for decision in decided if decision != "escalated"]
    return len(judged), sum(decision != "accepted" for decision in judged)

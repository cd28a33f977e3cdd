"""What people do about held and unknown steps: one way for the command line and for the HTTP API.

Each call opens the programme and lets go of it again. `signs` puts a name under a decision: a signature, or a claim.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from trueup.enforce.approvals import Ask, Decided
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.standing.bypass import Wanted
    from trueup.enforce.standing.settling import Unknown
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.loop.workbench import Workbench

    Sign = Callable[[bytes], Mapping[str, Json]]
    Signs = Callable[[Workbench], Sign]


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody found out about an unknown step, and who says so."""

    step: str
    happened: bool
    by: str
    because: str


def waiting(
    root: Path, at: datetime | None = None, *, progress: Progress = silent, clock: Clock | None = None
) -> list[Approval]:
    """Return what waits for a person, oldest first; also where a yes would not count. Raises as `opened`."""
    from trueup.enforce.standing.stale import as_they_stand
    from trueup.workspace import approval_desk, opened

    with opened(root, progress, clock=clock) as bench:
        desk = approval_desk(bench)
        return as_they_stand(desk, desk.waiting(at or bench.clock.now()))


def approval(
    root: Path, name: str, at: datetime | None = None, *, progress: Progress = silent, clock: Clock | None = None
) -> dict[str, Any]:
    """Return one approval, and `beside` it what its approver has to see too. Raises NotFoundError, and as `opened`."""
    from trueup.enforce.standing.screen import screen_of
    from trueup.workspace import approval_desk, opened

    with opened(root, progress, workflow=workflow_about(root, name), clock=clock) as bench:
        return screen_of(approval_desk(bench), name, at or bench.clock.now())


def workflow_about(root: Path, name: str) -> str:
    """Return the workflow that an approval is about, whatever the state of the files. Raises NotFoundError."""
    from trueup.enforce.approvals import workflow_of
    from trueup.workspace import reading_ledger

    with reading_ledger(root) as ledger:
        return workflow_of(ledger, name)


def decide(
    root: Path, asks: Sequence[Ask], signs: Signs, *, progress: Progress = silent, clock: Clock | None = None
) -> list[Decided]:
    """Record one person's decisions on approvals that are alike. Raises as `decide_alike` and `opened`."""
    from trueup.enforce.autonomy.rung import policy_in_force
    from trueup.enforce.standing.alike import decide_alike
    from trueup.enforce.standing.stale import as_they_stand
    from trueup.workspace import approval_desk, opened

    workflow = workflow_about(root, asks[0].approval)
    with opened(root, progress, write=True, workflow=workflow, clock=clock) as bench:
        policy, desk = policy_in_force(bench.programme, workflow, bench.ledger), approval_desk(bench)
        found = decide_alike(desk, asks, policy, bench.clock.now(), signs(bench))
        now = as_they_stand(desk, [one.approval for one in found])
        return [replace(one, approval=approval) for one, approval in zip(found, now, strict=True)]


def decided_json(decided: Sequence[Decided]) -> dict[str, Any]:
    """Return the published form of decisions."""
    denied = next((one.denied for one in decided if one.denied is not None), None)
    return {
        "approvals": [one.approval.to_json() for one in decided],
        "entry": decided[-1].entry,
        "denied": denied.to_json() if denied else None,
    }


def unknown(root: Path, *, progress: Progress = silent, clock: Clock | None = None) -> list[Unknown]:
    """Return the steps of which nobody knows whether they happened. Raises as `opened`."""
    from trueup.enforce.standing.settling import unknown_steps
    from trueup.workspace import opened

    with opened(root, progress, clock=clock) as bench:
        return unknown_steps(bench.ledger)


def settle(
    root: Path, seen: Seen, signs: Signs, *, progress: Progress = silent, clock: Clock | None = None
) -> tuple[Unknown, int]:
    """Record what became of an unknown step; return it with the entry's index. Raises as `settling.settle`."""
    from trueup.enforce.standing.settling import settle as settled
    from trueup.workspace import approval_desk, opened

    with opened(root, progress, write=True, clock=clock) as bench:
        return settled(
            approval_desk(bench),
            seen.step,
            happened=seen.happened,
            by=seen.by,
            because=seen.because,
            at=bench.clock.now(),
            sign=signs(bench),
        )


def settled_json(step: Unknown, entry: int, *, happened: bool) -> dict[str, Any]:
    """Return the published form of a settled step."""
    return {"entry": entry, "happened": happened, "steps": [step.to_json()]}


def judged(
    root: Path,
    workflow: str,
    request: Callable[[], bytes],
    at: datetime | None = None,
    *,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> Verdict:
    """Return what the gate would answer to a request as JSON, read once the programme is open; records nothing.

    Raises as `opened`, and what reading raises.
    """
    from trueup.enforce.autonomy.rung import policy_in_force
    from trueup.enforce.rehearsal.dry import dry_run
    from trueup.workspace import bodies_of, opened

    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        policy = policy_in_force(bench.programme, workflow, bench.ledger)
        return dry_run(policy, bench.ledger, request(), at or bench.clock.now(), bodies_of(root))


def bypassed(
    root: Path, wanted: Wanted, signs: Signs, *, progress: Progress = silent, clock: Clock | None = None
) -> dict[str, Any]:
    """Record a bypass or its end, and return what stands in the record. Raises as `loop.bypass.bypass` and `opened`."""
    from trueup.loop.bypass import bypass
    from trueup.workspace import opened

    with opened(root, progress, write=True, workflow=wanted.workflow, clock=clock) as bench:
        entry = bypass(bench, wanted, signs(bench))
        until = None if wanted.lasts is None else bench.ledger.entry(entry).entry.data["until"]
    said = {"workflow": wanted.workflow, "action": wanted.action, "by": wanted.by, "because": wanted.because}
    return {"entry": entry, **said, "until": until}


def bypasses(
    root: Path, at: datetime | None = None, *, progress: Progress = silent, clock: Clock | None = None
) -> list[dict[str, Any]]:
    """Return the bypasses that are in force, by workflow. Raises as `opened`."""
    from trueup.enforce.autonomy.rung import policy_in_force
    from trueup.enforce.standing.bypass import Bypasses
    from trueup.workspace import opened

    with opened(root, progress, clock=clock) as bench:
        when = at or bench.clock.now()
        return [
            one.to_json()
            for name in sorted(bench.programme.workflows)
            for one in Bypasses(bench.ledger, name).in_force(policy_in_force(bench.programme, name, bench.ledger), when)
        ]

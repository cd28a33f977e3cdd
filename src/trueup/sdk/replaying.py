"""What a workflow was asked, under the policy of other files: nothing is recorded, and nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import ConflictError
from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from trueup.declare.programme import Programme
    from trueup.kernel.clock import Clock


def replayed(
    root: Path,
    workflow: str,
    under: Path | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Return what recorded requests would be answered under the files of `under` (default: the programme as it stands).

    The level is the one that those files declare. Raises ConflictError where there is no policy that could be loaded,
    NotFoundError, DeclarationError, and as `opened`.
    """
    from trueup.enforce.policy import compile_policy
    from trueup.enforce.rehearsal.replay import replay
    from trueup.workspace import bodies_of, opened

    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        candidate = bench.programme if under is None else _sound(under, workflow, bench.clock)
        policy = compile_policy(candidate, workflow)
        if policy.broken is not None:
            raise ConflictError(
                "no-policy", f"There is no policy to replay under: {policy.broken}.", "Correct it first."
            )
        progress("judging what was recorded")
        found = replay(policy, bench.ledger, bodies_of(root), since, until or bench.clock.now())
    return {"workflow": workflow, "policy": policy.version, "level": str(policy.level), **found.to_json()}


def recorded(
    root: Path, workflow: str, index: int, *, progress: Progress = silent, clock: Clock | None = None
) -> dict[str, Any]:
    """Return a verdict that stands in the ledger, with every rule. Raises as `recorded_verdict`, and as `opened`."""
    from trueup.enforce.rehearsal.recorded import recorded_verdict
    from trueup.workspace import opened

    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        return recorded_verdict(bench.programme, workflow, bench.ledger, index)


def _sound(root: Path, workflow: str, clock: Clock) -> Programme:
    from trueup.declare.read import require_sound
    from trueup.workspace import checked_programme, needed_files

    checked = checked_programme(root, clock)
    require_sound(checked, needed_files(checked.programme, workflow, None))
    return checked.programme

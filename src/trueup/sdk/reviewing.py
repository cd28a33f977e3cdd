"""What people do about cases that were drawn for a blind review: one way for the command line and for the HTTP API.

Each call opens the programme and lets go of it again. `signs` puts a name under a label: a signature, or a claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.loop.autonomy.labels import Label
    from trueup.loop.workbench import Workbench

    Sign = Callable[[bytes], Mapping[str, Json]]
    Signs = Callable[[Workbench], Sign]


def waiting(
    root: Path,
    at: datetime | None = None,
    *,
    workflow: str | None = None,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> list[dict[str, Any]]:
    """Return what somebody has to look at blind, by the time that it is due. Raises NotFoundError, and as `opened`."""
    from trueup.loop.autonomy.blind import inbox
    from trueup.loop.measure import require_workflow
    from trueup.workspace import opened

    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        if workflow is not None:
            require_workflow(bench.programme, workflow)
        return [one.to_json() for one in inbox(bench, workflow, at or bench.clock.now())]


def label(
    root: Path, said: Label, signs: Signs, *, progress: Progress = silent, clock: Clock | None = None
) -> dict[str, Any]:
    """Record a label, and return what stands in the record. Raises as `labels.label`, and as `opened`."""
    from trueup.loop.autonomy.labels import label as labelled
    from trueup.workspace import bodies_of, opened

    with opened(root, progress, write=True, clock=clock) as bench:
        return labelled(bench, bodies_of(root), said, signs(bench))

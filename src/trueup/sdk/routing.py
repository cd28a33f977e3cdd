"""The router of one workflow, opened for a program whose cases begin."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.enforce.router import Router
    from trueup.kernel.clock import Clock


@contextmanager
def routed(
    root: Path | str, workflow: str, *, progress: Progress = silent, clock: Clock | None = None
) -> Iterator[Router]:
    """Open the router of a workflow: `router.assign(case, now).arm`, before the case starts.

    Raises ConflictError without a registered `by: ledger` design, NotFoundError, DeclarationError,
    LedgerBrokenError.
    """
    from trueup.enforce.router import Router
    from trueup.workspace import SystemClock, open_ledger, opened

    root, clock = Path(root), clock or SystemClock()
    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        # What cannot be drawn is refused before anything is opened for writing.
        Router(bench.programme, workflow, bench.ledger)
        ledger, _ = open_ledger(root, bench.programme.file.ledger, clock, write=True)
        try:
            yield Router(bench.programme, workflow, ledger)
        finally:
            ledger.close()

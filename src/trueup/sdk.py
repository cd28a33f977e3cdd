"""What a program of yours imports: the gate in front of its actions, and the router in front of its cases.

with governed(Path("programme"), "expense-approval") as gate:
    outcome = gate.call(Request("erp.declaration.approve", {"amount": 120}), "case-17/approve", approve)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from trueup.kernel.errors import ConflictError
from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trueup.enforce.gate import Gate
    from trueup.enforce.router import Router
    from trueup.kernel.clock import Clock


@contextmanager
def governed(root: Path, workflow: str, *, progress: Progress = silent, clock: Clock | None = None) -> Iterator[Gate]:
    """Open the gate of a workflow for a program that acts.

    The policy is that of the files as they stand now. The programme's lock is not held, so that people can decide
    meanwhile. Raises ConflictError when there is no policy that could be loaded, NotFoundError, DeclarationError,
    LedgerBrokenError.
    """
    from trueup.enforce.gate import Gate
    from trueup.enforce.policy import compile_policy
    from trueup.loop.pin import pin_now
    from trueup.workspace import SystemClock, bodies_of, open_ledger, opened, runner_name

    clock = clock or SystemClock()
    with opened(root, progress, write=True, workflow=workflow, clock=clock) as bench:
        policy = compile_policy(bench.programme, workflow)
        if policy.broken is not None:
            raise ConflictError(
                "no-policy", f"The gate of {workflow!r} does not open: {policy.broken}.", "Correct the file, and retry."
            )
        pin_now(bench)
    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        ledger, _ = open_ledger(root, bench.programme.file.ledger, clock, write=True)
        try:
            yield Gate(bench.programme, policy, ledger, bodies_of(root), clock, runner_name())
        finally:
            ledger.close()


@contextmanager
def routed(root: Path, workflow: str, *, progress: Progress = silent, clock: Clock | None = None) -> Iterator[Router]:
    """Open the router of a workflow: `router.assign(case, now).arm`, before the case starts.

    Raises ConflictError without a registered `by: ledger` design, NotFoundError, DeclarationError,
    LedgerBrokenError.
    """
    from trueup.enforce.router import Router
    from trueup.workspace import SystemClock, open_ledger, opened

    clock = clock or SystemClock()
    with opened(root, progress, workflow=workflow, clock=clock) as bench:
        ledger, _ = open_ledger(root, bench.programme.file.ledger, clock, write=True)
        try:
            yield Router(bench.programme, workflow, ledger)
        finally:
            ledger.close()

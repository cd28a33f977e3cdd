"""A step undone by the tool that is declared for it: what runs it is given, the gate is the same.

outcome = reverse(Path("programme"), "a-1a2b3c4d5e6f", by="owner", run=lambda arguments: erp.refund(**arguments))
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trueup.enforce.acting.outcome import Outcome, Run, RunAsync
    from trueup.enforce.standing.repeats import Turn
    from trueup.enforce.standing.reversing import Reversal
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.sdk.governed import GovernedWorkflow


@dataclass(frozen=True, slots=True)
class Undoing:
    """A reversal and the gate that it is taken through."""

    gate: GovernedWorkflow
    reversal: Reversal

    def run(self, run: Run, definition: str | None = None) -> Outcome:
        """Take it through the gate: `run` is called with the arguments if it may be. Raises as `Gate.call`."""
        request = self.reversal.request(definition)
        turn = self.gate.turn(request, self.reversal.step)
        if turn.resumes and turn.approval is not None:
            return self.gate.resume(turn.approval.id, run)
        return _stands(turn) or self.gate.call(request, self.reversal.step, run)

    async def run_async(self, run: RunAsync, definition: str | None = None) -> Outcome:
        """Do as `run`, for a callable that is awaited."""
        request = self.reversal.request(definition)
        turn = self.gate.turn(request, self.reversal.step)
        if turn.resumes and turn.approval is not None:
            return await self.gate.resume_async(turn.approval.id, run)
        return _stands(turn) or await self.gate.call_async(request, self.reversal.step, run)


def _stands(turn: Turn) -> Outcome | None:
    from trueup.enforce.acting.outcome import Outcome
    from trueup.enforce.steps import State

    if turn.approval is None:
        return None
    return Outcome(turn.state or State.HELD, None, approval=turn.approval.id)


@contextmanager
def reversing(
    root: Path | str,
    name: str,
    by: str,
    arguments: Mapping[str, Json] | None = None,
    *,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> Iterator[Undoing]:
    """Find what undoes a step, and open the gate for it. Raises as `reversal_of` and `governed`."""
    from trueup.enforce.standing.reversing import reversal_of
    from trueup.sdk.governed import governed
    from trueup.workspace import approval_desk, opened

    root = Path(root)
    with opened(root, progress, clock=clock) as bench:
        reversal = reversal_of(approval_desk(bench), name, by, bench.clock.now(), arguments)
    with governed(root, reversal.workflow, progress=progress, clock=clock) as gate:
        yield Undoing(gate, reversal)


def reverse(root: Path | str, name: str, *, by: str, run: Run, arguments: Mapping[str, Json] | None = None) -> Outcome:
    """Undo a step (as its approval or its receipt is called) by `run`, once, if and when the gate says so.

    `held` is answered while a person has to say yes; asked for again after that, it runs. Raises as `reversing`.
    """
    with reversing(root, name, by, arguments) as undoing:
        return undoing.run(run)


def reversed_json(undoing: Undoing, outcome: Outcome) -> dict[str, Any]:
    """Return the published form of what became of a reversal."""
    verdict = outcome.verdict.to_json() if outcome.verdict else None
    found = {"reversal": undoing.reversal.to_json(), "state": str(outcome.state), "approval": outcome.approval}
    return {**found, "entry": outcome.entry, "verdict": verdict}

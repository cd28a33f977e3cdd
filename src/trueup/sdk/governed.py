"""The gate of one workflow, opened for a program that acts.

with governed(Path("programme"), "expense-approval") as gate:
    outcome = gate.call(Request("erp.declaration.approve", {"amount": 120}), "case-17/approve", approve)
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.enforce.request import UnfitRequestError, normalised
from trueup.enforce.steps import State
from trueup.kernel.errors import ConflictError, TrueupError
from trueup.kernel.progress import Progress, silent
from trueup.sdk.masked import Masked
from trueup.sdk.reminding import reminding
from trueup.sdk.stamps import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trueup.declare.programme import Programme
    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.attempt import Held
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.gate import Gate, Outcome, Run, RunAsync
    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.enforce.standing.pins import Registry
    from trueup.enforce.standing.refused import Refusals
    from trueup.enforce.standing.repeats import Repeats, Turn
    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.ledger.log import Ledger

    Opened = Callable[[Programme, Policy], "Door"]

# Programs start together, and the first of them pins the ledger.
_PATIENCE = 20.0

# What ends a step by itself: the next same call is another one.
_OVER = frozenset({State.DONE, State.DENIED})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a call: which step it is and, where it was taken through the gate now, its outcome or error."""

    turn: Turn
    outcome: Outcome | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """The gate of one workflow under one policy, and what callers without keys of their own need beside it."""

    gate: Gate
    desk: Desk
    policy: Policy
    repeats: Repeats
    registry: Registry


class GovernedWorkflow:
    """The gate of one workflow; before each action it looks whether the files have changed.

    A lower level, a narrower limit or a new policy holds for the next action. Files that cannot be used any more
    deny everything until they are mended.
    """

    def __init__(
        self, root: Path, workflow: str, programme: Programme, clock: Clock, opened: Opened, refusals: Refusals
    ) -> None:
        from trueup.enforce.policy import compile_policy

        self._root = root
        self._workflow = workflow
        self._programme = programme
        self._clock = clock
        self._opened = opened
        self._refusals = refusals
        self._stamps = Stamps(root, workflow)
        self._seen = self._stamps.now(programme)
        self.policy = compile_policy(programme, workflow)
        self._door = opened(programme, self.policy)
        self._masked = Masked(programme, workflow)

    def masking(self) -> Masking | None:
        """Return what masks for the workflow, as of the newest action; None where its data masks nothing.

        Raises ConflictError when a kind needs a language model that is not installed, and UsageError.
        """
        return self._masked.now()

    async def take_async(self, prepare: Callable[[], Request], run: RunAsync) -> Taken:
        """Find out which step a call is, and take a new one through the gate; one that waits is left as it is.

        `prepare` returns the request, and may block; what it raises is raised here, and nothing was asked for. What
        the gate or `run` raises is in the answer, with the step that it is about. It is for callers without a key of
        their own: one visit to a thread where `turn` and `call_async` are two.
        """
        door = self._current()
        taken = await self._taken(door, prepare, run)
        if taken.outcome is None:
            return taken
        if taken.turn.supposed and taken.outcome.verdict is None:
            # Another process had that step before this one could know.
            return await self._taken(door, prepare, run, looking=True)
        if taken.outcome.verdict is not None and taken.outcome.state in _OVER:
            door.repeats.over(taken.turn.step)
        return taken

    async def _taken(
        self, door: Door, prepare: Callable[[], Request], run: RunAsync, *, looking: bool = False
    ) -> Taken:
        found: list[Turn] = []

        def asked() -> tuple[Request, str] | None:
            request = prepare()
            with suppress(UnfitRequestError):
                # Once for both: which step it is, and what is judged.
                request = normalised(request)
            turn = door.repeats.turn(request, self._clock.now(), looking=looking)
            found.append(turn)
            return None if turn.state is not None or turn.approval is not None else (request, turn.step)

        try:
            outcome = await door.gate.take_async(asked, run)
        except Exception as error:
            if not found:
                raise
            return Taken(found[0], None, error)
        if outcome is None or outcome.approval is None:
            return Taken(found[0], outcome)
        asked_for = await asyncio.to_thread(door.desk.one, outcome.approval, self._clock.now())
        return Taken(replace(found[0], state=outcome.state, approval=asked_for), None)

    def call(self, request: Request, step: str, run: Run) -> Outcome:
        """Run a callable with the request's arguments, if and when policy says so; see `Gate.call`."""
        return self._current().gate.call(request, step, run)

    async def call_async(self, request: Request, step: str, run: RunAsync) -> Outcome:
        """Do as `call`, for a callable that is awaited."""
        door = self._current()
        return await door.gate.call_async(request, step, run)

    def resume(self, approval: str, run: Run) -> Outcome:
        """Run a held step after a person's yes; see `Gate.resume`."""
        return self._current().gate.resume(approval, run)

    async def resume_async(self, approval: str, run: RunAsync) -> Outcome:
        """Do as `resume`, for a callable that is awaited."""
        door = self._current()
        return await door.gate.resume_async(approval, run)

    def trail(self, case: str | None, asked: str | None) -> Provenance | None:
        """Return where a case's values come from, as far as any process knows; `asked` is the person's request.

        None without a request for a case that nobody ever followed. Without a case the request itself is the case.
        """
        from trueup.enforce.untrusted.provenance import Provenance
        from trueup.enforce.untrusted.trail import Trail

        desk = self._current().desk
        if case is None:
            case = f"request {desk.bodies.digest((asked or '').encode())}"
        kept = Trail(desk.ledger, desk.bodies, self._clock, self._workflow, case)
        if asked is None and not kept.begun():
            return None
        return Provenance(*([] if asked is None else [asked]), trail=kept)

    def turn(self, request: Request, step: str | None = None) -> Turn:
        """Return where a call stands: of a step, or of one that brings no key of its own; see `Repeats`."""
        return self._current().repeats.turn(request, self._clock.now(), step)

    def approval(self, approval: str) -> Approval:
        """Return an approval as it stands. Raises NotFoundError."""
        return self._current().desk.one(approval, self._clock.now())

    def tools(self) -> frozenset[str]:
        """Return the tools that the workflow declares; none while its policy cannot be used."""
        policy = self._current().policy
        if policy.broken is not None:
            return frozenset()
        return frozenset(action.tool for action in policy.actions.values() if action.tool)

    def policy_in_force(self) -> Policy:
        """Return the policy that the next action is judged by."""
        return self._current().gate.current()

    def tool_of(self, action: str) -> str:
        """Return the tool of a declared action; for one that is not declared its own name, which no rule permits."""
        declared = self._current().policy.actions.get(action)
        return (declared.tool if declared else None) or action

    def offer(self, tool: str, definition: Mapping[str, Json]) -> str:
        """Take note of what a server says of a tool; return its digest. Raises ValueError where it has none."""
        return self._current().registry.offer(tool, definition, self._clock.now())

    def is_pinned(self, tool: str, definition: str) -> bool:
        """Tell whether a definition is the one that is pinned."""
        return self._current().registry.pins.of(tool) == definition

    def refused(self, reason: str, content: bytes) -> None:
        """Take note of what a door turned away before the gate; never raises. See `Refusals`."""
        self._refusals.note(reason, content)

    def _current(self) -> Door:
        stamps = self._stamps.now(self._programme)
        if stamps == self._seen:
            return self._door
        door, usable = self._reopened()
        # Another thread may have been here too: what it opened says the same.
        if usable:
            self._door, self._seen = door, stamps
        return door

    def _reopened(self) -> tuple[Door, bool]:
        from trueup.declare.read import require_sound
        from trueup.enforce.policy import compile_policy
        from trueup.workspace import checked_programme, needed_files

        try:
            checked = checked_programme(self._root, self._clock)
            require_sound(checked, needed_files(checked.programme, self._workflow, None))
            policy = compile_policy(checked.programme, self._workflow)
            self._masked.reopened(checked.programme)
        except TrueupError as error:
            return self._opened(self._programme, replace(self.policy, broken=error.message)), False
        self._programme = checked.programme
        return self._opened(checked.programme, policy), True


@contextmanager
def governed(
    root: Path | str, workflow: str, *, progress: Progress = silent, clock: Clock | None = None
) -> Iterator[GovernedWorkflow]:
    """Open the gate of a workflow for a program that acts.

    The programme's lock is not held, so that people can decide meanwhile. Raises ConflictError when there is no
    policy that could be loaded, NotFoundError, DeclarationError, LedgerBrokenError.
    """
    from trueup.enforce.approvals import Desk
    from trueup.enforce.policy import compile_policy
    from trueup.enforce.standing.refused import Refusals
    from trueup.loop.pin import pin_now
    from trueup.workspace import Receipts, SystemClock, bodies_of, notifier_of, open_ledger, opened, runner_name

    root, clock = Path(root), clock or SystemClock()
    with opened(root, progress, workflow=workflow, clock=clock, patience=_PATIENCE) as bench:
        broken, pin = compile_policy(bench.programme, workflow).broken, bench.programme.file.ledger
    if broken is not None:
        raise ConflictError(
            "no-policy", f"The gate of {workflow!r} does not open: {broken}.", "Correct the file, and retry."
        )
    if pin is None or pin.vkey is None:
        with opened(root, progress, write=True, workflow=workflow, clock=clock, patience=_PATIENCE) as bench:
            pin_now(bench)
    with opened(root, progress, workflow=workflow, clock=clock, patience=_PATIENCE) as bench:
        ledger, _ = open_ledger(root, bench.programme.file.ledger, clock, write=True)
        bodies = bodies_of(root)
        notifier = notifier_of(bench.programme)
        told = notifier.told if notifier else None
        receipts = Receipts(root, ledger)
        refusals = Refusals(ledger, bodies.digest, clock, runner_name(), "gateway", workflow)
        try:
            with reminding(Desk(bench.programme, ledger, bodies), clock, notifier):
                yield GovernedWorkflow(
                    root,
                    workflow,
                    bench.programme,
                    clock,
                    lambda programme, policy: _door(
                        programme, policy, ledger, bodies, clock, runner_name(), told, receipts.due
                    ),
                    refusals,
                )
        finally:
            refusals.close()
            receipts.close()
            ledger.close()
            if notifier is not None:
                notifier.close()


def _door(
    programme: Programme,
    policy: Policy,
    ledger: Ledger,
    bodies: Bodies,
    clock: Clock,
    runner: str,
    told: Callable[[Held], None] | None,
    receipts: Callable[[int], None],
) -> Door:
    from trueup.enforce.approvals import Desk
    from trueup.enforce.gate import Gate
    from trueup.enforce.standing.pins import Pins, Registry
    from trueup.enforce.standing.repeats import Repeats

    desk = Desk(programme, ledger, bodies)
    gate = Gate(programme, policy, ledger, bodies, clock, runner, told, receipts)
    registry = Registry(policy.workflow, ledger, bodies, Pins(ledger, policy.workflow))
    return Door(gate, desk, policy, Repeats(desk, policy, "call", gate.current), registry)

"""One action, in order: canonical form, intent, policy, verdict, and only then the call, and its outcome.

Intent and verdict are durable before the call; where one cannot be written, nothing runs. They are written as one
where nothing can come between them, else one after the other. The ids of the
entries are made from workflow and step, and the verdict names the process that wrote it: of two that try the same
step, one is refused. After a crash a step is either not yet judged (and may be asked again), or it is finished, or
it is `unknown` and is not run again.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import Impact
from trueup.enforce.approvals import Approval, Desk
from trueup.enforce.attempt import Attempt, cut, in_form
from trueup.enforce.autonomy.drawing import BlindReview
from trueup.enforce.autonomy.rung import InForce
from trueup.enforce.request import Request, read_request
from trueup.enforce.standing.pins import Pins
from trueup.enforce.standing.switch import Switch
from trueup.enforce.steps import State, StepIds, state_of
from trueup.enforce.usage import Usage
from trueup.enforce.verdict import Decision, Verdict, refusal
from trueup.kernel.canonical import canonical
from trueup.kernel.errors import ConflictError, NotFoundError
from trueup.ledger.entry import Entry
from trueup.ledger.upkeep.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.attempt import Held
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

    Run = Callable[[Mapping[str, Json]], Any]
    RunAsync = Callable[[Mapping[str, Json]], Awaitable[Any]]


class UncertainError(Exception):
    """What a call raises when nobody can say whether it took effect: no outcome is written, the step is unknown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step. `result` is what the call returned, where it ran in this process just now.

    `approval` is the id under which people find a held step. `entry` is the index of the last entry.
    """

    state: State
    verdict: Verdict | None
    result: Any = None
    approval: str | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A step that may run now: its verdict is durable."""

    ids: StepIds
    verdict: Verdict
    request: Request
    step: str


Begun = Outcome | Allowed


class Gate:
    """The gate of one workflow in one process. `runner` names the process, and is used by no other.

    `told` hears of every step that was held, once that is durable, and `receipts` the index of every outcome of high
    impact, once that is signed; what becomes of it decides nothing.
    """

    def __init__(
        self,
        programme: Programme,
        policy: Policy,
        ledger: Ledger,
        bodies: Bodies,
        clock: Clock,
        runner: str,
        told: Callable[[Held], None] | None = None,
        receipts: Callable[[int], None] | None = None,
    ) -> None:
        self._told = told
        self._receipts = receipts
        self._policy = policy
        self._ledger = ledger
        self._bodies = bodies
        self._clock = clock
        self._runner = runner
        self._calls = itertools.count()
        self._tail = Tail(ledger)
        self._usage = Usage(self._tail, policy, bodies)
        self._switch = Switch(self._tail)
        self._pins = Pins(self._tail, policy.workflow)
        self._in_force = InForce(programme, policy.workflow, ledger, self._tail)
        self._blind = BlindReview(programme, policy.workflow, self._tail, bodies)
        self._desk = Desk(programme, ledger, bodies)
        self._keeps = programme.workflows[policy.workflow].keep_requests

    def current(self) -> Policy:
        """Return the policy as it is in force now."""
        self._tail.look()
        self._policy = self._in_force.of(self._policy, self._clock.now())
        return self._policy

    def call(self, request: Request, step: str, run: Run) -> Outcome:
        """Run a callable with the request's arguments, if and when policy says so.

        `step` is the idempotency key: a step that was judged before is not judged or run again, its state is
        returned. What `run` raises is recorded and raised on. Raises StorageError or LedgerBrokenError when an
        entry cannot be written (before the verdict: nothing ran; for the outcome: the step is `unknown`), and
        ConflictError when the step was used for another request, or another process has it.
        """
        begun = self._begin(request, step)
        return begun if isinstance(begun, Outcome) else self._run(begun, run)

    async def call_async(self, request: Request, step: str, run: RunAsync) -> Outcome:
        """Do as `call`, for a callable that is awaited. A cancelled call is an interrupted one: unknown."""
        return await self._carry_on(await asyncio.to_thread(self._begin, request, step), run)

    async def take_async(self, asked: Callable[[], tuple[Request, str] | None], run: RunAsync) -> Outcome | None:
        """Do as `call_async`, for a request and step that are found out in the gate's own thread; None without any.

        `asked` may block; what it raises is raised here, and nothing was asked for.
        """

        def begun() -> Begun | None:
            found = asked()
            return None if found is None else self._begin(*found)

        ready = await asyncio.to_thread(begun)
        return None if ready is None else await self._carry_on(ready, run)

    def _begin(self, request: Request, step: str) -> Begun:
        ids = StepIds.of(self._policy.workflow, step)
        now = self._clock.now()
        # 1. The canonical form: what is decided on is what is executed.
        wanted, unfit = in_form(request)
        body = self._bodies.digest(wanted.body) if unfit is None else None
        intent = self._ledger.find(ids.intended)
        if intent is not None:
            known = self._known(intent, ids, wanted, body)
            if known is not None:
                return known
        # Policy at the level that is in force by now: every process sees in the ledger that it fell. One look for all.
        self._tail.look()
        self._policy = self._in_force.of(self._policy, now)
        attempt = Attempt(self._policy, ids, step, now, self._next_runner())
        intended = attempt.intended(wanted, body, self._reserved(wanted, ids.intended))
        written = None if intent is not None else self._judged_at_once(attempt, wanted, unfit, intended)
        if written is None:
            written = self._judged_in_turn(attempt, wanted, unfit, intended, intent)
        verdict, index = written
        if verdict.decision is Decision.ALLOW:
            # 5. The call, and its outcome.
            return Allowed(ids, verdict, wanted, step)
        if verdict.decision is Decision.HOLD:
            if self._told is not None:
                with suppress(Exception):
                    self._told(attempt.held(verdict))
            return Outcome(State.HELD, verdict, approval=ids.approval, entry=index)
        return Outcome(State.DENIED, verdict, entry=index)

    def _judged_at_once(
        self, attempt: Attempt, wanted: Request, unfit: Verdict | None, intended: Entry
    ) -> tuple[Verdict, int] | None:
        """Write intent and verdict as one, durable together or not there at all; None where limits want the other way.

        With limits it holds if nothing was written since the room was looked at: else another intent may come first.
        """
        size = self._tail.size()
        verdict = unfit or self._standing(wanted) or self._judged(wanted, attempt.at)
        limited = self._usage.limits_on(self._policy.action_of(wanted))
        try:
            entries = [intended, *self._verdict_entries(attempt, wanted, verdict)]
            return verdict, self._append_once(entries, _TAKEN, at=size if limited else None)
        except ConflictError as error:
            if error.code == "log-moved-on":
                return None
            raise

    def _judged_in_turn(
        self, attempt: Attempt, wanted: Request, unfit: Verdict | None, intended: Entry, intent: Recorded | None
    ) -> tuple[Verdict, int]:
        """Write the intent, which reserves its place in the limits; judge it by what stands before it; write that."""
        if intent is None:
            intent = self._ledger.entry(self._append_once([intended], _TAKEN))
        self._tail.look()
        verdict = unfit or self._standing(wanted) or self._judged(wanted, intent.entry.time, intent.index)
        return verdict, self._append_once(self._verdict_entries(attempt, wanted, verdict), _TAKEN)

    def _reserved(self, wanted: Request, entry: str) -> dict[str, str]:
        return self._usage.reserved(wanted, self._policy.action_of(wanted), entry)

    def _verdict_entries(self, attempt: Attempt, request: Request, verdict: Verdict) -> list[Entry]:
        """Return the verdict's entry; for a hold also the question, once the arguments are kept for who has to see."""
        if verdict.decision is not Decision.HOLD:
            if self._keeps and verdict.action is not None:
                self._kept(request)
            return [attempt.judged(verdict, drawn=self._blind.draw(request, attempt.step, verdict, attempt.at))]
        body = self._kept(request)
        approvers = self._desk.approvers(self._policy.actions[verdict.action or ""])
        escalation = self._desk.escalation(self._policy.workflow)
        return [attempt.judged(verdict), attempt.asked(request, verdict, body, approvers, escalation)]

    def _kept(self, request: Request) -> str:
        body = self._bodies.digest(request.body)
        self._bodies.put(body, request.body)
        return body

    def resume(self, approval: str, run: Run) -> Outcome:
        """Run a held step after a person's yes, with the arguments that were accepted, once.

        Nothing runs while it is undecided (`held`), or when it was rejected, has expired, was held under another
        version of the policy, or its arguments are not those that were accepted (`denied`). Raises NotFoundError,
        ConflictError when the approval was used before, and as `call`.
        """
        begun = self._release(approval)
        return begun if isinstance(begun, Outcome) else self._run(begun, run)

    async def resume_async(self, approval: str, run: RunAsync) -> Outcome:
        """Do as `resume`, for a callable that is awaited."""
        return await self._carry_on(await asyncio.to_thread(self._release, approval), run)

    async def _carry_on(self, begun: Begun, run: RunAsync) -> Outcome:
        return begun if isinstance(begun, Outcome) else await self._run_async(begun, run)

    def _release(self, approval: str) -> Begun:
        asked = self._desk.one(approval, self._clock.now())
        if asked.workflow != self._policy.workflow:
            raise NotFoundError("no-such-approval", f"{approval!r} is about another workflow.", _LIST)
        ids = StepIds.of_intent(asked.intent)
        if self._ledger.find(ids.released) is not None:
            raise ConflictError(*_used(approval))
        if asked.state in {"open", "escalated"}:
            return Outcome(State.HELD, None, approval=approval)
        now = self._clock.now()
        self._tail.look()
        self._policy = self._in_force.of(self._policy, now)
        verdict, request = self._released(asked, ids)
        index = self._claim(ids, verdict, asked, request, now)
        if verdict.decision is not Decision.ALLOW:
            return Outcome(State.DENIED, verdict, approval=approval, entry=index)
        return Allowed(ids, verdict, request, asked.step)

    def _standing(self, request: Request) -> Verdict | None:
        """Return the denial that no policy can outweigh: stopped by hand, or a tool that is not the one pinned."""
        stopped = self._switch.why_not(self._policy.workflow)
        if stopped is not None:
            return refusal("killed", stopped, source="ledger", action=self._policy.action_of(request))
        if request.definition is not None and self._pins.of(request.tool) != request.definition:
            says = f"{request.tool!r} is not described any more as it was when it was pinned"
            return refusal("definition.changed", says, source="ledger", action=self._policy.action_of(request))
        return None

    def _judged(
        self, request: Request, at: datetime, index: int | None = None, *, approved: bool = False, edited: bool = False
    ) -> Verdict:
        action = self._policy.action_of(request)
        room = self._usage.room(request, action, at, index, others=edited)
        return self._policy.judge(request, today=room.today, approved=approved, fits=room.fits)

    def _released(self, asked: Approval, ids: StepIds) -> tuple[Verdict, Request]:
        """Judge what was accepted once more: policy first, person second, and both still as they were."""
        bare = Request(asked.tool, action=asked.action, requester=asked.requester)
        if asked.state not in {"accepted", "edited"}:
            return refusal(f"approval.{asked.state}", f"the approval is {asked.state}", action=asked.action), bare
        if asked.policy != self._policy.version:
            return refusal("approval.policy-changed", "the policy is another one by now", action=asked.action), bare
        body = self._bodies.get(asked.digest)
        if body is None:
            reason = "the arguments that were accepted are not there any more"
            return refusal("approval.arguments-gone", reason, action=asked.action), bare
        accepted = read_request(body)
        request = Request(
            accepted.tool,
            accepted.arguments,
            asked.action,
            asked.case,
            asked.requester,
            definition=accepted.definition,
        )
        intent = self._ledger.find(ids.intended)
        if intent is None:
            return refusal("approval.no-intent", "what was asked for is not in the ledger"), bare
        return self._standing(request) or self._judged(
            request, intent.entry.time, intent.index, approved=True, edited=asked.state == "edited"
        ), request

    def _known(self, intent: Recorded, ids: StepIds, wanted: Request, body: str | None) -> Outcome | None:
        """Return what became of a step that was judged before; None when it may go on."""
        held = intent.entry.data.get("digest")
        if held != body and not (isinstance(held, str) and body and self._bodies.matches(held, wanted.body)):
            raise ConflictError(
                "step-reused", "The step was used for another request.", "Give every request a step of its own."
            )
        state = state_of(self._ledger, ids)
        if state is None:
            return None
        return Outcome(state, None, approval=ids.approval if state is State.HELD else None)

    def _next_runner(self) -> str:
        """Name one call: two threads of one process must not write the same verdict either."""
        return f"{self._runner}/{next(self._calls)}"

    def _append_once(self, entries: list[Entry], taken: tuple[str, str, str], at: int | None = None) -> int:
        """Append entries that only one caller can append; the others get the error."""
        try:
            return self._ledger.append(entries, at=at)[-1]
        except ConflictError as error:
            if error.code == "entry-exists":
                raise ConflictError(*taken) from None
            raise

    def _claim(self, ids: StepIds, verdict: Verdict, asked: Approval, request: Request, now: datetime) -> int:
        """Use the approval up: of two processes one writes this entry."""
        attempt = Attempt(self._policy, ids, asked.step, now, self._next_runner())
        entry = attempt.judged(verdict, asked.id, self._usage.reserved(request, asked.action, ids.released))
        return self._append_once([entry], _used(asked.id))

    def _run(self, allowed: Allowed, run: Run) -> Outcome:
        began = self._clock.now()
        try:
            result = run(allowed.request.arguments)
        except UncertainError:
            raise
        except Exception as error:
            # An interruption is not caught: then nobody knows whether the call took effect, and it stays unknown.
            self._finish(allowed, began, _failed(error))
            raise
        index = self._finish(allowed, began, self._done(result))
        return Outcome(State.DONE, allowed.verdict, result=result, entry=index)

    async def _run_async(self, allowed: Allowed, run: RunAsync) -> Outcome:
        began = self._clock.now()
        try:
            result = await run(allowed.request.arguments)
        except UncertainError:
            raise
        except Exception as error:
            await asyncio.to_thread(self._finish, allowed, began, _failed(error))
            raise
        index = await asyncio.to_thread(self._finish, allowed, began, self._done(result))
        return Outcome(State.DONE, allowed.verdict, result=result, entry=index)

    def _finish(self, allowed: Allowed, began: datetime, how: Mapping[str, Json]) -> int:
        now = self._clock.now()
        data: dict[str, Json] = {
            "workflow": self._policy.workflow,
            "action": allowed.verdict.action,
            "step": allowed.step,
            "seconds": (now - began).total_seconds(),
            **how,
        }
        # What was grave can be shown to others from this moment on: its entries are under a signed state.
        action = self._policy.actions.get(allowed.verdict.action or "")
        grave = action is not None and action.impact is Impact.HIGH
        if grave:
            data |= {"impact": str(Impact.HIGH), "digest": self._bodies.digest(allowed.request.body)}
        entry = Entry("action.finished", allowed.ids.finished, now, None, data)
        index = self._ledger.append([entry], checkpoint=grave and self._ledger.signs)[0]
        if grave and self._ledger.signs and self._receipts is not None:
            with suppress(Exception):
                self._receipts(index)
        return index

    def _done(self, result: Any) -> dict[str, Json]:
        try:
            return {"ended": "done", "result": self._bodies.digest(canonical(result))}
        except (ValueError, RecursionError):
            return {"ended": "done", "result": None}


_LIST = "See what waits:\n    trueup approvals list DIR"
_TAKEN = ("step-taken", "Another process has this step.", "Ask for the step's state again.")


def _used(approval: str) -> tuple[str, str, str]:
    return "approval-used", f"The approval {approval!r} was used before; it is good for one call.", _LIST


def _failed(error: Exception) -> dict[str, Json]:
    return {"ended": "failed", "error": cut(type(error).__name__)}

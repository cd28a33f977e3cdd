"""One action, in order: canonical form, intent, policy, verdict, and only then the call, and its outcome.

Intent and verdict are durable before the call; where one cannot be written, nothing runs. They are written as one
where nothing can come between them, else one after the other. The ids of the
entries are made from workflow and step, and the verdict names the process that wrote it: of two that try the same
step, one is refused. After a crash a step is either not yet judged (and may be asked again), or it is finished, or
it is `unknown` and is not run again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import Impact
from trueup.enforce.acting.judge import Judge
from trueup.enforce.acting.outcome import Allowed, Outcome, Run, RunAsync, UncertainError
from trueup.enforce.acting.release import MOVED_ON, TAKEN, Releases, append_once, written
from trueup.enforce.approvals import Desk
from trueup.enforce.attempt import Attempt, cut, declared_of, in_form
from trueup.enforce.steps import State, StepIds, state_of
from trueup.enforce.verdict import Decision, Verdict
from trueup.kernel.canonical import canonical
from trueup.kernel.errors import ConflictError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.acting.outcome import Begun
    from trueup.enforce.attempt import Held
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

# How often a verdict is found anew before the intent takes its place first.
_AT_ONCE = 3
__all__ = ["Gate", "Outcome", "Run", "RunAsync", "UncertainError"]


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
        self._ledger = ledger
        self._bodies = bodies
        self._clock = clock
        self._judge = Judge(programme, policy, ledger, bodies, runner)
        self._desk = Desk(programme, ledger, bodies)
        self._releases = Releases(self._judge, self._desk, ledger, bodies, clock)
        self._keeps = programme.workflows[policy.workflow].keep_requests

    def current(self) -> Policy:
        """Return the policy as it is in force now."""
        return self._judge.look(self._clock.now())

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
        ids = StepIds.of(self._judge.policy.workflow, step)
        now = self._clock.now()
        # 1. The canonical form: what is decided on is what is executed.
        wanted, unfit = in_form(request)
        body = self._bodies.digest(wanted.body) if unfit is None else None
        # 2. Intent and verdict, durable as one; else one after the other.
        written = self._judged_at_once(ids, step, now, wanted, unfit, body)
        if written is None:
            intent = self._ledger.find(ids.intended)
            known = self._known(intent, ids, wanted, body) if intent is not None else None
            if known is not None:
                return known
            written = self._judged_in_turn(ids, step, now, wanted, unfit, body, intent)
        attempt, verdict, index = written
        if verdict.decision is Decision.ALLOW:
            # 3. The call, and its outcome.
            return Allowed(ids, verdict, wanted, step)
        if verdict.decision is Decision.HOLD:
            if self._told is not None:
                with suppress(Exception):
                    self._told(attempt.held(verdict))
            return Outcome(State.HELD, verdict, approval=ids.approval, entry=index)
        return Outcome(State.DENIED, verdict, entry=index)

    def _judged_at_once(
        self, ids: StepIds, step: str, now: datetime, wanted: Request, unfit: Verdict | None, body: str | None
    ) -> tuple[Attempt, Verdict, int] | None:
        """Write intent and verdict as one, durable together or not there at all; None where it has to be otherwise.

        The verdict is found by what is known, and written only where it would be found again.
        """
        for again in range(_AT_ONCE):
            # Policy at the level that is in force by now, and all else that stands in the ledger.
            self._judge.look(now) if again else self._judge.ready(now)
            found = self._judge.refused(wanted, now, unfit) if unfit else self._judge.judged(wanted, now)
            attempt = Attempt(found.policy, ids, step, now, self._judge.next_runner())
            if self._keeping(found.verdict) and self._ledger.find(ids.intended) is not None:
                return None
            entries = [self._intended(attempt, wanted, body), *self._verdict_entries(attempt, wanted, found.verdict)]
            try:
                return attempt, found.verdict, self._ledger.append(entries, premise=found)[-1]
            except ConflictError as error:
                if error.code == "entry-exists":
                    return None
                if error.code != MOVED_ON:
                    raise
        return None

    def _judged_in_turn(
        self,
        ids: StepIds,
        step: str,
        now: datetime,
        wanted: Request,
        unfit: Verdict | None,
        body: str | None,
        intent: Recorded | None,
    ) -> tuple[Attempt, Verdict, int]:
        """Write the intent, which reserves its place in the limits; judge it by what stands before it; write that."""
        attempt = Attempt(self._judge.look(now), ids, step, now, self._judge.next_runner())
        if intent is None:
            index = append_once(self._ledger, [self._intended(attempt, wanted, body)], TAKEN)
            intent = self._ledger.entry(index)
        at, place = intent.entry.time, intent.index

        def judged() -> tuple[Attempt, Verdict, int]:
            self._judge.look(now)
            found = self._judge.refused(wanted, at, unfit) if unfit else self._judge.judged(wanted, at, place, now=now)
            again = replace(attempt, policy=found.policy)
            entries = self._verdict_entries(again, wanted, found.verdict)
            return again, found.verdict, append_once(self._ledger, entries, TAKEN, found)

        return written(judged)

    def _intended(self, attempt: Attempt, wanted: Request, body: str | None) -> Entry:
        reserved = self._judge.reserved(wanted, attempt.policy.action_of(wanted), attempt.ids.intended)
        return attempt.intended(wanted, body, reserved)

    def _keeping(self, verdict: Verdict) -> bool:
        """Tell whether arguments are kept with a verdict: not those of a step that was used for something else."""
        return verdict.decision is Decision.HOLD or self._keeps or self._judge.draws

    def _verdict_entries(self, attempt: Attempt, request: Request, verdict: Verdict) -> list[Entry]:
        """Return the verdict's entry; for a hold also the question, once the arguments are kept for who has to see."""
        if verdict.decision is not Decision.HOLD:
            if self._keeps and verdict.action is not None:
                self._kept(request)
            return [attempt.judged(verdict, drawn=self._judge.drawn(request, attempt.step, verdict, attempt.at))]
        body = self._kept(request)
        approvers = self._desk.approvers(self._judge.policy.actions[verdict.action or ""])
        escalation = self._desk.escalation(self._judge.policy.workflow)
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
        begun = self._releases.release(approval)
        return begun if isinstance(begun, Outcome) else self._run(begun, run)

    async def resume_async(self, approval: str, run: RunAsync) -> Outcome:
        """Do as `resume`, for a callable that is awaited."""
        return await self._carry_on(await asyncio.to_thread(self._releases.release, approval), run)

    async def _carry_on(self, begun: Begun, run: RunAsync) -> Outcome:
        return begun if isinstance(begun, Outcome) else await self._run_async(begun, run)

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
            "workflow": self._judge.policy.workflow,
            "action": allowed.verdict.action,
            "step": allowed.step,
            "seconds": (now - began).total_seconds(),
            **how,
        }
        action = self._judge.policy.actions.get(allowed.verdict.action or "")
        data |= declared_of(action)
        # What was grave can be shown to others from this moment on: its entries are under a signed state.
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


def _failed(error: Exception) -> dict[str, Json]:
    return {"ended": "failed", "error": cut(type(error).__name__)}

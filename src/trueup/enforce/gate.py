"""One action, in order: canonical form, intent, policy, verdict, and only then the call, and its outcome.

Each entry is durable before the next step is taken; where one cannot be written, nothing runs. The ids of the
entries are made from workflow and step, and the verdict names the process that wrote it: of two that try the same
step, one is refused. After a crash a step is either not yet judged (and may be asked again), or it is finished, or
it is `unknown` and is not run again.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import Impact
from trueup.enforce.approvals import Approval, Desk
from trueup.enforce.autonomy.rung import InForce
from trueup.enforce.request import LONGEST_NAME, Request, UnfitRequestError, normalised, read_request
from trueup.enforce.standing.pins import Pins
from trueup.enforce.standing.switch import Switch
from trueup.enforce.steps import State, StepIds, state_of
from trueup.enforce.usage import Room, Usage
from trueup.enforce.verdict import Decision, Verdict, refusal
from trueup.kernel.canonical import canonical
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import ConflictError, NotFoundError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
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
class _Allowed:
    """A step that may run now: its verdict is durable."""

    ids: StepIds
    verdict: Verdict
    request: Request
    step: str


class Gate:
    """The gate of one workflow in one process. `runner` names the process, and is used by no other."""

    def __init__(
        self, programme: Programme, policy: Policy, ledger: Ledger, bodies: Bodies, clock: Clock, runner: str
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._bodies = bodies
        self._clock = clock
        self._runner = runner
        self._calls = itertools.count()
        self._usage = Usage(ledger, policy)
        self._switch = Switch(ledger)
        self._pins = Pins(ledger, policy.workflow)
        self._in_force = InForce(programme, policy.workflow, ledger)
        self._desk = Desk(programme, ledger, bodies)

    def current(self) -> Policy:
        """Return the policy as it is in force now."""
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
        begun = await asyncio.to_thread(self._begin, request, step)
        return begun if isinstance(begun, Outcome) else await self._run_async(begun, run)

    def _begin(self, request: Request, step: str) -> Outcome | _Allowed:
        ids = StepIds.of(self._policy.workflow, step)
        runner = self._next_runner()
        now = self._clock.now()
        # 1. The canonical form: what is decided on is what is executed.
        wanted, unfit = _in_form(request)
        body = self._bodies.digest(wanted.body) if unfit is None else None
        known = self._known(ids, wanted, body)
        if known is not None:
            return known
        # 2. The intent, which also reserves a place in the limits.
        intent = self._intend(ids, wanted, body, step, now, runner)
        # 3. Policy, at the level that is in force by now: every process sees in the ledger that it fell.
        self._policy = self._in_force.of(self._policy, now)
        verdict = unfit or self._standing(wanted) or self._judged(wanted, intent)
        # 4. The verdict; a hold asks for a person.
        index = self._record_verdict(ids, wanted, verdict, step, now, runner)
        if verdict.decision is Decision.ALLOW:
            # 5. The call, and its outcome.
            return _Allowed(ids, verdict, wanted, step)
        if verdict.decision is Decision.HOLD:
            return Outcome(State.HELD, verdict, approval=ids.approval, entry=index)
        return Outcome(State.DENIED, verdict, entry=index)

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
        begun = await asyncio.to_thread(self._release, approval)
        return begun if isinstance(begun, Outcome) else await self._run_async(begun, run)

    def _release(self, approval: str) -> Outcome | _Allowed:
        asked = self._desk.one(approval, self._clock.now())
        if asked.workflow != self._policy.workflow:
            raise NotFoundError("no-such-approval", f"{approval!r} is about another workflow.", _LIST)
        ids = StepIds.of_intent(asked.intent)
        if self._ledger.find(ids.released) is not None:
            raise _used(approval)
        if asked.state in {"open", "escalated"}:
            return Outcome(State.HELD, None, approval=approval)
        now = self._clock.now()
        self._policy = self._in_force.of(self._policy, now)
        verdict, request = self._released(asked, ids)
        index = self._claim(ids, verdict, asked, request, now)
        if verdict.decision is not Decision.ALLOW:
            return Outcome(State.DENIED, verdict, approval=approval, entry=index)
        return _Allowed(ids, verdict, request, asked.step)

    def _standing(self, request: Request) -> Verdict | None:
        """Return the denial that no policy can outweigh: stopped by hand, or a tool that is not the one pinned."""
        stopped = self._switch.why_not(self._policy.workflow)
        if stopped is not None:
            return refusal("killed", stopped, source="ledger", action=self._policy.action_of(request))
        if request.definition is not None and self._pins.of(request.tool) != request.definition:
            says = f"{request.tool!r} is not described any more as it was when it was pinned"
            return refusal("definition.changed", says, source="ledger", action=self._policy.action_of(request))
        return None

    def _judged(self, request: Request, intent: Recorded, *, approved: bool = False, edited: bool = False) -> Verdict:
        action = self._policy.action_of(request)
        room = self._usage.room(request, action, intent.entry.time, intent.index, others=edited)
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
            request, intent, approved=True, edited=asked.state == "edited"
        ), request

    def _known(self, ids: StepIds, wanted: Request, body: str | None) -> Outcome | None:
        """Return what became of a step that was judged before; None when it may go on."""
        intent = self._ledger.find(ids.intended)
        if intent is None:
            return None
        held = intent.entry.data.get("digest")
        if held != body and not (isinstance(held, str) and body and self._bodies.matches(held, wanted.body)):
            raise ConflictError(
                "step-reused", "The step was used for another request.", "Give every request a step of its own."
            )
        state = state_of(self._ledger, ids)
        if state is None:
            return None
        return Outcome(state, None, approval=ids.approval if state is State.HELD else None)

    def _intend(
        self, ids: StepIds, request: Request, body: str | None, step: str, now: datetime, runner: str
    ) -> Recorded:
        found = self._ledger.find(ids.intended)
        if found is not None:
            return found
        data: dict[str, Json] = {
            "workflow": self._policy.workflow,
            "action": self._policy.action_of(request),
            "tool": request.tool,
            "step": step,
            "digest": body,
            "case": request.case,
            "requester": request.requester,
            "runner": runner,
        }
        reserved = self._usage.reserved(request, self._policy.action_of(request))
        if reserved:
            data["reserved"] = reserved
        index = self._ledger.append([Entry("action.intended", ids.intended, now, None, data)])[0]
        return self._ledger.entry(index)

    def _verdict_entry(
        self, ids: StepIds, verdict: Verdict, step: str, now: datetime, runner: str, approval: str | None = None
    ) -> Entry:
        data: dict[str, Json] = {
            "workflow": self._policy.workflow,
            "action": verdict.action,
            "step": step,
            "intent": ids.intended,
            "verdict": str(verdict.decision),
            "decisive": _cut(verdict.decisive),
            "rules": [_cut(rule.id) for rule in verdict.rules if rule.applied][:50],
            "policy": self._policy.version,
            "approval": approval,
            "runner": runner,
        }
        return Entry("action.judged", ids.released if approval else ids.judged, now, None, data)

    def _next_runner(self) -> str:
        """Name one call: two threads of one process must not write the same verdict either."""
        return f"{self._runner}/{next(self._calls)}"

    def _record_verdict(
        self, ids: StepIds, request: Request, verdict: Verdict, step: str, now: datetime, runner: str
    ) -> int:
        entries = [self._verdict_entry(ids, verdict, step, now, runner)]
        if verdict.decision is Decision.HOLD:
            self._bodies.put(self._bodies.digest(request.body), request.body)
            entries.append(self._asked(ids, request, verdict, step, now))
        taken = ConflictError("step-taken", "Another process has this step.", "Ask for the step's state again.")
        return self._append_once(entries, taken)

    def _append_once(self, entries: list[Entry], taken: ConflictError) -> int:
        """Append entries that only one caller can append; the others get the error."""
        try:
            return self._ledger.append(entries)[-1]
        except ConflictError as error:
            if error.code == "entry-exists":
                raise taken from None
            raise

    def _claim(self, ids: StepIds, verdict: Verdict, asked: Approval, request: Request, now: datetime) -> int:
        """Use the approval up: of two processes one writes this entry."""
        entry = self._verdict_entry(ids, verdict, asked.step, now, self._next_runner(), asked.id)
        reserved = self._usage.reserved(request, asked.action)
        if reserved:
            entry = replace(entry, data={**entry.data, "reserved": reserved})
        return self._append_once([entry], _used(asked.id))

    def _asked(self, ids: StepIds, request: Request, verdict: Verdict, step: str, now: datetime) -> Entry:
        action = self._policy.actions[verdict.action or ""]
        wait = action.expires.delta() if action.expires else DEFAULT_WAIT
        data: dict[str, Json] = {
            "approval": ids.approval,
            "workflow": self._policy.workflow,
            "action": verdict.action,
            "tool": request.tool,
            "step": step,
            "intent": ids.intended,
            "digest": self._bodies.digest(request.body),
            "policy": self._policy.version,
            "reasons": [*verdict.reasons, *request.origins],
            "approvers": list(self._desk.approvers(action)),
            "requester": request.requester,
            "case": request.case,
            "expires_at": format_instant(now + wait),
            "reversible_by": action.reversible_by,
        }
        return Entry("approval.requested", f"approval/{ids.approval}", now, None, data)

    def _run(self, allowed: _Allowed, run: Run) -> Outcome:
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

    async def _run_async(self, allowed: _Allowed, run: RunAsync) -> Outcome:
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

    def _finish(self, allowed: _Allowed, began: datetime, how: Mapping[str, Json]) -> int:
        now = self._clock.now()
        data: dict[str, Json] = {
            "workflow": self._policy.workflow,
            "action": allowed.verdict.action,
            "step": allowed.step,
            "seconds": (now - began).total_seconds(),
            **how,
        }
        entry = Entry("action.finished", allowed.ids.finished, now, None, data)
        # What was grave can be shown to others from this moment on: its entries are under a signed state.
        action = self._policy.actions.get(allowed.verdict.action or "")
        grave = action is not None and action.impact is Impact.HIGH
        return self._ledger.append([entry], checkpoint=grave and self._ledger.signs)[0]

    def _done(self, result: Any) -> dict[str, Json]:
        try:
            return {"ended": "done", "result": self._bodies.digest(canonical(result))}
        except (ValueError, RecursionError):
            return {"ended": "done", "result": None}


def dry_run(policy: Policy, ledger: Ledger, data: bytes, at: datetime) -> Verdict:
    """Judge a request as JSON as if it were made at an instant; records nothing, runs nothing, never raises for it."""
    try:
        request = read_request(data)
    except UnfitRequestError as error:
        return refusal(error.reason, str(error))
    room: Room = Usage(ledger, policy).room(request, policy.action_of(request), at)
    return policy.judge(request, today=room.today, fits=room.fits)


DEFAULT_WAIT = timedelta(days=1)
_LIST = "See what waits:\n    trueup approvals list DIR"


def _used(approval: str) -> ConflictError:
    return ConflictError("approval-used", f"The approval {approval!r} was used before; it is good for one call.", _LIST)


def _cut(text: str) -> str:
    """Return a name as an entry can hold it."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 3]}..."


def _in_form(request: Request) -> tuple[Request, Verdict | None]:
    """Return the canonical request; else as much of it as an entry can hold, and the denial."""
    try:
        wanted = normalised(request)
    except UnfitRequestError as error:
        return Request(_cut(str(request.tool))), refusal(error.reason, str(error))
    return wanted, None


def _failed(error: Exception) -> dict[str, Json]:
    return {"ended": "failed", "error": _cut(type(error).__name__)}

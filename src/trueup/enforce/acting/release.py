"""A held step after a person's answer: judged once more, policy first and person second, and used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from trueup.enforce.acting.outcome import Allowed, Outcome
from trueup.enforce.attempt import Attempt
from trueup.enforce.request import Request, read_request
from trueup.enforce.steps import State, StepIds
from trueup.enforce.verdict import Decision, refusal
from trueup.kernel.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from trueup.enforce.acting.judge import Judge, Judged
    from trueup.enforce.acting.outcome import Begun
    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.bodies import Bodies
    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Entry
    from trueup.ledger.groups import Premise
    from trueup.ledger.log import Ledger

T = TypeVar("T")
MOVED_ON = "log-moved-on"
# A switch, a pin or a level that changes as often as this while one verdict is written: somebody should look.
_TRIES = 8
TAKEN = ("step-taken", "Another process has this step.", "Ask for the step's state again.")
_LIST = "See what waits:\n    trueup approvals list DIR"


@dataclass(frozen=True, slots=True)
class Releases:
    """What lets held steps go on."""

    judge: Judge
    desk: Desk
    ledger: Ledger
    bodies: Bodies
    clock: Clock

    def release(self, approval: str) -> Begun:
        """Return whether a held step may run by now; its approval is used up when it may, or never will.

        Raises NotFoundError, ConflictError (used before), and what writing to the ledger raises.
        """
        asked = self.desk.one(approval, self.clock.now())
        if asked.workflow != self.judge.policy.workflow:
            raise NotFoundError("no-such-approval", f"{approval!r} is about another workflow.", _LIST)
        ids = StepIds.of_intent(asked.intent)
        if self.ledger.find(ids.released) is not None:
            raise ConflictError(*_used(approval))
        if asked.state in {"open", "escalated"}:
            return Outcome(State.HELD, None, approval=approval)
        now = self.clock.now()
        found, index = written(lambda: self._claimed(asked, ids, now))
        if found.verdict.decision is not Decision.ALLOW:
            return Outcome(State.DENIED, found.verdict, approval=approval, entry=index)
        return Allowed(ids, found.verdict, found.request, asked.step)

    def _claimed(self, asked: Approval, ids: StepIds, now: datetime) -> tuple[Judged, int]:
        """Judge, and use the approval up: of two processes one writes this entry."""
        self.judge.look(now)
        found = self._judged(asked, ids, now)
        attempt = Attempt(found.policy, ids, asked.step, now, self.judge.next_runner())
        reserved = self.judge.reserved(found.request, asked.action, ids.released)
        entry = attempt.judged(found.verdict, asked.id, reserved)
        return found, append_once(self.ledger, [entry], _used(asked.id), found)

    def _judged(self, asked: Approval, ids: StepIds, now: datetime) -> Judged:
        """Judge what was accepted once more: policy first, person second, and both still as they were."""
        bare = Request(asked.tool, action=asked.action, requester=asked.requester)
        if asked.state not in {"accepted", "edited"}:
            why = refusal(f"approval.{asked.state}", f"the approval is {asked.state}", action=asked.action)
            return self.judge.refused(bare, now, why)
        if asked.policy != self.judge.policy.version:
            return self._changed(asked, bare, now)
        body = self.bodies.get(asked.digest)
        if body is None:
            reason = "the arguments that were accepted are not there any more"
            return self.judge.refused(bare, now, refusal("approval.arguments-gone", reason, action=asked.action))
        accepted = read_request(body)
        request = asked.request(accepted.arguments, accepted.definition)
        intent = self.ledger.find(ids.intended)
        if intent is None:
            return self.judge.refused(
                bare, now, refusal("approval.no-intent", "what was asked for is not in the ledger")
            )
        edited = asked.state == "edited"
        found = self.judge.judged(request, intent.entry.time, intent.index, approved=True, edited=edited)
        # Another thread may have seen it fall since it was compared.
        return found if found.policy.version == asked.policy else self._changed(asked, bare, now)

    def _changed(self, asked: Approval, bare: Request, now: datetime) -> Judged:
        why = refusal("approval.policy-changed", "the policy is another one by now", action=asked.action)
        return self.judge.refused(bare, now, why)


def written(attempt: Callable[[], T]) -> T:
    """Judge and write until what was judged by still holds when it is written. Raises what an attempt raises."""
    for _ in range(_TRIES):
        try:
            return attempt()
        except ConflictError as error:
            if error.code != MOVED_ON:
                raise
    return attempt()


def append_once(
    ledger: Ledger, entries: list[Entry], taken: tuple[str, str, str], premise: Premise | None = None
) -> int:
    """Append entries that only one caller can append; the others get the error. Returns the index of the last."""
    try:
        return ledger.append(entries, premise=premise)[-1]
    except ConflictError as error:
        if error.code == "entry-exists":
            raise ConflictError(*taken) from None
        raise


def _used(approval: str) -> tuple[str, str, str]:
    return "approval-used", f"The approval {approval!r} was used before; it is good for one call.", _LIST

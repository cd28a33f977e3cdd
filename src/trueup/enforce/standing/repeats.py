"""Callers bring no key for their calls; which step of the workflow a call is, is found out here.

An agent has no idempotency key, and calls the same thing again for two reasons: it wants it done once more, or it
asks what became of the first. So the same call (tool, definition, arguments, case, requester) is the same step
while that step waits for a person or nobody knows how it ended, and the next step once it has ended. A yes is thereby
used by the next same call, once; and what may have happened already is not repeated by asking again.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.request import UnfitRequestError, normalised
from trueup.enforce.rules import acts
from trueup.enforce.steps import State, StepIds, state_of
from trueup.kernel.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Turn:
    """What a call is: a `step` to ask the gate for, an `approval` to resume, or neither: `state` is the answer.

    `supposed` is a step that follows one which ended in this process, where nobody has looked whether another process
    has come first. The gate finds it out: it answers with a state and no verdict then, and has to be asked again.
    """

    step: str
    state: State | None = None
    approval: Approval | None = None
    supposed: bool = False

    @property
    def resumes(self) -> bool:
        """True when a person has said yes, and the call may be run with it."""
        return self.approval is not None and self.approval.state in {"accepted", "edited"}


class Repeats:
    """The calls of one door, by what they ask for."""

    def __init__(self, desk: Desk, policy: Policy, door: str, current: Callable[[], Policy]) -> None:
        self._desk = desk
        self._policy = policy
        self._current = current
        self._door = door
        self._lock = Lock()
        self._last: dict[str, int] = {}
        self._over: set[str] = set()

    def over(self, step: str) -> None:
        """Take note that a step has ended in this process."""
        with self._lock:
            if len(self._over) >= _REMEMBERED:
                self._over.clear()
            self._over.add(step)

    def turn(self, request: Request, at: datetime, step: str | None = None, *, looking: bool = True) -> Turn:
        """Return what the call is this time. A request without a canonical form is always another step.

        A caller that does bring a key names the `step` itself: then it is that one, whatever became of it. Without
        `looking` the step after one that ended here is only supposed; see `Turn`.
        """
        if step is not None:
            return self._waits(step, request, at) or Turn(step)
        try:
            wanted = normalised(request)
            said: Json = [wanted.body.decode("utf-8"), wanted.action, wanted.case, wanted.requester]
            # Keyed, as the intent's own digest is: a step stands in the ledger in clear.
            key = self._desk.bodies.digest(canonical(said)).rpartition(":")[2]
        except UnfitRequestError:
            key = "unfit"
        return self._turn(key[:32], request, at, looking)

    def _turn(self, key: str, request: Request, at: datetime, looking: bool) -> Turn:
        with self._lock:
            n = self._last.get(key, -1)
            if not looking and self._name(key, n) in self._over:
                self._over.discard(self._name(key, n))
                self._remember(key, n + 1)
                return Turn(self._name(key, n + 1), supposed=True)
            n = self._newest(key)
            if n >= 0:
                step = self._name(key, n)
                waits = None if key == "unfit" else self._waits(step, request, at)
                if waits is not None:
                    return waits
            self._remember(key, n + 1)
            return Turn(self._name(key, n + 1))

    def _waits(self, step: str, request: Request, at: datetime) -> Turn | None:
        """Return the turn of a step that has not ended; None when the next one begins."""
        ids = StepIds.of(self._policy.workflow, step)
        state = state_of(self._desk.ledger, ids)
        if state is None:
            # Intended, never judged: nothing ran, and the gate takes it up where it stopped.
            return Turn(step)
        if state is State.UNKNOWN:
            action = self._policy.actions.get(self._policy.action_of(request) or "")
            return Turn(step, State.UNKNOWN) if action is None or acts(action) else None
        if state is not State.HELD:
            return None
        approval = self._desk.one(ids.approval, at)
        if approval.state == "expired" or approval.policy != self._current().version:
            return None
        # Who was told no asks again in vain until that question would have expired: people are not worn down.
        denied = approval.state == "rejected" and at < approval.expires_at
        if approval.state == "rejected" and not denied:
            return None
        return Turn(step, State.DENIED if denied else State.HELD, approval)

    def _newest(self, key: str) -> int:
        """Return the number of the newest step of a call, over all processes; -1 before the first."""
        n = self._last.get(key, -1)
        if n < 0 and not self._there(key, 0):
            return -1
        stride = 1
        n = max(n, 0)
        while self._there(key, n + stride):
            n, stride = n + stride, stride * 2
        while stride > 1:
            stride //= 2
            if self._there(key, n + stride):
                n += stride
        self._remember(key, n)
        return n

    def _remember(self, key: str, n: int) -> None:
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[key] = n

    def _there(self, key: str, n: int) -> bool:
        ids = StepIds.of(self._policy.workflow, self._name(key, n))
        return self._desk.ledger.find(ids.intended) is not None

    def _name(self, key: str, n: int) -> str:
        return f"{self._door}/{key}/{n}"

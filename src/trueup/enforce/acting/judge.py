"""What a gate knows of its ledger, and judges by: the switch, the pins, the level in force, what limits leave."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.enforce.autonomy.drawing import BlindReview
from trueup.enforce.autonomy.rung import LOWERING, InForce
from trueup.enforce.standing.bypass import BYPASSED, Bypasses, passed_by
from trueup.enforce.standing.pins import Pins
from trueup.enforce.standing.switch import Switch
from trueup.enforce.usage import Usage
from trueup.enforce.verdict import Decision, Verdict, refusal
from trueup.ledger.upkeep.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.enforce.standing.bypass import Bypass
    from trueup.enforce.usage import Room
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger


# What every verdict rests on, whatever else it asks for: the switch, the pins, the level, what lowers it.
STANDING = frozenset((*LOWERING, "tool.offered", BYPASSED))


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and what was true of the ledger when it was found: it is written where that still holds.

    `policy` is the one it was found by: that of the level which was in force at this size, whatever other threads have
    seen since. `index` is that of an intent which stands in the ledger: then only what stands before it counts.
    """

    judge: Judge
    size: int
    policy: Policy
    verdict: Verdict
    request: Request
    at: datetime
    index: int | None
    room: Room | None
    bypass: Bypass | None = None

    def holds(self, news: Sequence[Recorded], beside: Sequence[Recorded]) -> bool:
        """Tell whether the same verdict would be found behind what came since; as of `Premise`."""
        return self.judge.holds(self, news, beside)


class Judge:
    """One workflow's policy as it is in force, and the ledger as it stood when somebody last looked."""

    def __init__(self, programme: Programme, policy: Policy, ledger: Ledger, bodies: Bodies, runner: str) -> None:
        self.policy = policy
        self._runner = runner
        self._calls = itertools.count()
        self._tail = Tail(ledger)
        self._usage = Usage(self._tail, policy, bodies)
        self._switch = Switch(self._tail)
        self._bypasses = Bypasses(self._tail, policy.workflow)
        self._pins = Pins(self._tail, policy.workflow)
        self._in_force = InForce(programme, policy.workflow, ledger, self._tail)
        self._blind = BlindReview(programme, policy.workflow, self._tail, bodies)
        self._looked = False

    def ready(self, at: datetime) -> Policy:
        """Return the policy by what is known already: what came since is seen when the verdict is written.

        The first time, and where draws of other processes count, the ledger is looked into.
        """
        if not self._looked or self._blind.draws:
            return self.look(at)
        self.policy = self._in_force.of(self.policy, at)
        return self.policy

    def look(self, at: datetime) -> Policy:
        """Look into the ledger; return the policy at the level that is in force: every process sees that it fell."""
        self._tail.look()
        self.policy = self._in_force.of(self.policy, at)
        self._looked = True
        return self.policy

    def next_runner(self) -> str:
        """Name one call: two threads of one process must not write the same verdict either."""
        return f"{self._runner}/{next(self._calls)}"

    def reserved(self, request: Request, action: str | None, entry: str) -> dict[str, str]:
        """Return what the entry with an id takes from the limits, sealed. Raises StorageError."""
        return self._usage.reserved(request, action, entry)

    def drawn(self, request: Request, step: str, verdict: Verdict, at: datetime) -> Mapping[str, Json]:
        """Return what a verdict carries of the draw for review. Raises StorageError."""
        return self._blind.draw(request, step, verdict, at)

    @property
    def draws(self) -> bool:
        """True where cases are drawn for review, and what is drawn is kept."""
        return self._blind.draws

    def judged(
        self,
        request: Request,
        at: datetime,
        index: int | None = None,
        *,
        now: datetime | None = None,
        approved: bool = False,
        edited: bool = False,
    ) -> Judged:
        """Judge a request at an instant; for an intent, by what stands in front of its index.

        An intent may have been left over: what it takes from the limits is of its own time, a bypass is one of `now`.
        """
        size, policy = self._stands(at)
        standing = self._standing(request)
        if standing is not None:
            return Judged(self, size, policy, standing, request, at, index, None)
        action = policy.action_of(request)
        room = self._usage.room(request, action, at, index, others=edited)
        verdict = policy.judge(request, today=room.today, approved=approved, fits=room.fits)
        held = action is not None and verdict.decision is Decision.HOLD
        bypass = self._bypasses.of(policy, action, now or at) if action and held else None
        if bypass is not None:
            released = policy.judge(request, today=room.today, approved=True, fits=room.fits)
            verdict = passed_by(verdict, bypass, released)
        counts = self._usage.limits_on(action) and (index is None or edited)
        return Judged(self, size, policy, verdict, request, at, index, room if counts else None, bypass)

    def refused(self, request: Request, at: datetime, verdict: Verdict) -> Judged:
        """Return a denial that was found before anything was asked."""
        size, policy = self._stands(at)
        return Judged(self, size, policy, verdict, request, at, None, None)

    def holds(self, found: Judged, news: Sequence[Recorded], beside: Sequence[Recorded]) -> bool:
        """Tell whether a verdict would be found again: nothing stands otherwise, and the limits leave as much."""
        self._tail.extend(news)
        if any(item.type in STANDING for item in (*news, *beside)):
            return False
        if found.bypass is not None and found.bypass.ended_in((*news, *beside)):
            return False
        if found.room is None:
            return True
        if beside:
            # What is not committed yet must not be counted; it is judged again once it is known.
            return False
        action = found.policy.action_of(found.request)
        room = self._usage.room(found.request, action, found.at, found.index, others=found.index is not None)
        return room == found.room if found.policy.counts else room.fits == found.room.fits

    def _stands(self, at: datetime) -> tuple[int, Policy]:
        """Return the size that a verdict is found at, and the policy in force there.

        The size first: whatever another thread learns later counts as news, and of the policy, which is shared, nobody
        knows at which size somebody else has found it.
        """
        size = self._tail.size()
        self.policy = policy = self._in_force.of(self.policy, at)
        return size, policy

    def _standing(self, request: Request) -> Verdict | None:
        """Return the denial that no policy can outweigh: stopped by hand, or a tool that is not the one pinned."""
        stopped = self._switch.why_not(self.policy.workflow)
        if stopped is not None:
            return refusal("killed", stopped, source="ledger", action=self.policy.action_of(request))
        if request.definition is not None and self._pins.of(request.tool) != request.definition:
            says = f"{request.tool!r} is not described any more as it was when it was pinned"
            return refusal("definition.changed", says, source="ledger", action=self.policy.action_of(request))
        return None

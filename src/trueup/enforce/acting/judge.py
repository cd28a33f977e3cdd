"""What a gate knows of its ledger, and judges by: the switch, the pins, the level in force, what limits leave."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from trueup.enforce.autonomy.drawing import BlindReview
from trueup.enforce.autonomy.rung import InForce
from trueup.enforce.standing.pins import Pins
from trueup.enforce.standing.switch import Switch
from trueup.enforce.usage import Usage
from trueup.enforce.verdict import Verdict, refusal
from trueup.ledger.upkeep.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json
    from trueup.ledger.log import Ledger


class Judge:
    """One workflow's policy as it is in force, and the ledger as it stood when somebody last looked."""

    def __init__(self, programme: Programme, policy: Policy, ledger: Ledger, bodies: Bodies, runner: str) -> None:
        self.policy = policy
        self._runner = runner
        self._calls = itertools.count()
        self._tail = Tail(ledger)
        self._usage = Usage(self._tail, policy, bodies)
        self._switch = Switch(self._tail)
        self._pins = Pins(self._tail, policy.workflow)
        self._in_force = InForce(programme, policy.workflow, ledger, self._tail)
        self._blind = BlindReview(programme, policy.workflow, self._tail, bodies)

    def look(self, at: datetime) -> Policy:
        """Look into the ledger; return the policy at the level that is in force: every process sees that it fell."""
        self._tail.look()
        self.policy = self._in_force.of(self.policy, at)
        return self.policy

    def look_again(self) -> None:
        """Look into the ledger once more, at the level that was found."""
        self._tail.look()

    def seen(self) -> int:
        """Return how many entries the ledger had at the last look."""
        return self._tail.size()

    def next_runner(self) -> str:
        """Name one call: two threads of one process must not write the same verdict either."""
        return f"{self._runner}/{next(self._calls)}"

    def limited(self, request: Request) -> bool:
        """Tell whether other calls can take the room of a request: then it matters which intent is first."""
        return self._usage.limits_on(self.policy.action_of(request))

    def reserved(self, request: Request, action: str | None, entry: str) -> dict[str, str]:
        """Return what the entry with an id takes from the limits, sealed. Raises StorageError."""
        return self._usage.reserved(request, action, entry)

    def drawn(self, request: Request, step: str, verdict: Verdict, at: datetime) -> Mapping[str, Json]:
        """Return what a verdict carries of the draw for review. Raises StorageError."""
        return self._blind.draw(request, step, verdict, at)

    def verdict(
        self, request: Request, at: datetime, index: int | None = None, *, approved: bool = False, edited: bool = False
    ) -> Verdict:
        """Judge a request at an instant; for an intent, by what stands in front of its index."""
        standing = self._standing(request)
        if standing is not None:
            return standing
        action = self.policy.action_of(request)
        room = self._usage.room(request, action, at, index, others=edited)
        return self.policy.judge(request, today=room.today, approved=approved, fits=room.fits)

    def _standing(self, request: Request) -> Verdict | None:
        """Return the denial that no policy can outweigh: stopped by hand, or a tool that is not the one pinned."""
        stopped = self._switch.why_not(self.policy.workflow)
        if stopped is not None:
            return refusal("killed", stopped, source="ledger", action=self.policy.action_of(request))
        if request.definition is not None and self._pins.of(request.tool) != request.definition:
            says = f"{request.tool!r} is not described any more as it was when it was pinned"
            return refusal("definition.changed", says, source="ledger", action=self.policy.action_of(request))
        return None

"""A bypass: for a while one action does not ask a person. It is signed, recorded, bound to a policy, and it ends.

It takes away nothing but the question that the action asks each time, or below its level. What is held for another
reason (untrusted words, a confidence, a source, a policy of the programme) stays held; limits, pins and the switch
stay. Another policy or level ends it, and so does whatever lowers a level, also where that is raised again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import AutonomyLevel
from trueup.enforce.autonomy.rung import Rungs
from trueup.enforce.verdict import Considered, Decision, Verdict
from trueup.kernel.canonical import canonical
from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import NotFoundError, UsageError
from trueup.kernel.text import did_you_mean
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from trueup.declare.model.workflow import Action
    from trueup.enforce.policy import Policy
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.tail import Followed

    Sign = Callable[[bytes], Mapping[str, Json]]

BYPASSED = "approval.bypassed"
LONGEST = timedelta(hours=24)
_HINT = "Write --for 2h. What has to last longer is a change of the files."


@dataclass(frozen=True, slots=True)
class Bypass:
    """One that was recorded: of an action, under a version of the policy, until an instant."""

    entry: int
    workflow: str
    action: str
    policy: str
    since: datetime
    until: datetime
    by: str
    because: str

    def ended_in(self, entries: Iterable[Recorded]) -> bool:
        """Tell whether one of these entries was recorded when it was over."""
        return any(item.recorded >= self.until for item in entries)

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "entry": self.entry,
            "workflow": self.workflow,
            "action": self.action,
            "since": format_instant(self.since),
            "until": format_instant(self.until),
            "by": self.by,
            "because": self.because,
        }


class Bypasses:
    """The bypasses of one workflow; reads on from where it stopped. The newest entry of an action counts."""

    def __init__(self, ledger: Followed, workflow: str) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._lock = Lock()
        self._read_to = -1
        self._newest: dict[str, Bypass] = {}
        self._rungs = Rungs(ledger, workflow)
        # Of each, by its entry: up to where it was looked whether it has been over before; none once it has.
        self._looked: dict[int, int | None] = {}

    def of(self, policy: Policy, action: str, at: datetime) -> Bypass | None:
        """Return the bypass of an action that is in force under a policy now; none that has been over before.

        A clock that is moved back opens nothing anew that was recorded to be over.
        """
        for one in self.in_force(policy, at):
            if one.action == action and not self._over(one):
                return one
        return None

    def in_force(self, policy: Policy, at: datetime) -> list[Bypass]:
        """Return all that are in force under a policy at an instant."""
        with self._lock:
            end = self._ledger.size() - 1
            if end > self._read_to:
                for item in self._ledger.entries(BYPASSED, after=self._read_to):
                    if item.index <= end and item.entry.data.get("workflow") == self._workflow:
                        one = _read(item)
                        self._newest[one.action] = one
                self._read_to = end
            rung = self._rungs.now().since
            stands = (one for one in self._newest.values() if one.policy == policy.version and one.entry > rung)
            return [one for one in stands if one.since <= at < one.until]

    def _over(self, one: Bypass) -> bool:
        with self._lock:
            end, looked = self._ledger.size() - 1, self._looked.get(one.entry, one.entry)
            if looked is not None and looked < end:
                new = (item for item in self._ledger.entries(after=looked) if item.index <= end)
                self._looked[one.entry] = looked = None if one.ended_in(new) else end
            return looked is None


def passed_by(verdict: Verdict, bypass: Bypass, released: Verdict) -> Verdict:
    """Return the verdict where a bypass stands for the yes of a person; `released` is the one with such a yes.

    It stays a hold where anything else held it too.
    """
    asked = f"{bypass.workflow}.{bypass.action}.approval"
    holding = {rule.id for rule in verdict.rules if rule.applied and rule.effect == "forbid"}
    if verdict.decision is not Decision.HOLD or holding != {asked} or released.decision is not Decision.ALLOW:
        return verdict
    says = f"no person is asked until {format_instant(bypass.until)}: {bypass.by}, {bypass.because}"
    rule = Considered(BYPASSED, "permit", says, "ledger", applied=True)
    return replace(verdict, decision=Decision.ALLOW, decisive=BYPASSED, rules=(*verdict.rules, rule))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants: that an action asks nobody for a while; that it asks again, where `lasts` is None."""

    workflow: str
    action: str
    lasts: timedelta | None
    by: str
    because: str


def bypassing(ledger: Ledger, policy: Policy, wanted: Wanted, at: datetime, sign: Sign) -> Entry:
    """Return the entry. Who may is asked elsewhere.

    Raises NotFoundError for an action that is not declared, and UsageError for a span that is none or too long, below
    the level approve, for an action that asks nobody anyway, and for one that several people have to say yes to.
    """
    action = policy.actions.get(wanted.action)
    if action is None:
        hint = f"Declared are: {', '.join(policy.actions) or 'none'}."
        said = f"{wanted.workflow!r} declares no action {wanted.action!r}.{did_you_mean(wanted.action, policy.actions)}"
        raise NotFoundError("no-such-action", said, hint)
    if wanted.lasts is not None:
        _require_bounded(wanted.lasts)
        _require_asks(policy, wanted, action)
    data: dict[str, Json] = {
        "workflow": wanted.workflow,
        "action": wanted.action,
        "policy": policy.version,
        "until": format_instant(at + (wanted.lasts or timedelta())),
        "because": wanted.because,
    }
    name = f"bypass/{wanted.workflow}/{wanted.action}/{ledger.size()}"
    return Entry(BYPASSED, name, at, wanted.by, {**data, **sign(canonical(data))})


def _require_bounded(lasts: timedelta) -> None:
    if not timedelta() < lasts <= LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise UsageError("bypass-too-long", f"A bypass lasts longer than no time, and at most {hours} h.", _HINT)


def _require_asks(policy: Policy, wanted: Wanted, action: Action) -> None:
    if action.approvers_needed > 1:
        says = f"{action.approvers_needed} people have to say yes to {wanted.action!r}; one cannot do it for them."
        raise UsageError("bypass-of-several", says, "Change what is declared, if it is meant.")
    if policy.level in {AutonomyLevel.SHADOW, AutonomyLevel.DRAFT}:
        says = f"At the level {policy.level} nothing is done without a person, not for a while either."
        raise UsageError("bypass-below-approve", says, "A level is raised by a review, on evidence.")
    if f"{wanted.workflow}.{wanted.action}.approval" not in {rule.id for rule in policy.rules}:
        raise UsageError("nothing-to-bypass", f"{wanted.action!r} asks nobody now ({policy.level}).", "")


def _read(item: Recorded) -> Bypass:
    data: Mapping[str, Any] = item.entry.data
    return Bypass(
        item.index,
        str(data["workflow"]),
        str(data["action"]),
        str(data["policy"]),
        item.entry.time,
        parse_instant(str(data["until"])),
        str(item.entry.by),
        str(data["because"]),
    )

"""Recorded requests, judged once more under a candidate policy: what would be another answer, and what nobody can know.

It is the gate's own judging, dry: nothing is recorded, nothing runs. Limits are asked with what really stood before
each request; one that would have been denied is not taken out of the sums of the later ones. What the switch and the
pinned definitions said then is not asked again. Arguments that were erased, or never kept (`keep_requests`), are not
guessed: where the candidate's answer does not depend on them it is known without, else it is unknown. Where the record
does not say which arguments came from content nobody vouches for, all are taken for such, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trueup.enforce.limits import summed
from trueup.enforce.request import Request, UnfitRequestError, read_request
from trueup.enforce.rules import limited_fields
from trueup.enforce.standing.bypass import BYPASSED
from trueup.enforce.steps import StepIds
from trueup.enforce.usage import Usage
from trueup.enforce.verdict import Verdict, refusal
from trueup.kernel.clock import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

ERASED = "its arguments were erased"
NOT_KEPT = "its arguments were not kept"
ALL_UNTRUSTED = "which arguments were untrusted is not on record: all were taken for it"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One recorded request: what the gate said, and what it would say. `would` is None where nobody can know.

    `assumed` says what had to be taken for granted to judge it again.
    """

    entry: int
    at: datetime
    step: str
    action: str | None
    tool: str
    was: str
    would: Verdict | None
    unknown: str | None = None
    assumed: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        about = {
            "entry": self.entry,
            "at": format_instant(self.at),
            "step": self.step,
            "action": self.action,
            "tool": self.tool,
            "was": self.was,
        }
        if self.would is None:
            return {**about, "because": self.unknown}
        says = next((rule.says for rule in self.would.rules if rule.id == self.would.decisive), None)
        judged = {**about, "would": str(self.would.decision), "decisive": self.would.decisive, "says": says}
        return judged if self.assumed is None else {**judged, "assumed": self.assumed}


@dataclass(slots=True)
class Replay:
    """All of them: how many got which answer and would get which, those that change, and those nobody knows."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    changed: list[Replayed] = field(default_factory=list)
    unknown: list[Replayed] = field(default_factory=list)

    def add(self, one: Replayed) -> None:
        """Count one."""
        would = "unknown" if one.would is None else str(one.would.decision)
        self.counts[one.was, would] = self.counts.get((one.was, would), 0) + 1
        if one.would is None:
            self.unknown.append(one)
        elif would != one.was:
            self.changed.append(one)

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "n": sum(self.counts.values()),
            "same": sum(n for (was, would), n in self.counts.items() if was == would),
            "counts": [{"was": was, "would": would, "n": n} for (was, would), n in sorted(self.counts.items())],
            "changed": [one.to_json() for one in self.changed],
            "unknown": [one.to_json() for one in self.unknown],
        }


def replay(policy: Policy, ledger: Ledger, bodies: Bodies, since: datetime | None, until: datetime) -> Replay:
    """Judge a workflow's recorded requests of `[since, until]` under a policy. Reads the ledger, and writes nothing."""
    found = Replay()
    usage = Usage(ledger, policy, bodies)
    erased = {str(item.entry.data.get("digest")) for item in ledger.entries("body.erased")}
    for item in _intents(ledger, policy.workflow, since, until):
        judged = ledger.find(StepIds.of_intent(item.id).judged)
        # Without a verdict nobody was answered.
        if judged is not None:
            found.add(_again(policy, usage, item, judged.entry.data, bodies, erased))
    return found


def _intents(ledger: Ledger, workflow: str, since: datetime | None, until: datetime) -> Iterator[Recorded]:
    for item in ledger.entries("action.intended"):
        in_time = item.entry.time <= until and (since is None or item.entry.time >= since)
        if in_time and item.entry.data.get("workflow") == workflow:
            yield item


def _again(
    policy: Policy, usage: Usage, item: Recorded, judged: Mapping[str, Any], bodies: Bodies, erased: set[str]
) -> Replayed:
    data: Mapping[str, Any] = item.entry.data
    would, unknown = _judged_again(policy, usage, item, judged, bodies)
    if would is None and data["digest"] in erased:
        unknown = ERASED
    was = str(judged["verdict"])
    assumed = ALL_UNTRUSTED if would is not None and _untrusted_of(data, judged) is None else None
    return Replayed(
        item.index, item.entry.time, data["step"], data["action"], data["tool"], was, would, unknown, assumed
    )


def _judged_again(
    policy: Policy, usage: Usage, item: Recorded, judged: Mapping[str, Any], bodies: Bodies
) -> tuple[Verdict | None, str | None]:
    data: Mapping[str, Any] = item.entry.data
    if data["digest"] is None:
        # It had no canonical form: no policy is asked about such a request.
        return refusal(str(judged["decisive"]), "the request has no canonical form"), None
    body = bodies.get(data["digest"])
    request = _request(policy, data, judged, body)
    if request is None or (body is None and _needs_arguments(policy, policy.action_of(request))):
        return None, NOT_KEPT
    room = usage.room(request, policy.action_of(request), item.entry.time, item.index)
    # What a bypass let through had its yes by that; whether there will be one again, no policy says.
    passed = judged.get("decisive") == BYPASSED
    return policy.judge(request, today=room.today, fits=room.fits, approved=passed), None


def _request(policy: Policy, data: Mapping[str, Any], judged: Mapping[str, Any], body: bytes | None) -> Request | None:
    """Return a request as it was made, without arguments where they are gone; None where it cannot be read."""
    try:
        kept = read_request(body) if body is not None else Request(str(data["tool"]))
    except UnfitRequestError:
        return None
    users = [action for action in policy.actions.values() if action.tool == kept.tool]
    confidence = data.get("confidence")
    return replace(
        kept,
        # Which of several actions was meant is on record; of a single one the name may be another by now.
        action=data.get("action") if len(users) > 1 else None,
        case=data.get("case"),
        requester=data.get("requester"),
        untrusted=_untrusted(kept, data, judged),
        confidence=confidence if isinstance(confidence, int | float) else None,
        sources=tuple(data.get("sources") or ()),
    )


def _untrusted(request: Request, data: Mapping[str, Any], judged: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which arguments came from content nobody vouches for: all of them, where there were some and no more."""
    named = _untrusted_of(data, judged)
    return named if named is not None else tuple(request.arguments) or ("-",)


def _untrusted_of(data: Mapping[str, Any], judged: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names on record; None where there is on record that there were some, and not which."""
    named = data.get("untrusted")
    if isinstance(named, list) and named:
        return tuple(str(name) for name in named)
    some = any(str(rule).endswith(".untrusted") for rule in judged.get("rules") or ())
    return None if some else ()


def _needs_arguments(policy: Policy, action: str | None) -> bool:
    """Tell whether an answer may depend on arguments: a limited one, or own policies that speak of any."""
    if action is None or policy.broken is not None:
        return False
    declared = policy.actions[action]
    own = (rule.text for rule in policy.rules if rule.action is None)
    spoken_of = any(word in text for text in own for word in ("numbers", "texts"))
    return bool(spoken_of or limited_fields(declared) or summed(declared))

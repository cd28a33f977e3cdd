"""A person's yes or no to a held step, as the ledger tells it.

An approval is bound to the digest of tool and final arguments and to the version of the policy; it is good for one
call, and it expires. Where an action needs several people, each says yes for themselves, and only the last one's is
the yes. Whom it is handed on to when it gets old follows from the clock alone. Accepting does not execute: the
process that waits does, through `Gate.resume`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.declare.model.people import Role
from trueup.declare.model.workflow import Impact
from trueup.enforce.asking.approval import Approval
from trueup.enforce.autonomy.watching import Watch
from trueup.enforce.request import UnfitRequestError, normalised, read_request
from trueup.enforce.steps import StepIds
from trueup.enforce.verdict import Decision, Verdict, refusal
from trueup.kernel.canonical import canonical
from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError, UsageError
from trueup.kernel.text import did_you_mean, folded
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Action
    from trueup.declare.programme import Programme
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

    Sign = Callable[[bytes], Mapping[str, Json]]

OPEN = frozenset({"open", "escalated"})
_DECISIONS = {"accept": "accepted", "edit": "edited", "reject": "rejected", "escalate": "escalated"}
_APPROVING = {Role.APPROVER, Role.OWNER}
_LIST = "See what waits:\n    trueup approvals list DIR"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person wants of an approval: accept, edit (with arguments), reject or escalate."""

    approval: str
    decision: str
    by: str
    arguments: Mapping[str, Json] | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The approval afterwards. `denied` says why nothing was decided: it has expired, or policy forbids the edit."""

    approval: Approval
    denied: Verdict | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """The approvals of a programme."""

    programme: Programme
    ledger: Ledger
    bodies: Bodies
    _watches: dict[str, Watch] = field(default_factory=dict, init=False, repr=False, compare=False)

    def approvers(self, action: Action) -> tuple[str, ...]:
        """Return who may decide: those named, else everybody with the role approver or owner."""
        people = self.programme.file.people
        named = [who for who in action.approvers if who in people]
        by_role = [who for who, person in people.items() if _APPROVING & set(person.roles)]
        return tuple(named if action.approvers else by_role)

    def escalation(self, workflow: str) -> str | None:
        """Return to whom a workflow hands on; None where nobody is named."""
        declared = self.programme.workflows.get(workflow)
        to = declared.owners.escalation if declared else None
        return to if to in self.programme.file.people else None

    def waiting(self, at: datetime) -> list[Approval]:
        """Return what waits for a person at an instant, oldest first."""
        asked = (self._approval(item, at) for item in self.ledger.entries("approval.requested"))
        return [approval for approval in asked if approval.state in OPEN]

    def one(self, approval: str, at: datetime) -> Approval:
        """Return one approval as it stands at an instant. Raises NotFoundError."""
        return self._approval(_requested(self.ledger, approval), at)

    def decide(self, ask: Ask, policy: Policy, at: datetime, sign: Sign) -> Decided:
        """Record a decision, and return the approval as it is then.

        Raises NotFoundError, NotPermittedError (not an approver, or the requester), ConflictError (decided
        before, or no longer what was asked) and UsageError.
        """
        return self.decide_all([ask], policy, at, sign)[0]

    def decide_all(self, asks: Sequence[Ask], policy: Policy, at: datetime, sign: Sign) -> list[Decided]:
        """Record decisions on different approvals, all of them or none, where one is not to be decided any more.

        Raises as `decide`.
        """
        found = [self._prepared(ask, policy, at, sign) for ask in asks]
        late = [one for one in found if isinstance(one, Decided)]
        if late:
            return late
        entries = [one for one in found if isinstance(one, Entry)]
        indices = self._append(entries)
        decided = [self.one(ask.approval, at) for ask in asks]
        for workflow in dict.fromkeys(one.workflow for one in decided):
            # A no is an outcome: it may be the one after which the level can no longer be promised.
            self._look(workflow, at)
        return [Decided(one, None, index) for one, index in zip(decided, indices, strict=True)]

    def _prepared(self, ask: Ask, policy: Policy, at: datetime, sign: Sign) -> Entry | Decided:
        """Return the entry of a decision; why there is none where it has expired, or policy forbids the edit."""
        to = self._escalated_to(self.one(ask.approval, at).workflow) if ask.decision == "escalate" else None
        asked = self.decidable(ask, policy, at)
        if asked.state == "expired":
            return Decided(asked, refusal("approval.expired", f"it expired at {format_instant(asked.expires_at)}"))
        final = asked.digest
        if ask.decision == "edit":
            edited = self._edited(asked, ask, policy)
            if isinstance(edited, Verdict):
                return Decided(asked, edited)
            final = self.bodies.digest(edited.body)
            self.bodies.put(final, edited.body)
        return self._entry(asked, ask, final, to, at, sign)

    def decidable(self, ask: Ask, policy: Policy, at: datetime) -> Approval:
        """Return the approval if the person may decide so on it now (or it has expired); raises as `decide`."""
        asked = self.one(ask.approval, at)
        self._require_person(ask.by)
        self._require_may(asked, ask)
        if asked.state == "expired":
            return asked
        if asked.state not in OPEN or (ask.decision == "escalate" and asked.decided_by is not None):
            raise ConflictError("approval-decided", f"The approval {asked.id!r} is {asked.state} already.", _LIST)
        if ask.decision in {"accept", "edit"}:
            self._require_current(asked, policy)
            _require_another(asked, ask)
        return asked

    def _append(self, entries: Sequence[Entry]) -> list[int]:
        try:
            return self.ledger.append(entries)
        except ConflictError as error:
            if error.code != "entry-exists":
                raise
            names = ", ".join(repr(entry.data["approval"]) for entry in entries)
            which = names if len(entries) == 1 else f"one of {names}"
            raise ConflictError(
                "approval-decided", f"Somebody else decided on {which} at this moment.", _LIST
            ) from None

    def _look(self, workflow: str, at: datetime) -> None:
        """Let the watch of a workflow take in what was said since it looked last; the first time, everything."""
        if workflow in self.programme.workflows:
            watch = self._watches.setdefault(workflow, Watch(self.programme, workflow, self.ledger))
            watch.look(at)

    def _entry(self, asked: Approval, ask: Ask, final: str, to: str | None, at: datetime, sign: Sign) -> Entry:
        data: dict[str, Json] = {
            "approval": asked.id,
            "intent": asked.intent,
            "decision": _DECISIONS[ask.decision],
            "digest": final,
            "policy": asked.policy,
            "because": ask.because,
            "to": to,
        }
        tail, kind = "escalated" if ask.decision == "escalate" else "decided", "approval.decided"
        if ask.decision == "accept" and len(asked.seconded_by) + 1 < asked.needed:
            # Not the last yes that it needs: it stays open.
            tail, kind = f"seconded/{len(asked.seconded_by)}", "approval.seconded"
        signed = {**data, **sign(canonical(data))}
        return Entry(kind, f"approval/{asked.id}/{tail}", at, ask.by, signed)

    def _edited(self, asked: Approval, ask: Ask, policy: Policy) -> Request | Verdict:
        """Return the request with other arguments, or the verdict that forbids it."""
        if ask.arguments is None:
            raise UsageError("no-arguments", "Editing needs the arguments.", "Add --arguments FILE, a JSON object.")
        held = self.bodies.get(asked.digest)
        definition = read_request(held).definition if held is not None else None
        request = asked.request(ask.arguments, definition)
        verdict = policy.judge(request, approved=True)
        if verdict.decision is not Decision.ALLOW:
            return verdict
        try:
            return normalised(request)
        except UnfitRequestError as error:
            return refusal(error.reason, str(error))

    def _require_person(self, who: str) -> None:
        people = self.programme.file.people
        if who not in people:
            raise NotPermittedError(
                "unknown-person",
                f"{who!r} is not in `people` of programme.yaml.{did_you_mean(who, people)}",
                f"Declared are: {', '.join(sorted(people)) or 'nobody yet'}.",
            )

    def _require_may(self, asked: Approval, ask: Ask) -> None:
        """Refuse who may not decide. Handing on takes no right but to be somebody."""
        if ask.decision == "escalate":
            return
        person = self.programme.file.people[ask.by]
        names = {folded(name) for name in (ask.by, person.name, person.email) if name}
        if asked.requester is not None and folded(asked.requester) in names:
            raise NotPermittedError(
                "own-request",
                f"{ask.by!r} asked for this, and nobody approves their own request.",
                f"These may: {', '.join(who for who in asked.approvers if who != ask.by) or 'nobody else'}.",
            )
        if ask.by not in asked.approvers:
            raise NotPermittedError(
                "not-an-approver",
                f"{ask.by!r} may not decide on {asked.action!r}.",
                f"These may: {', '.join(asked.approvers) or 'nobody is declared who may'}.",
            )

    def _require_current(self, asked: Approval, policy: Policy) -> None:
        if asked.policy != policy.version:
            raise ConflictError(
                "policy-changed",
                "The policy is another one than when this was held; a yes to it would not count.",
                "Reject it, and let the workflow ask again.",
            )
        if asked.arguments is None:
            raise ConflictError(
                "arguments-gone",
                "The arguments of this step were erased or altered, so nobody can see what is accepted.",
                "Reject it, and let the workflow ask again.",
            )

    def _escalated_to(self, workflow: str) -> str:
        to = self.escalation(workflow)
        if to is None:
            raise UsageError(
                "nobody-to-escalate-to",
                f"{workflow!r} names nobody to hand this on to.",
                "Write `owners: {escalation: WHO}` in the workflow.",
            )
        return to

    def _approval(self, item: Recorded, at: datetime) -> Approval:
        data: Mapping[str, Any] = item.entry.data
        decided = self.ledger.find(f"{item.id}/decided")
        escalated = self.ledger.find(f"{item.id}/escalated")
        last = decided or escalated
        final = str(decided.entry.data["digest"]) if decided else str(data["digest"])
        expires_at = parse_instant(data["expires_at"])
        by_age = parse_instant(data["escalates_at"]) if data.get("escalates_at") else None
        late = by_age is not None and at >= by_age and decided is None
        approvers = [str(who) for who in data["approvers"]]
        also = [escalated.entry.data["to"]] if escalated else [data["escalates_to"]] if late else []
        approvers += [str(who) for who in also if who not in approvers]
        seconded = self._seconded(item)
        return Approval(
            id=data["approval"],
            workflow=data["workflow"],
            action=data["action"],
            tool=data["tool"],
            step=data["step"],
            intent=data["intent"],
            case=data.get("case"),
            digest=final,
            policy=data["policy"],
            arguments=_arguments(self.bodies.get(final)),
            reasons=tuple(data["reasons"]),
            approvers=tuple(approvers),
            requester=data.get("requester"),
            requested_at=item.entry.time,
            expires_at=expires_at,
            reversible_by=data.get("reversible_by"),
            state=self._state(data, last, expires_at, at, "escalated" if late else "open"),
            decided_by=last.entry.by if last else None,
            because=_text(last.entry.data.get("because")) if last else None,
            impact=data.get("impact") or Impact.HIGH,
            needed=int(data.get("approvers_needed") or 1),
            seconded_by=seconded,
            escalates_at=by_age,
            age=at - item.entry.time,
            confidence=data.get("confidence"),
            sources=tuple(data.get("sources") or ()),
        )

    def _seconded(self, item: Recorded) -> tuple[str, ...]:
        """Return who said yes before the last that is needed, each once."""
        data: Mapping[str, Any] = item.entry.data
        needed = int(data.get("approvers_needed") or 1)
        found = (self.ledger.find(f"{item.id}/seconded/{number}") for number in range(needed - 1))
        return tuple(dict.fromkeys(str(one.entry.by) for one in found if one is not None))

    def _state(
        self, data: Mapping[str, Any], last: Recorded | None, expires_at: datetime, at: datetime, waiting: str
    ) -> str:
        decision = str(last.entry.data["decision"]) if last else waiting
        if self.ledger.find(StepIds.of_intent(data["intent"]).released) is not None:
            return "used"
        return "expired" if at >= expires_at and decision != "rejected" else decision


def _require_another(asked: Approval, ask: Ask) -> None:
    """Refuse a second yes of the same person, and changes to what others have said yes to or still have to."""
    if ask.decision == "edit" and asked.needed > 1:
        raise UsageError(
            "edit-needs-one",
            f"{asked.needed} people have to say yes to the same arguments, so they cannot be edited.",
            "Reject it, and let the workflow ask again.",
        )
    if ask.by in asked.seconded_by:
        raise NotPermittedError(
            "second-person",
            f"{ask.by!r} has said yes already, and {asked.needed} people have to.",
            f"These may: {', '.join(who for who in asked.approvers if who not in asked.seconded_by) or 'nobody else'}.",
        )


def workflow_of(ledger: Ledger, approval: str) -> str:
    """Return the workflow that an approval is about, from the ledger alone. Raises NotFoundError."""
    return str(_requested(ledger, approval).entry.data["workflow"])


def _requested(ledger: Ledger, approval: str) -> Recorded:
    found = ledger.find(f"approval/{approval}") if approval.isascii() else None
    if found is None or found.entry.type != "approval.requested":
        raise NotFoundError("no-such-approval", f"There is no approval {approval!a}.", _LIST)
    return found


def _arguments(body: bytes | None) -> Mapping[str, Json] | None:
    if body is None:
        return None
    arguments: Mapping[str, Json] = json.loads(body)["arguments"]
    return arguments


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

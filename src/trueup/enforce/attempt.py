"""One try of a step, and the entries that tell of it: intent, verdict, the question to a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.declare.model.workflow import Impact
from trueup.enforce.limits import costs_of
from trueup.enforce.request import LONGEST_NAME, Request, UnfitRequestError, normalised
from trueup.enforce.verdict import Verdict, refusal
from trueup.kernel.clock import format_instant
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Action
    from trueup.enforce.policy import Policy
    from trueup.enforce.steps import StepIds
    from trueup.kernel.canonical import Json

DEFAULT_WAIT = timedelta(days=1)
# An entry holds 32 kB: so much of what a request brings along is written out, and of the rest that there is more.
_MOST_ORIGINS = 20
_MOST_NAMED = 4_096


@dataclass(frozen=True, slots=True)
class Held:
    """What people may be told about a step that waits for them, wherever they are: nothing of what it is about.

    `since` is the word for why they are told now: held, or escalated, when it has become old.
    """

    approval: str
    workflow: str
    action: str
    impact: str
    expires_at: datetime
    since: str = "held"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step that one call of one process (`runner`) tries, under a policy, at an instant."""

    policy: Policy
    ids: StepIds
    step: str
    at: datetime
    runner: str

    def intended(self, request: Request, body: str | None, reserved: Mapping[str, str]) -> Entry:
        """Return the intent; `body` is the digest of what is asked for, `reserved` what it takes from the limits."""
        data: dict[str, Json] = {
            "workflow": self.policy.workflow,
            "action": self.policy.action_of(request),
            "tool": request.tool,
            "step": self.step,
            "digest": body,
            "case": request.case,
            "requester": request.requester,
            "runner": self.runner,
        }
        return Entry(
            "action.intended", self.ids.intended, self.at, None, data | _brought(request) | _reserving(reserved)
        )

    def judged(
        self,
        verdict: Verdict,
        approval: str | None = None,
        reserved: Mapping[str, str] | None = None,
        drawn: Mapping[str, Json] | None = None,
    ) -> Entry:
        """Return the verdict; the one that uses an approval up reserves what was accepted. `drawn` is for review."""
        data: dict[str, Json] = {
            "workflow": self.policy.workflow,
            "action": verdict.action,
            "step": self.step,
            "intent": self.ids.intended,
            "verdict": str(verdict.decision),
            "decisive": cut(verdict.decisive),
            "rules": [cut(rule.id) for rule in verdict.rules if rule.applied][:50],
            "policy": self.policy.version,
            "approval": approval,
            "runner": self.runner,
        }
        name = self.ids.released if approval else self.ids.judged
        return Entry("action.judged", name, self.at, None, {**data, **_reserving(reserved or {}), **(drawn or {})})

    def asked(
        self, request: Request, verdict: Verdict, body: str, approvers: Sequence[str], escalation: str | None
    ) -> Entry:
        """Return the question to a person; `escalation` may decide too once it is old, where that is declared."""
        action = self.policy.actions[verdict.action or ""]
        data: dict[str, Json] = {
            "approval": self.ids.approval,
            "workflow": self.policy.workflow,
            "action": verdict.action,
            "tool": request.tool,
            "step": self.step,
            "intent": self.ids.intended,
            "digest": body,
            "policy": self.policy.version,
            "reasons": [*verdict.reasons, *_origins(request)],
            "approvers": list(approvers),
            "requester": request.requester,
            "case": request.case,
            "expires_at": format_instant(self.held(verdict).expires_at),
            "reversible_by": action.reversible_by,
            "impact": str(action.impact or Impact.HIGH),
        }
        data |= _brought(request)
        if action.approvers_needed > 1:
            data["approvers_needed"] = action.approvers_needed
        if action.escalate_after is not None and escalation is not None:
            data |= {
                "escalates_at": format_instant(self.at + action.escalate_after.delta()),
                "escalates_to": escalation,
            }
        return Entry("approval.requested", f"approval/{self.ids.approval}", self.at, None, data)

    def held(self, verdict: Verdict) -> Held:
        """Return what people may be told of it."""
        action = self.policy.actions[verdict.action or ""]
        until = self.at + (action.expires.delta() if action.expires else DEFAULT_WAIT)
        impact = str(action.impact or Impact.HIGH)
        return Held(self.ids.approval, self.policy.workflow, verdict.action or "", impact, until)


def _brought(request: Request) -> dict[str, Json]:
    """Return how sure the model was, on what its answer rests, and what nobody vouches for, as far as that is known."""
    found: dict[str, Json] = {} if request.confidence is None else {"confidence": request.confidence}
    found |= {"sources": list(request.sources)} if request.sources else {}
    return found | ({"untrusted": _named(request.untrusted)} if request.untrusted else {})


def _named(names: Sequence[str]) -> list[str]:
    """Return names as far as an entry can hold them, the first one always."""
    found: list[str] = []
    room = _MOST_NAMED
    for name in map(cut, names):
        room -= len(name.encode("utf-8"))
        if found and room < 0:
            break
        found.append(name)
    return found


def _origins(request: Request) -> list[str]:
    """Return whose words stand in which argument; of very many the first."""
    more = len(request.origins) - _MOST_ORIGINS
    found = [cut(origin) for origin in request.origins[:_MOST_ORIGINS]]
    return [*found, f"{more} more arguments stem from such content"] if more > 0 else found


def declared_of(action: Action | None) -> dict[str, Json]:
    """Return what an outcome says of the action as it is declared: what a call costs, and the tool that undoes it."""
    if action is None:
        return {}
    costs: dict[str, Json] = {} if costs_of(action) is None else {"cost": action.costs}
    return costs | ({"reversible_by": action.reversible_by} if action.reversible_by else {})


def _reserving(reserved: Mapping[str, str]) -> dict[str, Json]:
    return {"reserved": dict(reserved)} if reserved else {}


def cut(text: str) -> str:
    """Return a name as an entry can hold it."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 3]}..."


def in_form(request: Request) -> tuple[Request, Verdict | None]:
    """Return the canonical request; else as much of it as an entry can hold, and the denial."""
    try:
        wanted = normalised(request)
    except UnfitRequestError as error:
        return Request(cut(str(request.tool))), refusal(error.reason, str(error))
    return wanted, None

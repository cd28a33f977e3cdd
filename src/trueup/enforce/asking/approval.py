"""A held step as it stands at an instant: what is asked, of whom, and what was said to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.enforce.request import Request
from trueup.kernel.clock import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.kernel.canonical import Json


@dataclass(frozen=True, slots=True)
class Stale:
    """Why no yes counts any more. `code`: policy-changed, killed, arguments-gone or definition-changed."""

    code: str
    says: str

    def to_json(self) -> dict[str, str]:
        """Return the published form."""
        return {"code": self.code, "says": self.says}


@dataclass(frozen=True, slots=True)
class Approval:
    """A held step and what became of it.

    `state` is open, escalated, accepted, edited, rejected, expired or used. `arguments` are the final ones, None
    when their text was erased; `digest` binds them together with the tool. `needed` people have to say yes, and
    `seconded_by` said so before the last. `age` is how long it has been there at the instant that was looked at.
    `stale` says why a yes would not count any more, where somebody has looked (`stale.as_they_stand`).
    """

    id: str
    workflow: str
    action: str
    tool: str
    step: str
    intent: str
    case: str | None
    digest: str
    policy: str
    arguments: Mapping[str, Json] | None
    reasons: tuple[str, ...]
    approvers: tuple[str, ...]
    requester: str | None
    requested_at: datetime
    expires_at: datetime
    reversible_by: str | None
    state: str
    decided_by: str | None
    because: str | None
    impact: str = "high"
    needed: int = 1
    seconded_by: tuple[str, ...] = ()
    escalates_at: datetime | None = None
    age: timedelta = timedelta()
    confidence: float | None = None
    sources: tuple[str, ...] = ()
    stale: Stale | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "action": self.action,
            "tool": self.tool,
            "step": self.step,
            "case": self.case,
            "arguments": self.arguments,
            "digest": self.digest,
            "policy": self.policy,
            "reasons": list(self.reasons),
            "approvers": list(self.approvers),
            "requester": self.requester,
            "requested_at": format_instant(self.requested_at),
            "expires_at": format_instant(self.expires_at),
            "reversible_by": self.reversible_by,
            "state": self.state,
            "decided_by": self.decided_by,
            "because": self.because,
            "risk": self.impact,
            "age_seconds": int(self.age.total_seconds()),
            "approvers_needed": self.needed,
            "seconded_by": list(self.seconded_by),
            "escalates_at": format_instant(self.escalates_at) if self.escalates_at else None,
            "confidence": self.confidence,
            "sources": list(self.sources),
            "stale": self.stale.to_json() if self.stale else None,
        }

    def request(self, arguments: Mapping[str, Json], definition: str | None) -> Request:
        """Return what was asked for with the arguments that a person saw: these, somebody vouches for by now."""
        return Request(
            self.tool,
            arguments,
            self.action,
            self.case,
            self.requester,
            definition=definition,
            confidence=self.confidence,
            sources=self.sources,
        )

"""A "no" from policy is a value: what was decided, every rule that was considered, and the one that decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What the gate answers: go on, wait for a person, or never."""

    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Considered:
    """One rule as it met one request. `source` is the file that declares it; `applied` tells whether it held."""

    id: str
    effect: str
    says: str
    source: str
    applied: bool

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {
            "id": self.id,
            "effect": self.effect,
            "says": self.says,
            "source": self.source,
            "applied": self.applied,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one request. `decisive` is the id of the rule that made it what it is."""

    decision: Decision
    decisive: str
    rules: tuple[Considered, ...]
    action: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {
            "verdict": str(self.decision),
            "decisive": self.decisive,
            "action": self.action,
            "rules": [rule.to_json() for rule in self.rules],
        }

    @property
    def reasons(self) -> list[str]:
        """What the rules that applied say; for an approver."""
        return [rule.says for rule in self.rules if rule.applied and rule.effect == "forbid"]


def refusal(reason: str, says: str, *, source: str = "gate", action: str | None = None) -> Verdict:
    """Return a denial that was made before any rule could be asked."""
    rule = Considered(reason, "forbid", says, source, applied=True)
    return Verdict(Decision.DENY, reason, (rule,), action)

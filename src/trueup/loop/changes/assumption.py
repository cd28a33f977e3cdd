"""An assumption whose measurement says otherwise than the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.numbers import known
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.canonical import digest
from trueup.loop.permission import may_change_strategy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trueup.decide.assumption import AssumptionVerdict
    from trueup.declare.model.data import Assumption
    from trueup.declare.programme import Programme
    from trueup.loop.changes.change import Chain, Edit


@dataclass(frozen=True, slots=True)
class AssumptionChange:
    """An assumption whose measurement says otherwise than the files."""

    id: str
    assumption: Assumption
    verdict: AssumptionVerdict
    source: dict[str, Any]

    @property
    def kind(self) -> str:
        """Always `assumption`."""
        return "assumption"

    def fingerprint(self) -> str:
        """Digest of the assumption, its measure and bound, and whether it holds."""
        return digest(
            {
                "kind": self.kind,
                "id": self.id,
                "measure": self.assumption.measure,
                "bound": self.verdict.bound,
                "direction": self.verdict.direction,
                "holds": self.verdict.holds,
            }
        )

    def waivable(self) -> tuple[str, ...]:
        """Nothing about a measurement can be waived."""
        return ()

    def outcome(self, waived: Sequence[str]) -> str:  # noqa: ARG002 -- the signature of every change
        """`holds` or `false`."""
        return "holds" if self.verdict.holds else "false"

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:  # noqa: ARG002 -- every change answers the same questions
        """Coordination, the sponsor, or anybody who decides."""
        return may_change_strategy(programme)

    def edits(self, programme: Programme, by: str, on: date, waived: Sequence[str]) -> list[Edit]:  # noqa: ARG002 -- every change answers the same questions
        """`assumptions.ID.found`, which the ranking reads."""
        measured = self.verdict.measured
        found = {
            "value": None if measured is None else float(f"{measured:.6g}"),
            "on": on.isoformat(),
            "holds": bool(self.verdict.holds),
        }
        return [(PROGRAMME_FILE, ("assumptions", self.id, "found"), found)]

    def to_json(self) -> dict[str, Any]:
        """Return the published form of an assumption change."""
        return {
            "kind": self.kind,
            "id": self.id,
            "subject": self.id,
            "holds": self.verdict.holds,
            "measured": known(self.verdict.measured),
            "bound": self.verdict.bound,
            "direction": self.verdict.direction,
            "says": self.assumption.says,
            "supports": list(self.assumption.supports),
            "because": self.verdict.because,
            "measure": self.assumption.measure,
            "evidence": [self.source.get("digest")] if self.source.get("digest") else [],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return what was counted."""
        return {"readings": [], "inputs": self.source}

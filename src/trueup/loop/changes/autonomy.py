"""A workflow that has earned another rung of autonomy, or can no longer keep the one it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.autonomy import Move
from trueup.declare.programme import workflow_file
from trueup.kernel.canonical import digest
from trueup.kernel.errors import DataError
from trueup.loop.autonomy.evidence import standing_of
from trueup.loop.permission import may_expand, may_stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from trueup.declare.programme import Programme
    from trueup.loop.autonomy.evidence import Standing
    from trueup.loop.changes.change import Chain, Edit
    from trueup.loop.workbench import Workbench


@dataclass(frozen=True, slots=True)
class AutonomyChange:
    """One workflow's level, up by a rung or down."""

    standing: Standing

    @property
    def kind(self) -> str:
        """Always `autonomy`."""
        return "autonomy"

    def fingerprint(self) -> str:
        """Digest of the levels, the promise and the rung that the evidence is of; never of the bound."""
        verdict, autonomy = self.standing.verdict, self.standing.autonomy
        return digest(
            {
                "kind": self.kind,
                "subject": self.standing.workflow,
                "from": verdict.old,
                "to": verdict.new,
                "wrong_at_most": autonomy.wrong_at_most,
                "sure": autonomy.sure,
                "since": self.standing.rung.since,
                "missing": list(verdict.waivable),
            }
        )

    def waivable(self) -> tuple[str, ...]:
        """Checklist items without evidence, before `act`."""
        return self.standing.verdict.waivable

    def outcome(self, waived: Sequence[str]) -> str:
        """The level from the next action on; `hold` while an item that it waits for is neither there nor waived."""
        verdict = self.standing.verdict
        return str(verdict.new) if set(verdict.waivable) <= set(waived) else "hold"

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:  # noqa: ARG002 -- every change answers the same questions
        """Down: anybody with a role of owner or above. Up: the sponsor, or a decider who does not own the workflow."""
        name = self.standing.workflow
        return may_stop(programme, name) if self.standing.verdict.move is Move.DOWN else may_expand(programme, name)

    def edits(self, programme: Programme, by: str, on: date, waived: Sequence[str]) -> list[Edit]:  # noqa: ARG002 -- every change answers the same questions
        """`autonomy.level`; the ledger's entry of the decision sets it for every gate."""
        level = self.outcome(waived)
        return [] if level == "hold" else [(workflow_file(self.standing.workflow), ("autonomy", "level"), level)]

    def to_json(self) -> dict[str, Any]:
        """Return the published form of an autonomy change."""
        standing, verdict = self.standing, self.standing.verdict
        return {
            "kind": self.kind,
            "subject": standing.workflow,
            "from": str(verdict.old),
            "to": str(verdict.new),
            "move": str(Move.UP if verdict.move is Move.STAY else verdict.move),
            "code": verdict.code,
            "because": verdict.because,
            "reviewed": standing.evidence.reviewed,
            "wrong": standing.evidence.wrong,
            "upper": verdict.bound,
            "wrong_at_most": standing.autonomy.wrong_at_most,
            "sure": standing.promise and 1 - standing.promise.alpha,
            "stable_cycles": standing.evidence.cycles,
            "waivable": list(verdict.waivable),
            "evidence": [],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return the bound with its numbers, both watches, and the declared line."""
        inputs, autonomy = self.standing.inputs(), self.standing.autonomy
        down = self.standing.verdict.move is Move.DOWN
        name = "two watches over the share of wrong outcomes" if down else "anytime-valid bound on wrong outcomes"
        expression = (
            "mean_j prod_i (1 + l_j (L_i - limit)) >= 1/alpha, or mean_j R_i >= run length"
            if down
            else f"upper end of {{p: E_n(p) < 1/(1 - sure)}} < {autonomy.wrong_at_most}"
        )
        return {
            "readings": [],
            "inputs": inputs,
            "formula": {"name": name, "expression": expression, "inputs": inputs},
            "declared": [workflow_file(self.standing.workflow), "autonomy", "level"],
        }


def autonomy_changes(bench: Workbench, as_of: datetime) -> Iterator[AutonomyChange]:
    """Yield a change for every workflow whose evidence moves its level, by workflow; a log that fails moves nothing."""
    for name, workflow in sorted(bench.programme.workflows.items()):
        ended = workflow.pilot.ended if workflow.pilot else None
        if workflow.autonomy is None or (ended is not None and ended <= as_of.date()):
            continue
        try:
            standing = standing_of(bench, name, as_of)
        except DataError:
            continue
        if standing is not None and (standing.verdict.move is not Move.STAY or standing.verdict.waivable):
            yield AutonomyChange(standing)

"""A gate that is due, or a guardrail that is crossed: go, hold, stop or unknown, waiting for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.gate import ALPHA
from trueup.decide.numbers import interval_json
from trueup.declare.programme import use_case_file, workflow_file
from trueup.kernel.canonical import digest
from trueup.kernel.clock import format_instant
from trueup.loop.gates import gate_adjusted, gate_inputs, gate_sensitivity
from trueup.loop.permission import may_decide_gate, may_expand, may_stop
from trueup.loop.pilots.promise import promised

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trueup.decide.gate import BarTest
    from trueup.decide.guardrail import GuardrailReading
    from trueup.declare.programme import Programme
    from trueup.ledger.records import Reading
    from trueup.loop.changes.change import Chain, Edit
    from trueup.loop.gates import JudgedGate


@dataclass(frozen=True, slots=True)
class GateChange:
    """A gate that is due (or a guardrail that is crossed) and waits for a decision."""

    judged: JudgedGate
    readings: tuple[Reading, ...]

    @property
    def kind(self) -> str:
        """Always `gate`."""
        return "gate"

    def fingerprint(self) -> str:
        """Digest of workflow, gate, outcome, code and the registered promise."""
        registration = self.judged.registration
        return digest(
            {
                "kind": self.kind,
                "subject": self.judged.workflow,
                "gate": self.judged.gate,
                "outcome": str(self.judged.verdict.outcome),
                "code": self.judged.verdict.code,
                "promise": promised(registration) if registration else None,
            }
        )

    def waivable(self) -> tuple[str, ...]:
        """Open guardrails, the design, checklist items: what stands between this verdict and a go."""
        return self.judged.verdict.waivable

    def outcome(self, waived: Sequence[str]) -> str:
        """A hold whose every obstacle is waived by name becomes a go."""
        needed = set(self.waivable())
        return "go" if needed and needed <= set(waived) else str(self.judged.verdict.outcome)

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:
        """Anybody senior for a stop; the sponsor or an outside decider for scale and waivers; else owner or decider."""
        name = self.judged.workflow
        if waived or (self.judged.question.scale and self.outcome(waived) == "go"):
            return may_expand(programme, name)
        return may_stop(programme, name) if self.outcome(waived) == "stop" else may_decide_gate(programme, name)

    def edits(self, programme: Programme, by: str, on: date, waived: Sequence[str]) -> list[Edit]:
        """`pilot.decided`; a stop ends the pilot, and the use case when no workflow of it runs; scale promotes it."""
        name, outcome = self.judged.workflow, self.outcome(waived)
        file = workflow_file(name)
        decided = {"outcome": outcome, "on": on.isoformat(), "by": by}
        edits: list[Edit] = [(file, ("pilot", "decided", self.judged.gate), decided)]
        use_case = programme.workflows[name].use_case or ""
        if outcome == "stop":
            edits.append((file, ("pilot", "ended"), on.isoformat()))
            if use_case in programme.use_cases and not _still_running(programme, use_case, name):
                edits.append((use_case_file(use_case), ("stage",), "stopped"))
        if outcome == "go" and self.judged.question.scale and use_case in programme.use_cases:
            edits.append((use_case_file(use_case), ("stage",), "production"))
        return edits

    def to_json(self) -> dict[str, Any]:
        """Return the published form of a gate change."""
        judged, verdict, question = self.judged, self.judged.verdict, self.judged.question
        comparison, population = question.comparison, judged.population
        return {
            "kind": self.kind,
            "subject": judged.workflow,
            "gate": judged.gate,
            "outcome": str(verdict.outcome),
            "code": verdict.code,
            "kpi": judged.registration.primary if judged.registration else None,
            "unit": comparison.unit if comparison else None,
            **interval_json(verdict.interval),
            "cases": _cases(judged),
            "immature": sum(population.immature.values()) if population else None,
            "evidence_level": str(question.level),
            "design": question.level.design_word,
            "guardrails": [_guardrail_json(reading) for reading in question.guardrails],
            "because": verdict.because,
            "evidence": [reading.id for reading in self.readings],
            "due": format_instant(judged.due),
            "bar": _bar_json(verdict.bar),
            "target": _bar_json(verdict.target),
            "watched": _watched(judged),
            "forecast_weeks": judged.forecast_weeks,
            "sensitivity": gate_sensitivity(judged),
            "adjusted": gate_adjusted(judged),
            "portfolio": judged.portfolio,
            "checks": judged.checks.to_json(comparison.unit) if judged.checks and comparison else None,
            "downstream": [one.to_json() for one in judged.downstream],
            "waivable": list(verdict.waivable),
            "named_cases": list(verdict.cases),
            "notes": list(verdict.notes),
            "registered_late": bool(judged.registration and judged.registration.late),
            "scale": question.scale,
            "checklist": [{"item": item, "entry": entry} for item, entry in judged.checklist.items()],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return the weekly readings and the two sides of the comparison."""
        return {"readings": [reading.to_json() for reading in self.readings], "inputs": gate_inputs(self.judged)}


def _cases(judged: JudgedGate) -> int | None:
    comparison = judged.question.comparison
    if comparison is None:
        return None
    return comparison.treated.n + (0 if comparison.frozen else comparison.control.n)


def _watched(judged: JudgedGate) -> dict[str, float | None] | None:
    return interval_json(judged.watch.watched(ALPHA)) if judged.watch else None


def _guardrail_json(reading: GuardrailReading) -> dict[str, Any]:
    return {
        "kpi": reading.kpi,
        "state": str(reading.state),
        "unit": reading.unit,
        "no_worse_than": reading.margin,
        **interval_json(reading.interval),
        "watched": interval_json(reading.watched),
        "n": reading.n,
    }


def _bar_json(bar: BarTest | None) -> dict[str, Any] | None:
    if bar is None:
        return None
    return {
        "text": bar.text,
        "ratio": bar.contrast.ratio,
        "threshold": bar.contrast.threshold,
        **interval_json(bar.interval),
        "side": str(bar.side),
    }


def _still_running(programme: Programme, use_case: str, ended: str) -> bool:
    others = [programme.workflows[name] for name in programme.workflows_of(use_case) if name != ended]
    return any(other.pilot is None or other.pilot.ended is None for other in others)

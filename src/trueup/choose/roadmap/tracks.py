"""Whose weeks are counted: what is piloted, and what is to be piloted next; with what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trueup.choose.roadmap.template import GATES
from trueup.declare.model.use_case import Stage
from trueup.declare.model.workflow import gate_week
from trueup.declare.programme import use_case_file, workflow_file
from trueup.kernel.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from trueup.declare.model.workflow import Pilot
    from trueup.declare.programme import Programme
    from trueup.kernel.finding import Finding


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """A stop/go point of a track. `declared` is False for the template's; `outcome` is what was signed, if anything."""

    name: str
    week: int
    scale: bool
    declared: bool
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Track:
    """One pilot, running or planned. `starts` is assumed where none is declared, and `assumed` says so."""

    use_case: str
    workflow: str | None
    owner: str | None
    starts: date
    assumed: bool
    gates: tuple[PlannedGate, ...]
    blockers: tuple[Finding, ...]

    def first_day(self, week: int) -> date:
        """Return the first day of a week: week 1 begins on the start."""
        return self.starts + timedelta(weeks=week - 1)

    def due(self, gate: PlannedGate) -> date:
        """Return the day on which a gate is judged: `starts + k * 7 d`."""
        return self.starts + timedelta(weeks=gate.week)

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "use_case": self.use_case,
            "workflow": self.workflow,
            "owner": self.owner,
            "starts": self.starts.isoformat(),
            "assumed": self.assumed,
            "blockers": [found.to_json() for found in self.blockers],
        }


def tracks(
    programme: Programme, findings: Iterable[Finding], chosen: Collection[str], earliest: date
) -> Iterator[Track]:
    """Yield a track for every workflow of what is in pilot or chosen to be, in order of its start.

    `earliest` is when something without a declared start can begin.
    """
    found = [
        track
        for name, case in sorted(programme.use_cases.items())
        if case.stage is Stage.PILOT or (name in chosen and case.stage in {Stage.IDEA, Stage.CANDIDATE})
        for track in _of(programme, name, list(findings), earliest)
    ]
    yield from sorted(found, key=lambda track: (track.starts, track.use_case, track.workflow or ""))


def _of(programme: Programme, name: str, findings: list[Finding], earliest: date) -> Iterator[Track]:
    case = programme.use_cases[name]
    workflows = programme.workflows_of(name)
    if not workflows:
        own = _blockers(findings, [use_case_file(name)])
        yield Track(name, None, case.owner, earliest, assumed=True, gates=_template_gates(), blockers=own)
    for workflow in workflows:
        declared = programme.workflows[workflow]
        pilot = declared.pilot
        if pilot is not None and pilot.ended is not None:
            continue
        starts = pilot.starts if pilot else None
        files = [use_case_file(name), workflow_file(workflow)]
        owner = declared.owners.business or case.owner
        gates = _gates(pilot) or _template_gates()
        yield Track(
            name,
            workflow,
            owner,
            starts or earliest,
            assumed=starts is None,
            gates=gates,
            blockers=_blockers(findings, files),
        )


def _gates(pilot: Pilot | None) -> tuple[PlannedGate, ...]:
    if pilot is None:
        return ()
    decided = {name: str(signed.outcome) for name, signed in pilot.decided.items()}
    return tuple(
        PlannedGate(name, gate_week(name), gate.scale, declared=True, outcome=decided.get(name))
        for name, gate in pilot.gates.items()
    )


def _template_gates() -> tuple[PlannedGate, ...]:
    return tuple(PlannedGate(name, week, scale, declared=False, outcome=None) for name, week, scale in GATES)


def _blockers(findings: list[Finding], files: list[str]) -> tuple[Finding, ...]:
    """Return what hurts a track: findings in its files that are no mere notes and that nobody waived."""
    hurting = [
        found
        for found in findings
        if found.where.file in files and found.severity is not Severity.NOTE and found.waived is None
    ]
    return tuple(sorted(hurting, key=lambda found: (found.severity is not Severity.ERROR, found.sort_key())))

"""The roadmap as it is published: horizons of thirty, sixty and ninety days, and the weeks with their gates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trueup.choose.assessment.readiness import Readiness, Route
from trueup.choose.assessment.steps import blockers as stopping
from trueup.choose.assessment.steps import next_steps
from trueup.choose.roadmap.template import TEMPLATE, phases
from trueup.choose.roadmap.tracks import PlannedGate, Track, tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from trueup.declare.programme import Programme
    from trueup.kernel.finding import Finding

HORIZONS = (30, 60, 90)
# How long clarity takes before a pilot can start, by route; a strategy sprint comes first.
_LEAD = {Route.STRATEGY_FIRST: 28, Route.HYBRID: 14, Route.IMPLEMENTATION_FIRST: 14}
_LONGEST_LEAD = 28


@dataclass(frozen=True, slots=True)
class Due:
    """Something that falls on a day."""

    day: date
    kind: str
    what: str
    owner: str | None
    use_case: str | None = None
    workflow: str | None = None
    overdue: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "due": self.day.isoformat(),
            "kind": self.kind,
            "what": self.what,
            "owner": self.owner,
            "use_case": self.use_case,
            "workflow": self.workflow,
            "overdue": self.overdue,
        }


def roadmap(
    programme: Programme,
    findings: Iterable[Finding],
    chosen: Collection[str],
    today: date,
    impossible: str | None = None,
) -> dict[str, Any]:
    """Return the plan. `chosen` are the use cases that the ranking funds; `impossible` says why there are none."""
    readiness = Readiness.of(programme.file.assessment)
    lead = _LONGEST_LEAD if readiness.route is None else _LEAD[readiness.route]
    planned = list(tracks(programme, findings, chosen, today + timedelta(days=lead)))
    blocking: list[dict[str, Any]] = [
        {"use_case": None, "workflow": None, "code": None, "what": f"{one['factor'].replace('_', ' ')} is 0"}
        for one in stopping(readiness)
    ]
    if impossible is not None:
        blocking.append({"use_case": None, "workflow": None, "code": "impossible-portfolio", "what": impossible})
    blocking += [_blocker(track, found) for track in planned for found in track.blockers]
    return {
        "as_of": today.isoformat(),
        "route": None if readiness.route is None else str(readiness.route),
        "horizons": _horizons([*_steps(programme, readiness, today), *_dues(planned, today)], today),
        "weeks": list(_weeks(planned)),
        "tracks": [track.to_json() for track in planned],
        "blockers": blocking,
    }


def _blocker(track: Track, found: Finding) -> dict[str, Any]:
    return {
        "use_case": track.use_case,
        "workflow": track.workflow,
        "code": found.code,
        "what": found.detail,
        "fix": found.fix,
        "file": found.where.file,
        "line": found.where.line,
        "owner": track.owner,
    }


def _steps(programme: Programme, readiness: Readiness, today: date) -> Iterator[Due]:
    """Yield the assessment's four weeks, from the day on which it was made; once they are over, nothing."""
    given = programme.file.assessment
    begin = today if readiness.unanswered or given is None or given.on is None else given.on
    for step in next_steps(programme.file, readiness):
        day = begin + timedelta(weeks=step.last)
        if day >= today:
            yield Due(day, "step", step.what, step.owner)


def _dues(planned: list[Track], today: date) -> Iterator[Due]:
    for track in planned:
        if track.blockers:
            count = "a finding" if len(track.blockers) == 1 else f"{len(track.blockers)} findings"
            codes = ", ".join(dict.fromkeys(found.code for found in track.blockers))
            yield _due(track, today, "blocker", f"clear {count} ({codes})", today)
        for phase, (first, last) in phases().items():
            begins, ends = track.first_day(first), track.first_day(last + 1)
            if ends > today:
                yield _due(track, max(begins, today), "phase", f"{phase}, weeks {first} to {last}", today)
        for gate in track.gates:
            if gate.outcome is None:
                yield _due(track, track.due(gate), "gate", _gate_words(gate), today)


def _due(track: Track, day: date, kind: str, what: str, today: date) -> Due:
    """Return something of a track; what should have happened already is due today, and overdue."""
    return Due(
        max(day, today), kind, f"{track.use_case}: {what}", track.owner, track.use_case, track.workflow, day < today
    )


def _gate_words(gate: PlannedGate) -> str:
    return f"gate {gate.name}" + (", the scale decision" if gate.scale else "")


def _horizons(dues: Iterable[Due], today: date) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {str(days): [] for days in HORIZONS}
    order = {"blocker": 0, "gate": 1, "phase": 2, "step": 3}
    for due in sorted(dues, key=lambda due: (due.day, order[due.kind], due.what)):
        days = (due.day - today).days
        bucket = next((horizon for horizon in HORIZONS if days <= horizon), None)
        if bucket is not None:
            found[str(bucket)].append(due.to_json())
    return found


def _weeks(planned: list[Track]) -> Iterator[dict[str, Any]]:
    """Yield every week of the template, and later ones that hold a gate, with what each track does in it."""
    beyond = {gate.week for track in planned for gate in track.gates} - {week.number for week in TEMPLATE}
    for number in sorted({week.number for week in TEMPLATE} | beyond):
        yield {
            "week": number,
            "phase": next((week.phase for week in TEMPLATE if week.number == number), "scale decision"),
            "items": [_item(track, number) for track in planned if number not in beyond],
            "gates": [_gate(track, gate) for track in planned for gate in track.gates if gate.week == number],
        }


def _item(track: Track, number: int) -> dict[str, Any]:
    week = next(week for week in TEMPLATE if week.number == number)
    return {
        "use_case": track.use_case,
        "workflow": track.workflow,
        "what": week.what,
        "owner": track.owner,
        "from": track.first_day(number).isoformat(),
        "to": (track.first_day(number + 1) - timedelta(days=1)).isoformat(),
        "assumed": track.assumed,
        "blockers": [found.code for found in track.blockers] if number == TEMPLATE[0].number else [],
    }


def _gate(track: Track, gate: PlannedGate) -> dict[str, Any]:
    return {
        "use_case": track.use_case,
        "workflow": track.workflow,
        "gate": gate.name,
        "due": track.due(gate).isoformat(),
        "scale": gate.scale,
        "declared": gate.declared,
        "outcome": gate.outcome,
        "owner": track.owner,
        "assumed": track.assumed,
    }

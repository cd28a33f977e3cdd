"""Measured readiness of the declared data, and how it stands beside what the assessment and use cases declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import DataError, StorageError
from trueup.observe.readiness.record import unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.loop.workbench import Observations
    from trueup.observe.readiness.record import Readiness

HIGHEST = 2


def readiness(observations: Observations, names: Iterable[str], as_of: datetime) -> dict[str, Readiness]:
    """Return the readiness of the sources named, by name; one that cannot be read is unknown, with the reason."""
    return {name: _of(observations, name, as_of) for name in sorted(set(names))}


def _of(observations: Observations, name: str, as_of: datetime) -> Readiness:
    try:
        return observations.observer().readiness(name, as_of)
    except StorageError as error:
        # Ranking has to be possible where nothing may be written: what could not be read is then not known.
        return unread(name, DataError(error.code, error.message, error.hint))


def scores(measured: Mapping[str, Readiness]) -> dict[str, float]:
    """Return the scores that are known, by source: what `choose` ranks by. An unknown one is absent."""
    return {name: one.score for name, one in measured.items() if one.score is not None}


def ranked_by(programme: Programme) -> set[str]:
    """Return the sources by whose readiness use cases are ranked (`feasibility.data: data.NAME`)."""
    named = (use_case.feasibility.data for use_case in programme.use_cases.values() if use_case.feasibility)
    sources = {one.removeprefix("data.") for one in named if isinstance(one, str)}
    return sources & set(programme.file.data)


def nearest(score: float) -> int:
    """Return the declared score, 0 to 2, that a measured readiness is nearest to; a tie goes to the higher one."""
    return min(int(score * HIGHEST + 0.5), HIGHEST)


@dataclass(frozen=True, slots=True)
class Against:
    """A declared score of 0 to 2 beside the measured readiness of the source that is its evidence.

    `holds` is None where readiness is not known, False where the measurement is nearer to a lower score.
    """

    data: str
    declared: int
    measured: Readiness

    @property
    def holds(self) -> bool | None:
        """Tell whether the measurement bears the declared score out."""
        score = self.measured.score
        return None if score is None else nearest(score) >= self.declared

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        score = self.measured.score
        return {
            "data": f"data.{self.data}",
            "declared": self.declared,
            "measured": None if score is None else round(score, 6),
            "nearest": None if score is None else nearest(score),
            "holds": self.holds,
            "because": self.measured.because,
        }


def evidence_of(programme: Programme) -> dict[str, tuple[str, int]]:
    """Return source and declared score of every answer of the assessment whose evidence is `data.NAME`, by factor."""
    assessment = programme.file.assessment
    found = {}
    for factor in type(assessment).model_fields if assessment else ():
        answer = getattr(assessment, factor)
        evidence = getattr(answer, "evidence", None)
        name = (evidence or "").removeprefix("data.")
        if evidence and evidence != name and name in programme.file.data:
            found[factor] = (name, int(answer.score))
    return found


def assessed(programme: Programme, observations: Observations, as_of: datetime) -> dict[str, Against]:
    """Hold the declared scores of the assessment against their evidence, by factor."""
    asked = evidence_of(programme)
    measured = readiness(observations, (name for name, _ in asked.values()), as_of)
    return {factor: Against(name, score, measured[name]) for factor, (name, score) in asked.items()}


def declared_feasibility(
    programme: Programme, names: Iterable[str], observations: Observations, as_of: datetime
) -> dict[str, Against]:
    """Hold the data scores that use cases declare as numbers against the data that their workflows read.

    Of several sources the one that is least ready counts; use cases whose workflows read none are left out.
    """
    found = {}
    for name in names:
        feasibility = programme.use_cases[name].feasibility
        score = feasibility.data if feasibility else None
        reading = [programme.workflows[workflow].events for workflow in programme.workflows_of(name)]
        read = {events.data for events in reading if events and events.data in programme.file.data}
        if isinstance(score, int) and read:
            measured = readiness(observations, filter(None, read), as_of)
            least = min(measured.values(), key=lambda one: -1.0 if one.score is None else one.score)
            found[name] = Against(least.data, score, least)
    return found

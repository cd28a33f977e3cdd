"""The assessment as it is published: readiness, route, blockers, entry point, operating model, next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.assessment.landscape import ENTRY_POINTS
from trueup.choose.assessment.operating_model import decision_rights, operating_model
from trueup.choose.assessment.readiness import FACTORS, ROUTES, Readiness
from trueup.choose.assessment.steps import blockers, next_steps, not_now
from trueup.declare.model.use_case import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.model.programme import Assessment
    from trueup.declare.programme import Programme


def assess(programme: Programme, measured: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Return the route of a programme, and what follows from it. What was not answered stays unknown.

    `measured` says, by factor, what the evidence that an answer names was measured to be. It changes no answer: the
    route follows from what people declared, beside what speaks for it.
    """
    file = programme.file
    given = file.assessment
    readiness = Readiness.of(given)
    landscape = given.landscape if given else None
    model = operating_model(file.operating_model, given.organisation if given else None)
    return {
        "on": given.on.isoformat() if given and given.on else None,
        "score": readiness.score,
        "range": list(readiness.bounds),
        "factors": _factors(given, measured or {}),
        "unanswered": list(readiness.unanswered),
        "route": None if readiness.route is None else str(readiness.route),
        "routes": [str(route) for route in readiness.routes],
        "meaning": None if readiness.route is None else ROUTES[readiness.route],
        "blockers": blockers(readiness),
        "landscape": landscape,
        "seen": _seen(programme),
        "entry_point": ENTRY_POINTS[landscape].to_json() if landscape else None,
        "operating_model": model,
        "decision_rights": decision_rights(file.operating_model, model["recommended"], file.sponsor),
        "next": [step.to_json() for step in next_steps(file, readiness)],
        "not_now": not_now(file, readiness),
        "would_change": list(readiness.would_change()),
    }


def _factors(given: Assessment | None, measured: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    answers = {factor: getattr(given, factor, None) for factor in FACTORS}
    return [
        {
            "factor": factor,
            "score": answer.score if answer else None,
            "because": answer.because if answer else None,
            "evidence": answer.evidence if answer else None,
            "measured": measured.get(factor),
        }
        for factor, answer in answers.items()
    ]


def _seen(programme: Programme) -> dict[str, int]:
    """Count what the files show, to be held beside the landscape that somebody declared."""
    stages = [case.stage for case in programme.use_cases.values()]
    return {str(stage): stages.count(stage) for stage in Stage if stage in stages}

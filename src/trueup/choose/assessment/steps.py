"""What to do in the next four weeks, and what not: from the route, the blockers and where the organisation stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.choose.assessment.readiness import BLOCKING, Readiness, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.programme import ProgrammeFile


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, in which weeks from now (both inclusive), and who answers for it (None: nobody is named)."""

    first: int
    last: int
    what: str
    owner: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {"weeks": [self.first, self.last], "what": self.what, "owner": self.owner}


_BY_ROUTE: dict[Route, tuple[tuple[int, int, str], ...]] = {
    Route.STRATEGY_FIRST: (
        (1, 1, "agree on two or three outcomes, each with a KPI, a target, a date and an owner"),
        (1, 2, "measure the data of the two most promising use cases"),
        (2, 3, "rank the use cases on ranges, and write down what the plan believes"),
        (4, 4, "sign the one-page brief, with the date on which the first pilot starts"),
    ),
    Route.HYBRID: (
        (1, 1, "write the one-page brief: objectives, owners, budget, guardrails"),
        (1, 2, "lock the baseline of one workflow"),
        (2, 4, "start one pilot with gates at weeks 4, 8 and 12"),
        (4, 4, "look at the first readings, and rank again"),
    ),
    Route.IMPLEMENTATION_FIRST: (
        (1, 1, "lock the baselines of what is to be built"),
        (1, 2, "declare actions, limits and approvals, and rehearse the way back"),
        (2, 4, "start the highest ranked pilots, up to the parallel limit"),
        (1, 4, "keep the weekly checkpoint from the first week on"),
    ),
}
_NOT_BY_ROUTE: dict[Route, tuple[str, ...]] = {
    Route.STRATEGY_FIRST: (
        "no pilot before outcomes and owners are named",
        "no vendor shortlist: outcomes first, tools after",
        "no strategy phase longer than four weeks: the last week ends with a signed page",
    ),
    Route.HYBRID: (
        "no second pilot before the first has its week-4 gate",
        "no roadmap beyond 90 days",
        "no platform before a pilot has shown that it is needed",
    ),
    Route.IMPLEMENTATION_FIRST: (
        "no launch without a locked baseline",
        "no more autonomy than the measured error rate allows",
        "no new strategy document: the review changes the one there is",
    ),
}
_NOT_BY_LANDSCAPE = {
    "first-steps": "no more than three use cases",
    "stalled-pilots": "no new pilot before the stalled ones are decided",
    "in-production": "no rebuilding of what already runs for another team",
    "scattered": "nothing new in any team before somebody coordinates",
}
_UNBLOCK = {
    "ownership": "name one accountable business owner for each use case; nothing else starts before",
    "risk_posture": "decide what is not allowed, who approves, how it is undone; nothing goes live before",
}


def next_steps(file: ProgrammeFile, readiness: Readiness) -> list[Step]:
    """Return the steps of the next four weeks, blockers first. Without a settled route, the missing answers are it."""
    coordination = (file.operating_model.coordination if file.operating_model else None) or file.sponsor
    steps = [Step(1, 1, _UNBLOCK[factor], file.sponsor) for factor in readiness.blocked_by]
    steps += [
        Step(1, 1, f"answer {factor.replace('_', ' ')} in the assessment, with the reason", coordination)
        for factor in readiness.unanswered
    ]
    settled = readiness.route
    steps += [Step(*step, coordination) for step in (_BY_ROUTE[settled] if settled else ())]
    return sorted(steps, key=lambda step: step.first)


def not_now(file: ProgrammeFile, readiness: Readiness) -> list[str]:
    """Return what not to do in these weeks."""
    return list(_not_now(file, readiness))


def _not_now(file: ProgrammeFile, readiness: Readiness) -> Iterator[str]:
    for factor in readiness.blocked_by:
        yield f"nothing goes live while {factor.replace('_', ' ')} is 0"
    settled = readiness.route
    if settled is not None:
        yield from _NOT_BY_ROUTE[settled]
    landscape = file.assessment.landscape if file.assessment else None
    if landscape is not None:
        yield _NOT_BY_LANDSCAPE[landscape]


def blockers(readiness: Readiness) -> list[dict[str, str]]:
    """Return the answers that stop everything, with why."""
    return [{"factor": factor, "because": BLOCKING[factor]} for factor in readiness.blocked_by]

"""Five answers, 0 to 2 each, become a score and a route; an answer that is missing leaves a range, not a zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.programme import Assessment, Score

FACTORS = ("outcome_clarity", "ownership", "data_readiness", "risk_posture", "team_capacity")
# A zero in one of these stops the rest, whatever the total.
BLOCKING = {
    "ownership": "nobody adopts what nobody answers for: name one accountable business owner for each use case",
    "risk_posture": "the rule must exist before the data flows: decide what is not allowed, who approves, how to undo",
}
_MOST = 2
_HYBRID_FROM = 5
_IMPLEMENTATION_FROM = 8


class Route(StrEnum):
    """Where to begin."""

    STRATEGY_FIRST = "strategy-first"
    HYBRID = "hybrid"
    IMPLEMENTATION_FIRST = "implementation-first"


ROUTES = {
    Route.STRATEGY_FIRST: "a strategy sprint of two to four weeks, then the first pilot",
    Route.HYBRID: "a light strategy and one pilot side by side",
    Route.IMPLEMENTATION_FIRST: "build now, under strict control by KPIs",
}


def route_of(score: int) -> Route:
    """Return the route of a score: 0-4 strategy first, 5-7 hybrid, 8-10 implementation first."""
    if score >= _IMPLEMENTATION_FROM:
        return Route.IMPLEMENTATION_FIRST
    return Route.HYBRID if score >= _HYBRID_FROM else Route.STRATEGY_FIRST


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answers: 0 to 2, None where there is none."""

    answers: Mapping[str, int | None]

    @classmethod
    def of(cls, assessment: Assessment | None) -> Readiness:
        """Read the answers of a programme."""
        given: dict[str, Score | None] = {factor: getattr(assessment, factor, None) for factor in FACTORS}
        return cls({factor: None if answer is None else answer.score for factor, answer in given.items()})

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The factors without an answer."""
        return tuple(factor for factor, answer in self.answers.items() if answer is None)

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest score that the missing answers leave possible."""
        known = sum(answer for answer in self.answers.values() if answer is not None)
        return known, known + _MOST * len(self.unanswered)

    @property
    def score(self) -> int | None:
        """The score from 0 to 10; None while an answer is missing."""
        low, high = self.bounds
        return low if low == high else None

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes that are still possible, one when it is settled."""
        low, high = self.bounds
        return tuple(dict.fromkeys(route_of(score) for score in range(low, high + 1)))

    @property
    def route(self) -> Route | None:
        """The route; None while a missing answer could change it."""
        return self.routes[0] if len(self.routes) == 1 else None

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """The factors whose zero is a blocker."""
        return tuple(factor for factor in BLOCKING if self.answers[factor] == 0)

    def with_answer(self, factor: str, answer: int) -> Readiness:
        """Return the same answers but one."""
        return replace(self, answers={**self.answers, factor: answer})

    def would_change(self) -> Iterator[dict[str, Any]]:
        """Yield every single other answer that leads to another route, found by trying each."""
        for factor, given in self.answers.items():
            for answer in range(_MOST + 1):
                other = self.with_answer(factor, answer)
                if answer != given and other.route is not None and other.route != self.route:
                    yield {
                        "answer": factor,
                        "from": given,
                        "to": answer,
                        "score": other.score,
                        "route": str(other.route),
                        "blockers": list(other.blocked_by),
                    }

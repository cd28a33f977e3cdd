"""How likely a use case is to work: its feasibility, and what became of the beliefs that it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from trueup.declare.model.use_case import Feasibility

if TYPE_CHECKING:
    from trueup.declare.model.data import Assumption
    from trueup.declare.model.programme import ProgrammeFile
    from trueup.declare.model.use_case import UseCase

# Probability that a factor does not stop the use case, by its score.
BY_SCORE = (0.3, 0.6, 0.9)
FACTORS = ("data", "integration", "process", "risk")
_HIGHEST = 2


@dataclass(frozen=True, slots=True)
class Success:
    """The probability of success, factor by factor; None where a factor is not known.

    An unknown factor counts as any of the three scores, each as likely: their mean in expectations, one of them in
    every draw. `effects` are the factors of false assumptions, by id.
    """

    factors: Mapping[str, float | None]
    effects: Mapping[str, float]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The factors that nobody has scored or measured."""
        return tuple(name for name, value in self.factors.items() if value is None)

    @property
    def known(self) -> float:
        """The product of what is known."""
        values = [value for value in self.factors.values() if value is not None]
        return math.prod(values) * min(1.0, math.prod(self.effects.values()))

    @property
    def expected(self) -> float:
        """The product with every unknown factor at its mean."""
        return self.known * (sum(BY_SCORE) / len(BY_SCORE)) ** len(self.unknown)


def success_of(
    name: str, use_case: UseCase, programme: ProgrammeFile, readiness: Mapping[str, float], on: date
) -> Success:
    """Return how likely a use case is to work, on a day.

    `readiness` holds measured readiness by data source, from 0 (nothing is there) to 1 (all that is expected is).
    """
    feasibility = use_case.feasibility or Feasibility()
    factors: dict[str, float | None] = {"data": _data(feasibility.data, readiness)}
    for factor in FACTORS[1:]:
        score: int | None = getattr(feasibility, factor)
        factors[factor] = None if score is None else BY_SCORE[score]
    effects = {
        belief: effect(assumption)
        for belief, assumption in sorted(programme.assumptions.items())
        if name in assumption.supports and is_false(assumption, on)
    }
    return Success(factors, effects)


def _data(declared: str | int | None, readiness: Mapping[str, float]) -> float | None:
    if isinstance(declared, int):
        return BY_SCORE[declared] if 0 <= declared <= _HIGHEST else None
    measured = readiness.get((declared or "").removeprefix("data."))
    return None if measured is None else between(measured)


def between(measured: float) -> float:
    """Return the factor of a measured readiness in [0, 1]: 0.3, 0.6, 0.9 at 0, 1/2 and 1, straight lines between."""
    share = min(max(measured, 0.0), 1.0)
    return BY_SCORE[0] + (BY_SCORE[2] - BY_SCORE[0]) * share


def is_false(assumption: Assumption, on: date) -> bool:
    """Tell whether a signed review had found an assumption false by a day. What nobody signed is believed."""
    found = assumption.found
    return found is not None and not found.holds and found.on <= on


def effect(assumption: Assumption) -> float:
    """Return what a false assumption does to success: as declared, else by how far the measurement is off the bound.

    min(measured / bound, bound / measured); 0 where the two have not the same sign.
    """
    if assumption.if_false is not None and assumption.if_false.success is not None:
        return assumption.if_false.success
    bound = assumption.at_least or assumption.at_most
    measured = assumption.found.value if assumption.found else None
    if bound is None or measured is None:
        return 1.0
    if bound.value * measured <= 0:
        return 0.0
    return min(measured / bound.value, bound.value / measured)

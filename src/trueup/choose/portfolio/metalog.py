"""A range becomes a distribution: the three-term metalog through its 10th, 50th and 90th percentile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trueup.kernel.quantities import Range

_LN_9 = math.log(9)


@dataclass(frozen=True, slots=True)
class Metalog:
    """The quantile function M(y) = a1 + a2 L + a3 (y - 1/2) L with L = ln(y / (1 - y)).

    Keelin, The Metalog Distributions, Decision Analysis 13(4), 2016, equations 5 and 6 with three terms; through
    symmetric percentiles the coefficients have a closed form. A range of no width is its one value.
    """

    a1: float
    a2: float
    a3: float

    @classmethod
    def through(cls, given: Range) -> Metalog:
        """Return the distribution whose 10th, 50th and 90th percentiles are those of the range."""
        a2 = (given.p90 - given.p10) / (2 * _LN_9)
        a3 = ((given.p90 - given.p50) - (given.p50 - given.p10)) / (0.8 * _LN_9)
        return cls(given.p50, a2, a3)

    @property
    def mean(self) -> float:
        """The mean, a1 + a3 / 2: the integral of M over (0, 1)."""
        return self.a1 + self.a3 / 2

    def quantile(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantiles at shares inside (0, 1)."""
        logit = np.log(share) - np.log1p(-share)
        amounts: NDArray[np.float64] = self.a1 + (self.a2 + self.a3 * (share - 0.5)) * logit
        return amounts


def stratified(draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the middles of `draws` equal slices of (0, 1), in random order (Latin hypercube).

    Every slice is drawn exactly once, so that the percentiles of few draws lie where they belong.
    McKay, Beckman and Conover, Technometrics 21(2), 1979.
    """
    places: NDArray[np.float64] = (rng.permutation(draws) + 0.5) / draws
    return places

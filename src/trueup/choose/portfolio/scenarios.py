"""How often each use case belongs in the funded set: every draw is solved, small portfolios exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.exhaustive import MOST_CANDIDATES, best_sets, candidates
from trueup.choose.portfolio.problem import Problem
from trueup.choose.portfolio.rounding import Rounding
from trueup.choose.portfolio.solver import Relaxation

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Draws:
    """Figures in every draw: net of shape (use cases, draws), uses of shape (limits, use cases, draws)."""

    net: NDArray[np.float64]
    uses: NDArray[np.float64]

    @property
    def count(self) -> int:
        """How many draws there are."""
        return int(self.net.shape[1])


def funded(problem: Problem, draws: Draws) -> NDArray[np.bool_]:
    """Return the funded set of every draw, of shape (use cases, draws).

    A draw is a world in which everybody knows what the figures turn out to be. Needs, exclusions, what stays and
    what is barred hold in each; limits hold for the draw's own costs and efforts. With few candidates every set is
    looked at; with more, the linear relaxation is rounded.
    """
    if candidates(problem).size <= MOST_CANDIDATES:
        return best_sets(problem, draws.net, draws.uses)
    return rounded(problem, draws)


def rounded(problem: Problem, draws: Draws) -> NDArray[np.bool_]:
    """Return a good set of every draw: its linear relaxation, rounded to what fits."""
    chosen = np.zeros(draws.net.shape, dtype=bool)
    relaxation = Relaxation(problem)
    rounding = Rounding(problem)
    for draw in range(draws.count):
        net, uses = draws.net[:, draw], draws.uses[:, :, draw]
        chosen[:, draw] = rounding.round(relaxation.solve(net, uses), net, uses)
    return chosen

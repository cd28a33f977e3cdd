"""Small portfolios need no search: every set is looked at in every draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.problem import TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trueup.choose.portfolio.problem import Problem

# 2^12 sets in 1,000 draws are a second's work; each further candidate doubles it.
MOST_CANDIDATES = 12
_AT_A_TIME = 64


def candidates(problem: Problem) -> NDArray[np.intp]:
    """Return the positions about which there is anything to choose."""
    return np.flatnonzero(~problem.forced() & ~problem.barred)


def best_sets(problem: Problem, net: NDArray[np.float64], uses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the best set of every draw, exactly; `net` and `uses` as in `Draws`.

    What stays may take more than a limit in a draw; then nothing is left of it for anybody else.
    """
    forced, free = problem.forced(), candidates(problem)
    sets = _possible(problem, forced, free)
    columns = sets[:, free].astype(float)
    found = np.empty(net.shape, dtype=bool)
    for first in range(0, net.shape[1], _AT_A_TIME):
        now = slice(first, first + _AT_A_TIME)
        worth = columns @ net[free, now]
        for row, limit in enumerate(problem.limits):
            left = np.maximum(limit - uses[row][forced, now].sum(axis=0), 0.0) + TOLERANCE * max(limit, 1.0)
            worth[columns @ uses[row][free, now] > left] = -np.inf
        found[:, now] = sets[worth.argmax(axis=0)].T
    return found


def _possible(problem: Problem, forced: NDArray[np.bool_], free: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return every set that keeps needs and exclusions, the smallest numbers first: the empty choice leads."""
    numbers = np.arange(2**free.size)
    sets = np.repeat(forced[None, :], numbers.size, axis=0)
    sets[:, free] = (numbers[:, None] >> np.arange(free.size)) & 1
    keeps = np.ones(numbers.size, dtype=bool)
    for one, other in problem.needs:
        keeps &= ~sets[:, one] | sets[:, other]
    for one, other in problem.excludes:
        keeps &= ~(sets[:, one] & sets[:, other])
    return sets[keeps]

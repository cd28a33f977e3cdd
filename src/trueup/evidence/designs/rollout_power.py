"""What a rollout in random order could show, asked of its own past: the order over weeks in which nothing happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.designs.staggered import staggered_effect
from trueup.evidence.power import POWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Weeks that are drawn together, so that neighbours go on resembling each other.
_TOGETHER = 4
_DRAWS = 60
LEAST_HISTORY = 8


def smallest_by_order(
    history: Floats, launches: Sequence[int], weeks: int, alpha: float, sign: int, seed: int, power: float = POWER
) -> float:
    """Return the effect in the direction of `sign` that `staggered_effect` tells from nought with that power.

    `history` (units, weeks) holds weekly means before the launch on their scale, `launches` the column of each unit's
    launch among `weeks`. Panels are drawn from whole weeks of the history, four in a row at a time, so that what moves
    all units stays together (moving blocks; Kuensch 1989). An effect moves the interval by just as much: enough is
    what exceeds the end on the wrong side in `power` of 60 panels. Infinite with fewer than 8 weeks, or where most
    panels know nothing.
    """
    known = history.shape[1]
    if known < LEAST_HISTORY or weeks < 1:
        return math.inf
    rng = np.random.default_rng(seed)
    needed = []
    for _ in range(_DRAWS):
        begins = rng.integers(0, known - _TOGETHER + 1, -(-weeks // _TOGETHER))
        columns = (begins[:, None] + np.arange(_TOGETHER)[None, :]).ravel()[:weeks]
        found = staggered_effect(history[:, columns], launches, alpha, seed)
        needed.append(-found.lower if sign > 0 else found.upper)
    enough = sorted(needed)[math.ceil(power * _DRAWS) - 1]
    return max(enough, 0.0)

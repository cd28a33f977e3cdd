"""Whether a field of the cases moved between two windows: how far, and whether whole weeks would do so by chance.

Cases of one week share what happened in it, so that a test of cases calls ordinary weeks a drift. Weeks are what is
permuted: if none of them is special, which of them are the later ones is a matter of chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.checks import population_stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trueup.evidence.health.cells import Cells

    Floats = NDArray[np.float64]

ORDERS = 9999
# Of 6 weeks and 6 others the least likely order has p = 2 / 924: enough for ten fields at 2.5%.
LEAST_WEEKS = 6
_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class Weeks:
    """The week of every case (positions 0 to k - 1), and which of the k weeks are the later ones.

    Raises ValueError when a case lies in no week, or all weeks are on one side.
    """

    of_case: NDArray[np.int64]
    late: NDArray[np.bool_]

    def __post_init__(self) -> None:
        outside = len(self.of_case) and not 0 <= int(self.of_case.min()) <= int(self.of_case.max()) < len(self.late)
        if outside or self.late.all() or not self.late.any():
            msg = "drift is between earlier and later weeks, and every case lies in one of them"
            raise ValueError(msg)

    @property
    def late_case(self) -> NDArray[np.bool_]:
        """Tell of every case whether it lies in a later week."""
        return self.late[self.of_case]

    def orders(self, seed: int, orders: int = ORDERS) -> NDArray[np.bool_]:
        """Return `late` as it is, then in random orders: (1 + orders, weeks)."""
        drawn = np.random.default_rng(seed).permuted(np.tile(self.late, (orders, 1)), axis=1)
        return np.vstack([self.late[None, :], drawn])

    @property
    def least_p(self) -> float:
        """The smallest p-value that the weeks allow, whatever happened in them."""
        weeks, late = len(self.late), int(self.late.sum())
        return (2 if 2 * late == weeks else 1) / math.comb(weeks, late)


@dataclass(frozen=True, slots=True)
class Stability:
    """How far a field moved (`index`, population stability), and how often weeks in random order move as far."""

    index: float
    p_value: float


def stability(cells: Cells, weeks: Weeks, seed: int, orders: int = ORDERS) -> Stability | None:
    """Return the stability index between earlier and later cases, with its permutation p-value; None without cases.

    The index is that of `population_stability`, corrected for chance. The p-value is (1 + b) / (1 + orders), b the
    orders of weeks whose plain index is at least as large (Phipson and Smyth 2010): at most alpha with probability
    alpha wherever weeks are exchangeable, however much the cases of a week resemble each other.
    """
    late = weeks.late_case
    index = population_stability(cells.counts(~late).tolist(), cells.counts(late).tolist())
    if index is None:
        return None
    table = np.zeros((len(weeks.late), len(cells.names)))
    np.add.at(table, (weeks.of_case, cells.code), 1.0)
    later = weeks.orders(seed, orders).astype(np.float64) @ table
    plain = _plain(table.sum(axis=0) - later, later)
    return Stability(index, permutation_p(plain))


def _plain(before: Floats, after: Floats) -> Floats:
    """Return sum (q - p) ln(q / p) of every row, half a case added to each cell."""
    p, q = ((side + 0.5) / (side.sum(axis=1, keepdims=True) + 0.5 * side.shape[1]) for side in (before, after))
    moved: Floats = ((q - p) * np.log(q / p)).sum(axis=1)
    return moved


def permutation_p(statistics: Floats) -> float:
    """Return the share of statistics that are at least the first one, which counts itself."""
    least = statistics[0] - _TIE * max(abs(float(statistics[0])), 1.0)
    return float((statistics >= least).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number: one at most alpha is claimed, any of them wrongly at most alpha.

    Holm 1979, valid however the tests hang together. Raises ValueError for what is no p-value.
    """
    if any(math.isnan(value) or not 0 <= value <= 1 for value in p_values):
        msg = "a p-value lies between 0 and 1"
        raise ValueError(msg)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = highest
    return adjusted

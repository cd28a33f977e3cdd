"""A rollout unit by unit in random order: whether the order that was drawn explains the values better than others.

Weekly means of every unit, demeaned by unit and by week, are summed over the cells after each unit's launch. The same
is done for other orders of the same launch weeks. Because the order was drawn by chance, the share of orders that do
at least as well is a p-value, whatever units and weeks are like (Fisher 1935; two-way effects for precision only).
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.moments import Interval, require_level, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# With four units, the most extreme of 24 orders has p = .042, more than a third of 5%.
LEAST_UNITS = 6
_ORDERS = 4999
# All orders are tried up to this many units (7! = 5,040).
_EXHAUSTIVE = 7
_SWEEPS = 200
_SETTLED = 1e-12


def rollout_order(units: Sequence[str], seed: int) -> tuple[str, ...]:
    """Return the units in random order; the same units and seed give the same order on every machine.

    Raises ValueError for fewer than 6 units: no order of them could be told from chance at a gate.
    """
    if len(set(units)) < LEAST_UNITS:
        msg = f"{len(set(units))} units cannot be told from chance; a staggered rollout needs {LEAST_UNITS}"
        raise ValueError(msg)
    names = sorted(set(units))
    order = np.random.default_rng(seed).permutation(len(names))
    return tuple(names[place] for place in order)


def launch_weeks(units: int, weeks: int) -> tuple[int, ...]:
    """Return in which week after the start (0 first) each place of the order is launched, spread over `weeks`."""
    return tuple(place * max(weeks, 1) // units for place in range(units))


def staggered_effect(panel: Floats, launches: Sequence[int], alpha: float, seed: int) -> Interval:
    """Return the effect with the interval of all effects that permuted orders do not reject, two-sided at alpha.

    `panel` (units, weeks) holds weekly means in order of time, NaN where a unit has no case; `launches` the column
    from which each unit is treated (beyond the last: not yet). The interval inverts the test exactly: an order's
    statistic is linear in the effect that is taken off. Infinite ends where too few orders differ; nothing is
    known without a treated and an untreated cell.
    """
    require_level(alpha)
    gains, weights, found, most = _statistics(panel, launches, seed)
    return unknown() if most <= _SETTLED else _inverted(gains, weights, found, most, alpha)


def permuted_effects(panel: Floats, launches: Sequence[int], seed: int) -> tuple[float, Floats] | None:
    """Return the effect, and what would have been found by every order that the interval is inverted over.

    An order that did not happen finds its sum of demeaned cells over the weight of the one that did. None where nothing
    is known.
    """
    gains, _, found, most = _statistics(panel, launches, seed)
    return None if most <= _SETTLED else (found / most, gains / most)


def _statistics(panel: Floats, launches: Sequence[int], seed: int) -> tuple[Floats, Floats, float, float]:
    """What every order gains and weighs, and what the one that happened does."""
    start = np.asarray(launches, dtype=np.int64)
    treated = np.arange(panel.shape[1])[None, :] >= start[:, None]
    seen = np.isfinite(panel)
    moved = _demeaned(np.where(seen, panel, 0.0), seen)
    shape = _demeaned(np.where(seen, treated.astype(np.float64), 0.0), seen)
    gained, weight = _after(moved), _after(shape)
    each = np.arange(len(start))
    place = np.minimum(start, panel.shape[1])
    columns = place[_orders(len(start), seed)]
    found, most = float(gained[each, place].sum()), float(weight[each, place].sum())
    return gained[each, columns].sum(1), weight[each, columns].sum(1), found, most


def _orders(units: int, seed: int) -> NDArray[np.int64]:
    if units <= _EXHAUSTIVE:
        return np.array(list(itertools.permutations(range(units))), dtype=np.int64)
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(np.arange(units), (_ORDERS, 1)), axis=1)
    # The order that happened is one of the possible ones; leaving it out would make p too small.
    return np.vstack([np.arange(units)[None, :], drawn])


def _inverted(gains: Floats, weights: Floats, found: float, most: float, alpha: float) -> Interval:
    """Return the effects d for which |gain - d weight| >= |found - d most| in more than alpha of the orders.

    For an order whose weight is less than `most` these are the d between the two roots, (gain - found) / (weight -
    most) and (gain + found) / (weight + most); the estimate lies between them. The other orders hold for every d.
    """
    estimate = found / most
    always = np.abs(weights) >= most * (1 - 1e-9)
    one = (gains[~always] - found) / (weights[~always] - most)
    other = (gains[~always] + found) / (weights[~always] + most)
    # How many orders have to fall out before the others are no more than alpha of all.
    allowed = math.floor(alpha * len(gains) + 1e-9) - int(always.sum())
    if allowed < 0:
        return unknown(estimate)
    lower, upper = np.sort(np.minimum(one, other)), np.sort(np.maximum(one, other))[::-1]
    if allowed >= len(lower):
        return Interval(estimate, estimate, estimate)
    return Interval(estimate, float(min(lower[allowed], estimate)), float(max(upper[allowed], estimate)))


def _after(cells: Floats) -> Floats:
    """Return for every unit and week the sum of its cells from that week on; a last column of noughts."""
    sums = np.cumsum(cells[:, ::-1], axis=1)[:, ::-1]
    return np.hstack([sums, np.zeros((len(cells), 1))])


def _demeaned(cells: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Return the cells without unit and week effects, by turns until they settle; 0 where nothing was seen."""
    left = cells.copy()
    units, weeks = np.maximum(seen.sum(1), 1)[:, None], np.maximum(seen.sum(0), 1)[None, :]
    scale = float(np.abs(cells).max()) or 1.0
    for _ in range(_SWEEPS):
        by_unit = left.sum(1)[:, None] / units
        left = np.where(seen, left - by_unit, 0.0)
        by_week = left.sum(0)[None, :] / weeks
        left = np.where(seen, left - by_week, 0.0)
        if max(float(np.abs(by_unit).max()), float(np.abs(by_week).max())) <= _SETTLED * scale:
            break
    return left

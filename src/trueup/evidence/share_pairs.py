"""The ends of the sequence of two shares by Newton's method, where they lie inside; quicker than a search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 40
_CLOSE = 1e-11
_INSIDE = 1e-9


def pair_end(
    treated: tuple[int, int], control: tuple[int, int], ratio: float, weight: float, log_alpha: float, side: int
) -> float | None:
    """Return the largest (`side` 1) or smallest (-1) p1 - ratio p0 with ln E(p1) + ln E(p0) <= -log_alpha.

    Arms are (successes, cases); `weight` is that of `share_e_value`. At the end the contrast c and p0 solve two
    equations: the sum of both is -log_alpha, and its derivative along p1 = ratio p0 + c is nought. Each part is convex
    in its share, so that such a point is the end. None where none is found strictly inside (0, 1) on both axes.
    """
    counts = np.array([treated, control], dtype=np.float64)
    events, cases = counts[:, 0], counts[:, 1]
    if ratio <= 0 or np.any(events == 0) or np.any(events == cases):
        return None
    shares = events / cases
    slopes = np.array([1.0, ratio])
    error = slopes * slopes * shares * (1 - shares) / cases
    # Where a normal approximation has the end; what it misses is Newton's.
    reach = side * math.sqrt(-2 * log_alpha * float(error.sum()) * (1 + math.log1p(float(cases.max()) / weight)))
    moved = shares + np.array([1.0, -1.0]) * reach * error / error.sum() / slopes
    at = np.clip(moved, shares / 4, 1 - (1 - shares) / 4)
    for _ in range(_STEPS):
        value, slope, bend = _parts(events, cases, at, weight)
        off = np.array([float(value.sum()) + log_alpha, ratio * slope[0] + slope[1]])
        jacobian = np.array([[slope[0], slope[1]], [ratio * bend[0], bend[1]]])
        if not np.all(np.isfinite(off)) or abs(np.linalg.det(jacobian)) < _CLOSE:
            return None
        step = np.linalg.solve(jacobian, off)
        # At most half of the way to an edge: beyond it nothing is defined.
        room = np.where(step > 0, at, 1 - at) / 2
        shrink = min(1.0, float(np.min(room / np.maximum(np.abs(step), 1e-300))))
        at = at - shrink * step
        if shrink == 1.0 and float(np.max(np.abs(step))) < _CLOSE:
            return _checked(at, shares, slopes, side)
    return None


def _checked(
    at: NDArray[np.float64], shares: NDArray[np.float64], slopes: NDArray[np.float64], side: int
) -> float | None:
    """The contrast of a solution, if it lies inside, on the side that was asked for, with both shares moved apart."""
    signs = np.array([1.0, -1.0]) * side
    inside = np.all((at > _INSIDE) & (at < 1 - _INSIDE))
    if not inside or np.any((at - shares) * signs <= 0):
        return None
    return float(at[0] - slopes[1] * at[1])


def _parts(
    events: NDArray[np.float64], cases: NDArray[np.float64], at: NDArray[np.float64], weight: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return ln E of both shares (see `share_e_value`), and its first and second derivatives."""
    failures = cases - events
    a, b = weight * at, weight * (1 - at)
    points = np.concatenate([a + events, a, b + failures, b])
    gained = _differences(special.gammaln(points))
    value = gained[0] + gained[1] + special.gammaln(weight) - special.gammaln(weight + cases)
    value = value - events * np.log(at) - failures * np.log1p(-at)
    first = _differences(special.digamma(points))
    slope = weight * (first[0] - first[1]) - events / at + failures / (1 - at)
    second = _differences(special.zeta(2, points))
    bend = weight * weight * (second[0] + second[1]) + events / at**2 + failures / (1 - at) ** 2
    return value, slope, bend


def _differences(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the successes and of the failures, each of both arms."""
    return values[0:2] - values[2:4], values[4:6] - values[6:8]

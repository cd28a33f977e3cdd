"""Tests with one look and with three, for known variances: what a sequential gate is measured against.

With information proportional to time the test statistics at the looks are normal with covariance sqrt(t_j / t_k); all
probabilities are those of rectangles of that distribution. O'Brien and Fleming 1979; Pocock 1977. That the variance is
known, and the effect that the length is planned for, favours these tests.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

ALPHA = 0.05


def flat(looks: int) -> np.ndarray:
    """The shape of Pocock's bounds: the same at every look."""
    return np.ones(looks)


def falling(looks: int) -> np.ndarray:
    """The shape of the bounds of O'Brien and Fleming: falling with the square root of the information."""
    return np.sqrt(looks / np.arange(1, looks + 1))


def bounds(shape: Callable[[int], np.ndarray], looks: int) -> np.ndarray:
    """Return the two-sided bounds of z at equally spaced looks, at level 5% together."""
    form = shape(looks)

    def excess(constant: float) -> float:
        return 1 - _inside(constant * form, 0.0) - ALPHA

    return float(optimize.brentq(excess, 1.5, 4.0, xtol=1e-4)) * form


def power(limits: np.ndarray, drift: float) -> float:
    """Return the probability of ending beyond a bound by the last look, where z has the mean `drift` at that look."""
    return 1 - _inside(limits, drift)


def expected_share(limits: np.ndarray, drift: float) -> float:
    """Return the expected share of the full length that passes until a bound is crossed."""
    looks = len(limits)
    going_on = [_inside(limits[:look], drift * np.sqrt(look / looks)) for look in range(1, looks)]
    return (1 + sum(going_on)) / looks


def drift_for(limits: np.ndarray, wanted: float) -> float:
    """Return the mean of z at the last look for which the test has a power."""
    return float(optimize.brentq(lambda drift: power(limits, drift) - wanted, 0.01, 12.0, xtol=1e-4))


def _inside(limits: np.ndarray, drift: float) -> float:
    """The probability of staying between all bounds; `drift` is the mean of z at the last of these looks."""
    looks = len(limits)
    times = np.arange(1, looks + 1) / looks
    earlier, later = np.minimum.outer(times, times), np.maximum.outer(times, times)
    covariance = np.sqrt(earlier / later)
    mean = drift * np.sqrt(times)
    return float(stats.multivariate_normal.cdf(limits, mean, covariance, allow_singular=True, lower_limit=-limits))

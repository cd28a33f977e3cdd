"""The mean of bounded values, at any time and without any assumption on their shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from trueup.evidence.moments import Interval, finite, require_level, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Largest share of its capital that a bet risks: Waudby-Smith and Ramdas recommend 1/2 or 3/4.
_MOST = 0.5


def betting_interval(values: ArrayLike, alpha: float, *, running: bool = False) -> Interval:
    """Return the hedged betting interval for the mean of values in [0, 1], in the order they came.

    Waudby-Smith and Ramdas, JRSS-B 86(1) 2024, theorem 3: two capitals K+(m) and K-(m), each a product of
    1 +- l_i (X_i - m) with predictable bets l_i; a mean m is excluded once half of either capital reaches 1/alpha.
    K+ falls and K- rises in m (each factor does, the truncated bets included), so the ends are roots.
    `running` intersects all earlier looks: still valid, narrower, but it may exclude the present mean when
    the process moves. ValueError for values outside [0, 1].
    """
    require_level(alpha)
    sample = _unit(values)
    if len(sample) == 0:
        return unknown()
    bets = _predictable(sample, alpha / 2)
    threshold = math.log(2 / alpha)
    mean = float(sample.mean())
    lower = _lower_end(sample, bets, threshold, running=running)
    upper = 1 - _lower_end(1 - sample, bets, threshold, running=running)
    if running:
        return Interval(mean, lower, upper)
    return Interval(mean, min(lower, mean), max(upper, mean))


def _lower_end(sample: NDArray[np.float64], bets: NDArray[np.float64], threshold: float, *, running: bool) -> float:
    """Return the smallest mean that bets on 'more' have not excluded."""

    def excess(mean: float) -> float:
        gains = np.log1p(np.minimum(bets, _MOST / mean) * (sample - mean))
        return float(np.cumsum(gains).max() if running else gains.sum()) - threshold

    smallest = 1e-9
    if excess(smallest) <= 0:
        return 0.0
    if excess(1.0) > 0:
        return 1.0
    return float(optimize.brentq(excess, smallest, 1.0, xtol=1e-9))


def _predictable(sample: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Return bets that know only what came before: sqrt(2 ln(1/alpha) / (s^2_{i-1} i ln(1 + i))), their equation 26."""
    count = np.arange(1, len(sample) + 1)
    _, variance = _before(sample)
    return np.sqrt(2 * math.log(1 / alpha) / (variance * count * np.log1p(count)))


def _before(sample: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of all earlier values, started from one value of 1/2 with variance 1/4."""
    count = np.arange(1, len(sample) + 1)
    means = (0.5 + np.cumsum(sample)) / (count + 1)
    variances = (0.25 + np.cumsum((sample - means) ** 2)) / (count + 1)
    return np.concatenate([[0.5], means[:-1]]), np.concatenate([[0.25], variances[:-1]])


def empirical_bernstein_interval(values: ArrayLike, alpha: float) -> Interval:
    """Return the predictable plug-in empirical Bernstein interval for the mean of values in [0, 1], at any time.

    Waudby-Smith and Ramdas 2024, theorem 2:
    sum(l X)/sum(l) +- (ln(2/alpha) + sum 4 (X_i - mu_{i-1})^2 psi(l_i)) / sum(l) with
    psi(l) = (-ln(1-l) - l)/4. Wider than betting, but it needs sums only; the estimate is the weighted mean.
    """
    require_level(alpha)
    sample = _unit(values)
    if len(sample) == 0:
        return unknown()
    means, _ = _before(sample)
    bets = np.minimum(_predictable(sample, alpha / 2), 0.5)
    weight = float(bets.sum())
    estimate = float((bets * sample).sum()) / weight
    penalty = (sample - means) ** 2 * (-np.log1p(-bets) - bets)
    half = (math.log(2 / alpha) + float(penalty.sum())) / weight
    return Interval(estimate, max(estimate - half, 0.0), min(estimate + half, 1.0))


def scaled(values: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Return values in [low, high] as values in [0, 1]; ValueError when one lies outside."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        msg = f"bounds are two finite numbers, the lower first, not {low} and {high}"
        raise ValueError(msg)
    return _unit((finite(values) - low) / (high - low))


def _unit(values: ArrayLike) -> NDArray[np.float64]:
    sample = finite(values)
    if len(sample) and not (sample.min() >= -1e-12 and sample.max() <= 1 + 1e-12):
        msg = "a value lies outside its bounds"
        raise ValueError(msg)
    return np.clip(sample, 0.0, 1.0)

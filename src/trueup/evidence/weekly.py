"""The interval of one week on its own, for reading a chart: pointwise, at a fixed level, never for a decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.moments import Interval, normal_quantile
from trueup.evidence.quantiles import rank

if TYPE_CHECKING:
    from collections.abc import Sequence


def mean_interval_of_week(n: int, total: float, total_squares: float, alpha: float = 0.05) -> Interval:
    """Return Student's interval of a mean from its sums (any unit); nothing is known from fewer than two values."""
    if n < 1:
        return Interval(math.nan, -math.inf, math.inf)
    mean = total / n
    if n < 2:
        return Interval(mean, -math.inf, math.inf)
    variance = max(total_squares - n * mean * mean, 0.0) / (n - 1)
    half = float(special.stdtrit(n - 1, 1 - alpha / 2)) * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half)


def share_interval_of_week(events: int, n: int, alpha: float = 0.05) -> Interval:
    """Return the score interval of a share (Wilson 1927), within [0, 1]."""
    if n < 1:
        return Interval(math.nan, -math.inf, math.inf)
    share = events / n
    z2 = normal_quantile(alpha / 2) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))


def quantile_interval_of_week(values: Sequence[float], quantile: float) -> tuple[float, float, float]:
    """Return a quantile of a week's values with its 95% interval: (estimate, lower, upper).

    The order statistics between which the quantile lies at one look, by the binomial distribution (Thompson 1936).
    A value that is infinite was cut: an estimate among those is NaN, and an end infinite. So it is without values.
    """
    n = len(values)
    if not n:
        return math.nan, -math.inf, math.inf
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    chances = special.bdtr(np.arange(n + 1.0), n, quantile)
    low, high = (int(np.searchsorted(chances, chance)) for chance in (0.025, 0.975))
    estimate = float(ordered[rank(quantile, n)])
    lower = float(ordered[low - 1]) if low else 0.0
    upper = float(ordered[high]) if high < n else math.inf
    return (estimate if math.isfinite(estimate) else math.nan), min(lower, float(ordered[-1])), upper

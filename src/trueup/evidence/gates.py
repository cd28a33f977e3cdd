"""What may be said at a registered gate: one look, planned beforehand, at the level the gate was given.

`alpha` is two-sided and already split over the gates. `ratio` is 1 + b for a relative bar b: the contrast is then
mean1 - ratio * mean0, so that a bar is tested and never a quotient of estimates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import optimize, special

from trueup.evidence.blocks import block_error, larger_error, unit_error
from trueup.evidence.moments import (
    Interval,
    Moments,
    around,
    difference,
    normal_quantile,
    require_count,
    require_level,
    scaled_arm,
    unknown,
)
from trueup.evidence.shares import feasible_control

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_TINY = 1e-12


def mean_contrast(treated: Moments, control: Moments, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the interval of mean1 - ratio * mean0 for two randomised arms (normal quantile).

    The variance is that of `contrast_variance`. Nothing is known when neither arm has spread, or when an arm has
    fewer than two values.
    """
    require_level(alpha, ratio)
    estimate = difference(treated, control, ratio)
    if min(treated.n, control.n) < 2:
        return unknown(estimate)
    error = contrast_variance(treated, control, ratio)
    if error <= 0:
        return unknown(estimate)
    return around(estimate, normal_quantile(alpha / 2) * math.sqrt(error))


def contrast_variance(treated: Moments, control: Moments, ratio: float = 1.0) -> float:
    """Return the variance of mean1 - ratio * mean0: the larger of Welch's and the pooled one.

    Welch: v1/n1 + ratio^2 v0/n0. In a small arm of long-tailed values a low mean comes with a low variance, and
    Welch alone claims too often: at a holdout of 10 to 20% three gates called lognormal durations longer in 5 to 9%
    of untouched processes (nominal 2.5%). Pooled: under the hypothesis both arms, the control scaled by the
    ratio, have one variance, which the larger arm knows well. The larger of the two is at most .8% on either side.
    An arm whose values are all alike borrows the other's variance: no spread seen is not no spread. 0 when neither
    has any. Both arms need two values.
    """
    if ratio == 0:
        return treated.variance / treated.n
    return larger_error(treated, scaled_arm(control, ratio))


def share_contrast(x1: int, n1: int, x0: int, n0: int, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the score interval of p1 - ratio * p0 for two randomised arms.

    Miettinen and Nurminen, Statistics in Medicine 4 (1985): the variance is taken at the most likely pair of shares
    that has the contrast under test, times N/(N-1). For ratio 1 this is their interval for a difference; for other
    ratios the same construction for a linear contrast.
    """
    require_level(alpha, ratio)
    require_count(x1, n1)
    require_count(x0, n0)
    if min(n1, n0) == 0:
        return unknown()
    estimate = x1 / n1 - ratio * x0 / n0
    limit = normal_quantile(alpha / 2)

    def excess(contrast: float) -> float:
        return abs(share_score(x1, n1, x0, n0, contrast, ratio)) - limit

    def end(extreme: float) -> float:
        if abs(extreme - estimate) < _TINY or excess(extreme) <= 0:
            return extreme
        return float(optimize.brentq(excess, estimate, extreme, xtol=1e-10))

    return Interval(estimate, end(-ratio), end(1.0))


def share_score(x1: int, n1: int, x0: int, n0: int, contrast: float, ratio: float = 1.0) -> float:
    """Return the score statistic of the hypothesis p1 - ratio * p0 = contrast; infinite when it is impossible."""
    gap = x1 / n1 - ratio * x0 / n0 - contrast
    if abs(gap) < _TINY:
        return 0.0
    p0 = _likeliest_control(x1, n1, x0, n0, contrast, ratio)
    p1 = ratio * p0 + contrast
    total = n1 + n0
    variance = (p1 * (1 - p1) / n1 + ratio * ratio * p0 * (1 - p0) / n0) * total / max(total - 1, 1)
    if variance <= _TINY * _TINY:
        return math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


def _likeliest_control(x1: int, n1: int, x0: int, n0: int, contrast: float, ratio: float) -> float:
    """Return the p0 that makes the data most likely under p1 = ratio * p0 + contrast.

    The log-likelihood is concave, so its derivative changes sign once; at the ends it may be infinite, hence the
    bracket a hair inside.
    """
    low, high = feasible_control(contrast, ratio)

    def slope(p0: float) -> float:
        p1 = ratio * p0 + contrast
        return ratio * (_part(x1, p1) - _part(n1 - x1, 1 - p1)) + _part(x0, p0) - _part(n0 - x0, 1 - p0)

    hair = (high - low) * 1e-12
    if high - low < _TINY or slope(low + hair) <= 0:
        return low
    if slope(high - hair) >= 0:
        return high
    return float(optimize.brentq(slope, low + hair, high - hair, xtol=1e-14))


def _part(count: int, share: float) -> float:
    return 0.0 if count == 0 else count / max(share, 1e-300)


def relative_change(treated: Moments, control: Moments, alpha: float) -> Interval:
    """Return the interval of mean1 / mean0 - 1 (Fieller 1954), for display: gates test a ratio instead.

    Infinite on both sides when the control mean is not told from zero; NaN estimate when it is zero or missing.
    """
    require_level(alpha)
    if min(treated.n, control.n) == 0 or control.mean == 0:
        return unknown()
    quotient = treated.mean / control.mean
    if min(treated.n, control.n) < 2 or contrast_variance(treated, control) <= 0:
        return unknown(quotient - 1)
    square = normal_quantile(alpha / 2) ** 2
    e1, e0 = treated.variance / treated.n, control.variance / control.n
    # Roots r of (mean1 - r mean0)^2 = z^2 (e1 + r^2 e0): bounded iff the control mean is significant.
    lead = control.mean**2 - square * e0
    if lead <= 0:
        return unknown(quotient - 1)
    middle = treated.mean * control.mean
    rest = treated.mean**2 - square * e1
    root = math.sqrt(max(middle * middle - lead * rest, 0.0))
    return Interval(quotient - 1, (middle - root) / lead - 1, (middle + root) / lead - 1)


def block_contrast(treated: ArrayLike, control: ArrayLike, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the interval of mean1 - ratio * mean0 over block means (each array one value a week x unit).

    Welch's t with Satterthwaite's degrees of freedom, the larger of Welch's and the pooled variance, each variance
    inflated for neighbours that resemble (`serial_inflation`). A plain t at three gates against 8 baseline weeks
    claims a change in 12 to 17% of untouched processes (intraclass correlation .05, AR(1) .4, 60 to 400 cases a
    week, nominal 5%); this one in 1 to 3%, and in less than 1% where weeks are independent. The correlation is
    assumed and not estimated: its estimate from 4 to 12 blocks has a standard error of about .3, and is lowest just
    when the interval should be widest.
    Nothing is known with fewer than two blocks in an arm, or without spread.
    """
    require_level(alpha, ratio)
    arms = Moments.of(treated), Moments.of(control)
    estimate = difference(*arms, ratio)
    if min(arms[0].n, arms[1].n) < 2:
        return unknown(estimate)
    error, freedom = block_error(arms[0], arms[1], ratio)
    if error <= 0:
        return unknown(estimate)
    return around(estimate, float(special.stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(error))


def unit_contrast(treated: ArrayLike, control: ArrayLike, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the interval of mean1 - ratio * mean0 over unit means (each array one value an agent, queue or team).

    For arms to which units were randomised and not cases: units differ for good, so that a unit is one observation
    however many cases it has. Student's t with Satterthwaite's degrees of freedom and the larger of Welch's and the
    pooled variance. Nothing is known with fewer than two units in an arm, or without spread.
    """
    require_level(alpha, ratio)
    arms = Moments.of(treated), Moments.of(control)
    estimate = difference(*arms, ratio)
    if min(arms[0].n, arms[1].n) < 2:
        return unknown(estimate)
    error, freedom = unit_error(arms[0], arms[1], ratio)
    if error <= 0:
        return unknown(estimate)
    return around(estimate, float(special.stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(error))

"""What may be watched every week: intervals that hold at all looks at once.

`alpha` is two-sided over the whole life of the sequence, `ratio` is 1 + b for a relative bar b. `t_opt` is the number
of cases at which a sequence is tightest; it must not depend on the data. Shares are exact, bounded values are bet
on, means are asymptotic and say nothing before `entered`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import special

from trueup.evidence.boundaries import mixture_factor
from trueup.evidence.bounded import betting_interval, empirical_bernstein_interval, scaled
from trueup.evidence.gates import contrast_variance
from trueup.evidence.moments import (
    Interval,
    Moments,
    around,
    difference,
    normal_quantile,
    pooled_variance,
    require_count,
    require_level,
    unknown,
)
from trueup.evidence.shares import T_OPT, share_interval, share_pair_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "LEAST_CASES",
    "asymptotic_half_width",
    "betting_interval",
    "block_half_width",
    "concurrent_bounded",
    "concurrent_means",
    "concurrent_shares",
    "empirical_bernstein_interval",
    "entered",
    "frozen_blocks",
    "frozen_means",
    "frozen_shares",
    "mean_interval",
    "share_interval",
    "watched_means",
]

LEAST_CASES = 100
LEAST_EVENTS = 5
# Fewest values in the smaller arm for the asymptotic contrast: its variance is estimated from them.
LEAST_ARM = 20
# Weekly blocks at which the block sequence is tightest, by the rule for stable series.
BLOCK_OPT = 8
# Fewest weeks from which the spread of a week is guessed.
LEAST_BASELINE = 3


def entered(n: int, events: int | None = None) -> bool:
    """Tell whether an asymptotic sequence may speak: 100 cases and, for shares, 5 events and 5 non-events."""
    if n < LEAST_CASES:
        return False
    return events is None or LEAST_EVENTS <= events <= n - LEAST_EVENTS


def asymptotic_half_width(t: float, alpha: float, t_opt: float) -> float:
    """Return sqrt(2 (t r^2 + 1) / (t^2 r^2) ln(sqrt(t r^2 + 1) / alpha)), in standard deviations.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 2024, theorem 2.2; r^2 is
    (-2 ln alpha + ln(1 - 2 ln alpha)) / t_opt, which makes it tightest at t_opt.
    """
    squared = mixture_factor(alpha) / t_opt
    grown = t * squared + 1
    return math.sqrt(2 * grown / (t * t * squared) * math.log(math.sqrt(grown) / alpha))


def mean_interval(sample: Moments, alpha: float, t_opt: float = T_OPT) -> Interval:
    """Return the asymptotic sequence for one mean; nothing is known before 100 cases or without spread."""
    require_level(alpha)
    if sample.n == 0:
        return unknown()
    if not entered(sample.n) or sample.variance == 0:
        return unknown(sample.mean)
    return around(sample.mean, math.sqrt(sample.variance) * asymptotic_half_width(sample.n, alpha, t_opt))


def concurrent_means(
    treated: Moments, control: Moments, alpha: float, ratio: float = 1.0, t_opt: float = T_OPT
) -> Interval:
    """Return the asymptotic sequence of mean1 - ratio * mean0 between arms of any size.

    With N = n0 + n1 the variance of one case's worth of evidence is N (v1/n1 + ratio^2 v0/n0), or that of the pooled
    arms where it is larger (`gates.contrast_variance`: small arms of long-tailed values need it). Nothing is known
    before 100 cases in both arms together and 20 in each.
    """
    require_level(alpha, ratio)
    estimate = difference(treated, control, ratio)
    total = treated.n + control.n
    if not entered(total) or min(treated.n, control.n) < LEAST_ARM:
        return unknown(estimate)
    error = contrast_variance(treated, control, ratio)
    if error <= 0:
        return unknown(estimate)
    return around(estimate, math.sqrt(total * error) * asymptotic_half_width(total, alpha, t_opt))


def concurrent_shares(
    x1: int, n1: int, x0: int, n0: int, alpha: float, ratio: float = 1.0, t_opt: float = T_OPT
) -> Interval:
    """Return the exact sequence of p1 - ratio * p0 for two arms that grow side by side, at any number of cases.

    See `shares.share_pair_interval`. Nothing is known while an arm is empty.
    """
    require_level(alpha, ratio)
    require_count(x1, n1)
    require_count(x0, n0)
    if min(n1, n0) == 0:
        return unknown()
    return share_pair_interval(x1, n1, x0, n0, alpha, ratio, t_opt)


def concurrent_bounded(
    treated: ArrayLike, control: ArrayLike, low: float, high: float, alpha: float, ratio: float = 1.0
) -> Interval:
    """Return the sequence of mean1 - ratio * mean0 for ordered values in [low, high]: two betting sequences, union.

    ValueError for values outside the bounds.
    """
    require_level(alpha, ratio)
    arms = [betting_interval(scaled(values, low, high), alpha / 2) for values in (treated, control)]
    return _union(_unscaled(arms[0], low, high), _unscaled(arms[1], low, high), ratio)


def watched_means(
    treated: ArrayLike,
    control: ArrayLike,
    alpha: float,
    ratio: float = 1.0,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Return the sequence of mean1 - ratio * mean0 from ordered values: asymptotic, and betting before it may speak.

    Without `bounds` nothing is known before the entry conditions of `concurrent_means`.
    """
    asymptotic = concurrent_means(Moments.of(treated), Moments.of(control), alpha, ratio)
    if asymptotic.known or bounds is None:
        return asymptotic
    return concurrent_bounded(treated, control, bounds[0], bounds[1], alpha, ratio)


def frozen_means(baseline: Moments, pilot: Moments, alpha: float, ratio: float = 1.0, t_opt: float = T_OPT) -> Interval:
    """Return the sequence of pilot mean - ratio * baseline mean, the baseline being complete: z and sequence, union.

    |d| <= ratio z_{1-alpha/4} sqrt(v0/n0) + CS(n1, alpha/2). It takes cases for independent: where weeks shake them
    together (the normal case) use `frozen_blocks`.
    """
    require_level(alpha, ratio)
    estimate = difference(pilot, baseline, ratio)
    growing = mean_interval(pilot, alpha / 2, t_opt)
    if not growing.known or not entered(baseline.n) or baseline.variance == 0:
        return unknown(estimate)
    fixed = normal_quantile(alpha / 4) * math.sqrt(baseline.variance / baseline.n)
    return around(estimate, ratio * fixed + growing.upper - growing.estimate)


def frozen_shares(
    x0: int, n0: int, x1: int, n1: int, alpha: float, ratio: float = 1.0, t_opt: float = T_OPT
) -> Interval:
    """Return the sequence of pilot share - ratio * baseline share: Clopper-Pearson and exact sequence, union.

    The baseline (`x0` of `n0`) comes first. Cases are taken for independent; see `frozen_means`.
    """
    require_level(alpha, ratio)
    return _union(share_interval(x1, n1, alpha / 2, t_opt), clopper_pearson(x0, n0, alpha / 2), ratio)


def clopper_pearson(successes: int, n: int, alpha: float) -> Interval:
    """Return the exact fixed-sample interval of a share (Clopper and Pearson 1934)."""
    require_level(alpha)
    require_count(successes, n)
    if n == 0:
        return unknown()
    lower = float(special.betaincinv(successes, n - successes + 1, alpha / 2)) if successes else 0.0
    upper = float(special.betaincinv(successes + 1, n - successes, 1 - alpha / 2)) if successes < n else 1.0
    return Interval(successes / n, lower, upper)


def block_half_width(baseline_blocks: int, pilot_blocks: int, alpha: float, ratio: float = 1.0) -> float:
    """Return the half-width of `frozen_blocks` in standard deviations of the baseline's weekly means.

    t_{1-alpha/4, B-1} / z_{1-alpha/4} (ratio z_{1-alpha/4} / sqrt(B) + max(ratio, 1) acs(j, alpha/2)), acs tightest at
    8 blocks: the union of a frozen baseline and a growing sequence, widened because the spread of a few weeks is
    itself a guess.
    """
    z = normal_quantile(alpha / 4)
    inflation = float(special.stdtrit(baseline_blocks - 1, 1 - alpha / 4)) / z
    growing = asymptotic_half_width(pilot_blocks, alpha / 2, BLOCK_OPT)
    return inflation * (ratio * z / math.sqrt(baseline_blocks) + max(ratio, 1.0) * growing)


def frozen_blocks(baseline: ArrayLike, pilot: ArrayLike, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the sequence of mean(pilot) - ratio * mean(baseline) over weekly means.

    For everything that is not randomised case by case: weeks are what varies, not cases. The spread of a week is the
    baseline's, or that of baseline and pilot together (each around its mean) where it is larger: the baseline's
    alone claims a change in 5.9% of untouched series when weeks hang together (400 exponential cases a week,
    intraclass correlation .05, AR(1) .5), the larger of the two in 2 to 3%. Needs three weeks of baseline with some
    spread; else nothing is known.
    """
    require_level(alpha, ratio)
    before, after = Moments.of(baseline), Moments.of(pilot)
    estimate = difference(after, before, ratio)
    if before.n < LEAST_BASELINE or after.n == 0 or before.variance == 0:
        return unknown(estimate)
    spread = math.sqrt(max(before.variance, pooled_variance(before, after)))
    return around(estimate, spread * block_half_width(before.n, after.n, alpha, ratio))


def _union(treated: Interval, control: Interval, ratio: float) -> Interval:
    """Return the interval of treated - ratio * control when both hold together."""
    if not (treated.known and (control.known or ratio == 0)):
        return unknown(treated.estimate - ratio * control.estimate)
    if ratio == 0:
        return treated
    estimate = treated.estimate - ratio * control.estimate
    return Interval(estimate, treated.lower - ratio * control.upper, treated.upper - ratio * control.lower)


def _unscaled(interval: Interval, low: float, high: float) -> Interval:
    if not interval.known:
        return interval
    span = high - low
    return Interval(low + span * interval.estimate, low + span * interval.lower, low + span * interval.upper)

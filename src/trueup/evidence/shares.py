"""Shares, at any time and exactly: the Bernoulli sequence, and two of them side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import optimize

from trueup.evidence.boundaries import mixture_factor
from trueup.evidence.moments import Interval, require_count, require_level, unknown
from trueup.evidence.share_pairs import pair_end

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_WEIGHT = 1e-3
_TINY = 1e-12
_TUNED_FOR = 0.05
# Cases at which a sequence is tightest, unless told otherwise: some weeks of a middling workflow.
T_OPT = 500.0


def share_e_value(successes: int, n: int, share: float, weight: float) -> float:
    """Return ln E_n(share): how much a beta mixture around `share` beats `share` itself.

    E = B(k p + S, k (1-p) + n - S) / (B(k p, k (1-p)) p^S (1-p)^(n-S)), a nonnegative martingale under p (Robbins 1970;
    Howard et al. 2021, section 4.1 with g = p, h = 1 - p); `weight` k is the mixture's size in cases.
    """
    failures = n - successes
    if share <= _TINY or share >= 1 - _TINY:
        # Impossible, or the mixture has shrunk to the point itself.
        return math.inf if (successes if share <= _TINY else failures) else 0.0
    a, b = weight * share, weight * (1 - share)
    gained = math.lgamma(a + successes) - math.lgamma(a) + math.lgamma(b + failures) - math.lgamma(b)
    gained += math.lgamma(weight) - math.lgamma(weight + n)
    return gained - successes * math.log(share) - failures * math.log1p(-share)


def mixture_weight(t_opt: float) -> float:
    """Return the size of the mixture, in cases, that is tightest after t_opt cases at level 5%.

    It is the same at every level, so that a stricter level never narrows the interval.
    """
    return max(t_opt / mixture_factor(_TUNED_FOR) - 1, _LEAST_WEIGHT)


def share_interval(successes: int, n: int, alpha: float, t_opt: float = T_OPT) -> Interval:
    """Return {p: E_n(p) < 1/alpha}, valid at every n at once, for `successes` of `n` independent cases.

    `t_opt` is the number of cases at which the interval is tightest; fix it before looking.
    """
    require_level(alpha)
    require_count(successes, n)
    if n == 0:
        return unknown()
    weight = mixture_weight(t_opt)
    found = successes / n

    def excess(share: float) -> float:
        return share_e_value(successes, n, share, weight) + math.log(alpha)

    return Interval(found, _end(excess, found, 0.0), _end(excess, found, 1.0))


def share_pair_interval(x1: int, n1: int, x0: int, n0: int, alpha: float, ratio: float, t_opt: float) -> Interval:
    """Return the sequence of p1 - ratio * p0 for two independent arms that grow as they like.

    The product E(p1) E(p0) is a martingale at the true pair, so {(p1, p0): E(p1) E(p0) < 1/alpha} holds the pair at all
    times; the interval is what its pairs allow for the contrast. Exact, and 10 to 30% narrower than two
    sequences at alpha/2 put together.
    """
    weight = mixture_weight(t_opt)
    estimate = x1 / n1 - ratio * x0 / n0

    def excess(contrast: float) -> float:
        low, high = feasible_control(contrast, ratio)

        def joint(p0: float) -> float:
            p1 = min(max(ratio * p0 + contrast, 0.0), 1.0)
            return min(share_e_value(x1, n1, p1, weight) + share_e_value(x0, n0, p0, weight), 1e12)

        least = min(joint(low), joint(high))
        if high - low > _TINY:
            inside = optimize.minimize_scalar(joint, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
            least = min(least, float(inside.fun))
        return least + math.log(alpha)

    def end(side: int) -> float:
        found = pair_end((x1, n1), (x0, n0), ratio, weight, math.log(alpha), side)
        return _end(excess, estimate, -ratio if side < 0 else 1.0) if found is None else found

    return Interval(estimate, end(-1), end(1))


def feasible_control(contrast: float, ratio: float) -> tuple[float, float]:
    """Return the smallest and largest p0 for which p1 = ratio * p0 + contrast is a share."""
    if ratio == 0:
        return 0.0, 1.0
    low, high = max(0.0, -contrast / ratio), min(1.0, (1 - contrast) / ratio)
    return min(low, 1.0), max(high, min(low, 1.0))


def _end(excess: Callable[[float], float], found: float, extreme: float) -> float:
    """Return where `excess` changes sign between the estimate and an extreme, the extreme if it does not."""
    if abs(found - extreme) < _TINY or excess(extreme) <= 0:
        return extreme
    return float(optimize.brentq(lambda at: min(excess(at), 1e12), extreme, found, xtol=1e-10))

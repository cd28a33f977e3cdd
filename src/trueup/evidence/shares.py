"""A share, at any time: the exact Bernoulli sequence."""

from __future__ import annotations

import math

from scipy import optimize, special

from trueup.evidence.boundaries import mixture_factor
from trueup.evidence.moments import Interval, require_count, require_level, unknown

_LEAST_WEIGHT = 1e-3
# Cases at which the sequence is tightest, unless told otherwise: some weeks of a middling workflow.
T_OPT = 500.0


def share_e_value(successes: int, n: int, share: float, weight: float) -> float:
    """Return ln E_n(share): how much a beta mixture around `share` beats `share` itself.

    E = B(k p + S, k (1-p) + n - S) / (B(k p, k (1-p)) p^S (1-p)^(n-S)), a nonnegative martingale under p (Robbins 1970;
    Howard et al. 2021, section 4.1 with g = p, h = 1 - p); `weight` k is the mixture's size in cases.
    """
    failures = n - successes
    if (share <= 0 and successes) or (share >= 1 and failures):
        return math.inf
    if share <= 0 or share >= 1:
        return 0.0
    a, b = weight * share, weight * (1 - share)
    mixture = special.betaln(a + successes, b + failures) - special.betaln(a, b)
    return float(mixture - special.xlogy(successes, share) - special.xlog1py(failures, -share))


def share_interval(successes: int, n: int, alpha: float, t_opt: float = T_OPT) -> Interval:
    """Return {p: E_n(p) < 1/alpha}, valid at every n at once, for `successes` of `n` independent cases.

    `t_opt` is the number of cases at which the interval is tightest; fix it before looking.
    """
    require_level(alpha)
    require_count(successes, n)
    if n == 0:
        return unknown()
    weight = max(t_opt / mixture_factor(alpha) - 1, _LEAST_WEIGHT)
    threshold = -math.log(alpha)
    found = successes / n

    def excess(share: float) -> float:
        return min(share_e_value(successes, n, share, weight), 1e300) - threshold

    def end(extreme: float) -> float:
        if found == extreme:
            return extreme
        return float(optimize.brentq(excess, extreme, found, xtol=1e-12))

    return Interval(found, end(0.0), end(1.0))

"""Curves that a centred sum crosses with probability at most alpha, ever.

Own implementation of the uniform boundaries of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric,
nonasymptotic confidence sequences", Annals of Statistics 49(2), 2021. `v` is intrinsic time (variance times count);
a bound is in the unit of the sum. Tuning (`v_opt`) must be fixed before the data are seen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import optimize, special

if TYPE_CHECKING:
    from collections.abc import Callable

_SMALLEST_R = 1e-3


def mixture_factor(alpha: float) -> float:
    """Return v_opt / rho of the two-sided normal mixture that is tightest at v_opt: -2 ln a + ln(1 - 2 ln a)."""
    return -2 * math.log(alpha) + math.log1p(-2 * math.log(alpha))


def best_rho(v_opt: float, alpha: float, *, one_sided: bool = False) -> float:
    """Return the precision of the normal mixture that is tightest at intrinsic time v_opt (their section 3.5)."""
    return v_opt / mixture_factor(min(2 * alpha, 0.999) if one_sided else alpha)


def normal_mixture(v: float, alpha: float, v_opt: float) -> float:
    """Return the two-sided normal mixture bound on |sum| (their equation 14)."""
    rho = best_rho(v_opt, alpha)
    return math.sqrt((v + rho) * (math.log1p(v / rho) - 2 * math.log(alpha)))


def one_sided_normal_mixture(v: float, alpha: float, v_opt: float) -> float:
    """Return the one-sided normal mixture bound (their proposition 6)."""
    rho = best_rho(v_opt, alpha, one_sided=True)

    def log_martingale(s: float) -> float:
        spread = v + rho
        tail = float(special.log_ndtr(s / math.sqrt(spread)))
        return 0.5 * math.log(4 * rho / spread) + s * s / (2 * spread) + tail

    return _crossing(log_martingale, alpha, math.sqrt(v + rho))


def gamma_exponential(v: float, alpha: float, v_opt: float, scale: float) -> float:
    """Return the gamma-exponential mixture bound for sub-exponential sums of that scale (their proposition 9)."""
    rho = best_rho(v_opt, alpha, one_sided=True)
    square = scale * scale
    shape = rho / square
    constant = shape * math.log(shape) - math.lgamma(shape) - math.log(special.gammainc(shape, shape))

    def log_martingale(s: float) -> float:
        total, argument = (v + rho) / square, (scale * s + v) / square
        mass = math.lgamma(total) + math.log(special.gammainc(total, argument + shape))
        return constant + mass - total * math.log(argument + shape) + argument

    return _crossing(log_martingale, alpha, math.sqrt(v + rho))


def beta_binomial(v: float, alpha: float, v_opt: float, down: float, up: float, *, one_sided: bool = False) -> float:
    """Return the beta-binomial mixture bound for sums of values in [-down, up] (their propositions 7 and 8)."""
    r = max(best_rho(v_opt, alpha, one_sided=one_sided) - down * up, _SMALLEST_R * down * up)
    width = down + up
    limit = up / width if one_sided else 1.0
    normaliser = _log_beta(r / (down * width), r / (up * width), limit)

    def log_martingale(s: float) -> float:
        steps_down, steps_up = (v - down * s) / (down * width), (v + up * s) / (up * width)
        return (
            v / (down * up) * math.log(width)
            - (v + up * s) / (up * width) * math.log(down)
            - (v - down * s) / (down * width) * math.log(up)
            + _log_beta(r / (down * width) + steps_down, r / (up * width) + steps_up, limit)
            - normaliser
        )

    # Beyond v / down every step would have to be upwards.
    return _crossing(log_martingale, alpha, math.sqrt(v), most=v / down)


def poly_stitching(v: float, alpha: float, v_min: float, scale: float, s: float = 1.4, eta: float = 2.0) -> float:
    """Return the polynomial stitched bound (their theorem 1, equation 10): the law of the iterated logarithm's rate."""
    k1 = (eta**0.25 + eta**-0.25) / math.sqrt(2)
    k2 = (math.sqrt(eta) + 1) / 2
    time = max(v, v_min)
    level = s * math.log(math.log(eta * time / v_min)) + math.log(special.zeta(s, 1) / math.log(eta) ** s)
    level -= math.log(alpha)
    linear = k2 * scale * level
    return math.sqrt(k1 * k1 * time * level + linear * linear) + linear


def _log_beta(a: float, b: float, limit: float) -> float:
    """Return the logarithm of the incomplete beta function from 1 - limit to 1 in its second argument's favour."""
    tail = 1.0 if limit >= 1 else float(special.betainc(a, b, limit))
    return float(special.betaln(a, b)) + (math.log(tail) if tail > 0 else -math.inf)


def _crossing(log_martingale: Callable[[float], float], alpha: float, step: float, most: float = math.inf) -> float:
    """Return the sum at which an increasing log martingale reaches ln(1/alpha), or `most` where it never does."""
    threshold = -math.log(alpha)
    high = min(step, most)
    while high < most and log_martingale(high) < threshold:
        high = min(2 * high, most)
    if log_martingale(high) < threshold:
        return high
    return float(optimize.brentq(lambda s: log_martingale(s) - threshold, 0.0, high, xtol=1e-12))

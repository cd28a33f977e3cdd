"""Many pilots at once: how many of those that say go would say so by luck.

An e-value is what a sequence has gathered against "no better than the bar": 1/alpha at the level at which its interval
just clears the bar. Under that hypothesis it is 1 on average at most, whenever one stops to look. That takes a sequence
whose mixture is the same at every level; one that is tuned anew for each level gathers more than it may.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trueup.evidence.boundaries import mixture_factor
from trueup.evidence.moments import require_level
from trueup.evidence.shares import T_OPT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Beyond this nobody needs to know how much; it also ends the search.
MOST = 1e12
_STEPS = 24
_TUNED_FOR = 0.05


def e_value_at(clears: Callable[[float], bool]) -> float:
    """Return 1/alpha for the strictest alpha at which `clears(alpha)` holds; 0 where it holds at no alpha below 1.

    `clears` asks whether the anytime-valid interval at level alpha clears the bar; it must not become true again as
    alpha falls. At most 10^12. Only a sequence makes this an e-value: at a gate's fixed interval it is not one.
    """
    loose, strict = 0.0, math.log(MOST)
    if not clears(math.exp(-1e-6)):
        return 0.0
    if clears(1 / MOST):
        return MOST
    for _ in range(_STEPS):
        middle = (loose + strict) / 2
        if clears(math.exp(-middle)):
            loose = middle
        else:
            strict = middle
    return math.exp(loose)


def same_mixture(alpha: float, t_opt: float = T_OPT) -> float:
    """Return the `t_opt` at which a sequence of means at level alpha has the mixture of the one at 5%.

    r^2 = mixture_factor(alpha) / t_opt is held; then 1/alpha where it clears a bar is the mixture's martingale itself.
    """
    require_level(alpha)
    return t_opt * mixture_factor(alpha) / mixture_factor(_TUNED_FOR)


def at_one_level(*, clears: bool, alpha: float = _TUNED_FOR) -> float:
    """Return the e-value of a claim that is made at one level only: 1/alpha where it is made, else 0."""
    require_level(alpha)
    return 1 / alpha if clears else 0.0


def e_bh(values: Sequence[float], alpha: float) -> list[bool]:
    """Return which hypotheses the e-BH procedure rejects; the false discovery rate is at most alpha.

    Rejected are the k largest, k the largest with e_(k) >= K / (alpha k): however the e-values hang together (Wang and
    Ramdas, JRSS-B 84(3), 2022). ValueError for a negative or missing value.
    """
    require_level(alpha)
    _require(values)
    order = sorted(range(len(values)), key=lambda place: -values[place])
    most = max((k for k, place in enumerate(order, 1) if values[place] * k * alpha >= len(values)), default=0)
    kept = set(order[:most])
    return [place in kept for place in range(len(values))]


def e_lond(values: Sequence[float], alpha: float) -> list[bool]:
    """Return which hypotheses e-LOND rejects as they come, one after the other, never revised.

    The t-th is rejected iff e_t >= 1 / (alpha gamma_t (D_{t-1} + 1)), D the rejections so far and
    gamma_t = 6 / (pi t)^2, which adds up to 1: the false discovery rate is at most alpha at every time, under any
    dependence (Xu and Ramdas, AISTATS 2024). ValueError for a negative or missing value.
    """
    require_level(alpha)
    _require(values)
    found: list[bool] = []
    for place, value in enumerate(values, 1):
        gamma = 6 / (math.pi * place) ** 2
        found.append(value * alpha * gamma * (sum(found) + 1) >= 1)
    return found


def _require(values: Sequence[float]) -> None:
    if any(math.isnan(value) or value < 0 for value in values):
        msg = "an e-value is a number that is not negative"
        raise ValueError(msg)


def needed_by_bh(values: Sequence[float], place: int, alpha: float) -> float:
    """Return what the e-value at a place has to reach for e-BH to reject it, the others being what they are."""
    most = [math.inf if at == place else value for at, value in enumerate(values)]
    return len(values) / (alpha * sum(e_bh(most, alpha)))


def needed_by_lond(values: Sequence[float], place: int, alpha: float) -> float:
    """Return the same for e-LOND: only what came before it counts."""
    found = sum(e_lond(values[:place], alpha))
    return (math.pi * (place + 1)) ** 2 / 6 / (alpha * (found + 1))

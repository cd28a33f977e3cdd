"""Quantiles from fixed buckets, with a band that holds at any time."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from trueup.evidence.moments import Interval, require_level, unknown
from trueup.evidence.shares import mixture_weight, share_e_value

if TYPE_CHECKING:
    from collections.abc import Sequence

T_OPT = 500.0


def quantile_band(
    edges: Sequence[float], counts: Sequence[int], quantile: float, alpha: float, t_opt: float = T_OPT
) -> Interval:
    """Return a quantile of values counted in buckets, and where it lies at any time with confidence 1 - alpha.

    `edges` are the lower ends of the buckets, the last of which is open upwards. The values at or below the true
    quantile are Bernoulli draws with probability p (at least p, below it at most): an end is excluded where the
    mixture martingale of that count reaches 1/alpha (Howard and Ramdas 2022, theorem 2; the martingale of
    `share_e_value`). Cases are taken as independent: with shocks of whole weeks the band is too narrow. The band ends
    at edges of buckets, so it is wider than one of the values by up to a bucket on each side; the
    estimate is interpolated within its bucket. The upper end is infinite where the last bucket is not excluded.
    ValueError for a quantile outside (0, 1), or lists of different lengths.
    """
    require_level(alpha)
    if not 0 < quantile < 1 or len(edges) != len(counts):
        msg = f"{quantile} is no quantile of {len(counts)} counts in {len(edges)} buckets"
        raise ValueError(msg)
    n = sum(counts)
    if not n:
        return unknown()
    weight, threshold = mixture_weight(t_opt), -math.log(alpha)
    below = list(accumulate(counts))
    # A bucket is excluded from below when too few lie in it and under it, from above when too many lie under it.
    few = [share_e_value(up_to, n, quantile, weight) >= threshold and up_to < quantile * n for up_to in below]
    under = [0, *below[:-1]]
    many = [share_e_value(up_to, n, quantile, weight) >= threshold and up_to > quantile * n for up_to in under]
    first = next((at for at, out in enumerate(few) if not out), len(edges) - 1)
    last = next((at for at, out in enumerate(many) if out), len(edges)) - 1
    upper = edges[last + 1] if last + 1 < len(edges) else math.inf
    return Interval(_interpolated(edges, counts, under, quantile * n), edges[first], upper)


def _interpolated(edges: Sequence[float], counts: Sequence[int], under: Sequence[int], rank: float) -> float:
    at = next(place for place in reversed(range(len(edges))) if under[place] < rank or not place)
    if at + 1 == len(edges) or not counts[at]:
        return edges[at]
    return edges[at] + (edges[at + 1] - edges[at]) * (rank - under[at]) / counts[at]

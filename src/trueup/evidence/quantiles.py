"""Quantiles: a band from fixed buckets that holds at any time, and the difference of two arms' quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.moments import Interval, finite, normal_quantile, require_level, unknown
from trueup.evidence.shares import mixture_weight, share_e_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

T_OPT = 500.0
# Cases that have to be expected on either side of the quantile in an arm: a tail of fewer says nothing of it.
LEAST_BEYOND = 5
# Two values that differ by less are one: a relative bar moves values by rounding only.
_SAME = 1e-12
_HALVINGS = 40


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
    at = max((place for place in range(len(edges)) if under[place] < rank), default=0)
    if at + 1 == len(edges) or not counts[at]:
        return edges[at]
    return edges[at] + (edges[at + 1] - edges[at]) * (rank - under[at]) / counts[at]


def sample_quantile(values: ArrayLike, quantile: float) -> float:
    """Return the smallest value that at least this part of the values does not exceed; NaN without values."""
    ordered = np.sort(finite(values))
    return float(ordered[rank(quantile, len(ordered))]) if len(ordered) else math.nan


def rank(quantile: float, n: int) -> int:
    """Return the place, counted from 0, of the sample quantile among n values in order."""
    return max(math.ceil(quantile * n - _SAME) - 1, 0)


def influence_variance(values: ArrayLike, quantile: float) -> float:
    """Return q(1-q)/f^2, the variance of one case's influence on the quantile; f is the density there.

    A sample quantile varies as a mean of values with this variance. 1/f is the slope of the quantiles within n^(-1/3)
    of q (Siddiqui 1960); 0 where they do not differ.
    """
    ordered = np.sort(finite(values))
    if len(ordered) < 2:
        return 0.0
    reach = min(len(ordered) ** (-1 / 3), quantile, 1 - quantile) / 2
    low, high = (float(np.quantile(ordered, quantile + side * reach)) for side in (-1, 1))
    slope: float = (high - low) / (2 * reach)
    return quantile * (1 - quantile) * slope * slope


def reaches_the_tail(n: int, quantile: float) -> bool:
    """Tell whether of so many values at least `LEAST_BEYOND` are expected on either side of the quantile."""
    return n * min(quantile, 1 - quantile) > LEAST_BEYOND - 1e-9


@dataclass(frozen=True, slots=True)
class _Arm:
    """Values in order, and how far a count below the quantile is from what it should be, for every count."""

    values: Floats
    cut: int
    quantile: float
    distance: Floats
    cap: float

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def estimate(self) -> float:
        place = rank(self.quantile, self.n)
        return float(self.values[place]) if place < self.cut else math.nan

    def at(self, points: Floats) -> Floats:
        """How far each point is from being the quantile: too few values up to it, or too many below it."""
        slack = _SAME * np.maximum(np.abs(points), 1.0)
        up_to = np.searchsorted(self.values[: self.cut], points + slack, side="right")
        up_to = np.where(points + slack >= self.cap, self.n, up_to)
        below = np.searchsorted(self.values[: self.cut], points - slack, side="left")
        expected = self.quantile * self.n
        few, many = self.distance[up_to], self.distance[below]
        return np.where(up_to < expected, few, np.where(below > expected, many, 0.0))

    def candidates(self, limit: float) -> Floats:
        """The least value there is, and those at which the quantile may lie."""
        points = np.unique(np.concatenate([[0.0], self.values]))
        return points[self.at(points) < limit]

    def beyond(self, limit: float) -> bool:
        """Whether the quantile may lie beyond everything that was seen whole."""
        return self.cut <= self.quantile * self.n or float(self.distance[self.cut]) < limit


def quantile_contrast(
    treated: ArrayLike,
    control: ArrayLike,
    quantile: float,
    alpha: float,
    ratio: float = 1.0,
    cap: float | None = None,
    *,
    watched: bool = False,
) -> Interval:
    """Return the interval of Q1 - ratio * Q0 between two randomised arms, of values from 0 to `cap`.

    A pair of quantiles is excluded by the numbers of cases below them, and a contrast when every pair that has it is
    excluded. At one look: the sum of squared binomial scores exceeds the square of the normal quantile. `watched`: the
    product of two mixture martingales reaches 1/alpha (Ville 1939; `share_e_value`), which holds at all looks together,
    as in `share_pair_interval`. Cases of both arms share the shocks of their week, which move both counts alike.
    Values at the cap were cut there: a quantile among them is unknown, and so is that end. Nothing is known
    before `LEAST_BEYOND` cases are expected on either side of the quantile in both arms. ValueError for a
    quantile outside (0, 1), a level outside (0, 1), a negative ratio, values that are negative or not finite.
    """
    require_level(alpha, ratio)
    if not 0 < quantile < 1:
        msg = f"{quantile} is no quantile: it lies between 0 and 1"
        raise ValueError(msg)
    one, other = (_arm(values, quantile, cap, watched=watched) for values in (treated, control))
    limit = -math.log(alpha) if watched else normal_quantile(alpha / 2) ** 2
    estimate = one.estimate - ratio * other.estimate if ratio else one.estimate
    if not reaches_the_tail(min(one.n, other.n), quantile):
        return unknown(estimate)
    points, against = one.candidates(limit), other.candidates(limit) if ratio else np.zeros(1)
    if not len(points) or not len(against):
        return unknown(estimate)
    lower_open, upper_open = ratio > 0 and other.beyond(limit), one.beyond(limit)
    if ratio == 0:
        return Interval(estimate, float(points[0]), math.inf if upper_open else float(points[-1]))
    search = _Contrast(one, other, points, against, ratio, limit)
    lowest, highest = float(points[0] - ratio * against[-1]), float(points[-1] - ratio * against[0])
    inside = search.inside(lowest, highest, estimate)
    lower = -math.inf if lower_open else search.end(inside, lowest)
    return Interval(estimate, lower, math.inf if upper_open else search.end(inside, highest))


def _arm(values: ArrayLike, quantile: float, cap: float | None, *, watched: bool) -> _Arm:
    ordered = np.sort(finite(values))
    if len(ordered) and ordered[0] < 0:
        msg = "a quantile is compared of values that are not negative"
        raise ValueError(msg)
    n = len(ordered)
    cut = n if cap is None else int(np.searchsorted(ordered, cap * (1 - _SAME)))
    counts = np.arange(n + 1, dtype=np.float64)
    if watched:
        weight = mixture_weight(T_OPT)
        a, b = weight * quantile, weight * (1 - quantile)
        distance = special.betaln(a + counts, b + n - counts) - special.betaln(a, b)
        distance = distance - counts * math.log(quantile) - (n - counts) * math.log1p(-quantile)
    else:
        distance = (counts - n * quantile) ** 2 / max(n * quantile * (1 - quantile), _SAME)
    return _Arm(ordered, cut, quantile, distance, math.inf if cap is None else cap)


@dataclass(frozen=True, slots=True)
class _Contrast:
    """The pairs that may be the two quantiles, by the contrast that they have."""

    treated: _Arm
    control: _Arm
    points: Floats
    against: Floats
    ratio: float
    limit: float

    def excess(self, contrast: float) -> float:
        """How far the best pair with this contrast is beyond the limit: only at values of an arm can it be best."""
        by_control = self.treated.at(contrast + self.ratio * self.against) + self.control.at(self.against)
        by_treated = self.treated.at(self.points) + self.control.at((self.points - contrast) / self.ratio)
        return min(float(by_control.min()), float(by_treated.min())) - self.limit

    def inside(self, lowest: float, highest: float, estimate: float) -> float:
        """Return a contrast that is not excluded: the estimate, or where it is unknown the first that is found."""
        tried = np.linspace(lowest, highest, 65) if math.isnan(estimate) else np.array([estimate])
        return next((float(one) for one in tried if self.excess(float(one)) < 0), (lowest + highest) / 2)

    def end(self, inside: float, outside: float) -> float:
        """Return where contrasts begin to be excluded on the way from one that is not; outwards within rounding."""
        if self.excess(outside) < 0:
            return outside
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self.excess(middle) < 0 else (inside, middle)
        return outside

"""The two words of this room: what is known of a sample, and what it lets one say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Moments:
    """Number of values, their mean and their unbiased variance (0 where there are fewer than two values).

    Raises ValueError for a negative count or variance, and for anything that is not finite.
    """

    n: int
    mean: float
    variance: float

    def __post_init__(self) -> None:
        if self.n < 0 or self.variance < 0 or not math.isfinite(self.mean) or not math.isfinite(self.variance):
            msg = f"these are not the moments of a sample: n={self.n}, mean={self.mean}, variance={self.variance}"
            raise ValueError(msg)

    @classmethod
    def of(cls, values: ArrayLike) -> Moments:
        """Return the moments of a one-dimensional array; ValueError when a value is not finite."""
        sample = finite(values)
        n = len(sample)
        if n == 0:
            return cls(0, 0.0, 0.0)
        # A constant has no spread; summing it in floating point would invent some.
        variance = float(sample.var(ddof=1)) if n > 1 and float(np.ptp(sample)) > 0 else 0.0
        return cls(n, float(sample.mean()), variance)

    @classmethod
    def from_sums(cls, n: int, total: float, total_squares: float) -> Moments:
        """Return the moments behind a count, a sum and a sum of squares."""
        if n == 0:
            return cls(0, 0.0, 0.0)
        mean = total / n
        squares = total_squares - n * mean * mean
        # What cancellation leaves of a constant is rounding, not spread.
        noise = 1e-12 * max(abs(total_squares), 1e-300)
        return cls(n, mean, squares / (n - 1) if n > 1 and squares > noise else 0.0)

    @classmethod
    def pooled(cls, parts: Iterable[Moments]) -> Moments:
        """Return the moments of several samples taken together (Chan, Golub and LeVeque 1983)."""
        n, mean, squares = 0, 0.0, 0.0
        for part in parts:
            if part.n == 0:
                continue
            step = part.mean - mean
            squares += part.variance * (part.n - 1) + step * step * n * part.n / (n + part.n)
            n += part.n
            mean += step * part.n / n
        return cls(n, mean, squares / (n - 1) if n > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval or one look at a confidence sequence.

    `lower` and `upper` are infinite where nothing is known on that side; `estimate` is NaN only without data.
    """

    estimate: float
    lower: float
    upper: float

    @property
    def known(self) -> bool:
        """Whether the data exclude anything at all."""
        return math.isfinite(self.lower) or math.isfinite(self.upper)

    def clears(self, bar: float, sign: int = 1) -> bool:
        """Tell whether the whole interval lies beyond `bar`, upwards for sign 1 and downwards for sign -1."""
        return self.lower > bar if sign > 0 else self.upper < bar

    def contains(self, value: float) -> bool:
        """Tell whether a value lies in the interval, ends included."""
        return self.lower <= value <= self.upper


def unknown(estimate: float = math.nan) -> Interval:
    """Return the interval that excludes nothing."""
    return Interval(estimate, -math.inf, math.inf)


def around(estimate: float, half_width: float) -> Interval:
    """Return a symmetric interval; nothing is known when the half-width is not finite."""
    if not math.isfinite(half_width):
        return unknown(estimate)
    return Interval(estimate, estimate - half_width, estimate + half_width)


def finite(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return values as a one-dimensional float array; ValueError when one is not finite."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        msg = f"a sample has one dimension, this has {sample.ndim}"
        raise ValueError(msg)
    if not np.isfinite(sample).all():
        msg = "a sample holds finite numbers only"
        raise ValueError(msg)
    return sample


def difference(treated: Moments, control: Moments, ratio: float = 1.0) -> float:
    """Return mean1 - ratio * mean0, NaN when an arm is empty."""
    if min(treated.n, control.n) == 0:
        return math.nan
    return treated.mean - ratio * control.mean


def pooled_variance(one: Moments, other: Moments) -> float:
    """Return the variance common to two samples, each around its own mean; 0 with fewer than three values."""
    freedom = max(one.n - 1, 0) + max(other.n - 1, 0)
    if freedom == 0:
        return 0.0
    return (max(one.n - 1, 0) * one.variance + max(other.n - 1, 0) * other.variance) / freedom


def scaled_arm(arm: Moments, ratio: float) -> Moments:
    """Return the moments of `ratio` times the values."""
    return Moments(arm.n, ratio * arm.mean, ratio * ratio * arm.variance)


def normal_quantile(tail: float) -> float:
    """Return the value that a standard normal variable exceeds with probability `tail`."""
    return -float(special.ndtri(tail))


def require_level(alpha: float, ratio: float = 1.0) -> None:
    """Raise ValueError unless 0 < alpha < 1 and the ratio of a relative bar is finite and not negative."""
    if not 0 < alpha < 1:
        msg = f"alpha lies between 0 and 1, not {alpha}"
        raise ValueError(msg)
    if not (math.isfinite(ratio) and ratio >= 0):
        msg = f"a relative bar is 1 + b with b >= -100%, not {ratio}"
        raise ValueError(msg)


def require_count(successes: int, n: int) -> None:
    """Raise ValueError unless 0 <= successes <= n."""
    if not 0 <= successes <= n:
        msg = f"{successes} of {n} is not a count"
        raise ValueError(msg)

"""Weeks shake their cases together: blocks (week x unit) are what can be counted on, and neighbours resemble."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import stats

from trueup.evidence.gates import contrast_variance, difference
from trueup.evidence.moments import Interval, Moments, around, finite, require_level, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def block_interval(treated: ArrayLike, control: ArrayLike, alpha: float, ratio: float = 1.0) -> Interval:
    """Return Welch's t interval over block means (first version: no inflation)."""
    require_level(alpha, ratio)
    arms = Moments.of(finite(treated)), Moments.of(finite(control))
    estimate = difference(arms[0], arms[1], ratio)
    if min(arms[0].n, arms[1].n) < 2:
        return unknown(estimate)
    error = contrast_variance(arms[0], arms[1], ratio)
    if error <= 0:
        return unknown(estimate)
    df = satterthwaite(arms[0], arms[1], ratio)
    return around(estimate, float(stats.t.isf(alpha / 2, df)) * math.sqrt(error))


def satterthwaite(treated: Moments, control: Moments, ratio: float = 1.0) -> float:
    """Return Welch's degrees of freedom (Satterthwaite 1946)."""
    e1 = (treated.variance or control.variance) / treated.n
    e0 = ratio * ratio * (control.variance or treated.variance) / control.n
    return (e1 + e0) ** 2 / (e1 * e1 / (treated.n - 1) + e0 * e0 / (control.n - 1))

"""Weeks shake their cases together, and neighbours resemble: what that does to the error of a mean of blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.evidence.moments import Moments, pooled_variance, scaled_arm

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Correlation of neighbouring blocks that is taken for granted; .36 is the median of real event logs.
ASSUMED_CORRELATION = 0.4


def serial_inflation(blocks: int, correlation: float = ASSUMED_CORRELATION) -> float:
    """Return by how much s^2/n understates the variance of the mean of n AR(1) values: g (n-1) / (n-g).

    g = 1 + 2 sum (1 - k/n) rho^k is what correlation adds to the variance of a mean; (n-g)/(n-1) is what it takes
    from the expected sample variance (Bayley and Hammersley 1946). Two blocks at least.
    """
    lag = np.arange(1, blocks)
    g = 1 + 2 * float(((1 - lag / blocks) * correlation**lag).sum())
    return g * (blocks - 1) / (blocks - g)


def larger_error(treated: Moments, control: Moments) -> float:
    """Return the larger of Welch's and the pooled variance of mean1 - mean0; both arms need two values.

    An arm without spread borrows the other's; 0 when neither has any.
    """
    treated, control = _spread_lent(treated, control)
    welch = treated.variance / treated.n + control.variance / control.n
    return max(welch, pooled_variance(treated, control) * (1 / treated.n + 1 / control.n))


def block_error(treated: Moments, control: Moments, ratio: float = 1.0) -> tuple[float, float]:
    """Return `unit_error` of blocks in order of time: each variance inflated for neighbours that resemble."""
    return unit_error(_inflated(treated), _inflated(control), ratio)


def unit_error(treated: Moments, control: Moments, ratio: float = 1.0) -> tuple[float, float]:
    """Return the variance of mean1 - ratio * mean0 over independent values, and Welch's degrees of freedom.

    (Satterthwaite 1946.) The variance is 0 when neither arm has spread. Both need two values.
    """
    treated, control = _spread_lent(treated, scaled_arm(control, ratio))
    e1, e0 = treated.variance / treated.n, control.variance / control.n
    if e1 + e0 <= 0:
        return 0.0, 1.0
    freedom = (e1 + e0) ** 2 / (e1 * e1 / (treated.n - 1) + e0 * e0 / (control.n - 1))
    return larger_error(treated, control), freedom


def _inflated(arm: Moments) -> Moments:
    return replace(arm, variance=arm.variance * serial_inflation(arm.n))


def _spread_lent(treated: Moments, control: Moments) -> tuple[Moments, Moments]:
    v1, v0 = treated.variance, control.variance
    return replace(treated, variance=v1 or v0), replace(control, variance=v0 or v1)


def means_by_label(values: NDArray[np.float64], label: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of the values of every label (a week, a week of a unit), in order of the labels."""
    if not len(values):
        return np.array([], dtype=np.float64)
    _, block = np.unique(label, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(block, weights=values) / np.bincount(block)
    return means

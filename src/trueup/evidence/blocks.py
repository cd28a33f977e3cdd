"""Weeks shake their cases together, and neighbours resemble: what that does to the error of a mean of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trueup.evidence.moments import Moments

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


def block_error(treated: Moments, control: Moments, ratio: float = 1.0) -> tuple[float, float]:
    """Return the inflated variance of mean1 - ratio * mean0 over blocks, and Welch's degrees of freedom.

    (Satterthwaite 1946.) An arm without spread borrows the other's; 0 when neither has any. Both need two blocks.
    """
    v1, v0 = treated.variance, ratio * ratio * control.variance
    if ratio > 0:
        v1, v0 = v1 or v0, v0 or v1
    e1 = v1 * serial_inflation(treated.n) / treated.n
    e0 = v0 * serial_inflation(control.n) / control.n
    if e1 + e0 <= 0:
        return 0.0, 1.0
    return e1 + e0, (e1 + e0) ** 2 / (e1 * e1 / (treated.n - 1) + e0 * e0 / (control.n - 1))

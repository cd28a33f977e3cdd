"""A ratio of two sums over blocks, such as cost over completed cases: both vary, and together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.blocks import block_error
from trueup.evidence.moments import Interval, Moments, around, difference, finite, require_level, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Scores this small beside the ratio are what subtraction leaves of a constant.
_ROUNDING = 1e-12


def linearised(over: ArrayLike, under: ArrayLike) -> NDArray[np.float64]:
    """Return one value a case, or a block, whose mean is sum(over) / sum(under).

    R plus the score (over - R under) / mean(under): to first order the ratio is the mean of these (the delta method;
    Deng, Knoblich and Lu 2018), so that whatever holds of a mean of them holds of the ratio. None where the
    denominators sum to nought. Raises ValueError for arrays of different lengths, values that are not finite, a
    negative denominator.
    """
    top, bottom = finite(over), finite(under)
    if len(top) != len(bottom):
        msg = f"{len(top)} numerators and {len(bottom)} denominators are not of the same blocks"
        raise ValueError(msg)
    if (bottom < 0).any():
        msg = "a denominator counts something: it is not negative"
        raise ValueError(msg)
    if not bottom.sum() > 0:
        return np.array([], dtype=np.float64)
    ratio = float(top.sum() / bottom.sum())
    score: NDArray[np.float64] = (top - ratio * bottom) / float(bottom.mean())
    return ratio + (score if float(np.abs(score).max()) > _ROUNDING * abs(ratio) else 0 * score)


def ratio_of_sums(over: ArrayLike, under: ArrayLike) -> Moments:
    """Return blocks as if each had one value: mean sum(over) / sum(under), variance of the linearised score.

    Its variance has n - 1 degrees of freedom. No block: no value. Raises ValueError as `linearised`.
    """
    return Moments.of(linearised(over, under))


def ratio_contrast(treated: Moments, control: Moments, alpha: float, ratio: float = 1.0) -> Interval:
    """Return the interval of R1 - ratio * R0 over blocks in order of time, as `ratio_of_sums` makes them.

    As `block_contrast`: Welch's t, the larger of two variances, inflated for neighbours that resemble. Nothing is
    known with fewer than four blocks in an arm (a line through fewer is no approximation), or without spread.
    """
    require_level(alpha, ratio)
    estimate = difference(treated, control, ratio)
    if min(treated.n, control.n) < 4:
        return unknown(estimate)
    error, freedom = block_error(treated, control, ratio)
    if error <= 0:
        return unknown(estimate)
    return around(estimate, float(special.stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(error))

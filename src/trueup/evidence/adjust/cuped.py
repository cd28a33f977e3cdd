"""CUPED: what was known of a case before it was assigned explains part of its value, alike in both arms.

Only covariates from before the assignment may be used: one that the treatment moves takes part of the effect away, and
no formula can tell.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.blocks import unit_error
from trueup.evidence.gates import contrast_variance
from trueup.evidence.moments import Interval, Moments, around, finite, require_level, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

# A ridge that is forgotten after a few cases: the fit starts at nought and not at whatever two cases say.
_RIDGE = 1.0
_REFIT = 1.02


def pseudo_outcomes(
    values: ArrayLike, treated: ArrayLike, covariates: ArrayLike, share: float, ratio: float = 1.0
) -> Floats:
    """Return one value a case, in the order of cases, whose mean is the effect mean1 - ratio * mean0.

    phi = (Y - m)(A/p - r(1-A)/(1-p)) + (1-r) m, p the treated share that was drawn with, r the ratio, m predicted from
    the case's covariates by the cases before it alone: whatever m is, phi is unbiased given the past, so that a
    confidence sequence of its mean holds at any time (Waudby-Smith et al. 2024, section 4; Deng et al. 2013 for the
    idea). m is least squares weighted by the square of the second factor; for r = 1 it minimises the spread of phi.
    `covariates` are (cases, fields) or (cases,); ValueError for shapes that do not fit, values that are not finite, an
    arm that is neither 0 nor 1, or a share outside (0, 1).
    """
    y, arm, x = _checked(values, treated, covariates)
    if not 0 < share < 1:
        msg = f"the treated share lies between 0 and 1, not {share}"
        raise ValueError(msg)
    weight = arm / share - ratio * (1 - arm) / (1 - share)
    predicted = _predicted(y, x, weight**2)
    return (y - predicted) * weight + (1 - ratio) * predicted


def _predicted(y: Floats, x: Floats, weights: Floats) -> Floats:
    """Predict every value from the ones before it; the fit is renewed as the cases grow by a fiftieth."""
    predicted, fitted, due = np.zeros(len(y)), 0, 2.0
    while fitted < len(y):
        until = min(len(y), max(fitted + 1, math.ceil(due)))
        predicted[fitted:until] = _fit(x[:fitted], y[:fitted], weights[:fitted], x[fitted:until])
        fitted, due = until, until * _REFIT
    return predicted


def _fit(x: Floats, y: Floats, weights: Floats, ahead: Floats) -> Floats:
    if len(y) < 2:
        return np.full(len(ahead), float(y.mean()) if len(y) else 0.0)
    middle, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    known, new = (x - middle) / scale, (ahead - middle) / scale
    design = np.column_stack([np.ones(len(y)), known])
    penalty = _RIDGE * np.diag([0.0, *np.ones(x.shape[1])])
    weighted = design * weights[:, None]
    found = np.linalg.solve(weighted.T @ design + penalty, weighted.T @ y)
    return np.asarray(np.column_stack([np.ones(len(ahead)), new]) @ found, dtype=np.float64)


def adjusted_contrast(
    values: ArrayLike, treated: ArrayLike, covariates: ArrayLike, alpha: float, ratio: float = 1.0
) -> Interval:
    """Return the interval of mean1 - ratio * mean0 at one look, both means at the covariates of all cases together.

    Y - theta (X - mean X) in each arm, theta by least squares within arms (Deng et al. 2013), less its degrees of
    freedom; Student's t with Satterthwaite's, on the larger of Welch's and the pooled variance, as without
    covariates. For a ratio other than 1 the spread of mean X counts too. Nothing is
    known without five cases an arm beyond the covariates, or without spread. Raises ValueError as `pseudo_outcomes`.
    """
    require_level(alpha, ratio)
    y, arm, x = _checked(values, treated, covariates)
    sides = arm == 1, arm == 0
    if min(int(side.sum()) for side in sides) < 5 + x.shape[1]:
        return unknown()
    theta = _within(y, x, sides)
    residual = y - (x - x.mean(axis=0)) @ theta
    one, other = (Moments.of(residual[side]) for side in sides)
    lost = (len(y) - 2) / (len(y) - 2 - x.shape[1])
    error = lost * contrast_variance(one, other, ratio)
    error += (1 - ratio) ** 2 * float(np.var(x @ theta, ddof=1)) / len(y)
    estimate = one.mean - ratio * other.mean
    if error <= 0:
        return unknown(estimate)
    freedom = unit_error(one, other, ratio)[1]
    return around(estimate, float(special.stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(error))


def _within(y: Floats, x: Floats, sides: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Floats:
    centred_x = np.concatenate([x[side] - x[side].mean(axis=0) for side in sides])
    centred_y = np.concatenate([y[side] - y[side].mean() for side in sides])
    # The pseudo-inverse: fields that repeat each other, or never change, share one weight or get none.
    return np.asarray(np.linalg.pinv(centred_x) @ centred_y, dtype=np.float64)


def _checked(values: ArrayLike, treated: ArrayLike, covariates: ArrayLike) -> tuple[Floats, Floats, Floats]:
    y, arm = finite(values), finite(treated)
    x = np.asarray(covariates, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not len(y) == len(arm) == len(x):
        msg = f"{len(y)} values, {len(arm)} arms and covariates of shape {x.shape} are not of the same cases"
        raise ValueError(msg)
    if not np.isfinite(x).all():
        msg = "a covariate holds finite numbers only"
        raise ValueError(msg)
    if not np.isin(arm, (0.0, 1.0)).all():
        msg = "an arm is 1 (treated) or 0 (control)"
        raise ValueError(msg)
    return y, arm, x

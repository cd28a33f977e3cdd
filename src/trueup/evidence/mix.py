"""Two sides whose cases are of another mix, compared at one mix: what is left when the mix itself is taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import special

from trueup.evidence.moments import Interval, around, require_level, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Stratum:
    """One segment: its size in cases of both sides, the difference of its means, its variance and that one's freedom.

    `freedom` is infinite where the variance is known well enough for the normal quantile.
    """

    size: int
    difference: float
    variance: float
    freedom: float = math.inf


def at_equal_mix(strata: Sequence[Stratum], alpha: float) -> Interval:
    """Return the interval of sum w_s d_s, w_s the share of a stratum in the cases of both sides together.

    Direct standardisation: the variances of independent strata add up with w^2. The quantile is Student's at the
    fewest degrees of freedom of any stratum, which is never too narrow. Nothing is known without spread or cases.
    """
    require_level(alpha)
    cases = sum(stratum.size for stratum in strata)
    if not cases:
        return unknown()
    weights = [stratum.size / cases for stratum in strata]
    estimate = sum(weight * stratum.difference for weight, stratum in zip(weights, strata, strict=True))
    variance = sum(weight**2 * stratum.variance for weight, stratum in zip(weights, strata, strict=True))
    if variance <= 0:
        return unknown(estimate)
    freedom = min(stratum.freedom for stratum in strata)
    quantile = -special.ndtri(alpha / 2) if math.isinf(freedom) else special.stdtrit(freedom, 1 - alpha / 2)
    return around(estimate, float(quantile) * math.sqrt(variance))

"""Raw beside standardised: what a change of the mix alone would have moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.evidence.blocks import unit_error
from trueup.evidence.gates import mean_contrast
from trueup.evidence.mix import Stratum, at_equal_mix
from trueup.evidence.moments import Interval, Moments, difference, require_level

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Standardised:
    """The difference of means as it is, and at the mix of both arms together.

    `left_out` are the cases of strata in which one arm has fewer than two: the standardised figure is not about them.
    """

    raw: Interval
    standardised: Interval
    left_out: int

    @property
    def reversed(self) -> bool:
        """Whether both are told from nought, on opposite sides of it: the mix decides the sign."""
        up = self.raw.lower > 0 and self.standardised.upper < 0
        return up or (self.raw.upper < 0 and self.standardised.lower > 0)


def standardised(strata: Sequence[tuple[Moments, Moments]], alpha: float) -> Standardised:
    """Return mean1 - mean0 raw and by direct standardisation, of (treated, control) in every declared stratum.

    The strata are declared before the start: ones that are chosen afterwards can be chosen to suit. See `at_equal_mix`.
    """
    require_level(alpha)
    raw = mean_contrast(Moments.pooled(one for one, _ in strata), Moments.pooled(two for _, two in strata), alpha)
    kept = [pair for pair in strata if min(pair[0].n, pair[1].n) >= 2]
    sizes = [one.n + two.n for one, two in kept]
    parts = [Stratum(size, difference(*pair), *unit_error(*pair)) for size, pair in zip(sizes, kept, strict=True)]
    whole = sum(one.n + two.n for one, two in strata)
    return Standardised(raw, at_equal_mix(parts, alpha), whole - sum(sizes))

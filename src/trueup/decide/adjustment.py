"""What was known of cases before they were assigned, taken out of the comparison of two arms that were drawn by case.

Beside the raw figure, or instead of it where that was registered. What a later event says has no place here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.adjust.cuped import adjusted_contrast, pseudo_outcomes
from trueup.evidence.adjust.strata import Standardised, standardised
from trueup.evidence.blocks import block_error, means_by_label
from trueup.evidence.gates import block_contrast
from trueup.evidence.mix import Stratum, at_equal_mix
from trueup.evidence.moments import Interval, Moments, unknown
from trueup.evidence.sequences import LEAST_ARM, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Fewest weeks from which the spread of a stratum's week is guessed.
LEAST_STRATUM_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Known:
    """The cases of both arms in order of maturity, with what the first event of each said.

    `values` on the scale of the comparison, `treated` 1 or 0, `covariates` (cases, fields; NaN where not said) named by
    `fields`, `strata` one name a case (None: none declared); `weeks` the Monday of each start, `share` the treated
    share that was drawn with (None: not declared). `decides`: the adjusted figure is the one that is judged. `by_week`:
    those that are not treated are the baseline's, and weeks are what is independent.
    """

    values: Floats
    treated: Floats
    weeks: NDArray[np.str_]
    fields: tuple[str, ...] = ()
    covariates: Floats | None = None
    strata: NDArray[np.object_] | None = None
    share: float | None = None
    decides: bool = False
    by_week: bool = False

    @property
    def missing(self) -> int:
        """How many cases lack one of the covariates."""
        return 0 if self.covariates is None else int(np.isnan(self.covariates).any(axis=1).sum())

    def at_gate(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return mean1 - ratio * mean0 at the covariates of all cases together, at one look."""
        if self.covariates is None:
            return unknown()
        return adjusted_contrast(self.values, self.treated, filled(self.covariates), alpha, ratio)

    def watched(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the same with an interval that holds at all looks; nothing is known without the share drawn with."""
        if self.covariates is None or not self.share or self.share >= 1:
            return unknown()
        if min(self.treated.sum(), (1 - self.treated).sum()) < LEAST_ARM:
            return unknown()
        phi = pseudo_outcomes(self.values, self.treated, filled(self.covariates), self.share, ratio)
        return mean_interval(Moments.of(phi), alpha)

    def by_strata(self, alpha: float) -> Standardised | None:
        """Return the difference raw and at the mix of both arms together; None where no strata are declared."""
        if self.strata is None:
            return None
        if self.by_week:
            return self._by_weeks(self.strata, alpha)
        pairs = []
        for name in dict.fromkeys(sorted(map(str, self.strata))):
            own = self.strata == name
            pairs.append(tuple(Moments.of(self.values[own & (self.treated == arm)]) for arm in (1, 0)))
        return standardised([(one, other) for one, other in pairs], alpha)

    def _by_weeks(self, strata: NDArray[np.object_], alpha: float) -> Standardised:
        """As KPI04 compares: in every stratum the means of its weeks; strata of a few weeks are left out."""
        raw = block_contrast(self._blocks(self.treated == 1), self._blocks(self.treated == 0), alpha)
        parts, left_out = [], 0
        for name in sorted(set(map(str, strata))):
            own = strata == name
            one, other = (Moments.of(self._blocks(own & (self.treated == arm))) for arm in (1, 0))
            if min(one.n, other.n) < LEAST_STRATUM_WEEKS:
                left_out += int(own.sum())
                continue
            parts.append(Stratum(int(own.sum()), one.mean - other.mean, *block_error(one, other)))
        return Standardised(raw, at_equal_mix(parts, alpha), left_out)

    def _blocks(self, chosen: NDArray[np.bool_]) -> Floats:
        return means_by_label(self.values[chosen], self.weeks[chosen])

    def without(self, week: str) -> Known:
        """Return what is left without the cases of a week."""
        kept = self.weeks != week
        return replace(
            self,
            values=self.values[kept],
            treated=self.treated[kept],
            weeks=self.weeks[kept],
            covariates=None if self.covariates is None else self.covariates[kept],
            strata=None if self.strata is None else self.strata[kept],
        )


def filled(covariates: Floats) -> Floats:
    """Return covariates with the mean where none was said, and one column more for each field that lacks somewhere.

    That something was not said is itself known beforehand.
    """
    columns: list[Floats] = []
    for column in covariates.T:
        lacks = np.isnan(column)
        said = column[~lacks]
        columns.append(np.where(lacks, said.mean() if len(said) else 0.0, column))
        if lacks.any() and len(said):
            columns.append(lacks.astype(np.float64))
    return np.column_stack(columns)


def known_of(
    arms: Sequence[Floats],
    treated: NDArray[np.bool_],
    weeks: NDArray[np.str_],
    *,
    fields: tuple[str, ...],
    covariates: Floats | None,
    strata: NDArray[np.object_] | None,
    share: float | None,
    decides: bool,
) -> Known:
    """Put the values of the treated and of the control arm back into the order of cases."""
    values = np.empty(len(treated), dtype=np.float64)
    values[treated], values[~treated] = arms
    return Known(values, treated.astype(np.float64), weeks, fields, covariates, strata, share=share, decides=decides)

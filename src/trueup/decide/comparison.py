"""Treated against control for one KPI: which interval applies follows from the design, not from the result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trueup.decide.bars import Contrast, Side
from trueup.evidence import gates, sequences
from trueup.evidence.adjust.ratios import ratio_contrast
from trueup.evidence.designs.scales import PLAIN, Scale, Transform
from trueup.evidence.designs.stable import LEAST_BLOCKS
from trueup.evidence.moments import Interval, Moments
from trueup.evidence.quantiles import quantile_contrast, reaches_the_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trueup.decide.adjustment import Known

# Entry conditions (programme-format: gates; evidence: sequences).
LEAST_CASES = 30
LEAST_EVENTS = 5
WEEKLY_LOOKS = 12

NOTHING_KNOWN = Interval(float("nan"), float("-inf"), float("inf"))


class Basis(StrEnum):
    """What one independent observation is: a case or a unit, whichever was randomised; otherwise a week.

    STABLE: weeks of a series that was admitted before the launch. MATCHED: weeks of the difference between units.
    ORDER: the order in which units were launched.
    """

    CASES = "cases"
    UNITS = "units"
    BLOCKS = "blocks"
    STABLE = "stable weeks"
    MATCHED = "matched units"
    ORDER = "rollout order"


class Analysis(Protocol):
    """A design that is analysed as a whole, on the scale of its comparison."""

    @property
    def base(self) -> float:
        """What the treated would have been on average without treatment."""
        ...

    @property
    def by_margin(self) -> bool:
        """True where the change has to exceed a margin and the bar; False where the interval has to clear the bar."""
        ...

    def shift(self, alpha: float) -> Interval:
        """Return the effect with its interval at a registered gate."""
        ...

    def watched(self, alpha: float) -> Interval:
        """Return the effect with an interval that may be looked at every week."""
        ...

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of the weeks and of the units that can be left out."""
        ...

    def without(self, kind: str, name: str) -> Analysis:
        """Return the analysis without one week or one unit."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One arm, or the frozen baseline.

    `values` are its cases in order of maturity (None for a frozen baseline and for weekly ratios), `blocks`
    the means of its units where units were randomised, else of its weeks in order, `events` how many values are
    non-zero. `weeks` and `units` label the values: the Monday of each case's start, and what was assigned. Of a ratio
    of sums `pairs` holds what is summed and what it is divided by (cases, 2), `values` and `blocks` are linearised; of
    a `quantile` the mean is the quantile, and the variance that of a case's influence on it.
    """

    moments: Moments
    events: int
    blocks: NDArray[np.float64]
    values: NDArray[np.float64] | None = None
    weeks: NDArray[np.str_] | None = None
    units: NDArray[np.str_] | None = None
    pairs: NDArray[np.float64] | None = None
    quantile: float | None = None

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.moments.n

    @property
    def counted(self) -> int:
        """Number of cases that are counted: those that a ratio of sums is divided by, else all."""
        return self.n if self.pairs is None else int(np.count_nonzero(self.pairs[:, 1]))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One KPI, treated against control. `share` values are 0 or 1; `cap` bounds durations (unit of the KPI).

    Samples hold values on the scale of `transform`; every interval that leaves is in the KPI's unit. With `analysis`
    the samples are for counting, and the design's own analysis decides. `quantile`: quantiles are compared, not means.
    `paired`: ratios of sums. `known` is what was known of the cases beforehand.
    """

    kpi: str
    unit: str
    share: bool
    basis: Basis
    frozen: bool
    treated: Sample
    control: Sample
    cap: float | None = None
    transform: Transform = PLAIN
    analysis: Analysis | None = None
    quantile: float | None = None
    paired: bool = False
    known: Known | None = None

    @property
    def control_mean(self) -> float:
        """What the treated are compared with, in the KPI's unit; a geometric mean on logarithms."""
        base = self.control.moments.mean if self.analysis is None else self.analysis.base
        return self.transform.back(base)

    @property
    def before_after(self) -> bool:
        """True where nothing better than a frozen baseline is compared with."""
        return self.frozen and self.basis is not Basis.STABLE

    @property
    def cases(self) -> int:
        """Number of cases that the comparison rests on."""
        return self.treated.n + (0 if self.frozen else self.control.n)

    def side(self, contrast: Contrast, alpha: float) -> Side:
        """Tell on which side of a bar the gate interval lies.

        By margin: good is a change that exceeds its margin and whose estimate is beyond the bar.
        """
        interval = self.at_gate(alpha, contrast.ratio)
        found = contrast.side(interval)
        if self.analysis is None or not self.analysis.by_margin or found is Side.BAD:
            return found
        exceeds = Contrast(1.0, 0.0, contrast.sign).side(self.at_gate(alpha)) is Side.GOOD
        return Side.GOOD if exceeds and contrast.edge_distance(interval) > 0 else Side.ACROSS

    def at_gate(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the gate interval of `mean1 - ratio * mean0` at two-sided level alpha (already split)."""
        if self.analysis is not None:
            return self.transform.contrast(self.analysis.shift(alpha), self.analysis.base, ratio)
        if self.known is not None and self.known.decides:
            return self.adjusted(alpha, ratio)
        return self.raw(alpha, ratio)

    def raw(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the gate interval of the values as they are; no design of its own."""
        return self._in_unit(lambda of: self._at_gate(alpha, of), ratio)

    def adjusted(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the gate interval at equal covariates; nothing is known where none are."""
        known = self.known
        return self._unknown(ratio) if known is None else self._in_unit(lambda of: known.at_gate(alpha, of), ratio)

    def of_shift(self, shift: Interval) -> Interval:
        """Return a difference of means on the scale as one in the KPI's unit."""
        return self._in_unit(lambda _: shift, 1.0)

    def _in_unit(self, contrast: Callable[[float], Interval], ratio: float) -> Interval:
        if self.transform.scale is Scale.PLAIN:
            return contrast(ratio)
        return self.transform.contrast(contrast(1.0), self.control.moments.mean, ratio)

    def _at_gate(self, alpha: float, ratio: float) -> Interval:
        if self.quantile is not None:
            return self._of_quantiles(self.quantile, alpha, ratio, watched=False)
        if self.basis is Basis.BLOCKS and self.paired:
            return ratio_contrast(Moments.of(self.treated.blocks), Moments.of(self.control.blocks), alpha, ratio)
        if self.basis is Basis.BLOCKS:
            return gates.block_contrast(self.treated.blocks, self.control.blocks, alpha, ratio)
        if self.basis is Basis.UNITS:
            return gates.unit_contrast(self.treated.blocks, self.control.blocks, alpha, ratio)
        if self.share:
            return gates.share_contrast(
                self.treated.events, self.treated.n, self.control.events, self.control.n, alpha, ratio
            )
        return gates.mean_contrast(self.treated.moments, self.control.moments, alpha, ratio)

    def watched(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the anytime-valid interval of `mean1 - ratio * mean0` that may be looked at every week."""
        if self.analysis is not None:
            return self.transform.contrast(self.analysis.watched(alpha), self.analysis.base, ratio)
        known = self.known
        if known is not None and known.decides:
            return self._in_unit(lambda of: known.watched(alpha, of), ratio)
        return self._in_unit(lambda of: self._watched(alpha, of), ratio)

    def _watched(self, alpha: float, ratio: float) -> Interval:
        if self.quantile is not None:
            return self._of_quantiles(self.quantile, alpha, ratio, watched=True)
        if self.basis is Basis.BLOCKS:
            return sequences.frozen_blocks(self.control.blocks, self.treated.blocks, alpha, ratio)
        if self.basis is Basis.UNITS:
            # No sequence over a handful of units: the looks of a pilot share the level instead.
            return gates.unit_contrast(self.treated.blocks, self.control.blocks, alpha / WEEKLY_LOOKS, ratio)
        if self.share:
            return sequences.concurrent_shares(
                self.treated.events, self.treated.n, self.control.events, self.control.n, alpha, ratio
            )
        if self.treated.values is None or self.control.values is None:
            return self._unknown(ratio)
        bounds = None if self.cap is None else self._bounds(self.cap)
        return sequences.watched_means(self.treated.values, self.control.values, alpha, ratio, bounds)

    def _of_quantiles(self, quantile: float, alpha: float, ratio: float, *, watched: bool) -> Interval:
        """Only of cases that were drawn one by one: weeks that hang together move a tail by themselves."""
        if self.basis is not Basis.CASES or self.treated.values is None or self.control.values is None:
            return self._unknown(ratio)
        sides = self.treated.values, self.control.values
        return quantile_contrast(*sides, quantile, alpha, ratio, self.cap, watched=watched)

    def unanswerable(self) -> str | None:
        """Say why this design can never judge this KPI, or None."""
        if self.quantile is not None and self.basis is not Basis.CASES:
            return (
                f"the {self.quantile:.4g} quantile of {self.kpi} can be judged where cases are drawn one by one: "
                "weeks that hang together, and units, move a tail by themselves"
            )
        return None

    def _bounds(self, cap: float) -> tuple[float, float]:
        low, high = self.transform([0.0, cap])
        return float(low), float(high)

    def _unknown(self, ratio: float) -> Interval:
        if not self.treated.n or not self.control.n:
            return NOTHING_KNOWN
        estimate = self.treated.moments.mean - ratio * self.control.moments.mean
        return Interval(estimate, float("-inf"), float("inf"))

    def frozen_share(self, ratio: float = 1.0) -> float:
        """Return the part of the variance that more cases cannot shrink: what a frozen baseline leaves, else 0."""
        if not self.frozen or self.analysis is not None:
            return 0.0
        treated, control = Moments.of(self.treated.blocks), Moments.of(self.control.blocks)
        if min(treated.n, control.n) < 2:
            return 0.0
        left = ratio * ratio * control.variance / control.n
        whole = left + treated.variance / treated.n
        return left / whole if whole > 0 else 0.0

    def too_few(self) -> str | None:
        """Say why there are too few mature cases, or weeks, for a verdict, or None."""
        if self.basis is Basis.STABLE and len(self.treated.blocks) < LEAST_BLOCKS:
            return self.too_few_cases() or f"{len(self.treated.blocks)} mature weeks, {LEAST_BLOCKS} are needed"
        return self.too_few_cases()

    def too_few_cases(self) -> str | None:
        """Say why there are too few mature cases to tell anything of them, or None."""
        if self.treated.n < LEAST_CASES:
            return f"{self.treated.n} mature treated cases, {LEAST_CASES} are needed"
        if not self.frozen and self.control.n < LEAST_CASES:
            return f"{self.control.n} mature control cases, {LEAST_CASES} are needed"
        if self.paired or self.quantile is not None:
            return self._too_few_counted()
        return self._too_few_events() if self.share else None

    def _too_few_counted(self) -> str | None:
        sides = [self.treated] if self.frozen else [self.treated, self.control]
        least = min(side.counted for side in sides)
        if self.paired and least < LEAST_CASES:
            return f"{least} cases to divide by in an arm, {LEAST_CASES} are needed"
        if self.quantile is not None and not reaches_the_tail(least, self.quantile):
            return f"{least} cases in an arm say nothing of their {self.quantile:.4g} quantile: too few lie beyond it"
        return None

    def _too_few_events(self) -> str | None:
        events = self.treated.events + self.control.events
        others = self.treated.n + self.control.n - events
        if min(events, others) < LEAST_EVENTS:
            return f"{min(events, others)} of the rarer outcome in both arms together, {LEAST_EVENTS} are needed"
        return None

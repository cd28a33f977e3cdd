"""Treated against control for one KPI: which interval applies follows from the design, not from the result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence import gates, sequences
from trueup.evidence.moments import Interval, Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Entry conditions (programme-format: gates; evidence: sequences).
LEAST_CASES = 30
LEAST_EVENTS = 5
WEEKLY_LOOKS = 12

NOTHING_KNOWN = Interval(float("nan"), float("-inf"), float("inf"))


class Basis(StrEnum):
    """What one independent observation is: a case or a unit, whichever was randomised; otherwise a week."""

    CASES = "cases"
    UNITS = "units"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Sample:
    """One arm, or the frozen baseline.

    `values` are its cases in order of maturity (None for a frozen baseline and for weekly ratios), `blocks`
    the means of its units where units were randomised, else of its weeks in order, `events` how many values are
    non-zero.
    """

    moments: Moments
    events: int
    blocks: NDArray[np.float64]
    values: NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.moments.n


@dataclass(frozen=True, slots=True)
class Comparison:
    """One KPI, treated against control. `share` values are 0 or 1; `cap` bounds durations (unit of the KPI)."""

    kpi: str
    unit: str
    share: bool
    basis: Basis
    frozen: bool
    treated: Sample
    control: Sample
    cap: float | None = None

    def at_gate(self, alpha: float, ratio: float = 1.0) -> Interval:
        """Return the gate interval of `mean1 - ratio * mean0` at two-sided level alpha (already split)."""
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
        bounds = None if self.cap is None else (0.0, self.cap)
        return sequences.watched_means(self.treated.values, self.control.values, alpha, ratio, bounds)

    def _unknown(self, ratio: float) -> Interval:
        if not self.treated.n or not self.control.n:
            return NOTHING_KNOWN
        estimate = self.treated.moments.mean - ratio * self.control.moments.mean
        return Interval(estimate, float("-inf"), float("inf"))

    def frozen_share(self, ratio: float = 1.0) -> float:
        """Return the part of the variance that more cases cannot shrink: what a frozen baseline leaves, else 0."""
        if not self.frozen:
            return 0.0
        treated, control = Moments.of(self.treated.blocks), Moments.of(self.control.blocks)
        if min(treated.n, control.n) < 2:
            return 0.0
        left = ratio * ratio * control.variance / control.n
        whole = left + treated.variance / treated.n
        return left / whole if whole > 0 else 0.0

    def too_few(self) -> str | None:
        """Say why there are too few mature cases for a verdict, or None."""
        if self.treated.n < LEAST_CASES:
            return f"{self.treated.n} mature treated cases, {LEAST_CASES} are needed"
        if not self.frozen and self.control.n < LEAST_CASES:
            return f"{self.control.n} mature control cases, {LEAST_CASES} are needed"
        if self.share:
            return self._too_few_events()
        return None

    def _too_few_events(self) -> str | None:
        events = self.treated.events + self.control.events
        others = self.treated.n + self.control.n - events
        if min(events, others) < LEAST_EVENTS:
            return f"{min(events, others)} of the rarer outcome in both arms together, {LEAST_EVENTS} are needed"
        return None

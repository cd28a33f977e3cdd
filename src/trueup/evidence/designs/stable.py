"""Before and after of a series that nobody randomised: only where it is stable enough, and decided before the launch.

The rule, for weekly means x on their scale, turned so that up is good, B of them before the launch and j after:
the change has to exceed `margin` = the larger of `blocks` (a sequence over weeks against a frozen baseline) and
`floor` (what processes do that nobody touched). A series is admitted when the margin at the last week is no
more than the effect that was promised; one that is not can never be told from its own drift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.moments import Interval, Moments, around, finite, unknown
from trueup.evidence.sequences import block_half_width

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from trueup.evidence.designs.scales import Transform

ALPHA = 0.05
# Baseline weeks that are compared with; longer ones collect drift.
BASELINE_WEEKS = 8
LEAST_BLOCKS = 4
LAST_WEEK = 12
# Half of what a comparison without control has to exceed: the control carries the drift that both share.
MATCHED_PART = 0.5


def stable_margin(spread: float, blocks: int, floor: float, baseline: int = BASELINE_WEEKS) -> float:
    """Return the change that a series has to exceed after `blocks` weeks.

    max(t_{1-a/4,B-1} / z (z s / sqrt(B) + acs(j)), floor), a = .05, z = z_{1-a/4}; acs is the asymptotic sequence
    at a/2, tightest at 8 weeks. `spread` is the sample deviation of the B baseline weeks. Infinite without a block.
    """
    if blocks < 1:
        return math.inf
    return max(spread * block_half_width(baseline, blocks, ALPHA), floor)


@dataclass(frozen=True, slots=True)
class StableSeries:
    """Weekly means on their scale, before (the last B matured weeks before the launch) and after it, in order."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    floor: float

    @property
    def base(self) -> float:
        """Mean of the baseline weeks; NaN without any."""
        return float(np.mean(self.before)) if self.before else math.nan

    @property
    def margin_before(self) -> float:
        """The margin at the weeks seen so far by the spread of the baseline; infinite where it has no spread to ask."""
        before = Moments.of(self.before)
        if before.n < BASELINE_WEEKS or before.variance == 0:
            return math.inf
        return stable_margin(math.sqrt(before.variance), len(self.after), self.floor, before.n)

    @property
    def margin(self) -> float:
        """What the change has to exceed: the margin by the larger spread of the two periods.

        A series is admitted because its weeks before were calm, and those that were calm by chance are not calm
        afterwards: among the admitted their own spread is too small, and claims too often.
        """
        known, after = self.margin_before, Moments.of(self.after)
        if after.n < 2 or math.isinf(known):
            return known
        return max(known, stable_margin(math.sqrt(after.variance), after.n, self.floor, len(self.before)))

    def change(self) -> Interval:
        """Return mean(after) - mean(before) with the margin on both sides."""
        if not self.before or not self.after:
            return unknown()
        return around(float(np.mean(self.after)) - self.base, self.margin)

    def without(self, week: int) -> StableSeries:
        """Return the series without one week after the launch."""
        return StableSeries(self.before, (*self.after[:week], *self.after[week + 1 :]), self.floor)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether before and after may speak at all, with the numbers that say so (on the scale, positive).

    `margin` at the last week, the effect `promised`, the `floor`, and `drift`: three quarters of the changes between
    windows of this very series, launched by nobody, were smaller (None without enough past).
    """

    admitted: bool
    because: str
    margin: float
    promised: float
    floor: float
    drift: float | None


def admit(weeks: ArrayLike, promised: float, floor: float, delay: int, last: int = LAST_WEEK) -> Admission:
    """Decide before the launch whether a series may be compared with its own past.

    `weeks` are all matured weekly means before the launch, in order (any length); `promised` the expected change on
    the scale, in the good direction; `delay` the weeks until a case is mature. Admitted iff
    margin_{last - delay} <= promised.
    """
    series = finite(weeks)
    recent = Moments.of(series[-BASELINE_WEEKS:])
    blocks = last - delay
    past = drift(series, blocks, delay)
    if recent.n < BASELINE_WEEKS:
        because = f"{recent.n} matured baseline weeks before the launch, {BASELINE_WEEKS} are needed"
        return Admission(admitted=False, because=because, margin=math.inf, promised=promised, floor=floor, drift=past)
    if recent.variance == 0:
        because = "the baseline weeks are all alike: nothing can be said of their spread"
        return Admission(admitted=False, because=because, margin=math.inf, promised=promised, floor=floor, drift=past)
    margin = stable_margin(math.sqrt(recent.variance), blocks, floor) if blocks >= LEAST_BLOCKS else math.inf
    if math.isinf(margin):
        because = f"{max(blocks, 0)} weeks are mature by week {last}, {LEAST_BLOCKS} are needed"
    elif margin <= promised:
        because = "what was promised is more than this series could do by itself"
    else:
        because = "what was promised is less than this series could do by itself"
    return Admission(margin <= promised, because, margin, promised, floor, past)


def drift(weeks: ArrayLike, blocks: int, delay: int) -> float | None:
    """Return the upper quartile of the `moves` of the past; None without any."""
    found = moves(weeks, blocks, delay)
    return float(np.quantile(found, 0.75)) if found else None


def moves(weeks: ArrayLike, blocks: int, delay: int) -> list[float]:
    """Return |mean of `blocks` weeks - mean of the 8 before, `delay` between| for every place in a series."""
    series = finite(weeks)
    if blocks < 1:
        return []
    return [
        abs(float(series[at : at + blocks].mean() - series[at - delay - BASELINE_WEEKS : at - delay].mean()))
        for at in range(BASELINE_WEEKS + delay, len(series) - blocks + 1)
    ]


def promised_shift(values: ArrayLike, capped: ArrayLike, ratio: float, transform: Transform) -> float:
    """Return mean of f(ratio d) - f(d) over baseline cases: a relative effect pushed through scale and cap.

    A capped value stays where it is: how far beyond the cap it lay is not known. NaN without cases.
    """
    sample = finite(values)
    if not len(sample):
        return math.nan
    moved = transform(np.where(np.asarray(capped, dtype=bool), sample, ratio * sample))
    return float((moved - transform(sample)).mean())

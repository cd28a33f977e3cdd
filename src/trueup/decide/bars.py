"""A declared bar as a contrast of two means that an interval can be held against.

Every bar is `mean1 - ratio * mean0` against a threshold: a relative bar b is ratio 1 + b against 0 (never an
interval divided by a point), a change in points is ratio 1 against the change, a level is ratio 0 against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trueup.kernel.quantities import BarKind

if TYPE_CHECKING:
    from trueup.evidence.moments import Interval
    from trueup.kernel.quantities import Bar


class Side(StrEnum):
    """Where an interval lies, seen from a threshold, in the KPI's own direction."""

    GOOD = "good"
    BAD = "bad"
    ACROSS = "across"


@dataclass(frozen=True, slots=True)
class Contrast:
    """`mean1 - ratio * mean0` compared with `threshold`; `sign` is +1 where higher is better."""

    ratio: float
    threshold: float
    sign: int

    def side(self, interval: Interval) -> Side:
        """Tell on which side of the threshold the whole interval lies."""
        if self.sign > 0:
            good, bad = interval.lower > self.threshold, interval.upper < self.threshold
        else:
            good, bad = interval.upper < self.threshold, interval.lower > self.threshold
        if good:
            return Side.GOOD
        return Side.BAD if bad else Side.ACROSS

    def edge_distance(self, interval: Interval) -> float:
        """Return how far the estimate lies from the threshold, positive on the good side."""
        return self.sign * (interval.estimate - self.threshold)


def contrast_of(bar: Bar | None, sign: int) -> Contrast:
    """Return the contrast that tests a bar; without a bar, any change in the right direction."""
    if bar is None:
        return Contrast(1.0, 0.0, sign)
    if bar.kind is BarKind.RELATIVE:
        return Contrast(1.0 + bar.value, 0.0, sign)
    if bar.kind is BarKind.LEVEL:
        return Contrast(0.0, bar.value, sign)
    return Contrast(1.0, bar.value, sign)

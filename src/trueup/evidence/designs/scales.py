"""The scale on which a design compares, and the way back to the KPI's own unit.

Durations and counts are compared on logarithms, because a long tail hides a change of the usual case from any mean;
shares as they are. A shift on logarithms is a ratio of geometric means and is called that wherever it is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.moments import Interval, finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Values below this part of the baseline's median count as that: an instant close would outweigh everything else.
_LEAST_PART = 0.01


class Scale(StrEnum):
    """As it is; ln(x) for durations and amounts; ln(1 + x) for counts."""

    PLAIN = "plain"
    LOG = "log"
    LOG_COUNT = "log count"


@dataclass(frozen=True, slots=True)
class Transform:
    """A scale and the smallest value that a logarithm is taken of (positive; used by `LOG` only).

    Raises ValueError where LOG has no positive least value.
    """

    scale: Scale
    least: float = 0.0

    def __post_init__(self) -> None:
        if self.scale is Scale.LOG and not (math.isfinite(self.least) and self.least > 0):
            msg = f"a logarithm needs a positive least value, not {self.least}"
            raise ValueError(msg)

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the values on the scale; ValueError for a value that is not finite, or a negative count."""
        sample = finite(values)
        if self.scale is Scale.LOG:
            return np.log(np.maximum(sample, self.least))
        if self.scale is Scale.LOG_COUNT:
            if len(sample) and float(sample.min()) < 0:
                msg = "a count is not negative"
                raise ValueError(msg)
            return np.log1p(sample)
        return sample

    def back(self, value: float) -> float:
        """Return the value in the KPI's unit that a mean on the scale stands for: a geometric mean for LOG."""
        if self.scale is Scale.LOG:
            return _exp(value)
        return _exp(value) - 1 if self.scale is Scale.LOG_COUNT else value

    def contrast(self, shift: Interval, base: float, ratio: float = 1.0) -> Interval:
        """Return treated - ratio * control in the KPI's unit, from an interval of the shift on the scale.

        `base` is the control's mean on the scale and is taken as known: only the shift is uncertain, so that for
        LOG the sign is exactly that of the test of the geometric means' ratio against `ratio`.
        """
        control = self.back(base)

        def moved(by: float) -> float:
            return by if math.isinf(by) and by > 0 else self.back(base + by) - ratio * control

        lower = -math.inf if math.isinf(shift.lower) else moved(shift.lower)
        return Interval(moved(shift.estimate), lower, moved(shift.upper))

    def worth(self, base: float, ratio: float, threshold: float) -> float:
        """Return the shift on the scale at which treated - ratio * control is `threshold`; NaN where there is none."""
        aim = ratio * self.back(base) + threshold
        if self.scale is Scale.PLAIN:
            return aim - base
        argument = aim if self.scale is Scale.LOG else aim + 1
        return math.log(argument) - base if argument > 0 else math.nan


PLAIN = Transform(Scale.PLAIN)


def least_of(values: ArrayLike) -> float | None:
    """Return a hundredth of the median; None where half of the values or more are nought: no logarithm serves there."""
    sample = finite(values)
    median = float(np.median(sample)) if len(sample) else 0.0
    return _LEAST_PART * median if median > 0 else None


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))

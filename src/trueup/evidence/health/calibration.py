"""Whether a model is right as often as it says it is sure."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.moments import finite, require_level
from trueup.evidence.sequences import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from trueup.evidence.moments import Interval

    Floats = NDArray[np.float64]

BINS = 10
# An interval of fewer cases says nothing.
LEAST_IN_BIN = 20


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of about equal confidence (`low` to `high`): how sure the model was on average, and how often right."""

    low: float
    high: float
    n: int
    right: int
    confidence: float
    accuracy: Interval

    @property
    def off(self) -> bool:
        """Tell whether the confidence lies outside what the share that was right allows."""
        return not self.accuracy.lower <= self.confidence <= self.accuracy.upper


@dataclass(frozen=True, slots=True)
class Calibration:
    """A reliability diagram and its summary.

    `error` is the expected calibration error, sum n_b / N |right_b - confidence_b|. `by_chance` is what a model that
    is calibrated would show on average in these bins: the estimate is biased upwards, the more so the fewer cases.
    """

    bins: tuple[Bin, ...]
    n: int
    accuracy: Interval
    confidence: float
    error: float
    by_chance: float

    @property
    def off(self) -> bool:
        """Tell whether any bin is surely off, all bins taken together."""
        return any(one.off for one in self.bins)


def calibration(confidence: ArrayLike, right: ArrayLike, alpha: float, bins: int = BINS) -> Calibration | None:
    """Return the reliability of stated confidence in [0, 1] against whether each answer was right; None without cases.

    Bins hold about equally many cases, at least 20 where there are as many; equal confidence is in one bin (Nixon et
    al. 2019 on equal mass). Intervals are those of Clopper and Pearson at alpha over the number of bins: of a
    calibrated model, all of them hold its mean confidence with probability 1 - alpha (a sum of unequal chances is
    spread less than a binomial one, Hoeffding 1956). `by_chance` takes the sum of each bin for normal:
    sqrt(2 / pi) times its standard deviation. Raises ValueError for a confidence outside [0, 1] or unequal lengths.
    """
    require_level(alpha)
    sure, is_right = finite(confidence), np.asarray(right, dtype=np.bool_)
    if len(sure) != len(is_right) or (len(sure) and not 0 <= float(sure.min()) <= float(sure.max()) <= 1):
        msg = "calibration needs one confidence in [0, 1] and one outcome a case"
        raise ValueError(msg)
    if not len(sure):
        return None
    parts = list(_parts(sure, bins))
    level = alpha / len(parts)
    made = tuple(_bin(sure[part], is_right[part], level) for part in parts)
    n = len(sure)
    spread = sum(math.sqrt(2 / math.pi * float((sure[part] * (1 - sure[part])).sum())) for part in parts)
    return Calibration(
        bins=made,
        n=n,
        accuracy=clopper_pearson(int(is_right.sum()), n, alpha),
        confidence=float(sure.mean()),
        error=sum(one.n * abs(one.right / one.n - one.confidence) for one in made) / n,
        by_chance=spread / n,
    )


def _parts(sure: Floats, bins: int) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of each bin, lowest confidence first."""
    order = np.argsort(sure, kind="stable")
    wanted = max(min(bins, len(sure) // LEAST_IN_BIN), 1)
    ranked = sure[order]
    cuts = {int(np.searchsorted(ranked, ranked[len(sure) * part // wanted], side="left")) for part in range(wanted)}
    edges = [*sorted(cuts | {0}), len(sure)]
    for start, end in itertools.pairwise(edges):
        yield order[start:end]


def _bin(sure: Floats, right: NDArray[np.bool_], alpha: float) -> Bin:
    hits, n = int(right.sum()), len(sure)
    # Summing equal values in floating point may leave their range.
    mean = float(np.clip(sure.mean(), sure.min(), sure.max()))
    return Bin(float(sure.min()), float(sure.max()), n, hits, mean, clopper_pearson(hits, n, alpha))

"""Whether the comparison itself is sound: arms as declared, a series that did not break, blocks that hang together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.moments import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# Alarms: sample ratio at p < .001 at any time; volume and mix as designed for comparisons with a baseline.
RATIO_ALARM = 1000.0
VOLUME_BREAK = 0.4
MIX_BREAK = 0.25
# Size, in cases, of the Dirichlet mixture around the declared shares: finds differences of some points.
_MIXTURE = 100.0
_FEWEST_BLOCKS = 4
# Cases' worth of share below which a cell of a mix is counted with the other rare ones.
_RARE = 5.0


def ratio_e_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the e-value against "cases fall into the arms with these shares", valid at every look.

    Multinomial e-process: Dirichlet mixture around the declared shares over the shares themselves (Lindon and Malek,
    NeurIPS 2022). Alarm at 1,000 (p < .001). Infinite when an arm of share 0 holds cases; 1 without cases.
    Raises ValueError when the lengths differ, a count is negative or the shares do not add up to 1.
    """
    seen = finite(np.asarray(counts, dtype=np.float64))
    declared = finite(np.asarray(shares, dtype=np.float64))
    if len(seen) != len(declared) or (seen < 0).any() or (declared < 0).any() or abs(declared.sum() - 1) > 1e-9:
        msg = "the sample ratio needs one count and one share an arm, and shares that add up to 1"
        raise ValueError(msg)
    if (seen[declared == 0] > 0).any():
        return math.inf
    seen, declared = seen[declared > 0], declared[declared > 0]
    prior = _MIXTURE * declared
    log_e = float(special.gammaln(_MIXTURE) - special.gammaln(_MIXTURE + seen.sum()))
    log_e += float((special.gammaln(prior + seen) - special.gammaln(prior) - seen * np.log(declared)).sum())
    return math.exp(log_e) if log_e < 700 else math.inf


def population_stability(before: Sequence[float], after: Sequence[float]) -> float | None:
    """Return the population stability index sum (q - p) ln(q / p) of two tables of counts over the same cells.

    Cells that hold fewer than 5 cases' worth of share on both sides, at the smaller side's size, are counted together;
    half a case is added to every cell (Krichevsky and Trofimov), so that an empty one is a large but finite change;
    and what chance alone adds on average, (k - 1) (1/n + 1/m), is taken off, not below 0. Without this an unchanged mix
    of 50 cells would nearly always pass the limit of .25 with 80 cases. None when a side has no cases.
    """
    old, new = finite(np.asarray(before, dtype=np.float64)), finite(np.asarray(after, dtype=np.float64))
    if len(old) != len(new) or (old < 0).any() or (new < 0).any():
        msg = "the mix needs two counts a cell"
        raise ValueError(msg)
    if old.sum() == 0 or new.sum() == 0:
        return None
    rare = np.maximum(old / old.sum(), new / new.sum()) * min(old.sum(), new.sum()) < _RARE
    p, q = _smoothed(_merged(old, rare)), _smoothed(_merged(new, rare))
    chance = (len(p) - 1) * (1 / old.sum() + 1 / new.sum())
    return max(float(((q - p) * np.log(q / p)).sum() - chance), 0.0)


def _merged(counts: NDArray[np.float64], rare: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the counts of the cells that are not rare, and of all rare ones together if there are any."""
    together = counts[rare].sum(keepdims=True) if rare.any() else np.empty(0)
    return np.concatenate([counts[~rare], together])


def _smoothed(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(counts.sum()) + 0.5 * len(counts)
    smoothed: NDArray[np.float64] = (counts + 0.5) / total
    return smoothed


def volume_shift(before_per_week: float, after_per_week: float) -> float | None:
    """Return ln(after / before) of cases a week; infinite when one side is zero, None when both are."""
    if (
        not (math.isfinite(before_per_week) and math.isfinite(after_per_week))
        or min(before_per_week, after_per_week) < 0
    ):
        msg = f"volumes are numbers of cases a week, not {before_per_week} and {after_per_week}"
        raise ValueError(msg)
    if before_per_week == 0 or after_per_week == 0:
        return None if before_per_week == after_per_week else math.copysign(math.inf, after_per_week - before_per_week)
    return math.log(after_per_week / before_per_week)


def intraclass(values: ArrayLike, blocks: ArrayLike) -> float | None:
    """Return the intraclass correlation of values within blocks (one-way ANOVA estimator, unequal sizes).

    (MSB - MSW) / (MSB + (n0 - 1) MSW), n0 = (N - sum n_i^2 / N) / (k - 1) (Donner 1986); may be slightly negative.
    None with fewer than two blocks, no block of two, or no spread.
    """
    sample = finite(values)
    _, index, sizes = np.unique(np.asarray(blocks), return_inverse=True, return_counts=True)
    if len(index) != len(sample):
        msg = "every value needs its block"
        raise ValueError(msg)
    total, groups = len(sample), len(sizes)
    if groups < 2 or total <= groups:
        return None
    means = np.bincount(index, sample) / sizes
    within = float(((sample - means[index]) ** 2).sum()) / (total - groups)
    between = float((sizes * (means - sample.mean()) ** 2).sum()) / (groups - 1)
    size = (total - float((sizes.astype(np.float64) ** 2).sum()) / total) / (groups - 1)
    spread = between + (size - 1) * within
    if float(np.ptp(sample)) == 0 or spread <= 0:
        return None
    return (between - within) / spread


def autocorrelation(means: ArrayLike) -> float | None:
    """Return the lag-1 correlation of block means in order of time, corrected for its bias in short series.

    The estimate r is low by about (1 + 4 r) / n (Marriott and Pope 1954), which is added back; the result is kept
    within +-.99. With twelve weeks its standard error is still about .3. None below four blocks or without spread.
    """
    series = finite(means)
    if len(series) < _FEWEST_BLOCKS or float(np.ptp(series)) == 0:
        return None
    steps = series - series.mean()
    raw = float((steps[1:] * steps[:-1]).sum() / (steps * steps).sum())
    return float(np.clip(raw + (1 + 4 * raw) / len(series), -0.99, 0.99))

"""Treated units beside units that were not treated: the change of their difference, week by week.

The difference of two groups takes out what moves both. What moves one of them alone remains, so that the difference is
held to the rule for stable series, at half its floor.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.moments import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_PLACEBOS = 999
# Fewest groups that can be compared with the treated one for a rank to mean something.
LEAST_PLACEBOS = 5


def weekly_differences(panel: Floats, cases: Floats, treated: NDArray[np.bool_], before: int) -> Floats:
    """Return treated minus control for every week, NaN where one side has no case.

    `panel` and `cases` (units, weeks) hold weekly means on their scale and how many cases are in them; the first
    `before` columns are the baseline. Every unit is taken relative to its own baseline mean, so that a week in which
    a unit is missing shifts nothing; weeks weigh units by their cases. Units without baseline are left out.
    """
    weight = np.where(np.isfinite(panel), cases, 0.0)
    values = np.where(weight > 0, panel, 0.0)
    known = weight[:, :before].sum(1)
    own = (weight * values)[:, :before].sum(1) / np.where(known > 0, known, 1.0)
    weight = np.where(known[:, None] > 0, weight, 0.0)
    moved = weight * (values - own[:, None])

    def arm(chosen: NDArray[np.bool_]) -> Floats:
        total = weight[chosen].sum(0)
        mean: Floats = np.where(total > 0, moved[chosen].sum(0) / np.where(total > 0, total, 1.0), np.nan)
        return mean

    difference: Floats = arm(treated) - arm(~treated)
    return difference


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope a week of the difference before the launch, and its two-sided p-value (Student's t)."""

    per_week: float
    p: float


def pre_trend(differences: ArrayLike) -> Trend | None:
    """Return the straight line through the differences before the launch; None below four weeks or without spread."""
    series = finite(differences)
    n = len(series)
    if n < 4 or float(np.ptp(series)) == 0:
        return None
    week = np.arange(n) - (n - 1) / 2
    slope = float((week * series).sum() / (week * week).sum())
    rest = series - series.mean() - slope * week
    error = math.sqrt(float((rest * rest).sum()) / (n - 2) / float((week * week).sum()))
    if error == 0:
        return Trend(slope, 0.0)
    return Trend(slope, float(2 * special.stdtr(n - 2, -abs(slope) / error)))


def change_of(differences: Floats, before: int) -> float:
    """Return the mean difference after the launch minus that before it; NaN where one of them has no week."""
    early, late = differences[:before], differences[before:]
    early, late = early[np.isfinite(early)], late[np.isfinite(late)]
    return float(late.mean() - early.mean()) if len(early) and len(late) else math.nan


def placebo_in_space(
    panel: Floats, cases: Floats, treated: NDArray[np.bool_], before: int, seed: int
) -> tuple[float, int] | None:
    """Return the share of groups, the treated one among them, whose change is as large, and how many there are.

    Other groups are as many untreated units as there are treated ones, each against the remaining untreated units: all
    of them up to 999, else 999 drawn. None where fewer than five groups can be made. (Abadie, Diamond and Hainmueller
    2010.) It is shown beside the interval and never says go: few units leave few ranks.
    """
    found = placebo_changes(panel, cases, treated, before, seed)
    if found is None:
        return None
    observed, moves = found
    return (1 + int(np.sum(np.abs(moves) >= abs(observed)))) / (1 + len(moves)), len(moves)


def placebo_changes(
    panel: Floats, cases: Floats, treated: NDArray[np.bool_], before: int, seed: int
) -> tuple[float, Floats] | None:
    """Return the change of the treated units, and those of the groups of `placebo_in_space`; None as there."""
    free = np.flatnonzero(~treated)
    size = int(treated.sum())
    if size == 0 or len(free) < size + 1 or math.comb(len(free), size) < LEAST_PLACEBOS:
        return None
    observed = change_of(weekly_differences(panel, cases, treated, before), before)
    moves = [_pretended(panel[free], cases[free], group, before) for group in _groups(len(free), size, seed)]
    known = np.array([move for move in moves if not math.isnan(move)])
    return None if math.isnan(observed) or len(known) < LEAST_PLACEBOS else (observed, known)


def _groups(units: int, size: int, seed: int) -> list[tuple[int, ...]]:
    if math.comb(units, size) <= _PLACEBOS:
        return list(itertools.combinations(range(units), size))
    rng = np.random.default_rng(seed)
    return [tuple(int(unit) for unit in rng.choice(units, size, replace=False)) for _ in range(_PLACEBOS)]


def _pretended(panel: Floats, cases: Floats, group: tuple[int, ...], before: int) -> float:
    chosen = np.zeros(len(panel), dtype=bool)
    chosen[list(group)] = True
    return change_of(weekly_differences(panel, cases, chosen, before), before)

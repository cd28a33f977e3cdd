"""Whether a classifier can tell recent cases from earlier ones, by all fields together.

Fields may each look the same while what goes with what has changed, or many may move a little. A classifier that was
fitted on some weeks and tells the others apart has found it (Lopez-Paz and Oquab, ICLR 2017).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from trueup.evidence.health.drift import permutation_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trueup.evidence.health.cells import Cells
    from trueup.evidence.health.drift import Weeks

    Floats = NDArray[np.float64]

# Added to every feature's variance: keeps cells that occur together from weighing without bound.
RIDGE = 0.01
# Beyond so many fields their pairs would outnumber the cases.
MOST_PAIRED = 10
# Fewer than for single fields, because each order costs more.
CLASSIFIER_ORDERS = 1999
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class TwoSample:
    """How well held-out cases are told apart (`auc`: .5 not at all, 1 always), and how often by chance as well."""

    auc: float
    p_value: float


@dataclass(frozen=True, slots=True)
class _Fold:
    """One half of the weeks: sums of features and cases by week (0 outside of it), and the inverse covariance."""

    sums: Floats
    counts: Floats
    precision: Floats

    def apart(self, late: Floats) -> Floats:
        """Return mean feature of later less earlier cases, a row an order of weeks; 0 where a side is empty."""
        n1, n0 = late @ self.counts, (1 - late) @ self.counts
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = (late @ self.sums) / n1[:, None] - ((1 - late) @ self.sums) / n0[:, None]
        return np.where(((n1 > 0) & (n0 > 0))[:, None], gap, 0.0)


def two_sample(fields: Sequence[Cells], weeks: Weeks, seed: int, orders: int = CLASSIFIER_ORDERS) -> TwoSample | None:
    """Return what a linear classifier on the cells of all fields, and on their pairs, tells apart; None without cases.

    The classifier is one Newton step of ridge-penalised logistic regression from "no difference": with two classes
    the direction of the regularised discriminant. It is fitted on every other week and judged on the rest, both ways
    round. The whole procedure is repeated for random orders of the weeks, so that its p-value holds as that of
    `stability` does.
    """
    if not fields or not len(weeks.of_case):
        return None
    features = _features(fields)
    folds = [_fold(features, weeks, half) for half in _halves(weeks)]
    drawn = weeks.orders(seed, orders).astype(np.float64)
    batches = [_agreement(folds, drawn[start : start + _BATCH]) for start in range(0, len(drawn), _BATCH)]
    return TwoSample(_auc(features, folds, weeks), permutation_p(np.concatenate(batches)))


def _features(fields: Sequence[Cells]) -> Floats:
    """Return one centred column a cell, then one a pair of rough cells of two fields: what goes with what."""
    columns = [np.eye(len(cells.names))[cells.code] for cells in fields]
    if len(fields) <= MOST_PAIRED:
        rough = [_rough(cells) for cells in fields]
        for one, other in itertools.combinations(rough, 2):
            columns.append((one[:, :, None] * other[:, None, :]).reshape(len(one), -1))
    features = np.concatenate(columns, axis=1)
    centred: Floats = features - features.mean(axis=0)
    return centred


def _rough(cells: Cells) -> Floats:
    """Return the cells merged into at most three of about equal mass, in their order."""
    mass = np.bincount(cells.code, minlength=len(cells.names)) / max(len(cells.code), 1)
    third = np.minimum((3 * (np.cumsum(mass) - mass / 2)).astype(np.int64), 2)
    merged: Floats = np.eye(3)[third[cells.code]]
    return merged


def _halves(weeks: Weeks) -> list[NDArray[np.bool_]]:
    """Return every other week of either side, and the rest."""
    place = np.where(weeks.late, np.cumsum(weeks.late), np.cumsum(~weeks.late))
    return [place % 2 == 0, place % 2 == 1]


def _fold(features: Floats, weeks: Weeks, half: NDArray[np.bool_]) -> _Fold:
    inside = half[weeks.of_case]
    chosen, where = features[inside], weeks.of_case[inside]
    sums = np.zeros((len(half), features.shape[1]))
    np.add.at(sums, where, chosen)
    steps = chosen - chosen.mean(axis=0) if len(chosen) else chosen
    covariance = steps.T @ steps / max(len(chosen), 1) + RIDGE * np.eye(features.shape[1])
    return _Fold(sums, np.bincount(where, minlength=len(half)).astype(np.float64), np.linalg.inv(covariance))


def _agreement(folds: Sequence[_Fold], late: Floats) -> Floats:
    """Return by how much more later held-out cases score than earlier ones, for each order of the weeks.

    Fitted on one fold w = precision d, judged on the other by w'd: both ways round, added up.
    """
    gaps = [fold.apart(late) for fold in folds]
    judged: Floats = sum(
        (((gaps[fit] @ folds[fit].precision) * gaps[1 - fit]).sum(axis=1) for fit in (0, 1)), np.zeros(len(late))
    )
    return judged


def _auc(features: Floats, folds: Sequence[_Fold], weeks: Weeks) -> float:
    """Return how often a held-out later case scores above an earlier one, ties half, over both folds by their pairs."""
    late = weeks.late.astype(np.float64)[None, :]
    above, pairs = 0.0, 0.0
    for fit, half in zip((1, 0), _halves(weeks), strict=True):
        inside = half[weeks.of_case]
        score = features[inside] @ (folds[fit].precision @ folds[fit].apart(late)[0])
        is_late = weeks.late_case[inside]
        n1, n0 = int(is_late.sum()), int((~is_late).sum())
        above += float(stats.rankdata(score)[is_late].sum()) - n1 * (n1 + 1) / 2
        pairs += n1 * n0
    return above / pairs if pairs else 0.5

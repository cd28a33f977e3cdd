"""The confidence from which on a model's answers may be taken, so that the promise about wrong ones holds.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei, 2021): each threshold is a hypothesis "more than the limit
are wrong above it", tested by an exact binomial tail, in one fixed order from the strictest on; the first that
cannot be rejected ends it. Taking the laxest threshold whose own sample looks good breaks the limit in 35 to 49% of
samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.moments import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# How many thresholds are tried, at equal steps of confidence from 1 down to 0. They are fixed before any data; with
# many the first accidental error of the strictest ends everything, with few the last step is coarse.
STEPS = 50


@dataclass(frozen=True, slots=True)
class Threshold:
    """A confidence from which on answers are taken, and the sample that it was chosen on.

    `accepted` of `seen` cases lie at or above it, `wrong` of these were wrong; `p_value` is that of "more than the
    limit is wrong there".
    """

    at: float
    seen: int
    accepted: int
    wrong: int
    p_value: float

    @property
    def share(self) -> float:
        """The share of all cases that it accepts."""
        return self.accepted / self.seen


def fewest_accepted(limit: float, delta: float) -> int:
    """Return the fewest cases from which, all of them right, the limit could be shown: ln(delta) / ln(1 - limit)."""
    require_share("limit", limit)
    require_share("delta", delta)
    return math.ceil(math.log(delta) / math.log1p(-limit))


def binomial_p_value(wrong: int, n: int, limit: float) -> float:
    """Return P(Bin(n, limit) <= wrong): exact, for "the share of wrong ones exceeds the limit"; 1 without cases."""
    require_share("limit", limit)
    if not 0 <= wrong <= n:
        msg = f"{wrong} wrong of {n} is no count"
        raise ValueError(msg)
    return float(special.bdtr(wrong, n, limit)) if n else 1.0


def chosen_threshold(
    confidence: ArrayLike, wrong: ArrayLike, limit: float, delta: float, steps: int = STEPS
) -> Threshold | None:
    """Return the laxest threshold above which at most `limit` is wrong, at 1 - delta over samples; None without one.

    `confidence` (0 to 1) and `wrong` (0 or 1) are one a case. The order is that of falling confidence, which no label
    enters; it begins with the strictest threshold that accepts at least `fewest_accepted` cases: before that nothing
    can pass, and the sequence would end there. Raises ValueError for lengths that differ, confidences outside 0 to 1
    and labels other than 0 and 1.
    """
    accepted, errors, at = _ladder(confidence, wrong, fewest_accepted(limit, delta), steps)
    chosen = None
    seen = len(finite(confidence))
    for n, k, value in zip(accepted, errors, at, strict=True):
        p_value = binomial_p_value(int(k), int(n), limit)
        if p_value > delta:
            break
        chosen = Threshold(float(value), seen, int(n), int(k), p_value)
    return chosen


def empirical_threshold(confidence: ArrayLike, wrong: ArrayLike, limit: float, steps: int = STEPS) -> float | None:
    """Return the laxest threshold whose own sample keeps the limit: what not to do, kept to show what it costs."""
    accepted, errors, at = _ladder(confidence, wrong, 1, steps)
    kept = np.flatnonzero(errors <= limit * accepted)
    return float(at[kept[-1]]) if len(kept) else None


def _ladder(
    confidence: ArrayLike, wrong: ArrayLike, fewest: int, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return for each threshold, strictest first, the cases that it accepts, the wrong ones, and its value."""
    scores, labels = finite(confidence), finite(wrong)
    if len(scores) != len(labels) or not np.isin(labels, (0.0, 1.0)).all():
        msg = "every case needs one confidence and one label, 0 or 1"
        raise ValueError(msg)
    if len(scores) and not 0 <= scores.min() <= scores.max() <= 1:
        msg = "a confidence lies between 0 and 1"
        raise ValueError(msg)
    order = np.argsort(-scores, kind="stable")
    grid = np.arange(steps - 1, -1, -1) / steps
    accepted = np.searchsorted(-scores[order], -grid, side="right")
    errors = np.concatenate([[0], np.cumsum(labels[order]).astype(np.int64)])[accepted]
    enough = accepted >= fewest
    return accepted[enough], errors[enough], grid[enough]


def require_share(name: str, value: float) -> None:
    """Raise ValueError unless a value lies strictly between 0 and 1."""
    if not 0 < value < 1:
        msg = f"{name} is a share strictly between 0 and 1, not {value}"
        raise ValueError(msg)

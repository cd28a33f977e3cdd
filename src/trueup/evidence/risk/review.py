"""Which share of what was done alone is reviewed blind, and what the reviews say of all of it.

The share comes from the promise to notice a rise in time: so many reviewed cases does the detector need, so many cases
are there until then. It begins with everything and tapers. Each review counts with the weight 1/q of its share q.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.evidence.risk.thresholds import require_share
from trueup.evidence.risk.watch import STAKES, Promise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Never less than this share is looked at, however large the volume.
LEAST_SHARE = 0.05
# A rise counts as noticed in time when nine of ten would be.
NOTICED = 0.9
# Nobody reviews more than this for one detection; the search ends there.
MOST_REVIEWS = 20_000
_PATHS = 400


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """How much is reviewed. `needed` reviewed cases notice the rise, `available` cases come in time for it.

    `needed` is None where no number that is tried would do. `share` is where the taper ends; 1 where even everything
    would be too little, and then `in_time` is false.
    """

    needed: int | None
    available: float
    share: float

    @property
    def in_time(self) -> bool:
        """Whether the rise can be noticed in time at this volume, label delay and share."""
        return self.needed is not None and self.needed <= self.available

    def share_at(self, n: int) -> float:
        """Return the share with which the n-th case since the promotion (from 1) is reviewed.

        Everything until as many were reviewed as a detection takes, then in proportion less, down to `share`.
        """
        first = self.needed or math.inf
        return 1.0 if n <= first else max(self.share, first / n)


def review_plan(
    promise: Promise, rise_to: float, per_week: float, weeks: float, delay_weeks: float = 0.0
) -> ReviewPlan:
    """Return the share to be reviewed so that a rise of the error to `rise_to` is noticed within `weeks`.

    `per_week` counts what is done alone; `delay_weeks` pass until the outcome of a review is known, and are lost.
    ValueError for a volume, time or delay that is negative or not finite.
    """
    if not all(math.isfinite(value) and value >= 0 for value in (per_week, weeks, delay_weeks)):
        msg = f"volume, time and delay are numbers, 0 or more, not {per_week}, {weeks} and {delay_weeks}"
        raise ValueError(msg)
    available = per_week * max(weeks - delay_weeks, 0.0)
    needed = reviews_to_notice(promise, rise_to)
    if needed is None or needed > available:
        return ReviewPlan(needed, available, 1.0)
    return ReviewPlan(needed, available, max(needed / available, LEAST_SHARE))


@lru_cache(maxsize=64)
def reviews_to_notice(promise: Promise, rise_to: float, noticed: float = NOTICED, seed: int = 0) -> int | None:
    """Return the reviewed cases within which the detector notices a rise in nine of ten cases; None if not in 20,000.

    By simulation of the detector itself on 400 paths with a fixed seed, from the hardest start there is: everything
    before the rise was right. ValueError unless `rise_to` is a share above the limit.
    """
    require_share("rise_to", rise_to)
    if rise_to <= promise.limit:
        msg = f"a rise to {rise_to} stays within the limit of {promise.limit}"
        raise ValueError(msg)
    random = np.random.default_rng(seed)
    up, down = (np.array(side) for side in zip(*promise.gains, strict=True))
    # The fixed point of R = (1 + R) (1 - stake).
    values = np.tile((1 - np.array(STAKES)) / np.array(STAKES), (_PATHS, 1))
    open_paths, allowed = _PATHS, int((1 - noticed) * _PATHS + 1e-9)
    for n in range(1, MOST_REVIEWS + 1):
        wrong = random.random(open_paths) < rise_to
        values = (1 + values) * np.where(wrong[:, None], up, down)
        values = values[values.mean(axis=1) < promise.run_length]
        open_paths = len(values)
        if open_paths <= allowed:
            return n
    return None


@dataclass(frozen=True, slots=True)
class Weighted:
    """The weighted estimate of the wrong share among everything done alone, reviewed or not, and what it remembers.

    X_i = L_i A_i / q_i, A_i whether case i was reviewed and q_i the share it was drawn with: unbiased for the mean of L
    (Horvitz and Thompson 1952) as long as the draw knows nothing of the outcome. `least` is the smallest q there is.
    """

    least: float
    n: int = 0
    reviewed: int = 0
    total: float = 0.0
    drift: float = 0.0
    bets: float = 0.0
    gained: float = 0.0
    penalty: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            msg = f"the smallest share is above 0 and at most 1, not {self.least}"
            raise ValueError(msg)

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Weighted:
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        try:
            return cls(**data)
        except TypeError as error:
            msg = f"this is no weighted estimate: {error}"
            raise ValueError(msg) from None

    @property
    def estimate(self) -> float | None:
        """The unbiased estimate; None without cases."""
        return self.total / self.n if self.n else None

    def at_most(self, sure: float) -> float:
        """Return an upper bound of the mean that holds at every look (empirical Bernstein), 1 where it says nothing.

        Waudby-Smith and Ramdas 2024, theorem 2, one-sided, on X least in [0, 1]; the bets are tuned for 95%. It allows
        for errors that come and go, which the Bernoulli sequence of the reviewed cases does not, and is far wider.
        """
        require_share("sure", sure)
        if self.n == 0:
            return 1.0
        half = (-math.log(1 - sure) + self.penalty) / self.bets
        return min((self.gained / self.bets + half) / self.least, 1.0)


def weighed(state: Weighted, share: float, *, wrong: bool | None) -> Weighted:
    """Take in one case done alone: drawn for review with `share`; `wrong` is None where it was not drawn.

    Raises ValueError for a share below the smallest one, or above 1.
    """
    if not state.least <= share <= 1:
        msg = f"a share lies between {state.least} and 1, not {share}"
        raise ValueError(msg)
    value = state.least / share if wrong else 0.0
    n = state.n + 1
    before = (0.5 + state.total * state.least) / n
    bet = min(math.sqrt(2 * math.log(40.0) / ((0.25 + state.drift) / n * n * math.log1p(n))), 0.5)
    total = state.total + value / state.least
    after = (0.5 + total * state.least) / (n + 1)
    return Weighted(
        state.least,
        n,
        state.reviewed + (wrong is not None),
        total,
        state.drift + (value - after) ** 2,
        state.bets + bet,
        state.gained + bet * value,
        state.penalty + (value - before) ** 2 * (-math.log1p(-bet) - bet),
    )


def weighed_all(least: float, cases: Iterable[tuple[float, bool | None]]) -> Weighted:
    """Return the estimate over a whole series of (share, wrong or None)."""
    state = Weighted(least)
    for share, wrong in cases:
        state = weighed(state, share, wrong=wrong)
    return state

"""Cases of an untouched log drawn into two arms by chance: whatever is claimed of the arms is a false claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studies.launches import GATES, LAST
from studies.logs import WEEK, Series
from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.evidence import gates
from trueup.evidence.moments import Interval, Moments, normal_quantile
from trueup.loop.pilots.comparisons import cap_of

ALPHA = 0.05
_NOTHING = np.array([], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Claimed:
    """In which direction something was claimed of one pilot: by a gate, and by the sequence at one of twelve looks."""

    gate_better: bool
    gate_worse: bool
    watch_better: bool
    watch_worse: bool


def claims_of(series: Series, at: datetime, holdouts: Sequence[float], draws: int, seed: int) -> list[list[Claimed]]:
    """Return, for every holdout, what was claimed in each of some draws of one launch.

    A case is held out where its number, drawn once a draw, lies below the holdout: as the router does it.
    """
    cases = series.cases
    begins = int(at.timestamp())
    inside = (cases.started >= begins) & (cases.started < begins + LAST * int(WEEK.total_seconds()))
    values, matured = cases.value[inside], cases.started[inside] + int(series.matures.total_seconds())
    numbers = np.random.default_rng([seed, begins]).random((draws, len(values)))
    return [[_claimed(series, values, matured - begins, row >= holdout) for row in numbers] for holdout in holdouts]


def _claimed(
    series: Series, values: NDArray[np.float64], matured: NDArray[np.int64], treated: NDArray[np.bool_]
) -> Claimed:
    week = int(WEEK.total_seconds())
    seen = np.searchsorted(matured, np.arange(1, LAST + 1) * week, side="right")
    looks = [compared(series, values[:n], treated[:n]) for n in seen]
    at_gates = [gate_interval(looks[number - 1]) for number in GATES]
    watched = [watched_interval(look) for look in looks]
    sign = series.kpi.sign

    def beyond(intervals: Sequence[Interval | None], side: int) -> bool:
        return any(one is not None and one.clears(0.0, side) for one in intervals)

    return Claimed(beyond(at_gates, sign), beyond(at_gates, -sign), beyond(watched, sign), beyond(watched, -sign))


def compared(series: Series, values: NDArray[np.float64], treated: NDArray[np.bool_]) -> Comparison:
    """Return the comparison of two arms as a pilot of this KPI has it: the arithmetic mean, the product's default."""
    share = bool(((values == 0) | (values == 1)).all()) and series.kpi.kind == "share"
    cap = cap_of(series.kpi, int(series.matures.total_seconds()))
    arms = (_sample(values[treated]), _sample(values[~treated]))
    return Comparison(
        series.name, series.kpi.shown_unit, share, Basis.CASES, frozen=False, treated=arms[0], control=arms[1], cap=cap
    )


def _sample(values: NDArray[np.float64]) -> Sample:
    return Sample(Moments.of(values), int(np.count_nonzero(values)), _NOTHING, values)


def gate_interval(look: Comparison) -> Interval | None:
    """Return the interval at one of three gates; None where it is too early, or a share's score holds nought.

    The interval of a share is that of its score, so that one score tells whether nought lies inside: it saves time.
    """
    if look.too_few() is not None:
        return None
    if look.share:
        score = gates.share_score(look.treated.events, look.treated.n, look.control.events, look.control.n, 0.0)
        if abs(score) <= normal_quantile(ALPHA / len(GATES) / 2):
            return None
    return look.at_gate(ALPHA / len(GATES))


def watched_interval(look: Comparison) -> Interval | None:
    """Return what people watch; None where an exact sequence cannot claim, which is quicker to see."""
    if look.share and _plainly_nothing(look):
        return None
    return look.watched(ALPHA)


def _plainly_nothing(look: Comparison) -> bool:
    """Tell that the exact sequence holds nought: a mixture of bets never beats the best shares in hindsight."""
    arms = (look.treated, look.control)
    if min(arm.n for arm in arms) == 0:
        return True
    pooled = sum(arm.events for arm in arms) / sum(arm.n for arm in arms)
    best = sum(
        arm.n * float(special.kl_div(arm.events / arm.n, pooled) + special.kl_div(1 - arm.events / arm.n, 1 - pooled))
        for arm in arms
    )
    return best <= -math.log(ALPHA)

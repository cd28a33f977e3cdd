"""Two watches over what acts alone: one that promises, one that is quick.

Both bet, case after case, that more than the limit is wrong. The e-process multiplies the bets since the promotion:
while the limit holds it reaches 1/alpha with probability at most alpha, ever; but what it lost in good times it must
win back first. The Shiryaev-Roberts detector takes in a new bet with every case and forgets the good times; it
controls how long it runs between false alarms. State in, outcome in, state out; a state is plain JSON.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from trueup.evidence.risk.thresholds import require_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Bets as shares of the most that can be bet (1/limit): from a slow creep to a collapse.
STAKES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
# Reviewed cases between two false alarms of the detector, at least, with the error exactly at the limit.
RUN_LENGTH = 5000.0
_HUGE = 1e300


@dataclass(frozen=True, slots=True)
class Promise:
    """What is watched: the limit, the alarm of the e-process (1/alpha) and that of the detector (its run length)."""

    limit: float
    alpha: float = 0.05
    run_length: float = RUN_LENGTH

    def __post_init__(self) -> None:
        require_share("limit", self.limit)
        require_share("alpha", self.alpha)
        if not self.run_length > 1:
            msg = f"a run length is a number of cases above 1, not {self.run_length}"
            raise ValueError(msg)

    @property
    def gains(self) -> tuple[tuple[float, float], ...]:
        """For each bet l the factors 1 + l (L - limit) of a wrong and of a right outcome."""
        return tuple((1 + stake / self.limit * (1 - self.limit), 1 - stake) for stake in STAKES)


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the watches remember. `basis` names what acted: model, prompt, tools, policy; another one starts afresh.

    `alarmed_at` and `detected_at` are the number of reviewed cases at the first alarm, None while there was none.
    """

    basis: str
    reviewed: int = 0
    wrong: int = 0
    detectors: tuple[float, ...] = (0.0,) * len(STAKES)
    alarmed_at: int | None = None
    detected_at: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON; `of_json` brings it back to the last digit."""
        return {**asdict(self), "detectors": list(self.detectors)}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> WatchState:
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        try:
            state = cls(**{**data, "detectors": tuple(float(value) for value in data["detectors"])})
            sound = 0 <= state.wrong <= state.reviewed and len(state.detectors) == len(STAKES)
        except (TypeError, KeyError) as error:
            msg = f"this is no state of a watch: {error}"
            raise ValueError(msg) from None
        if not sound:
            msg = "this is no state of a watch: its counts do not fit"
            raise ValueError(msg)
        return state

    @property
    def alarmed(self) -> bool:
        """Whether either watch has said that the limit is not kept."""
        return self.alarmed_at is not None or self.detected_at is not None


def watched(promise: Promise, state: WatchState, *, wrong: bool, basis: str | None = None) -> WatchState:
    """Take in the outcome of one blind review, in the order in which the reviews came back.

    A `basis` other than the state's restarts both watches: what was learnt of one model says nothing of the next.
    Outcomes may come late; what matters is that being late has nothing to do with being wrong.
    """
    if basis is not None and basis != state.basis:
        state = WatchState(basis)
    reviewed, errors = state.reviewed + 1, state.wrong + bool(wrong)
    detectors = tuple(
        min((1 + value) * (up if wrong else down), _HUGE)
        for value, (up, down) in zip(state.detectors, promise.gains, strict=True)
    )
    seen = replace(state, reviewed=reviewed, wrong=errors, detectors=detectors)
    if seen.alarmed_at is None and log_e_value(promise, errors, reviewed) >= -math.log(promise.alpha):
        seen = replace(seen, alarmed_at=reviewed)
    if seen.detected_at is None and detector_value(seen) >= promise.run_length:
        seen = replace(seen, detected_at=reviewed)
    return seen


def watched_all(promise: Promise, outcomes: Iterable[bool], basis: str = "") -> WatchState:
    """Return the state after a whole series of outcomes of one basis."""
    state = WatchState(basis)
    for wrong in outcomes:
        state = watched(promise, state, wrong=wrong)
    return state


def log_e_value(promise: Promise, wrong: int, reviewed: int) -> float:
    """Return ln E = ln mean_j prod_i (1 + l_j (L_i - limit)), which depends on the counts alone.

    E is at most 1 on average, and a supermartingale, while no outcome is wrong with more than the limit's probability
    given the past (Ville 1939; Ramdas, Grünwald, Vovk and Shafer 2023).
    """
    logs = [wrong * math.log(up) + (reviewed - wrong) * math.log(down) for up, down in promise.gains]
    most = max(logs)
    return most + math.log(sum(math.exp(value - most) for value in logs) / len(logs))


def detector_value(state: WatchState) -> float:
    """Return the mean over the bets of R_i = (1 + R_{i-1}) (1 + l_j (L_i - limit)).

    An e-detector (Shin, Ramdas and Rinaldo 2023): stopped at a value A, it runs at least A cases on average while the
    limit is kept.
    """
    return sum(state.detectors) / len(state.detectors)


def run_length_weeks(promise: Promise, reviewed_per_week: float) -> float | None:
    """Return the weeks between two false alarms of the detector, at least, with the error exactly at the limit."""
    return promise.run_length / reviewed_per_week if reviewed_per_week > 0 else None

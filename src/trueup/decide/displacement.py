"""A gain that comes back as a loss further down: what is left of it, where both can be counted in one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.bars import Contrast, Side
from trueup.decide.numbers import interval_json

if TYPE_CHECKING:
    from trueup.decide.level import Level
    from trueup.evidence.moments import Interval


@dataclass(frozen=True, slots=True)
class Downstream:
    """A KPI of what comes after, compared: treated less control, or after less before where no arm reaches it.

    `a_week` is what the difference of the estimate comes to in a week of cases, in the unit `counted_in`; None where it
    is no amount (a share). `interval` is None where nothing can be said, and `because` says why.
    """

    workflow: str
    kpi: str
    unit: str
    sign: int
    level: Level | None = None
    interval: Interval | None = None
    a_week: float | None = None
    counted_in: str | None = None
    because: str | None = None

    @property
    def state(self) -> str:
        """Worse or better, where the interval excludes nought; unchanged where it does not; unknown."""
        if self.interval is None:
            return "unknown"
        side = Contrast(1.0, 0.0, self.sign).side(self.interval)
        return {Side.GOOD: "better", Side.BAD: "worse", Side.ACROSS: "not told apart"}[side]

    @property
    def loss(self) -> float | None:
        """What a week loses by it, positive where it got worse; None where it is no amount."""
        return None if self.a_week is None else -self.sign * self.a_week


@dataclass(frozen=True, slots=True)
class Gain:
    """What the primary KPI gains in a week, and how much of it is worth having (None: any), in the same unit."""

    a_week: float
    worth: float | None
    counted_in: str | None


@dataclass(frozen=True, slots=True)
class Displaced:
    """A downstream KPI beside the gain: the part of the gain that it eats, and whether too little is left."""

    downstream: Downstream
    part: float | None
    eaten: bool

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        one = self.downstream
        nothing = {"estimate": None, "lower": None, "upper": None}
        return {
            "workflow": one.workflow,
            "kpi": one.kpi,
            "unit": one.unit,
            **(interval_json(one.interval) if one.interval is not None else nothing),
            "evidence_level": str(one.level) if one.level is not None else None,
            "state": one.state,
            "eats": self.part,
            "eaten": self.eaten,
            "because": one.because,
        }


def displaced(gain: Gain | None, downstream: Downstream) -> Displaced:
    """Return what a downstream KPI does to a gain.

    Eaten is a gain of which, less the loss, not even what is worth having is left; or where one of them is no amount,
    any gain beside a sure loss: nobody but a person can weigh them. Without a gain, or without a sure loss, nothing is.
    """
    loss = downstream.loss
    if gain is None or gain.a_week <= 0 or downstream.state != "worse":
        return Displaced(downstream, None, eaten=False)
    if loss is None or gain.counted_in is None or downstream.counted_in != gain.counted_in:
        return Displaced(downstream, None, eaten=True)
    left = gain.a_week - loss
    return Displaced(downstream, loss / gain.a_week, eaten=left < (gain.worth or 0.0))

"""`registrations/ID.yaml`: what was promised before the start; written by `baseline`, hashed into the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from trueup.declare.model.values import Day, Declared


class FrozenWeek(Declared):
    """One baseline week of a KPI: cases, their mean, and the mean of their logarithms where that is asked for.

    For a quantile `mean` is the quantile; `under` is what a ratio of sums is divided by.
    """

    week: Day
    n: int
    mean: float | None = None
    log_mean: float | None = None
    under: float | None = None


class FrozenLog(Declared):
    """A KPI on logarithms: ln(max(x, least)), for counts ln(1 + x); mean and variance over the baseline's cases."""

    scale: Literal["log", "log count"]
    least: float = 0.0
    mean: float
    variance: float


class FrozenKpi(Declared):
    """A KPI as it was defined and measured over the baseline window.

    `n` cases with a value, their `mean` and sample `variance` (n - 1), in the KPI's unit; `events` counts
    the cases of a share that had it. For a quantile `mean` is the quantile and `variance` that of a case's influence
    on it; for a ratio of sums `mean` is the ratio and `variance` that of the linearised values.
    """

    definition: dict[str, Any]
    definition_digest: str
    unit: str
    n: int
    mean: float | None = None
    variance: float | None = None
    events: int | None = None
    capped: int = 0
    log: FrozenLog | None = None
    weeks: tuple[FrozenWeek, ...] = ()


class FrozenSegment(Declared):
    """How many baseline cases fell into a segment: what a shift of the mix is measured against."""

    name: str
    value: str | None = None
    n: int


class FrozenGate(Declared):
    """A gate as it was promised."""

    scale: bool = False
    bar: str | None = None


class FrozenPower(Declared):
    """What a gate could see at the volume and spread of the baseline (80% power), in the KPI's unit."""

    gate: str
    kpi: str
    smallest: float | None = None
    unit: str
    worth_having: float | None = None
    decides: bool | None = None


class FrozenAdmission(Declared):
    """Whether weeks may be compared with weeks, decided before the launch.

    `margin`, `promised`, `floor` and `drift` are on `scale`, positive: what the change has to exceed at the last
    gate, what was promised, what untouched processes do anyway, and what this series did in three of four past
    windows at most. `pre_trend` is the slope a week of the difference between matched units.
    """

    rule: Literal["stable", "matched"]
    scale: Literal["plain", "log", "log count"]
    admitted: bool
    because: str
    margin: float | None = None
    promised: float | None = None
    floor: float | None = None
    drift: float | None = None
    pre_trend: float | None = None
    pre_trend_p: float | None = None
    ways_out: tuple[str, ...] = ()


class FrozenTrigger(Declared):
    """The weeks that gave rise to the pilot and left the baseline, both days inclusive."""

    start: Day
    end: Day
    what: str | None = None


class FrozenLaunch(Declared):
    """The day on which a unit is launched, in the order that was drawn."""

    unit: str
    on: Day


class Registration(Declared):
    """The promise: definitions, population, unit of inference, bars, gates, and the frozen baseline."""

    workflow: str
    registered: datetime
    late: bool = False
    by: str | None = None
    attested: bool = False
    baseline_from: Day
    baseline_to: Day
    starts: Day
    matures_after: str
    primary: str
    target: str | None = None
    worth_having: str | None = None
    guardrails: dict[str, str] = {}
    gates: dict[str, FrozenGate] = {}
    design: dict[str, Any] = {}
    adjust: dict[str, Any] | None = None
    population: dict[str, Any] = {}
    level: Literal["A", "A (attested)", "A-", "B", "C", "D", "E"]
    data_digest: str
    cases_a_week: float
    kpis: dict[str, FrozenKpi]
    mix: tuple[FrozenSegment, ...] = ()
    because_of: Literal["nothing"] | FrozenTrigger | None = None
    detectable: tuple[FrozenPower, ...] = ()
    admission: FrozenAdmission | None = None
    rollout: tuple[FrozenLaunch, ...] = ()
    order_seed: int | None = None
    negative_control: tuple[str, ...] | None = None
    downstream: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    replaces: str | None = None
    because: str | None = None

"""`registrations/ID.yaml`: what was promised before the start; written by `baseline`, hashed into the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from trueup.declare.model.values import Day, Declared


class FrozenWeek(Declared):
    """One baseline week of a KPI: cases, their mean and how many were capped."""

    week: Day
    n: int
    mean: float | None = None


class FrozenKpi(Declared):
    """A KPI as it was defined and measured over the baseline window.

    `n` cases with a value, their `mean` and sample `variance` (n - 1), in the KPI's unit; `events` counts
    the cases of a share that had it.
    """

    definition: dict[str, Any]
    definition_digest: str
    unit: str
    n: int
    mean: float | None = None
    variance: float | None = None
    events: int | None = None
    capped: int = 0
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
    population: dict[str, Any] = {}
    level: Literal["A", "A (attested)", "A-", "B", "C", "D", "E"]
    data_digest: str
    cases_a_week: float
    kpis: dict[str, FrozenKpi]
    mix: tuple[FrozenSegment, ...] = ()
    notes: tuple[str, ...] = ()
    replaces: str | None = None
    because: str | None = None

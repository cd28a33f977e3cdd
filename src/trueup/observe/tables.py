"""The two tables that leave the engine: weekly statistics, and the ordered case vector."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray


class Arm(StrEnum):
    """Which part of the comparison a case belongs to.

    Cases that started before the pilot are `baseline` (inside the registered window) or `before`;
    pilot cases are `treated`, `control`, `unassigned` (no or an unknown arm) or `both` (found in two arms).
    Without a pilot every case is `all`.
    """

    TREATED = "treated"
    CONTROL = "control"
    BASELINE = "baseline"
    BEFORE = "before"
    ALL = "all"
    UNASSIGNED = "unassigned"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class WeekStatistic:
    """Sufficient statistics of a KPI for one (week of case start, arm, segment).

    Over the `n` mature cases with a value: `total` and `total_squares` of the value (shares: 0 or 1), `events`
    the number of non-zero values, `capped` durations cut at the window. `without_value` mature cases have none;
    `immature` cases are not yet old enough and are in no other figure.
    """

    kpi: str
    week: date
    arm: str
    segment: str | None
    n: int
    total: float
    total_squares: float
    events: int
    capped: int
    without_value: int
    immature: int


@dataclass(frozen=True, slots=True)
class WeekHistogram:
    """Mature cases of one (week of case start, arm) counted in fixed buckets.

    `edges` are the lower ends of the buckets in the KPI's unit, `counts` the cases from each to the next; the last
    bucket is open upwards.
    """

    kpi: str
    week: date
    arm: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "kpi": self.kpi,
            "week": self.week.isoformat(),
            "arm": str(self.arm),
            "edges": list(self.edges),
            "counts": list(self.counts),
        }


@dataclass(frozen=True, slots=True)
class WeekQuantile:
    """The declared quantile of the mature cases of one (week, arm, segment), in the KPI's unit, with its 95% interval.

    `value` is NaN, and an end infinite, where it lies among the cases that were cut at the window.
    """

    kpi: str
    week: date
    arm: str
    segment: str | None
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class CaseVector:
    """The mature cases of one KPI, ordered by (matured at, SHA-256 of the case id).

    Arrays of one length: `case` ids, `started` and `matured` in epoch seconds, `arm` (values of Arm), `unit`
    (what was assigned; the case id where cases are), `value` in the KPI's unit (never NaN), `capped`.
    `without_value` counts mature cases left out because the KPI has no value for them, by arm. `under` is what a ratio
    of sums divides the sum of values by. `covariates` (cases, fields; NaN: none) and `stratum` are what the first event
    of a case says; None where none is declared, or the log lacks one.
    """

    kpi: str
    case: NDArray[np.object_]
    started: NDArray[np.int64]
    matured: NDArray[np.int64]
    arm: NDArray[np.object_]
    unit: NDArray[np.object_]
    value: NDArray[np.float64]
    capped: NDArray[np.bool_]
    without_value: dict[str, int]
    under: NDArray[np.float64] | None = None
    covariates: NDArray[np.float64] | None = None
    stratum: NDArray[np.object_] | None = None

    def of(self, *arms: str) -> CaseVector:
        """Return the cases of the arms named, order kept."""
        chosen = np.isin(self.arm, list(arms))
        return self.where(chosen)

    def where(self, chosen: NDArray[np.bool_]) -> CaseVector:
        """Return the chosen cases, order kept."""
        return CaseVector(
            self.kpi,
            self.case[chosen],
            self.started[chosen],
            self.matured[chosen],
            self.arm[chosen],
            self.unit[chosen],
            self.value[chosen],
            self.capped[chosen],
            self.without_value,
            None if self.under is None else self.under[chosen],
            None if self.covariates is None else self.covariates[chosen],
            None if self.stratum is None else self.stratum[chosen],
        )

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Population:
    """The cases of a workflow in a window of case starts, without any KPI.

    `by_arm` counts mature cases, `immature` those too young at the as-of. `both` and `unassigned` name
    (up to 20 each of) the pilot cases that make arms unusable, `late` those whose arm a column first shows after their
    first event. `weeks` counts all cases (mature or not) by
    Monday of their start; `mix` counts them by (segment name, value), and by activity under the name "activity".
    """

    by_arm: dict[str, int]
    immature: dict[str, int]
    both: tuple[str, ...]
    unassigned: tuple[str, ...]
    late: tuple[str, ...]
    weeks: dict[date, int]
    mix: dict[tuple[str, str | None], int]


@dataclass(frozen=True, slots=True)
class TracedCase:
    """One case opened: its arm, its value and the events that the KPI saw."""

    case: str
    arm: str
    value: float | None
    capped: bool
    events: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A declared segment: its name, and the columns of its value and of the time from which it is known."""

    name: str
    value: str
    seen: str


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What is declared as known of a case before it was assigned; None where the log lacks a field of it."""

    covariates: tuple[Segment, ...] | None = None
    strata: tuple[Segment, ...] | None = None


NOTHING_BEFOREHAND = Beforehand()

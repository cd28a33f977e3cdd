"""A KPI: what is computed from the events of a case, and what change of it would matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from trueup.declare.model.values import BarValue, Declared, PeriodValue, Texts
from trueup.declare.model.working_time import DAY, WorkingTime

# What one unit of a duration is, in seconds; the closed list of units that a duration may carry.
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}


class KpiKind(StrEnum):
    """The five kinds of value that a KPI has. Waiting and service times are durations."""

    DURATION = "duration"
    SHARE = "share"
    COUNT = "count"
    RATIO = "ratio"
    THROUGHPUT = "throughput"


@dataclass(frozen=True, slots=True)
class EventRef:
    """One event of a case: the first or the last whose activity matches the pattern."""

    which: Literal["first", "last"]
    pattern: str

    def __str__(self) -> str:
        return f"{self.which} {self.pattern}"


def _event(value: Any) -> EventRef:
    if isinstance(value, EventRef):
        return value
    if not isinstance(value, str) or not value.strip():
        msg = "expected an event, such as: first Submitted*"
        raise ValueError(msg)
    word, _, rest = value.strip().partition(" ")
    if word == "first" and rest.strip():
        return EventRef("first", rest.strip())
    if word == "last" and rest.strip():
        return EventRef("last", rest.strip())
    return EventRef("first", value.strip())


EventValue = Annotated[
    EventRef,
    BeforeValidator(_event),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "description": "first or last, then an activity (* is the only wildcard)"}),
]


# Every key that a KPI may have one of.
SHAPES = ("duration", "waiting", "service", "share", "count", "ratio", "throughput")


class Duration(Declared):
    """Time from one event to another, within the follow-up window; with a `calendar`, the business time of it."""

    start: EventValue = Field(alias="from")
    to: EventValue
    calendar: WorkingTime | None = None


class Waiting(Declared):
    """Time that a case waited before a step, every time: since something last happened in it, or a step ended."""

    before: Texts


class Service(Declared):
    """Time between the start and the completion of a step, where the log tells them apart; all times beyond some."""

    of: Texts
    beyond: int = Field(default=0, ge=0)


class Share(Declared):
    """Share of cases with (or without) an event that matches, or that get from one event to another in time."""

    having: Texts | None = Field(default=None, alias="with")
    without: Texts | None = None
    within: PeriodValue | None = None
    start: EventValue | None = Field(default=None, alias="from")
    to: EventValue | None = None
    calendar: WorkingTime | None = None
    among: Literal["treated"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Share:
        if sum(part is not None for part in (self.having, self.without, self.within)) != 1:
            msg = "a share counts cases `with` or `without` an activity, or `within` a time: give exactly one of them"
            raise ValueError(msg)
        if (self.within is None) != (self.start is None) or (self.within is None) != (self.to is None):
            msg = "a share `within` a time needs `from` and `to`, and only it has them"
            raise ValueError(msg)
        if self.calendar is not None and self.within is None:
            msg = "a `calendar` belongs to a share `within` a time"
            raise ValueError(msg)
        return self

    @property
    def within_seconds(self) -> int:
        """The time allowed; whole days of a calendar are working days."""
        if self.within is None:
            return 0
        if self.calendar is None or self.within.seconds % DAY:
            return self.within.seconds
        return self.within.seconds // DAY * self.calendar.day_seconds


class Count(Declared):
    """How often an activity happens in a case, beyond a number of times."""

    of: Texts
    beyond: int = Field(default=0, ge=0)


class Ratio(Declared):
    """A sum over a count. `of`: effort, cost (both from actuals) or a numeric field; `per`: case, completed."""

    of: str
    per: str = "case"


class Throughput(Declared):
    """Cases a week in which an activity happened; without `of`, completed cases."""

    of: Texts | None = None


class Kpi(Declared):
    """A declared measure. Exactly one of the shapes."""

    duration: Duration | None = None
    waiting: Waiting | None = None
    service: Service | None = None
    share: Share | None = None
    count: Count | None = None
    ratio: Ratio | None = None
    throughput: Throughput | None = None
    unit: str | None = None
    better: Literal["lower", "higher"] | None = None
    scale: Literal["log"] | None = None
    target: BarValue | None = None
    worth_having: BarValue | None = None
    about: str | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Kpi:
        shapes = [shape for shape in SHAPES if getattr(self, shape) is not None]
        if len(shapes) != 1:
            found = ", ".join(shapes) or "none"
            msg = f"a KPI is exactly one of {', '.join(SHAPES)}; found {found}"
            raise ValueError(msg)
        field = self.ratio is not None and self.ratio.of not in {"effort", "cost"}
        if self.scale == "log" and not (self.kind is KpiKind.DURATION or field):
            msg = "`scale: log` is for durations and for ratios of a field: one positive value a case"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> KpiKind:
        """What kind of value this KPI has."""
        if self.waiting is not None or self.service is not None:
            return KpiKind.DURATION
        return next(kind for kind in KpiKind if getattr(self, kind.value) is not None)

    @property
    def calendar(self) -> WorkingTime | None:
        """The business time that it counts in; None for all the time there is."""
        timed = self.duration or self.share
        return timed.calendar if timed is not None else None

    @property
    def unit_seconds(self) -> int:
        """What a duration is divided by; a day of a calendar is a working day. KeyError for what is no unit."""
        if self.calendar is not None and self.shown_unit == "days":
            return self.calendar.day_seconds
        return UNIT_SECONDS[self.shown_unit]

    def longest(self, window: int) -> float:
        """Return the longest value of a duration, in its unit, within so many seconds. Raises as `unit_seconds`."""
        if self.calendar is not None and self.shown_unit == "days":
            return math.ceil(window / DAY)
        return window / self.unit_seconds

    @property
    def sign(self) -> int:
        """+1 where higher is better, -1 where lower is."""
        return 1 if self.better == "higher" else -1

    @property
    def shown_unit(self) -> str:
        """The unit that readings carry: the declared one, else `share`, `per case`, `per week` or `days`."""
        defaults = {
            KpiKind.DURATION: "days",
            KpiKind.SHARE: "share",
            KpiKind.COUNT: "per case",
            KpiKind.RATIO: "per case",
            KpiKind.THROUGHPUT: "per week",
        }
        return self.unit or defaults[self.kind]

    def definition(self) -> dict[str, object]:
        """Return what the KPI computes, without bars: the part whose change breaks a series."""
        return self.model_dump(
            mode="json",
            by_alias=True,
            exclude_none=True,
            include={*SHAPES, "unit", "better", "scale"},
        )

"""A KPI: what is computed from the events of a case, and what change of it would matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from trueup.declare.model.values import BarValue, Declared, Fraction, PeriodValue, Texts
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
    """Time that a case waited before a step, every time: since something last happened in it, or a step ended.

    With a `calendar`, the business time of it.
    """

    before: Texts
    calendar: WorkingTime | None = None


class Service(Declared):
    """Time between the start and the completion of a step, where the log tells them apart; all times beyond some.

    With a `calendar`, the business time of it.
    """

    of: Texts
    beyond: int = Field(default=0, ge=0)
    calendar: WorkingTime | None = None


class Share(Declared):
    """Share of cases with (or without) an event that matches, or that get from one event to another in time.

    `agree` names two fields, and counts the cases in which their last values are equal: an answer and its reviewed
    label.
    """

    having: Texts | None = Field(default=None, alias="with")
    without: Texts | None = None
    agree: Texts | None = None
    within: PeriodValue | None = None
    start: EventValue | None = Field(default=None, alias="from")
    to: EventValue | None = None
    calendar: WorkingTime | None = None
    among: Literal["treated"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Share:
        if sum(part is not None for part in (self.having, self.without, self.within, self.agree)) != 1:
            msg = (
                "a share counts cases `with` or `without` an activity, `within` a time, or in which two fields "
                "`agree`: give exactly one of them"
            )
            raise ValueError(msg)
        if self.agree is not None and len(set(self.agree)) != 2:
            msg = "`agree` names two fields: an answer and its label"
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


# What a ratio sums that lies in no field of the log: records of hours and money, known by week.
FROM_ACTUALS = ("effort", "cost")
PRICED = "priced"
_COUNTED = ("case", "completed")


def _price(value: float) -> float:
    if not (value == 0 or _LEAST_PRICE <= abs(value) <= 1 / _LEAST_PRICE):
        msg = "a price lies between a millionth of a millionth and a million million"
        raise ValueError(msg)
    return value


_LEAST_PRICE = 1e-12
Price = Annotated[float, AfterValidator(_price)]


class Ratio(Declared):
    """A sum over a count, or over another sum.

    `of`: effort, cost (both from actuals), a numeric field, or `priced`: the fields under `prices`, each times its
    price. `per`: case, completed, or a numeric field. `prices` beside `cost` are of an hour of each kind of effort.
    `of_all`: the sum is over all cases, also those that were not completed.
    """

    of: str
    per: str = "case"
    prices: dict[str, Price] | None = None
    of_all: bool | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Ratio:
        if (self.of == PRICED) != (self.prices is not None) and self.of != "cost":
            msg = "`of: priced` needs `prices`, and beside it only `of: cost` has them"
            raise ValueError(msg)
        if self.prices is not None and not self.prices:
            msg = "`prices` names what is priced: give at least one"
            raise ValueError(msg)
        if self.of in FROM_ACTUALS and self.per not in _COUNTED:
            msg = f"recorded {self.of} is known by week: it is divided `per: case` or `per: completed`"
            raise ValueError(msg)
        if self.of_all and (self.per != "completed" or self.of in FROM_ACTUALS):
            msg = "`of_all` is for fields `per: completed`: without it, what the other cases cost is left out"
            raise ValueError(msg)
        return self

    @property
    def paired(self) -> bool:
        """True where a case has two values, what is summed and what it is divided by: a ratio of sums."""
        return self.per not in _COUNTED or bool(self.of_all)

    @property
    def fields(self) -> tuple[str, ...]:
        """The numeric fields of the log that are summed."""
        if self.of in FROM_ACTUALS:
            return ()
        return tuple(self.prices or ()) if self.of == PRICED else (self.of,)


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
    quantile: Fraction | None = None
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
        field = self.ratio is not None and bool(self.ratio.fields) and not self.ratio.paired
        if self.scale == "log" and not (self.kind is KpiKind.DURATION or field):
            msg = "`scale: log` is for durations and for ratios of a field: one positive value a case"
            raise ValueError(msg)
        if self.quantile is not None and (self.kind is not KpiKind.DURATION or self.scale is not None):
            msg = "a `quantile` is of durations, which have one value a case; and it is the same on every scale"
            raise ValueError(msg)
        if self.quantile is not None and not 0 < self.quantile < 1:
            msg = "a `quantile` lies between 0% and 100%, such as 90%"
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
        timed = self.duration or self.share or self.waiting or self.service
        return timed.calendar if timed is not None else None

    @property
    def paired(self) -> bool:
        """True where a case has two values: see `Ratio.paired`."""
        return self.ratio is not None and self.ratio.paired

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
            include={*SHAPES, "unit", "better", "scale", "quantile"},
        )

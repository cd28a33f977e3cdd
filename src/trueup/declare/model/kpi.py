"""A KPI: what is computed from the events of a case, and what change of it would matter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from trueup.declare.model.values import BarValue, Declared, Texts

# What one unit of a duration is, in seconds; the closed list of units that a duration may carry.
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}


class KpiKind(StrEnum):
    """The five shapes of the KPI grammar."""

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


class Duration(Declared):
    """Time from one event to another, within the follow-up window."""

    start: EventValue = Field(alias="from")
    to: EventValue


class Share(Declared):
    """Share of cases with (or without) an event that matches one of the patterns."""

    having: Texts | None = Field(default=None, alias="with")
    without: Texts | None = None
    among: Literal["treated"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Share:
        if (self.having is None) == (self.without is None):
            msg = "a share counts cases either `with` or `without` an activity: give exactly one of them"
            raise ValueError(msg)
        return self


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
    """A declared measure. Exactly one of the five shapes."""

    duration: Duration | None = None
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
        shapes = [kind.value for kind in KpiKind if getattr(self, kind.value) is not None]
        if len(shapes) != 1:
            found = ", ".join(shapes) or "none"
            msg = f"a KPI is exactly one of duration, share, count, ratio, throughput; found {found}"
            raise ValueError(msg)
        field = self.ratio is not None and self.ratio.of not in {"effort", "cost"}
        if self.scale == "log" and not (self.duration or field):
            msg = "`scale: log` is for durations and for ratios of a field: one positive value a case"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> KpiKind:
        """Which of the five shapes this KPI has."""
        return next(kind for kind in KpiKind if getattr(self, kind.value) is not None)

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
            include={"duration", "share", "count", "ratio", "throughput", "unit", "better", "scale"},
        )

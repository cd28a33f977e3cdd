"""How single values are written in declared files, as types that pydantic checks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from trueup.kernel.quantities import (
    Bar,
    Period,
    Range,
    parse_factor,
    parse_fraction,
    parse_person_days,
)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BOUND = re.compile(r"(-?\d+(?:\.\d+)?)\s*(%|[a-z]+)?")


class Declared(BaseModel):
    """Base of everything that stands in a file: unknown keys are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound of an assumption: a number and, where one was written, its unit (`120h`)."""

    value: float
    unit: str
    text: str


def _text(value: Any, meaning: str) -> str:
    if not isinstance(value, str):
        msg = f"expected {meaning}, written as text"
        raise ValueError(msg)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"expected a number, found {value!r}"
        raise ValueError(msg)
    return float(value)


def _period(value: Any) -> Period:
    return value if isinstance(value, Period) else Period.parse(_text(value, "a length of time (4h, 21d, 8w)"))


def _bar(value: Any) -> Bar:
    if isinstance(value, Bar):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        msg = "expected a bar: -10%, +3pp or a level such as 60%"
        raise ValueError(msg)
    return Bar.parse(value)


def _distance(value: Any) -> Bar:
    """Read how far two shares may lie apart: a distance has no sign."""
    if isinstance(value, str) and value.strip()[:1].isdigit() and value.strip().endswith("pp"):
        return replace(Bar.parse(f"+{value.strip()}"), text=value.strip())
    if isinstance(value, Bar):
        return value
    msg = "expected a distance in percentage points, such as 5pp"
    raise ValueError(msg)


def _range(value: Any) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, list):
        if len(value) != 3:
            msg = f"a range has three numbers, [p10, p50, p90]; this one has {len(value)}"
            raise ValueError(msg)
        return Range.of(*(_number(item) for item in value))
    return Range.exactly(_number(value))


def _effort(value: Any) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, list):
        return _range([parse_person_days(_text(item, "person-days (45pd)")) for item in value])
    return Range.exactly(parse_person_days(_text(value, "person-days (45pd)")))


def _person_days(value: Any) -> float:
    return value if isinstance(value, float) else parse_person_days(_text(value, "person-days (45pd)"))


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        msg = "expected a share such as 95%"
        raise ValueError(msg)
    return parse_fraction(value)


def _sureness(value: Any) -> float | str:
    if value == "learned":
        return "learned"
    try:
        return _fraction(value)
    except ValueError:
        msg = "expected a confidence such as 90%, or `learned`"
        raise ValueError(msg) from None


def _bound(value: Any) -> Bound:
    if isinstance(value, Bound):
        return value
    if isinstance(value, str):
        match = _BOUND.fullmatch(value.strip())
        if match is None:
            msg = f"{value!r} is not a bound; write 0.90, 90% or 120h"
            raise ValueError(msg)
        unit = match[2] or ""
        number = float(match[1])
        return Bound(number / 100, "", value) if unit == "%" else Bound(number, unit, value)
    return Bound(_number(value), "", str(value))


def _factor(value: Any) -> float:
    return value if isinstance(value, float) else parse_factor(_text(value, "a factor (x0.5)"))


def _list(value: Any) -> Any:
    # A tuple, because files are read strictly: pydantic then takes no list for a tuple after a validator.
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _day(value: Any) -> Any:
    """Refuse what pydantic would take for a date besides `2018-01-31`: seconds since 1970, instants."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        msg = "expected a date such as 2018-01-31"
        raise ValueError(msg)
    try:
        return date.fromisoformat(value)
    except ValueError:
        msg = f"{value} is not a day of the calendar"
        raise ValueError(msg) from None


_NUMBER = {"type": "number"}
_PD = {"type": "string", "pattern": r"^\d+(\.\d+)?pd$"}
_DUMP = PlainSerializer(str, return_type=str)

PeriodValue = Annotated[
    Period, BeforeValidator(_period), _DUMP, WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*[hdwmy]$"})
]
BarValue = Annotated[Bar, BeforeValidator(_bar), _DUMP, WithJsonSchema({"type": ["string", "number"]})]
DistanceValue = Annotated[
    Bar, BeforeValidator(_distance), _DUMP, WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*pp$"})
]
RangeValue = Annotated[
    Range,
    BeforeValidator(_range),
    WithJsonSchema({"anyOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}]}),
]
EffortValue = Annotated[
    Range,
    BeforeValidator(_effort),
    WithJsonSchema({"anyOf": [_PD, {"type": "array", "items": _PD, "minItems": 3, "maxItems": 3}]}),
]
PersonDays = Annotated[float, BeforeValidator(_person_days), WithJsonSchema(_PD)]
Fraction = Annotated[float, BeforeValidator(_fraction), WithJsonSchema({"type": ["string", "number"]})]
# A confidence from which on an answer counts; `learned`: the one that was chosen on reviewed outcomes.
Sureness = Annotated[float | str, BeforeValidator(_sureness), WithJsonSchema({"type": ["string", "number"]})]
BoundValue = Annotated[Bound, BeforeValidator(_bound), WithJsonSchema({"type": ["string", "number"]})]
Factor = Annotated[float, BeforeValidator(_factor), WithJsonSchema({"type": "string", "pattern": r"^x\s*\d"})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
# One text, or a list of them.
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]

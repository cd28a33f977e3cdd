"""How single values are written in declared files, as types that pydantic checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

_BOUND = re.compile(r"(-?\d+(?:\.\d+)?)\s*(%|[a-z]+)?")


class Declared(BaseModel):
    """Base of everything that stands in a file: unknown keys are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
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
        raise ValueError(msg)  # noqa: TRY004 -- pydantic turns ValueError into a located finding
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


def _range(value: Any) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, list):
        if len(value) != 3:  # noqa: PLR2004 -- p10, p50, p90
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
    return [value] if isinstance(value, str) else value


_NUMBER = {"type": "number"}
_PD = {"type": "string", "pattern": r"^\d+(\.\d+)?pd$"}
_DUMP = PlainSerializer(str, return_type=str)

PeriodValue = Annotated[
    Period, BeforeValidator(_period), _DUMP, WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*[hdwmy]$"})
]
BarValue = Annotated[Bar, BeforeValidator(_bar), _DUMP, WithJsonSchema({"type": ["string", "number"]})]
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
BoundValue = Annotated[Bound, BeforeValidator(_bound), WithJsonSchema({"type": ["string", "number"]})]
Factor = Annotated[float, BeforeValidator(_factor), WithJsonSchema({"type": "string", "pattern": r"^x\s*\d"})]
Texts = Annotated[tuple[str, ...], BeforeValidator(_list)]

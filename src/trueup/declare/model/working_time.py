"""When work is done: the days and hours that business time counts, without the public holidays of a country."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from trueup.declare.model.values import Declared

DAY = 86_400
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week, 0 for Monday, with the text that they were declared as."""

    days: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Hours:
    """The part of a day in which work is done: seconds from midnight UTC, `closes` not included."""

    opens: int
    closes: int
    text: str

    def __str__(self) -> str:
        return self.text


def _weekdays(value: Any) -> Weekdays:
    if isinstance(value, Weekdays):
        return value
    text = ", ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
    if not isinstance(text, str):
        msg = "expected days of the week, such as mon-fri"
        raise ValueError(msg)
    found: set[int] = set()
    for part in text.casefold().split(","):
        first, _, last = part.strip().partition("-")
        if first.strip() not in _NAMES or (last or first).strip() not in _NAMES:
            msg = f"{part.strip()!r} is no day of the week; write mon-fri, or mon, wed, fri"
            raise ValueError(msg)
        start, end = _NAMES.index(first.strip()), _NAMES.index((last or first).strip())
        found.update((start + day) % 7 for day in range((end - start) % 7 + 1))
    return Weekdays(tuple(sorted(found)), text)


def _hours(value: Any) -> Hours:
    if isinstance(value, Hours):
        return value
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        msg = "expected hours of the day in UTC, written as text, such as '09:00-17:30'"
        raise ValueError(msg)
    opens = int(match[1]) * 3600 + int(match[2]) * 60
    closes = DAY if match[3] is None else int(match[3]) * 3600 + int(match[4]) * 60
    if closes <= opens:
        msg = f"{value!r} ends before it begins; hours lie within one day in UTC"
        raise ValueError(msg)
    return Hours(opens, closes, str(value))


WeekdaysValue = Annotated[
    Weekdays,
    BeforeValidator(_weekdays),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "description": "mon-fri, or a list"}),
]
HoursValue = Annotated[
    Hours,
    BeforeValidator(_hours),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "description": "hours of the day in UTC, such as 09:00-17:30"}),
]


class WorkingTime(Declared):
    """Business time: hours in UTC (no daylight saving) on days of the week that are no public holiday of a country.

    `region` is a subdivision of the country (ENG, BY). Without `country` no day is a holiday.
    """

    country: str | None = None
    region: str | None = None
    days: WeekdaysValue = Weekdays((0, 1, 2, 3, 4), "mon-fri")
    hours: HoursValue = Hours(9 * 3600, 17 * 3600 + 1800, "09:00-17:30")

    @model_validator(mode="after")
    def _region_of_a_country(self) -> WorkingTime:
        if self.region is not None and self.country is None:
            msg = "a `region` is part of a `country`: give both"
            raise ValueError(msg)
        return self

    @property
    def day_seconds(self) -> int:
        """The length of one working day, in seconds."""
        return self.hours.closes - self.hours.opens

"""The quantities that declared files are written in: ranges, time spans, person-days, bars.

Each has one text form, read by `parse` and written back by `str`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([hdwmy])")
_PERSON_DAYS = re.compile(r"(\d+(?:\.\d+)?)\s*pd")
_BAR = re.compile(r"([+-]?)(\d+(?:\.\d+)?)\s*(%|pp)?")
_FACTOR = re.compile(r"x\s*(\d+(?:\.\d+)?)")
_UNIT_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
# A century is beyond any programme; the limit keeps date arithmetic inside its range.
_LONGEST_DAYS = 36_500.0


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, in days, with the text that it was declared as (`4h`, `21d`, `8w`, `3y`)."""

    days: float
    text: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `4h`, `21d`, `8w`, `6m` (30 days each) or `3y` (365 days each); ValueError for anything else."""
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            msg = f"{text!r} is not a length of time; write it as 4h, 21d, 8w or 3y"
            raise ValueError(msg)
        days = float(match[1]) * _UNIT_DAYS[match[2]]
        if days > _LONGEST_DAYS:
            msg = f"{text!r} is longer than a century"
            raise ValueError(msg)
        return cls(days, text.strip())

    def delta(self) -> timedelta:
        """Return the same length as a timedelta."""
        return timedelta(days=self.days)

    @property
    def seconds(self) -> int:
        """The length in whole seconds."""
        return round(self.days * 86_400)

    @property
    def years(self) -> float:
        """The length in years of 365 days."""
        return self.days / _UNIT_DAYS["y"]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Range:
    """What is believed of an uncertain quantity: its 10th, 50th and 90th percentile.

    `point` is True where a single number was declared.
    """

    p10: float
    p50: float
    p90: float
    point: bool = False

    @classmethod
    def of(cls, low: float, middle: float, high: float) -> Range:
        """Build a range; ValueError when it is unordered, not finite or fits no distribution."""
        if not all(math.isfinite(value) for value in (low, middle, high)):
            msg = "a range needs three finite numbers"
            raise ValueError(msg)
        if not low <= middle <= high:
            msg = f"a range is written [p10, p50, p90], lowest first; this is [{low:g}, {middle:g}, {high:g}]"
            raise ValueError(msg)
        if low < high and not _fits(low, middle, high):
            msg = f"no distribution has these percentiles: {middle:g} lies too near an end of [{low:g}, {high:g}]"
            raise ValueError(msg)
        return cls(low, middle, high)

    @classmethod
    def exactly(cls, value: float) -> Range:
        """Build the range of a single declared number."""
        return cls(value, value, value, point=True)


def _fits(low: float, middle: float, high: float) -> bool:
    """Tell whether a three-term metalog through the percentiles is a distribution (Keelin 2016, section 4.1).

    Feasible iff the middle lies strictly inside [low, high] and its relative position r satisfies
    k < r < 1 - k with k = (1 - 1.66711 (1/2 - 1/10)) / 2.
    """
    k = 0.5 * (1 - 1.66711 * (0.5 - 0.1))
    return k < (middle - low) / (high - low) < 1 - k


class BarKind(StrEnum):
    """How a bar or target is meant: relative change, absolute change of a share, or a level."""

    RELATIVE = "relative"
    POINTS = "points"
    ABSOLUTE = "absolute"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Bar:
    """A threshold for a KPI. `value` is a fraction for `%` and `pp` (-10% is -0.1, +3pp is 0.03).

    A sign makes it a change against control; without one it is a level.
    """

    kind: BarKind
    value: float
    text: str

    @classmethod
    def parse(cls, text: str | float) -> Bar:
        """Read `-10%` (relative), `+3pp` (absolute change of a share), `-0.5` (absolute change), `60%` or `5` (level).

        ValueError for anything else.
        """
        written = f"{text:+g}" if isinstance(text, int | float) and text < 0 else str(text).strip()
        match = _BAR.fullmatch(written)
        if match is None:
            msg = f"{text!r} is not a bar; write -10% (relative), +3pp (percentage points) or 60% (a level)"
            raise ValueError(msg)
        sign, number, unit = match.groups()
        value = float(number) * (-1 if sign == "-" else 1)
        if unit is not None:
            value /= 100
        if not sign:
            if unit == "pp":
                msg = f"{text!r} needs a sign: percentage points are a change"
                raise ValueError(msg)
            return cls(BarKind.LEVEL, value, written)
        kind = {"%": BarKind.RELATIVE, "pp": BarKind.POINTS, None: BarKind.ABSOLUTE}[unit]
        return cls(kind, value, written)

    def __str__(self) -> str:
        return self.text


def parse_person_days(text: str) -> float:
    """Read `45pd` as 45.0 person-days; ValueError for anything else."""
    match = _PERSON_DAYS.fullmatch(text.strip())
    if match is None:
        msg = f"{text!r} is not an effort; write it in person-days, as 45pd"
        raise ValueError(msg)
    return float(match[1])


def parse_fraction(text: str | float) -> float:
    """Read `95%` or `0.95` as 0.95; ValueError outside [0, 1]."""
    written = str(text).strip()
    try:
        value = float(written[:-1]) / 100 if written.endswith("%") else float(written)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        msg = f"{text!r} is not a share between 0% and 100%"
        raise ValueError(msg)
    return value


def parse_factor(text: str) -> float:
    """Read `x0.5` as 0.5; ValueError for anything else."""
    match = _FACTOR.fullmatch(text.strip())
    if match is None:
        msg = f"{text!r} is not a factor; write it as x0.5"
        raise ValueError(msg)
    return float(match[1])

"""A picture: a list of marks in pixels, made with two scales. Nothing here knows what is shown; a template draws it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a picture, and the margins that words stand in."""

    width: int
    height: int
    left: int = 64
    right: int = 96
    top: int = 24
    bottom: int = 32

    @property
    def x0(self) -> int:
        """The left edge of what is drawn."""
        return self.left

    @property
    def x1(self) -> int:
        """The right edge of what is drawn."""
        return self.width - self.right

    @property
    def y0(self) -> int:
        """The lower edge of what is drawn."""
        return self.height - self.bottom

    @property
    def y1(self) -> int:
        """The upper edge of what is drawn."""
        return self.top


@dataclass(frozen=True, slots=True)
class Scale:
    """From values in [low, high] to pixels; outside they are cut to the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Return at most so many round values (1, 2 or 5 times a power of ten apart) inside the scale."""
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * part for part in (1, 2, 5, 10) if power * part >= raw)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(first + at) * step for at in range(count)]


def spanning(values: Iterable[float], start: float, end: float, room: float = 0.06) -> Scale:
    """Return a scale that holds all values with some room; of values that are one, a scale around it."""
    found = [value for value in values if math.isfinite(value)]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    spare = (high - low) * room or abs(high) * room or 1.0
    return Scale(low - spare, high + spare, start, end)


@dataclass
class Picture:
    """The marks of one picture, in the order in which they are drawn."""

    frame: Frame
    says: str
    marks: list[dict[str, Any]] = field(default_factory=list)

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Draw a line between two points."""
        self.marks.append({"mark": "line", "kind": kind, "x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]})

    def across(self, y: float, kind: str) -> None:
        """Draw a line over the whole width."""
        self.line((self.frame.x0, y), (self.frame.x1, y), kind)

    def down(self, x: float, kind: str) -> None:
        """Draw a line over the whole height."""
        self.line((x, self.frame.y1), (x, self.frame.y0), kind)

    def block(self, corner: tuple[float, float], other: tuple[float, float], kind: str) -> None:
        """Fill the rectangle between two corners."""
        x, y = min(corner[0], other[0]), min(corner[1], other[1])
        width, height = round(abs(corner[0] - other[0]), 1), round(abs(corner[1] - other[1]), 1)
        self.marks.append({"mark": "block", "kind": kind, "x": x, "y": y, "width": width, "height": height})

    def area(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Fill what lies between points."""
        self.marks.append({"mark": "area", "kind": kind, "points": " ".join(f"{x:g},{y:g}" for x, y in points)})

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw a line through points."""
        self.marks.append({"mark": "path", "kind": kind, "points": " ".join(f"{x:g},{y:g}" for x, y in points)})

    def dot(self, at: tuple[float, float], kind: str, radius: float = 3, link: str | None = None) -> None:
        """Draw a dot; `link` is the page that it opens."""
        self.marks.append({"mark": "dot", "kind": kind, "x": at[0], "y": at[1], "r": round(radius, 1), "link": link})

    def text(self, at: tuple[float, float], text: str, kind: str = "start") -> None:
        """Write words that start, end or have their middle at a point (`kind`: start, end, middle)."""
        self.marks.append({"mark": "text", "kind": kind, "x": at[0], "y": at[1], "text": text})

    def to_json(self) -> dict[str, Any]:
        """Return what a template draws: the size, the words for who cannot see it, and the marks."""
        return {"width": self.frame.width, "height": self.frame.height, "says": self.says, "marks": self.marks}


def apart(places: Sequence[float], least: float) -> list[float]:
    """Move words that stand above each other until they are `least` pixels apart, keeping their order."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = list(places)
    for before, at in pairwise(order):
        moved[at] = max(moved[at], moved[before] + least)
    return moved

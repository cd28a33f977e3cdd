"""A KPI week by week: points with their intervals, the registered baseline as a grey band, gates as verticals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from trueup.kernel.figures import unit_word
from trueup.web.charts.picture import Frame, Picture, Scale, apart, spanning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGE = Frame(1152, 232)
MEDIUM = Frame(1152, 168)
SMALL = Frame(264, 128, left=56, right=8, top=12, bottom=24)
_ARMS = ("control", "treated")
# Two arms of one week stand beside each other.
_ASIDE = {"control": 2.2, "treated": 4.8}
_MIDDLE = 3.5


@dataclass(frozen=True, slots=True)
class Band:
    """The registered baseline: its mean, and the lowest and highest of its weeks."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Span:
    """What several pictures of one KPI share: the days and the values that they reach over."""

    first: int
    last: int
    values: tuple[float, ...]


def span_of(readings: Sequence[Mapping[str, Any]], band: Band | None = None, until: date | None = None) -> Span | None:
    """Return the days and values of readings, and on to `until` where that is near; None when none has a value."""
    known = [row for row in readings if row["value"] is not None and row["week"]]
    if not known:
        return None
    days = [date.fromisoformat(row["week"]).toordinal() for row in known]
    values = [float(row[key]) for row in known for key in ("lower", "value", "upper") if row[key] is not None]
    values += [band.low, band.high] if band else []
    last = max(days) + 7
    if until is not None and last < until.toordinal() <= last + (last - min(days)):
        last = until.toordinal()
    return Span(min(days), last, tuple(values))


def weeks_chart(
    readings: Sequence[Mapping[str, Any]],
    gates: Mapping[str, str],
    unit: str,
    says: str,
    band: Band | None = None,
    until: date | None = None,
    frame: Frame = LARGE,
) -> dict[str, Any] | None:
    """Return the picture of a KPI; None without a value.

    `readings` are weekly (`week`, `arm`, `value`, `lower`, `upper`), `gates` maps a gate to its day,
    `until` is the day from which one looks.
    """
    span = span_of(readings, band, until)
    if span is None:
        return None
    drawing = _Drawing(Picture(frame, says), span, unit)
    drawing.axis(frame.height // 40)
    if band:
        drawing.band(band)
    drawing.gates(gates)
    drawing.points(readings)
    drawing.names(readings)
    drawing.days()
    return drawing.picture.to_json()


def small_chart(readings: Sequence[Mapping[str, Any]], unit: str, says: str, span: Span) -> dict[str, Any]:
    """Return the picture of one segment, on the scale that all segments share; without intervals, which are wide."""
    drawing = _Drawing(Picture(SMALL, says), span, unit)
    drawing.axis(3)
    drawing.lines(readings)
    drawing.days()
    return drawing.picture.to_json()


def tick(value: float, unit: str) -> str:
    """Write a round value beside an axis, without digits that say nothing."""
    return f"{100 * value:g}%" if unit == "share" else f"{value:g} {unit_word(unit)}".rstrip()


class _Drawing:
    def __init__(self, picture: Picture, span: Span, unit: str) -> None:
        frame = picture.frame
        self.picture, self.unit, self.span = picture, unit, span
        self.x = Scale(span.first, span.last, frame.x0, frame.x1)
        self.y = spanning(span.values, frame.y0, frame.y1)

    def axis(self, most: int) -> None:
        for value in self.y.ticks(most):
            self.picture.across(self.y(value), "rule")
            self.picture.text((self.picture.frame.x0 - 8, self.y(value) + 4), tick(value, self.unit), "end")

    def band(self, band: Band) -> None:
        left, right = self.picture.frame.x0, self.picture.frame.x1
        self.picture.block((left, self.y(band.high)), (right, self.y(band.low)), "band")
        self.picture.across(self.y(band.mean), "mean")

    def gates(self, gates: Mapping[str, str]) -> None:
        for name, text in gates.items():
            day = date.fromisoformat(text).toordinal()
            if self.span.first <= day <= self.span.last:
                self.picture.down(self.x(day), "gate")
                self.picture.text((self.x(day), self.picture.frame.y1 - 8), name, "middle")

    def points(self, readings: Sequence[Mapping[str, Any]]) -> None:
        for row in readings:
            if row["value"] is None or not row["week"]:
                continue
            x, kind = self._x(row), row["arm"]
            if row["lower"] is not None and row["upper"] is not None:
                self.picture.line((x, self.y(row["lower"])), (x, self.y(row["upper"])), kind)
            self.picture.dot((x, self.y(row["value"])), kind)

    def lines(self, readings: Sequence[Mapping[str, Any]]) -> None:
        for arm in sorted({row["arm"] for row in readings}):
            own = [row for row in readings if row["arm"] == arm and row["value"] is not None]
            places = [(self._x(row), self.y(row["value"])) for row in own]
            self.picture.path(places, arm)
            for place in places:
                self.picture.dot(place, arm, 2)

    def names(self, readings: Sequence[Mapping[str, Any]]) -> None:
        """Name what is drawn: the pilot's arms beside their last point, what lies before it under its first."""
        known = [row for row in readings if row["value"] is not None and row["week"]]
        earlier = [row for row in known if row["arm"] not in _ARMS]
        if earlier:
            word = "all cases" if earlier[0]["arm"] == "all" else "before the pilot"
            self.picture.text((self._x(earlier[0]), self.picture.frame.y0 - 8), word)
        last = {arm: [row for row in known if row["arm"] == arm][-1:] for arm in _ARMS}
        arms = [arm for arm in _ARMS if last[arm]]
        x = max((self._x(last[arm][0]) for arm in arms), default=0.0) + 10
        for arm, y in zip(arms, apart([self.y(last[arm][0]["value"]) for arm in arms], 16), strict=True):
            self.picture.text((x, y + 4), arm)

    def days(self) -> None:
        frame = self.picture.frame
        first, last = date.fromordinal(self.span.first), date.fromordinal(self.span.last)
        self.picture.text((frame.x0, frame.y0 + 18), first.isoformat())
        if last > first:
            self.picture.text((frame.x1, frame.y0 + 18), last.isoformat(), "end")

    def _x(self, row: Mapping[str, Any]) -> float:
        return self.x(date.fromisoformat(row["week"]).toordinal() + _ASIDE.get(row["arm"], _MIDDLE))

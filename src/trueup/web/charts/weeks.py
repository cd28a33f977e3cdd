"""A KPI week by week as a picture: points with intervals, gates as verticals. Geometry only; a template draws it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from trueup.kernel.figures import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 88, 16, 28
_ARMS = ("control", "treated")


def chart(readings: Sequence[Mapping[str, Any]], gates: Mapping[str, str], unit: str) -> dict[str, Any] | None:
    """Return where everything stands in a picture of 720 x 220; None without a value.

    `readings` are weekly (`week`, `arm`, `value`, `lower`, `upper`), `gates` maps a gate to its day.
    """
    known = [row for row in readings if row["value"] is not None and row["week"]]
    if not known:
        return None
    days = [date.fromisoformat(row["week"]).toordinal() for row in known]
    first, last = min(days), max(days) + 7
    ends = [row[key] for row in known for key in ("lower", "value", "upper") if row[key] is not None]
    low, high = float(min(ends)), float(max(ends))
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    low, high = low - room, high + room

    def x(day: float) -> float:
        return round(_LEFT + (day - first) / (last - first) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    points = [_point(row, x(day + _aside(row["arm"])), y) for row, day in zip(known, days, strict=True)]
    ticks = [low + room, (low + high) / 2, high - room]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "top": _TOP,
        "points": points,
        "ticks": [{"y": y(value), "text": plain(value, unit)} for value in ticks],
        "weeks": [{"x": x(day), "text": date.fromordinal(day).isoformat()} for day in sorted({first, max(days)})],
        "gates": [
            {"x": x(date.fromisoformat(day).toordinal()), "text": gate}
            for gate, day in gates.items()
            if first <= date.fromisoformat(day).toordinal() <= last
        ],
        "labels": _labels(points),
    }


def _aside(arm: str) -> float:
    # Two arms of one week stand beside each other.
    return {"control": 2.0, "treated": 5.0}.get(arm, 3.5)


def _point(row: Mapping[str, Any], x: float, y: Callable[[float], float]) -> dict[str, Any]:
    ends = (row["lower"], row["upper"])
    return {
        "x": x,
        "y": y(row["value"]),
        "from": None if ends[0] is None else y(ends[0]),
        "to": None if ends[1] is None else y(ends[1]),
        "arm": row["arm"],
    }


def _labels(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name what is drawn: the pilot's arms beside their last point, what lies before it under its first."""
    found: list[dict[str, Any]] = []
    earlier = [point for point in points if point["arm"] not in _ARMS]
    if earlier:
        word = "all cases" if earlier[0]["arm"] == "all" else "before the pilot"
        found.append({"text": word, "x": earlier[0]["x"], "y": HEIGHT - _BOTTOM - 18})
    for arm in _ARMS:
        own = [point for point in points if point["arm"] == arm]
        if own:
            y = own[-1]["y"] + 4
            if any(abs(label["y"] - y) < 14 for label in found[-1:] if label["text"] in _ARMS):
                y = found[-1]["y"] + 14
            found.append({"text": arm, "x": own[-1]["x"] + 8, "y": round(y, 1)})
    return found

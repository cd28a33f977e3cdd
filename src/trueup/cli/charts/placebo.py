"""What would have been found where nothing was done: other orders of a rollout, or other groups of units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trueup.cli.charts.style import ACCENT, BAND, GREY, empty, framed, rows, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _MOST = 820, 240, 48


def placebo_spec(placebo: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite document of what `placebo` returns."""
    title: dict[str, Any] = {"text": f"{placebo['workflow']}: {placebo['kpi']} and its placebos", "fontSize": 16}
    if placebo["unknown"] is not None:
        return empty(title, placebo["unknown"])
    values, found = placebo["effects"], placebo["effect"]
    beyond = sum(abs(value) >= abs(found) * (1 - 1e-12) for value in values)
    of = {"order": "orders of the launches", "units": "groups of untouched units"}[placebo["of"]]
    title["subtitle"] = [
        f"{len(values):,} {of}; {beyond:,} of them at least as far from nought as what was found",
        f"change on the scale that is compared ({placebo['scale']})",
    ]
    heights = _bins(values, found)
    layers = [_bars(heights), *_found(found)]
    return framed({"title": title, "width": _WIDTH, "height": _HEIGHT, "layer": layers})


def _bins(values: Sequence[float], found: float) -> list[dict[str, Any]]:
    """Count placebos in equal parts, nought at an edge, so that both sides are counted alike."""
    reach = max(*(abs(value) for value in values), abs(found)) or 1.0
    half = max(min(_MOST, math.ceil(2 * math.sqrt(len(values)))) // 2, 3)
    width = reach / half
    counts: dict[int, int] = {}
    for value in values:
        place = min(max(math.floor(value / width), -half), half - 1)
        counts[place] = counts.get(place, 0) + 1
    return [
        {"low": place * width, "high": (place + 1) * width, "n": counts.get(place, 0)} for place in range(-half, half)
    ]


def _x(field: str) -> dict[str, Any]:
    axis = {"grid": False, "labelExpr": signed(share=False), "tickCount": 7}
    return {"field": field, "type": "quantitative", "title": None, "axis": axis, "scale": {"nice": False}}


def _bars(heights: list[dict[str, Any]]) -> dict[str, Any]:
    axis = {"title": "placebos", "tickCount": 4, "domain": False, "ticks": False}
    encoding = {
        "x": _x("low"),
        "x2": {"field": "high"},
        "y": {"field": "n", "type": "quantitative", "axis": axis},
        "y2": {"datum": 0},
    }
    mark = {"type": "rect", "color": BAND, "stroke": GREY, "strokeWidth": 0.5}
    return {"data": rows(heights), "mark": mark, "encoding": encoding}


def _found(found: float) -> list[dict[str, Any]]:
    data = rows([{"at": found}])
    text = {"type": "text", "baseline": "bottom", "dy": -4, "color": ACCENT, "text": f"found: {found:+.3g}"}
    return [
        {"data": data, "mark": {"type": "rule", "color": ACCENT, "strokeWidth": 2}, "encoding": {"x": _x("at")}},
        {"data": data, "mark": text, "encoding": {"x": _x("at"), "y": {"value": 0}}},
    ]

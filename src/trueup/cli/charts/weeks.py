"""KPIs week by week: points with intervals, the baseline as a band, gates as verticals, one panel a KPI."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trueup.cli.charts.style import BAND, GREY, INK, PAPER, framed, rows
from trueup.kernel.figures import unit_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 820, 150
# Two arms of one week stand beside each other, both in the week that they belong to.
_HOURS = {"control": 54, "treated": 114}
_MIDDLE = 84
_ARMS = ("control", "treated")
_TIME = {"type": "temporal"}


def weeks_spec(pictured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite document of what `pictured` returns; KPIs without any value say so in their title."""
    said = [row["week"] for kpi in pictured["kpis"] for row in kpi["readings"] if row["week"]]
    span = _span(said)
    panels = [_panel(kpi, pictured["gates"], span) for kpi in pictured["kpis"]]
    return framed({"title": {"text": pictured["workflow"], "fontSize": 16}, "vconcat": panels, "spacing": 28})


def _span(weeks: Sequence[str]) -> list[str]:
    if not weeks:
        return []
    return [min(weeks), (date.fromisoformat(max(weeks)) + timedelta(days=7)).isoformat()]


def _panel(kpi: Mapping[str, Any], gates: Mapping[str, str], span: list[str]) -> dict[str, Any]:
    points = [_point(row) for row in kpi["readings"] if row["value"] is not None and row["week"]]
    better = f", {kpi['better']} is better" if kpi["better"] else ""
    unit = "share" if kpi["unit"] == "share" else unit_word(kpi["unit"])
    subtitle = f"{unit} by week of case start, with 95% of each week{better}"
    if not points:
        note = [{"note": "No case has a value yet."}]
        mark = {"type": "text", "color": GREY, "align": "left", "x": 0}
        return {
            "title": {"text": kpi["kpi"], "subtitle": subtitle},
            "width": _WIDTH,
            "height": 24,
            "data": rows(note),
            "mark": mark,
            "encoding": {"text": {"field": "note"}},
        }
    layers = [*_baseline(kpi["baseline"]), *_gates(gates, span), *_points(points), *_names(points)]
    return {
        "title": {"text": kpi["kpi"], "subtitle": subtitle},
        "width": _WIDTH,
        "height": _HEIGHT,
        "layer": [{**layer, "encoding": _shared(layer["encoding"], kpi["unit"], span)} for layer in layers],
    }


def _x(span: list[str]) -> dict[str, Any]:
    axis = {"grid": False, "format": "%-d %b %Y", "labelOverlap": True, "tickCount": 7}
    return {**_TIME, "field": "at", "title": None, "axis": axis, "scale": {"type": "utc", "domain": span}}


def _shared(encoding: Mapping[str, Any], unit: str, span: list[str]) -> dict[str, Any]:
    """Every layer has the two axes of its panel, which are drawn once."""
    if "field" in encoding.get("x", {}):
        encoding = {**encoding, "x": _x(span)}
    axis = {
        "title": None,
        "tickCount": 5,
        "domain": False,
        "ticks": False,
        **({"format": "%"} if unit == "share" else {}),
    }
    y = encoding.get("y")
    if y is None or "value" in y:
        return dict(encoding)
    return {**encoding, "y": {**y, "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True}}}


def _point(row: Mapping[str, Any]) -> dict[str, Any]:
    day = date.fromisoformat(row["week"])
    hours = _HOURS.get(row["arm"], _MIDDLE)
    at = f"{(day + timedelta(days=hours // 24)).isoformat()}T{hours % 24:02d}:00:00Z"
    kept = {key: row[key] for key in ("week", "arm", "n", "value", "lower", "upper")}
    return {"at": at, **kept, "arm": row["arm"]}


def _baseline(band: Mapping[str, float] | None) -> list[dict[str, Any]]:
    if band is None:
        return []
    data = rows([dict(band)])
    whole = {"x": {"value": 0}, "x2": {"value": _WIDTH}}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "color": BAND},
            "encoding": {**whole, "y": {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3]},
            "encoding": {**whole, "y": {"field": "mean"}},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "dx": 62, "color": GREY, "text": "baseline"},
            "encoding": {"x": {"value": _WIDTH}, "y": {"field": "mean"}},
        },
    ]


def _gates(gates: Mapping[str, str], span: list[str]) -> list[dict[str, Any]]:
    found = [{"at": day, "gate": gate} for gate, day in gates.items() if span[0] <= day <= span[1]]
    if not found:
        return []
    data = rows(found)
    top = {"x": {"field": "at", **_TIME}, "y": {"value": -12}}
    return [
        {"data": data, "mark": {"type": "rule", "color": INK, "strokeWidth": 0.75}, "encoding": {"x": top["x"]}},
        {
            "data": data,
            "mark": {"type": "text", "baseline": "bottom", "fontSize": 11},
            "encoding": {**top, "text": {"field": "gate"}},
        },
    ]


def _points(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Intervals as lines; the treated arm filled, every other hollow."""
    ranged = [row for row in points if row["lower"] is not None and row["upper"] is not None]
    x = {"field": "at", **_TIME}
    shade = {"condition": {"test": "datum.arm === 'treated'", "value": INK}, "value": GREY}
    fill = {"condition": {"test": "datum.arm === 'treated'", "value": INK}, "value": PAPER}
    return [
        {
            "data": rows(ranged),
            "mark": {"type": "rule", "strokeWidth": 1},
            "encoding": {"x": x, "y": {"field": "lower"}, "y2": {"field": "upper"}, "color": shade},
        },
        {
            "data": rows(points),
            "mark": {"type": "point", "size": 30, "opacity": 1, "strokeWidth": 1.25},
            "encoding": {"x": x, "y": {"field": "value"}, "stroke": shade, "fill": fill},
        },
    ]


def _names(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name the arms beside their last point, and what lies before the pilot above its first."""
    x = {"field": "at", **_TIME}
    found = []
    last = [
        [row for row in points if row["arm"] == arm][-1] for arm in _ARMS if any(row["arm"] == arm for row in points)
    ]
    last.sort(key=lambda row: row["value"])
    for place, row in enumerate(last):
        # Two names close to each other are moved apart: the lower value down, the higher up.
        away = 0 if len(last) == 1 else (8 if place == 0 else -8)
        mark = {"type": "text", "align": "left", "dx": 14, "dy": away, "text": row["arm"]}
        latest = max(one["at"] for one in last)
        found.append(
            {"data": rows([{**row, "at": latest}]), "mark": mark, "encoding": {"x": x, "y": {"field": "value"}}}
        )
    earlier = [row for row in points if row["arm"] not in _ARMS]
    if earlier:
        word = "all cases" if earlier[0]["arm"] == "all" else "before the pilot"
        mark = {"type": "text", "align": "left", "baseline": "bottom", "color": GREY, "fontSize": 11, "text": word}
        at = {"x": x, "y": {"value": -12}}
        found.append({"data": rows([earlier[0]]), "mark": mark, "encoding": at})
    return found

"""The interval that may be looked at on any day, week by week as it narrows, with the bars that it has to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.charts.style import BAND, GREY, INK, empty, framed, rows, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 820, 280
# The first looks are very wide: what is beyond this many widths of the last one is cut at the edge.
_REACH = 3.0


def watched_spec(watched: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite document of what `watched` returns."""
    known = [look for look in watched["looks"] if look["lower"] is not None and look["upper"] is not None]
    title = {"text": f"{watched['workflow']}: {watched['kpi']} as it was watched", "fontSize": 16}
    if len(known) < 2:
        return empty(title, "Fewer than two looks have an interval yet.")
    share = watched["unit"] == "share"
    unit = "share, as a difference" if share else f"difference in {watched['unit']}"
    last = known[-1]
    estimate, lower, upper = (_figure(last[key], share=share) for key in ("estimate", "lower", "upper"))
    title["subtitle"] = [
        f"{unit}, treated less control; the band holds at every look together (95%)",
        f"{last['on']}: {estimate}, from {lower} to {upper}, {last['cases']} cases",
    ]
    low, high = _ends(known, watched["bars"])
    layers = [
        _band(known),
        _level({"no difference": 0.0}, []),
        _level(watched["bars"], [4, 3]),
        *_gates(watched["gates"], known),
        _line(known),
        *_names({"no difference": 0.0, **watched["bars"]}, (low, high)),
    ]
    drawn = [{**layer, "encoding": _axes(layer["encoding"], (low, high), share=share)} for layer in layers]
    return framed({"title": title, "width": _WIDTH, "height": _HEIGHT, "layer": drawn})


def _figure(value: float, *, share: bool) -> str:
    return f"{100 * value:+.1f} pp" if share else f"{value:+.3g}"


def _ends(known: Sequence[Mapping[str, Any]], bars: Mapping[str, float]) -> tuple[float, float]:
    last = known[-1]
    reach = _REACH * max(last["upper"] - last["lower"], *(abs(bar) for bar in bars.values()), abs(last["estimate"]))
    ends = [look[key] for look in known for key in ("lower", "upper") if abs(look[key] - last["estimate"]) <= reach]
    shown = [*ends, 0.0, last["estimate"], *bars.values()]
    room = 0.06 * (max(shown) - min(shown) or 1.0)
    return min(shown) - room, max(shown) + room


def _axes(encoding: Mapping[str, Any], ends: tuple[float, float], *, share: bool) -> dict[str, Any]:
    time = {"title": None, "axis": {"grid": False, "format": "%-d %b %Y", "labelOverlap": True, "tickCount": 7}}
    figures = {"title": None, "tickCount": 5, "domain": False, "ticks": False, "labelExpr": signed(share=share)}
    found = dict(encoding)
    if "field" in found.get("x", {}):
        found["x"] = {**found["x"], "type": "temporal", "scale": {"type": "utc"}, **time}
    if "field" in found.get("y", {}):
        scale = {"domain": list(ends), "nice": False, "zero": False}
        found["y"] = {**found["y"], "type": "quantitative", "axis": figures, "scale": scale}
    return found


def _band(known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The intervals as one surface, cut at the edges of the panel."""
    encoding = {"x": {"field": "on"}, "y": {"field": "lower"}, "y2": {"field": "upper"}}
    return {"data": rows(_looks(known)), "mark": {"type": "area", "color": BAND, "clip": True}, "encoding": encoding}


def _line(known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mark = {"type": "line", "color": INK, "strokeWidth": 1.5, "point": {"color": INK, "size": 24}}
    return {"data": rows(_looks(known)), "mark": mark, "encoding": {"x": {"field": "on"}, "y": {"field": "estimate"}}}


def _looks(known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: look[key] for key in ("on", "cases", "estimate", "lower", "upper")} for look in known]


def _level(levels: Mapping[str, float], dash: list[int]) -> dict[str, Any]:
    values = [{"bar": name, "at": value} for name, value in levels.items()]
    mark = {"type": "rule", "color": GREY, "strokeWidth": 1, "strokeDash": dash}
    whole = {"x": {"value": 0}, "x2": {"value": _WIDTH}}
    return {"data": rows(values), "mark": mark, "encoding": {**whole, "y": {"field": "at"}}}


def _names(levels: Mapping[str, float], ends: tuple[float, float]) -> list[dict[str, Any]]:
    """The names of bars at the right, moved apart where two would stand on each other."""
    low, high = ends
    places = [(name, value, _HEIGHT * (high - value) / (high - low)) for name, value in levels.items()]
    found, above = [], -20.0
    for name, value, place in sorted(places, key=lambda one: one[2]):
        above = max(place, above + 15)
        mark = {"type": "text", "align": "left", "dx": 8, "dy": above - place, "color": GREY, "text": name}
        at = {"x": {"value": _WIDTH}, "y": {"field": "at"}}
        found.append({"data": rows([{"at": value}]), "mark": mark, "encoding": at})
    return found


def _gates(gates: Mapping[str, str], known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    shown = [{"on": day, "gate": gate} for gate, day in gates.items() if known[0]["on"] <= day <= known[-1]["on"]]
    text = {"type": "text", "baseline": "bottom", "fontSize": 11}
    return [
        {"data": rows(shown), "mark": {"type": "rule", "color": INK, "strokeWidth": 0.75}, "encoding": {"x": _ON}},
        {
            "data": rows(shown),
            "mark": text,
            "encoding": {"x": _ON, "y": {"value": -4}, "text": {"field": "gate"}},
        },
    ]


_ON = {"field": "on"}

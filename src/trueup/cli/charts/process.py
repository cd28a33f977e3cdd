"""A map of the process: its steps from left to right, how often cases pass between them, and what the passage takes."""

from __future__ import annotations

import math
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.cli.charts.style import ACCENT, GREY, INK, PAPER, framed, rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

STEPS, PASSAGES = 16, 32
_SHARE = 0.98
_WIDE, _HIGH, _ACROSS, _DOWN = 148, 76, 232, 128
_PER_COLUMN = 4
_BETWEEN_COLUMNS = 0.75
_CURVE = 24
# Where a word may stand on a line, the middle first.
_PLACES = (12, 10, 14, 8, 16, 6, 18, 4, 20)
_SHADES = ["#fdfcfa", "#f3e3c0", "#e2b05a", "#c07a2c"]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step on the map: its middle in pixels, how often it came, and the mean seconds before it."""

    name: str
    n: int
    wait: float
    x: float
    y: float


def process_spec(workflow: str, flow: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the Vega-Lite document of passages as `flow` returns them; the rarest are left out, and counted."""
    inner = [one for one in flow if one["before"] is not None]
    edges = _frequent(inner)
    ends = {one[end] for one in edges for end in ("before", "after")}
    steps = {step.name: step for step in _placed(flow, ends | {one["after"] for one in flow if one["n"] and not inner})}
    edges = [one for one in edges if one["before"] in steps and one["after"] in steps]
    shown, whole = sum(one["n"] for one in edges), sum(one["n"] for one in inner)
    starts = sum(one["n"] for one in flow if one["before"] is None)
    subtitle = [
        f"{starts} mature cases · {shown} of {whole} passages shown · in a step: how often, and the mean time before",
        "beside a line: the mean time of the passage · width: how often · shade: mean time before the step",
    ]
    right = max((step.x for step in steps.values()), default=0.0) + _WIDE / 2 + 40
    low = max((step.y for step in steps.values()), default=0.0) + _HIGH / 2 + 60
    title = {
        "text": f"{workflow}: the process and its waiting",
        "fontSize": 16,
        "subtitle": subtitle,
        "subtitlePadding": 6,
    }
    layers = [*_lines(edges, steps), *_boxes(list(steps.values())), *_times(edges, steps)]
    drawn = [_plane(layer, right, low) for layer in layers]
    return framed({"title": title, "width": right, "height": low, "layer": drawn})


def _placed(flow: Sequence[Mapping[str, Any]], shown: Collection[str]) -> list[_Step]:
    """Put the most frequent of some steps in columns by their mean position, the most frequent of a column on top."""
    n: dict[str, int] = defaultdict(int)
    place: dict[str, int] = defaultdict(int)
    seconds: dict[str, int] = defaultdict(int)
    for one in flow:
        n[one["after"]] += one["n"]
        place[one["after"]] += one["place"]
        seconds[one["after"]] += one["seconds"]
    frequent = sorted(shown, key=lambda name: (-n[name], name))[:STEPS]
    columns: list[list[str]] = []
    begins = 0.0
    for name in sorted(frequent, key=lambda name: (place[name] / n[name], name)):
        mean = place[name] / n[name]
        if not columns or mean - begins > _BETWEEN_COLUMNS or len(columns[-1]) == _PER_COLUMN:
            columns.append([])
            begins = mean
        columns[-1].append(name)
    tallest = max((len(column) for column in columns), default=1)
    steps = []
    for across, column in enumerate(columns):
        top = 44 + (tallest - len(column)) * _DOWN / 2
        for down, name in enumerate(sorted(column, key=lambda name: (-n[name], name))):
            x, y = _WIDE / 2 + 20 + across * _ACROSS, top + _HIGH / 2 + down * _DOWN
            steps.append(_Step(name, n[name], seconds[name] / n[name], x, y))
    return steps


def _frequent(edges: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    whole, shown, kept = sum(one["n"] for one in edges), 0, []
    for one in edges[:PASSAGES]:
        if shown >= _SHARE * whole:
            break
        kept.append(one)
        shown += one["n"]
    return kept


def _plane(layer: Mapping[str, Any], width: float, height: float) -> dict[str, Any]:
    """Draw a layer in pixels, from the upper left corner."""
    encoding = dict(layer["encoding"])
    for axis, ends in (("x", [0, width]), ("y", [height, 0])):
        scale = {"domain": ends, "nice": False, "zero": False}
        encoding[axis] = {**encoding[axis], "type": "quantitative", "axis": None, "scale": scale}
    return {**layer, "encoding": encoding}


def _curve(before: _Step, after: _Step) -> list[tuple[float, float]]:
    """Bend a line from step to step: ahead through the gaps, back below, and to itself above."""
    half, bend = _WIDE / 2, _ACROSS - _WIDE
    if before.name == after.name:
        ends = ((before.x - 24, before.y - _HIGH / 2), (before.x + 24, before.y - _HIGH / 2))
        controls = ((before.x - 34, before.y - _HIGH), (before.x + 34, before.y - _HIGH))
    elif after.x > before.x:
        ends = ((before.x + half, before.y), (after.x - half, after.y))
        # A long way leaves the row of the steps that lie between.
        away = 0.0 if after.x - before.x <= _ACROSS + 1 or after.y != before.y else -_DOWN * 0.9
        controls = ((ends[0][0] + bend, before.y + away), (ends[1][0] - bend, after.y + away))
    elif after.x == before.x and abs(after.y - before.y) > _DOWN:
        # Around the steps that lie between.
        ends = ((before.x + half, before.y), (after.x + half, after.y))
        controls = ((before.x + half + bend, before.y), (after.x + half + bend, after.y))
    elif after.x == before.x:
        down = 1 if after.y > before.y else -1
        aside = 18 * down
        ends = ((before.x + aside, before.y + down * _HIGH / 2), (after.x + aside, after.y - down * _HIGH / 2))
        controls = ends
    else:
        ends = ((before.x, before.y + _HIGH / 2), (after.x, after.y + _HIGH / 2))
        depth = max(before.y, after.y) + _HIGH / 2 + 48
        controls = ((before.x, depth), (after.x, depth))
    return [_bezier((ends[0], *controls, ends[1]), at / _CURVE) for at in range(_CURVE + 1)]


def _bezier(points: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(weight * point[0] for weight, point in zip(weights, points, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, points, strict=True))
    return round(x, 1), round(y, 1)


def _lines(edges: Sequence[Mapping[str, Any]], steps: Mapping[str, _Step]) -> list[dict[str, Any]]:
    most = max((one["n"] for one in edges), default=1)
    layers = []
    for one in reversed(edges):
        before, after = steps[one["before"]], steps[one["after"]]
        points = [{"x": x, "y": y, "at": at} for at, (x, y) in enumerate(_curve(before, after))]
        wide = 0.75 + 5.25 * one["n"] / most
        color = ACCENT if after.x < before.x or before.name == after.name else GREY
        mark = {"type": "line", "strokeWidth": wide, "color": color, "opacity": 0.45, "strokeCap": "butt"}
        order = {"field": "at", "type": "quantitative"}
        layers.append(
            {"data": rows(points), "mark": mark, "encoding": {"x": {"field": "x"}, "y": {"field": "y"}, "order": order}}
        )
        layers.append(_head(points, color))
    return layers


def _head(points: Sequence[Mapping[str, Any]], color: str) -> dict[str, Any]:
    """An arrow's head at the end of a line, turned as its last piece."""
    last, earlier = points[-1], points[-3]
    angle = math.degrees(math.atan2(last["y"] - earlier["y"], last["x"] - earlier["x"])) + 90
    mark = {"type": "point", "shape": "triangle-up", "filled": True, "size": 60, "color": color, "opacity": 1}
    return {
        "data": rows([dict(last)]),
        "mark": {**mark, "angle": angle % 360},
        "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
    }


def _lines_of(name: str) -> list[str]:
    return textwrap.wrap(name, 18, max_lines=3, placeholder=" …") or [name]


def _boxes(steps: Sequence[_Step]) -> list[dict[str, Any]]:
    found = [
        {
            "left": step.x - _WIDE / 2,
            "right": step.x + _WIDE / 2,
            "top": step.y - _HIGH / 2,
            "bottom": step.y + _HIGH / 2,
            "x": step.x,
            "y": step.y - 1 - 7 * len(_lines_of(step.name)),
            "below": step.y + 6 + 7 * len(_lines_of(step.name)),
            "name": "\n".join(_lines_of(step.name)),
            "said": f"{step.n} · {spelt(step.wait)}" if step.wait else f"{step.n}",
            "hours": step.wait / 3600,
        }
        for step in steps
    ]
    data = rows(found)
    color = {"field": "hours", "type": "quantitative", "scale": {"range": _SHADES, "zero": True}, "legend": None}
    corners = {"x": {"field": "left"}, "x2": {"field": "right"}, "y": {"field": "top"}, "y2": {"field": "bottom"}}
    text = {"type": "text", "align": "center", "baseline": "middle"}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "stroke": INK, "strokeWidth": 0.75, "cornerRadius": 3},
            "encoding": {**corners, "color": color},
        },
        {
            "data": data,
            "mark": {**text, "lineBreak": "\n", "fontWeight": 600, "lineHeight": 14, "color": INK},
            "encoding": {"x": {"field": "x"}, "y": {"field": "y"}, "text": {"field": "name"}},
        },
        {
            "data": data,
            "mark": {**text, "fontSize": 11, "color": INK},
            "encoding": {"x": {"field": "x"}, "y": {"field": "below"}, "text": {"field": "said"}},
        },
    ]


def _times(edges: Sequence[Mapping[str, Any]], steps: Mapping[str, _Step]) -> list[dict[str, Any]]:
    """The mean time of a passage on its line, near the middle, where no other word and no step stands."""
    found: list[dict[str, Any]] = []
    for one in edges:
        points = _curve(steps[one["before"]], steps[one["after"]])
        taken = [(row["x"], row["y"], 44.0, 14.0) for row in found]
        taken += [(step.x, step.y, _WIDE / 2 + 22, _HIGH / 2 + 7) for step in steps.values()]
        x, y = next((points[at] for at in _PLACES if _free(points[at], taken)), points[_CURVE // 2])
        found.append({"x": x, "y": y, "said": spelt(one["seconds"] / one["n"])})
    base = {"type": "text", "fontSize": 11, "baseline": "middle"}
    encoding = {"x": {"field": "x"}, "y": {"field": "y"}, "text": {"field": "said"}}
    halo = {**base, "stroke": PAPER, "strokeWidth": 4, "color": PAPER}
    return [
        {"data": rows(found), "mark": halo, "encoding": encoding},
        {"data": rows(found), "mark": {**base, "color": INK}, "encoding": encoding},
    ]


def _free(point: tuple[float, float], taken: Sequence[tuple[float, float, float, float]]) -> bool:
    return all(abs(point[0] - x) >= wide or abs(point[1] - y) >= high for x, y, wide, high in taken)


def spelt(seconds: float) -> str:
    """Write a time in the unit that fits it: `45 s`, `12 min`, `7.5 h`, `3.2 d`."""
    for unit, length, up_to in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 129_600)):
        if seconds < up_to:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86_400:.3g} d"

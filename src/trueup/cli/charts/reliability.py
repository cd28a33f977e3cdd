"""A reliability diagram: how often answers were right, beside how sure the model was, in parts of equal size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.charts.style import ACCENT, BAND, GREY, INK, empty, framed, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIDE = 460


def reliability_spec(workflow: str, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite document of the calibration that `measure --health` publishes."""
    title: dict[str, Any] = {"text": f"{workflow}: how sure, and how often right", "fontSize": 16}
    if calibration["unknown"] is not None:
        return empty(title, f"Unknown: {calibration['unknown']['because']}.")
    error, chance = calibration["expected_calibration_error"], calibration["expected_if_calibrated"]
    title["subtitle"] = [
        f"{calibration['reviewed']} reviewed cases; calibration error {error:.3f}, by chance alone {chance:.3f}",
        "across: how sure the model was; up: share right, with its interval; blue: surely off the diagonal",
    ]
    bins = [_bin(one) for one in calibration["bins"] if one["n"]]
    layers = [_diagonal(), _spans(bins), _intervals(bins), _points(bins)]
    return framed({"title": title, "width": _SIDE, "height": _SIDE, "layer": layers})


def _bin(one: Mapping[str, Any]) -> dict[str, Any]:
    right = one["right"]
    return {
        "low": one["low"],
        "high": one["high"],
        "n": one["n"],
        "confidence": one["confidence"],
        "right": right["estimate"],
        "lower": right["lower"],
        "upper": right["upper"],
        "off": one["off"],
    }


def _axis(field: str, title: str) -> dict[str, Any]:
    axis = {"format": "%", "tickCount": 5, "domain": False, "ticks": False}
    scale = {"domain": [0, 1], "nice": False}
    return {"field": field, "type": "quantitative", "title": title, "axis": axis, "scale": scale}


def _diagonal() -> dict[str, Any]:
    ends = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    mark = {"type": "line", "color": GREY, "strokeDash": [4, 3], "strokeWidth": 1}
    return {
        "data": rows(ends),
        "mark": mark,
        "encoding": {"x": _axis("x", "confidence of the model"), "y": _axis("y", "right")},
    }


def _intervals(bins: list[dict[str, Any]]) -> dict[str, Any]:
    encoding = {
        "x": _axis("confidence", "confidence of the model"),
        "y": _axis("lower", "right"),
        "y2": {"field": "upper"},
        "color": _SHADE,
    }
    known = [one for one in bins if one["lower"] is not None and one["upper"] is not None]
    return {"data": rows(known), "mark": {"type": "rule", "strokeWidth": 1.25}, "encoding": encoding}


def _points(bins: list[dict[str, Any]]) -> dict[str, Any]:
    mark = {"type": "point", "filled": True, "size": 50, "opacity": 1}
    encoding = {"x": _axis("confidence", "confidence of the model"), "y": _axis("right", "right"), "color": _SHADE}
    return {"data": rows(bins), "mark": mark, "encoding": encoding}


def _spans(bins: list[dict[str, Any]]) -> dict[str, Any]:
    """From the least to the most sure answer of each part."""
    encoding = {"x": _axis("low", "confidence of the model"), "x2": {"field": "high"}, "y": _axis("right", "right")}
    return {"data": rows(bins), "mark": {"type": "rule", "color": BAND, "strokeWidth": 4}, "encoding": encoding}


_SHADE = {"condition": {"test": "datum.off", "value": ACCENT}, "value": INK}

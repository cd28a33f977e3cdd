"""How every picture looks: the colours and sizes of the console, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
PAPER, INK, GREY, LINE, BAND, ACCENT = "#fdfcfa", "#1d1c1a", "#5d5a54", "#dedad2", "#e4dfd4", "#1f4e8c"
FONT = "Liberation Sans, Noto Sans, sans-serif"


def framed(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a whole document: a spec with its schema, its paper and its letters."""
    axis = {"labelColor": GREY, "titleColor": GREY, "domainColor": LINE, "tickColor": LINE, "gridColor": LINE}
    config = {
        "font": FONT,
        "background": PAPER,
        "view": {"stroke": None},
        "axis": {**axis, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
        "title": {
            "color": INK,
            "fontSize": 14,
            "fontWeight": 600,
            "anchor": "start",
            "frame": "group",
            "subtitleColor": GREY,
            "offset": 14,
        },
        "text": {"color": INK, "fontSize": 12},
    }
    return {"$schema": SCHEMA, "description": _said(spec), "padding": 16, "config": config, **spec}


def _said(spec: Mapping[str, Any]) -> str:
    """The title of a picture in words, for whoever does not see it."""
    title = spec.get("title", {})
    return ". ".join([title.get("text", ""), *title.get("subtitle", [])])


def signed(*, share: bool) -> str:
    """Return how an axis of differences writes its figures: with a sign, and nought without one."""
    form = "+.0%" if share else "+~g"
    return f"datum.value == 0 ? '0' : format(datum.value, '{form}')"


def rows(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Return values as the data of a layer."""
    return {"values": values}


def empty(title: dict[str, Any], why: str) -> dict[str, Any]:
    """Return a document that says why there is nothing to see."""
    mark = {"type": "text", "color": GREY, "align": "left", "x": 0}
    note = {"data": rows([{"note": why}]), "mark": mark, "encoding": {"text": {"field": "note"}}}
    return framed({"title": title, "width": 820, "height": 24, **note})

"""How every picture looks: the colours and sizes of the console, on paper."""

from __future__ import annotations

from typing import Any

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
    return {"$schema": SCHEMA, "padding": 16, "config": config, **spec}


def rows(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Return values as the data of a layer."""
    return {"values": values}

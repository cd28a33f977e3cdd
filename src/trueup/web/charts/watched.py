"""The interval that may be looked at on any day, as it narrows: a look a week, the estimate, the bars to reach."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from trueup.kernel.figures import unit_word
from trueup.web.charts.picture import Frame, Picture, Scale, apart, spanning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FRAME = Frame(1152, 208)


def watched_chart(
    looks: Sequence[Mapping[str, Any]], bars: Mapping[str, float], gates: Mapping[str, str], unit: str, says: str
) -> dict[str, Any] | None:
    """Return the picture of `looks` (`on`, `estimate`, `lower`, `upper`); None when fewer than two are known.

    `bars` maps a name to a difference in the KPI's unit. A look whose interval has no end is not drawn.
    """
    known = [look for look in looks if look["lower"] is not None and look["upper"] is not None]
    if len(known) < 2:
        return None
    picture, frame = Picture(FRAME, says), FRAME
    days = [date.fromisoformat(look["on"]).toordinal() for look in known]
    x = Scale(days[0], days[-1], frame.x0, frame.x1)
    y = _heights(known, bars)
    for value in y.ticks(4):
        picture.across(y(value), "rule")
        picture.text((frame.x0 - 8, y(value) + 4), tick(value, unit), "end")
    upper = [(x(day), y(look["upper"])) for day, look in zip(days, known, strict=True)]
    lower = [(x(day), y(look["lower"])) for day, look in zip(days, known, strict=True)]
    picture.area([*upper, *reversed(lower)], "interval")
    picture.path([(x(day), y(look["estimate"])) for day, look in zip(days, known, strict=True)], "treated")
    for name, text in gates.items():
        if days[0] <= date.fromisoformat(text).toordinal() <= days[-1]:
            place = x(date.fromisoformat(text).toordinal())
            picture.down(place, "gate")
            picture.text((place, frame.y1 - 8), name, "middle")
    _levels(picture, {"no difference": 0.0, **bars}, y)
    picture.text((frame.x0, frame.y0 + 18), known[0]["on"])
    picture.text((frame.x1, frame.y0 + 18), known[-1]["on"], "end")
    return picture.to_json()


def tick(value: float, unit: str) -> str:
    """Write a round difference beside an axis: `-1.5 d`, `0 d`, `+2 pp`."""
    scaled = round(100 * value if unit == "share" else value, 9)
    return f"{scaled:+g} {unit_word(unit)}".rstrip() if scaled else f"0 {unit_word(unit)}"


def _heights(known: Sequence[Mapping[str, Any]], bars: Mapping[str, float]) -> Scale:
    # The first looks are very wide; what is beyond three times the last is cut at the edge.
    last = known[-1]
    reach = 3 * max(last["upper"] - last["lower"], *(abs(bar) for bar in bars.values()), abs(last["estimate"]), 1e-9)
    ends = [look[key] for look in known for key in ("lower", "upper")]
    kept = [end for end in ends if math.isfinite(end) and abs(end - last["estimate"]) <= reach]
    return spanning([*kept, 0.0, last["estimate"], *bars.values()], FRAME.y0, FRAME.y1)


def _levels(picture: Picture, levels: Mapping[str, float], y: Scale) -> None:
    for (name, value), place in zip(levels.items(), apart([y(value) for value in levels.values()], 16), strict=True):
        picture.across(y(value), "zero" if value == 0.0 else "bar")
        picture.text((picture.frame.x1 + 8, place + 4), name)

"""The map of a portfolio: value across, feasibility up; a dot is a use case, with its 80% range and its cost."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from trueup.web.charts.picture import Frame, Picture, Scale, spanning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FRAME = Frame(1152, 376, left=64, right=96, top=16, bottom=48)
_SMALLEST, _LARGEST = 4.0, 16.0
# Names of a crowd would cover each other: only so many are written, in the order of rank.
_NAMED = 40
_LETTER, _LINE = 6.8, 15


def worth_chart(use_cases: Sequence[Mapping[str, Any]], currency: str, says: str) -> dict[str, Any] | None:
    """Return the map of use cases as `rank` answers them; None when the value of none is known."""
    known = [one for one in use_cases if one["value"] is not None and one["success"] is not None]
    if not known:
        return None
    picture, x = Picture(FRAME, says), _amounts(known)
    y = Scale(0.0, 1.0, FRAME.y0, FRAME.y1)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        picture.across(y(share), "rule")
        picture.text((FRAME.x0 - 8, y(share) + 4), f"{share:.0%}", "end")
    for value in x.ticks(6):
        picture.text((x(value), FRAME.y0 + 18), short(value), "middle")
    picture.text((FRAME.x1, FRAME.y0 + 36), f"value over the horizon, {currency}", "end")
    picture.text((FRAME.x0, FRAME.y0 + 36), "up: probability that it works")
    radius = _radius(known)
    # Large ones first, so that a small one is never hidden.
    for one in sorted(known, key=lambda one: -radius(one)):
        place = (x(one["value"]["p50"]), y(one["success"]))
        kind = "funded" if one["selected"] else "unfunded"
        picture.line((x(one["value"]["p10"]), place[1]), (x(one["value"]["p90"]), place[1]), kind)
        picture.dot(place, kind, radius(one), f"#{one['id']}")
    _names(picture, known[:_NAMED], x, y, radius)
    return picture.to_json()


def _amounts(known: Sequence[Mapping[str, Any]]) -> Scale:
    ends = [one["value"][key] for one in known for key in ("p10", "p50", "p90")]
    return spanning([0.0, *ends], FRAME.x0, FRAME.x1, 0.02)


def _radius(known: Sequence[Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], float]:
    """The area of a dot grows with its cost; what costs an unknown amount is the smallest."""
    most = max((one["cost"]["p50"] for one in known if one["cost"] is not None), default=0.0)
    largest = _LARGEST if len(known) <= _NAMED else _LARGEST / 2

    def radius(one: Mapping[str, Any]) -> float:
        if one["cost"] is None or most <= 0:
            return _SMALLEST
        return max(_SMALLEST if len(known) <= _NAMED else 2.5, largest * math.sqrt(max(one["cost"]["p50"], 0) / most))

    return radius


def _names(
    picture: Picture,
    known: Sequence[Mapping[str, Any]],
    x: Scale,
    y: Scale,
    radius: Callable[[Mapping[str, Any]], float],
) -> None:
    """Write each name beside its dot where it covers no other; who has no room is named in the table."""
    taken: list[tuple[float, float, float, float]] = []
    for one in known:
        r, at = radius(one), (x(one["value"]["p50"]), y(one["success"]))
        taken.append((at[0] - r, at[1] - r, at[0] + r, at[1] + r))
    for one in known:
        r, width = radius(one), len(one["name"]) * _LETTER
        middle, low, high = (x(one["value"][key]) for key in ("p50", "p10", "p90"))
        above, beside, below = (y(one["success"]) + by for by in (-r - 5, 4, r + 14))
        places = [*product((middle - width / 2, low, high - width), (above, below)), (high + 8, beside)]
        for start, side in places:
            left = min(max(start, FRAME.x0), FRAME.width - width)
            place = (left, side - 11, left + width, side + 3)
            if _LINE < side < FRAME.y0 + 4 and not any(_overlap(place, other) for other in taken):
                taken.append(place)
                picture.text((round(left + width / 2, 1), round(side, 1)), one["name"], "middle")
                break


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def short(value: float) -> str:
    """Write an amount in thousands or millions: `120k`, `1.5M`."""
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"

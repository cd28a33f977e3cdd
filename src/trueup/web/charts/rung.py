"""The evidence towards the next rung: the share found wrong, how large it may be at most, and the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.web.charts.picture import Frame, Picture, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

FRAME = Frame(560, 72, left=8, right=8, top=24, bottom=28)
_LETTER = 7.0


def rung_chart(share: float | None, bound: float | None, limit: float | None) -> dict[str, Any] | None:
    """Return a bar from nothing wrong to the bound, beside the limit; None while one of the three is not known."""
    if share is None or bound is None or limit is None:
        return None
    says = f"{share:.1%} found wrong, at most {bound:.1%} at every look, {limit:.1%} allowed"
    picture = Picture(FRAME, says)
    x = Scale(0.0, min(max(2 * limit, 1.25 * bound, 0.01), 1.0), FRAME.x0, FRAME.x1)
    middle = (FRAME.y0 + FRAME.y1) / 2
    picture.line((FRAME.x0, middle), (FRAME.x1, middle), "rule")
    picture.line((x(share), middle), (x(bound), middle), "reach")
    picture.down(x(bound), "treated")
    picture.dot((x(share), middle), "treated", 4)
    picture.down(x(limit), "bar")
    _words(picture, FRAME.y1 - 8, [(x(limit), f"{limit:.1%} allowed")])
    words = [(x(share), f"{share:.1%} found"), (x(bound), f"{bound:.1%} at most")]
    _words(picture, FRAME.y0 + 18, words)
    return picture.to_json()


def _words(picture: Picture, y: float, words: Sequence[tuple[float, str]]) -> None:
    """Write words at their places, in their order, none over another and all inside."""
    taken = 0.0
    for x, word in words:
        width = len(word) * _LETTER
        left = min(max(x - width / 2, taken), picture.frame.width - width)
        picture.text((round(left, 1), y), word)
        taken = left + width + 12

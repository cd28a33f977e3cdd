"""How answers are laid out on 80 columns; numbers are written as everywhere."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from trueup.kernel.figures import difference, plain, signed, unit_word

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WIDTH", "correlations", "difference", "plain", "signed", "unit_word", "wrapped"]

WIDTH = 80


def correlations(weeks: Mapping[str, Any]) -> str:
    """Write how far cases of one week resemble each other, and weeks the week before."""
    icc, phi = weeks.get("icc"), weeks.get("phi")
    return f"ICC {'unknown' if icc is None else f'{icc:.3f}'}, AR(1) {'unknown' if phi is None else f'{phi:+.2f}'}"


def wrapped(text: str, indent: int = 8) -> str:
    """Wrap a sentence to 80 columns under an indent."""
    pad = " " * indent
    return textwrap.fill(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )

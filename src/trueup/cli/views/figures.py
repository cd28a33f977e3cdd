"""How answers are laid out on 80 columns; numbers are written as everywhere."""

from __future__ import annotations

import textwrap

from trueup.kernel.figures import difference, plain, signed, unit_word

__all__ = ["WIDTH", "difference", "plain", "signed", "unit_word", "wrapped"]

WIDTH = 80


def wrapped(text: str, indent: int = 8) -> str:
    """Wrap a sentence to 80 columns under an indent."""
    pad = " " * indent
    return textwrap.fill(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )

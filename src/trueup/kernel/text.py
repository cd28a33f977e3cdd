"""How values are put into sentences."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Beyond this a word is no slip of the keyboard, and comparing it costs the square of its length.
_LONGEST_WORD = 80


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` when a known word is close, else nothing."""
    if len(word) > _LONGEST_WORD:
        return ""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.75)
    return f" Did you mean {close[0]!r}?" if close else ""


# Controls, direction marks, halves of pairs, line separators: what a terminal or a page obeys instead of showing it.
_OBEYED = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def visible(text: str, keep: str = "") -> str:
    """Return a text in which nothing acts on whoever shows it: each such character, but those to `keep`, as a number.

    So words of others cannot forge a line, reverse what is read, or clear a screen.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one in keep or unicodedata.category(one) not in _OBEYED else f"\\u{ord(one):04x}" for one in text
    )


def shown(value: object, longest: int = 60) -> str:
    """Write a declared value so that it fits into a sentence: quoted, on one line, cut where it is long."""
    text = repr(value[: longest + 1] if isinstance(value, str) else value)
    return text if len(text) <= longest + 2 else f"{text[:longest]}..."

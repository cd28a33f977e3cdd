"""How values are put into sentences."""

from __future__ import annotations

import difflib
import json
import re
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


def folded(name: str) -> str:
    """Return a name as people take it: without case, compatibility forms, what is invisible, and blanks around it."""
    plain = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) not in _OBEYED)
    return " ".join(plain.casefold().split())


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


# Whatever may be obeyed; most of it is plain text in another script, and stays as it is.
_BEYOND_PLAIN = re.compile("[^\x20-\x7e\n]")


def quiet_json(value: object, indent: int | None = None) -> str:
    """Write JSON that may be shown in a terminal; see `quieted`. Raises TypeError and ValueError as `json.dumps`."""
    return quieted(json.dumps(value, ensure_ascii=False, indent=indent))


def quieted(text: str) -> str:
    r"""Return JSON in which every character that would be obeyed, or cannot be seen, stands as its `\uXXXX`.

    Every reader gets the same value, halves of pairs included.
    """
    # Between its texts JSON is printable ASCII, so each such character stands within one, where an escape may stand.
    return _BEYOND_PLAIN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    one = match[0]
    return one if one.isprintable() else json.dumps(one)[1:-1]


def shown(value: object, longest: int = 60) -> str:
    """Write a declared value so that it fits into a sentence: quoted, on one line, cut where it is long."""
    text = repr(value[: longest + 1] if isinstance(value, str) else value)
    return text if len(text) <= longest + 2 else f"{text[:longest]}..."

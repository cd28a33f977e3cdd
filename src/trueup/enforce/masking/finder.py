"""What finds personal data in a text: a Protocol, and the text as a finder should see it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

# What renders as nothing, and would split a number for a pattern: zero width, soft hyphen, word joiner, marks.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d")


class MaskingError(DataError):
    """Masking failed: the call that needed it fails with it. Nothing goes out unmasked."""


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data of a kind, at `[start, end)` of a text."""

    kind: str
    start: int
    end: int


class Finder(Protocol):
    """Finds personal data. Guarantees: no two findings overlap, they are in order, the text itself is not kept."""

    def find(self, text: str) -> list[Found]:
        """Return what is found. Raises MaskingError when it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in the plain characters that patterns know; `origin[i]` is the place of character i in the original."""

    text: str
    origin: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the original of a non-empty place in the folded text."""
        return self.origin[start], self.origin[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold look-alikes: full-width digits and letters, dashes, blanks; what is invisible is left out."""
    kept = [(place, plain) for place, one in enumerate(text) for plain in _plain(one)]
    return Folded("".join(plain for _, plain in kept), tuple(place for place, _ in kept))


def _plain(one: str) -> str:
    if one.isascii():
        return one
    if one in _INVISIBLE:
        return ""
    if one in _DASHES:
        return "-"
    if one.isspace():
        return " "
    folded = unicodedata.normalize("NFKC", one)
    return folded if len(folded) == 1 else one


def apart(found: Iterable[Found]) -> list[Found]:
    """Return findings in order and without overlaps: of two that overlap the longer stays, then the earlier."""
    chosen: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start, one.kind)):
        if all(one.end <= other.start or one.start >= other.end for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.start)

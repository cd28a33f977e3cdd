"""What is known of a case, as marks: enough to recognise a value that comes again, not enough to read it.

In memory a mark is the text's hash. A trail that outlives its process has marks that are keyed (`trail.py`), so that
whoever finds them learns neither a word nor an address from them. Facts are only ever added.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Mark: TypeAlias = "Callable[[str], int]"
# Facts of one kind, beside the same mark, from the same origin: as they are kept.
Kept: TypeAlias = tuple[str, int, str, list[int]]
_NOTHING: Mapping[int, str] = {}


class Fact(StrEnum):
    """The kinds of facts: what is vouched for, whose it is, and at the end what others said."""

    VOUCHED = "vouched"
    LOOKS = "looks"
    HOST = "host"
    NAME = "name"
    FIELD = "field"
    OWN = "own"
    FOLLOWED = "followed"
    CLAIM = "claim"
    HEARD = "heard"
    SPOKEN = "spoken"


class Facts:
    """Marks by kind; `mark` makes one of a text. A fact may stand beside another text, and have an origin."""

    def __init__(self, mark: Mark = hash) -> None:
        self.mark = mark
        self._alone: dict[str, dict[int, str]] = {kind: {} for kind in Fact}
        self._beside: dict[str, dict[int, dict[int, str]]] = {kind: {} for kind in Fact}
        self._new: dict[tuple[str, int, str], list[int]] = defaultdict(list)

    def put(self, kind: Fact, value: str, origin: str = "") -> None:
        """Add a fact; the first origin stays."""
        mark = self.mark(value)
        if mark not in self._alone[kind]:
            self._alone[kind][mark] = origin
            self._new[kind, 0, origin].append(mark)

    def put_beside(self, kind: Fact, value: str, other: str, origin: str = "") -> None:
        """Add a fact about a text beside another one: a form and its host, a name and who claims it."""
        mark, beside = self.mark(value), self.mark(other)
        found = self._beside[kind].setdefault(mark, {})
        if beside not in found:
            found[beside] = origin
            self._new[kind, beside, origin].append(mark)

    def has(self, kind: Fact, value: str) -> bool:
        """Tell whether a fact is known."""
        return self.mark(value) in self._alone[kind]

    def origin(self, kind: Fact, value: str) -> str | None:
        """Return who said it first; None when nobody did."""
        return self._alone[kind].get(self.mark(value))

    def beside(self, kind: Fact, value: str) -> Mapping[int, str]:
        """Return the marks of what stands beside a text, each with its origin."""
        return self._beside[kind].get(self.mark(value), _NOTHING)

    def new(self) -> list[Kept]:
        """Return what was added and not kept yet."""
        return [(kind, beside, origin, marks) for (kind, beside, origin), marks in self._new.items()]

    def kept(self) -> None:
        """Note that everything new is kept by now."""
        self._new.clear()

    def load(self, facts: Iterable[Kept]) -> None:
        """Add what was kept before. Raises KeyError for a kind that nobody knows."""
        for kind, beside, origin, marks in facts:
            for mark in marks:
                if kind in {Fact.CLAIM, Fact.HEARD}:
                    self._beside[kind].setdefault(mark, {}).setdefault(beside, origin)
                else:
                    self._alone[kind].setdefault(mark, origin)

"""How ready a data source is: seven parts in [0, 1], each with its n and its reason, and one score made from them.

Four parts say which share of the records can be used as they are, three whether that is enough. A part that nothing
asks for takes no part in the score; one that is asked for and cannot be measured makes the score unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.kernel.errors import DataError
    from trueup.ledger.records import Profile

USABLE = ("completeness", "validity", "uniqueness", "consistency")
ENOUGH = ("freshness", "volume", "labels")
PARTS = (*USABLE, *ENOUGH)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of readiness. `value` lies in [0, 1], None where it is not known; `n` is what it was measured on.

    `needed` is False where nothing that is declared asks for it.
    """

    name: str
    value: float | None
    n: int | None
    because: str
    needed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "part": self.name,
            "value": None if self.value is None else round(self.value, 6),
            "n": self.n,
            "needed": self.needed,
            "because": self.because,
        }


def not_asked(name: str, because: str) -> Part:
    """Return the part that nothing declared asks for."""
    return Part(name, None, None, because, needed=False)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The measured readiness of one data source. `refused`: why it, or its declared fields, could not be read."""

    data: str
    parts: tuple[Part, ...]
    profile: Profile | None = None
    refused: DataError | None = None

    @property
    def usable(self) -> float | None:
        """The share of records that can be used as they are, about: the product of the four parts about records."""
        known = self._known(USABLE)
        return None if known is None else math.prod(known)

    @property
    def enough(self) -> float | None:
        """How far that is enough: the least of freshness, volume and labels, 1 where none is asked for."""
        known = self._known(ENOUGH)
        return None if known is None else min([1.0, *known])

    @property
    def score(self) -> float | None:
        """`usable` times `enough`; None while a part that is asked for is not known."""
        usable, enough = self.usable, self.enough
        return None if usable is None or enough is None else usable * enough

    @property
    def because(self) -> str:
        """Why the score is not known, or which part holds it down most."""
        if self.refused is not None and self.profile is None:
            return self.refused.message.rstrip(".")
        asked = [part for part in self.parts if part.needed]
        unknown = [part for part in asked if part.value is None]
        if unknown:
            return f"{unknown[0].name} is unknown: {unknown[0].because}"
        least = min(asked, key=lambda part: 1.0 if part.value is None else part.value, default=None)
        return "" if least is None else f"{least.name} {least.value:.2f}: {least.because}"

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "data": self.data,
            "score": None if self.score is None else round(self.score, 6),
            "usable": None if self.usable is None else round(self.usable, 6),
            "enough": None if self.enough is None else round(self.enough, 6),
            "because": self.because,
            "per": self.profile.per if self.profile else None,
            "records": self.profile.records if self.profile else None,
            "digest": self.profile.digest if self.profile else None,
            "newest": self.profile.newest if self.profile else None,
            "parts": [part.to_json() for part in self.parts],
        }

    def _known(self, names: Sequence[str]) -> list[float] | None:
        asked = [part for part in self.parts if part.name in names and part.needed]
        known = [part.value for part in asked if part.value is not None]
        return known if len(known) == len(asked) else None


def unread(data: str, error: DataError) -> Readiness:
    """Return the readiness of a source that cannot be read: every part unknown, for one reason."""
    return Readiness(data, tuple(Part(name, None, None, error.message.rstrip(".")) for name in PARTS), None, error)

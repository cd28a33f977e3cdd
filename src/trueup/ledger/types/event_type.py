"""One type of entry: what it says about the world, and what its `data` carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Who says so, of everything that a person says.
SAID_BY = {"signature": "as in change.decided", "claimed": "as in change.decided"}


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: what it says about the world, and what its `data` carries (key -> meaning)."""

    name: str
    says: str
    carries: Mapping[str, str]

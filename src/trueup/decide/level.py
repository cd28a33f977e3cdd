"""The ladder: how strong the evidence of a design is, and what that strength may say.

The level follows from the design record and from who registered it; nobody chooses it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.declare.model.workflow import Design


class Level(StrEnum):
    """Strength of evidence, strongest first."""

    RANDOMISED = "A"
    ATTESTED = "A (attested)"
    STAGGERED = "A-"
    MATCHED = "B"
    STABLE = "C"
    BEFORE_AFTER = "D"
    ASSERTED = "E"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Level).index(self)

    def at_least(self, other: Level) -> bool:
        """Tell whether this level is as strong as another, or stronger."""
        return self.rank <= other.rank

    @property
    def wording(self) -> str:
        """What a number at this level may be said to mean."""
        return _WORDING[self]

    @property
    def design_word(self) -> str:
        """One or two words for the design, as reviews show it."""
        return _DESIGN_WORD[self]


_WORDING = {
    Level.RANDOMISED: "caused",
    Level.ATTESTED: "caused, if the assignment was random as the owner attests",
    Level.STAGGERED: "caused, if the order was random",
    Level.MATCHED: "consistent with an effect",
    Level.STABLE: "changed after; cause not established",
    Level.BEFORE_AFTER: "differs from the baseline",
    Level.ASSERTED: "reported by a person",
}
_DESIGN_WORD = {
    Level.RANDOMISED: "randomised",
    Level.ATTESTED: "randomised",
    Level.STAGGERED: "staggered",
    Level.MATCHED: "matched",
    Level.STABLE: "stable before/after",
    Level.BEFORE_AFTER: "before/after",
    Level.ASSERTED: "asserted",
}


def level_of(design: Design, *, attested: bool, routed: bool, admitted: bool = False, ordered: bool = False) -> Level:
    """Return the level that a design earns, or the lower one that a person asked for.

    `attested`: the workflow's business owner registered the baseline, and with it vouches for the column.
    `routed`: the router's own entries say in which arm each case is. `admitted`: the series was found stable
    enough, for what was promised, before the launch. `ordered`: the order of the rollout was drawn here. What
    has none of these is before/after evidence.
    """
    earned = _earned(design, attested=attested, routed=routed, admitted=admitted, ordered=ordered)
    asked = Level(design.evidence_at_most) if design.evidence_at_most else earned
    return asked if earned.at_least(asked) else earned


def _earned(design: Design, *, attested: bool, routed: bool, admitted: bool, ordered: bool) -> Level:
    if design.assigned == "random":
        if design.column is not None:
            return Level.ATTESTED if attested else Level.BEFORE_AFTER
        return Level.RANDOMISED if routed else Level.BEFORE_AFTER
    if design.assigned == "staggered":
        return Level.STAGGERED if ordered else Level.BEFORE_AFTER
    if not admitted:
        return Level.BEFORE_AFTER
    return Level.MATCHED if design.assigned == "matched" else Level.STABLE


def needed_for_go(week: int, *, scale: bool) -> Level:
    """Return the weakest level that may say `go`: B at week 4 and for scaling, C (provisional) from week 8."""
    return Level.STABLE if week >= 8 and not scale else Level.MATCHED

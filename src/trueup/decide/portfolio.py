"""Many pilots side by side: what a cycle's go decisions are worth together, and which of them would stand.

A gate keeps its own error rate. Of the pilots that say go, more than that share may be false: the more pilots there
are that do nothing, the more of the goes are theirs. The portfolio's view keeps the share itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.decide.bars import Side
from trueup.decide.comparison import Basis
from trueup.evidence import sequences
from trueup.evidence.designs.scales import Scale
from trueup.evidence.multiplicity import (
    at_one_level,
    e_bh,
    e_lond,
    e_value_at,
    needed_by_bh,
    needed_by_lond,
    same_mixture,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.decide.bars import Contrast
    from trueup.decide.comparison import Comparison

# The share of false ones among the goes that the portfolio supports, at most, on average.
FALSE_DISCOVERIES = 0.05


def e_value_of(comparison: Comparison, contrast: Contrast) -> float:
    """Return how much the watched sequence has gathered against "no better than the bar"; 0 where it is nothing.

    1/alpha at which the sequence just clears the bar, where cases were randomised one by one. Every other design has
    one level for its looks: 20 where the watched interval clears the bar at 5%, else 0.
    """
    if comparison.too_few() is not None:
        return 0.0
    by_case = comparison.basis is Basis.CASES and comparison.analysis is None and not comparison.frozen
    by_known = comparison.known is not None and comparison.known.decides
    if by_case and (comparison.share or comparison.quantile is not None):
        return e_value_at(lambda alpha: contrast.side(comparison.watched(alpha, contrast.ratio)) is Side.GOOD)
    if by_case and not by_known and sequences.entered(comparison.cases):
        return e_value_at(lambda alpha: _clears_as_mixture(comparison, contrast, alpha))
    return at_one_level(clears=_clears(comparison, contrast))


def _clears_as_mixture(comparison: Comparison, contrast: Contrast, alpha: float) -> bool:
    treated, control, transform = comparison.treated.moments, comparison.control.moments, comparison.transform
    if transform.scale is Scale.PLAIN:
        found = sequences.concurrent_means(treated, control, alpha, contrast.ratio, same_mixture(alpha))
    else:
        shift = sequences.concurrent_means(treated, control, alpha, 1.0, same_mixture(alpha))
        found = transform.contrast(shift, control.mean, contrast.ratio)
    return contrast.side(found) is Side.GOOD


def _clears(comparison: Comparison, contrast: Contrast) -> bool:
    if comparison.analysis is not None and comparison.analysis.by_margin:
        return comparison.side(contrast, FALSE_DISCOVERIES) is Side.GOOD
    return contrast.side(comparison.watched(FALSE_DISCOVERIES, contrast.ratio)) is Side.GOOD


@dataclass(frozen=True, slots=True)
class Member:
    """A pilot of the portfolio. `e_value` is None where it has none: not begun, stopped, below level C, unknown.

    `cycle` says in which strategy cycle it was first registered; `from_` what its e-value is: `signed` (kept from a
    go that was signed, `entry` of the ledger), `gate` (at the gate that waits) or `watched` (now).
    """

    workflow: str
    cycle: int
    e_value: float | None
    from_: str | None = None
    on: str | None = None
    entry: int | None = None

    @property
    def counted(self) -> float:
        """What counts for it: a pilot that has gathered nothing belongs to the family all the same."""
        return 0.0 if self.e_value is None else self.e_value


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """What the portfolio says of one pilot: its e-value against what its cycle, and all cycles, ask for."""

    member: Member
    family: tuple[Member, ...]
    within_cycle: bool
    needed_within: float
    across_cycles: bool
    needed_across: float

    @property
    def because(self) -> str:
        """The sentence that stands beside a gate."""
        pilots = len(self.family)
        company = "the only pilot of its cycle" if pilots == 1 else f"one of {pilots} pilots of its cycle"
        if self.member.e_value is None:
            return f"{company}, without an e-value"
        said = f"e-value {shown(self.member.e_value)} as {company}, {shown(self.needed_within)} needed"
        verdict = "supported" if self.within_cycle else "not supported"
        return f"{verdict}: {said}; over all cycles {shown(self.needed_across)} needed"


def portfolio_view(members: Sequence[Member], workflow: str, alpha: float = FALSE_DISCOVERIES) -> PortfolioView:
    """Return the view of one pilot; `members` are all pilots in the order of their first registration.

    e-BH among the pilots of a cycle, e-LOND over all of them in that order. Both keep the share of false ones among
    what they support, on average, however the pilots hang together.
    """
    place = next(at for at, member in enumerate(members) if member.workflow == workflow)
    member, values = members[place], [one.counted for one in members]
    family = tuple(one for one in members if one.cycle == member.cycle)
    within, at = [one.counted for one in family], family.index(member)
    return PortfolioView(
        member=member,
        family=family,
        within_cycle=e_bh(within, alpha)[at],
        needed_within=needed_by_bh(within, at, alpha),
        across_cycles=e_lond(values[: place + 1], alpha)[place],
        needed_across=needed_by_lond(values, place, alpha),
    )


def shown(value: float) -> str:
    """Write an e-value: three digits tell all that matters."""
    if value >= 1e6:
        return "over a million"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"

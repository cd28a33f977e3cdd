"""Why a use case is in or out, in words: what binds, what it depends on, which unknown would change the pick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.problem import TOLERANCE, closure, followers, partners
from trueup.choose.portfolio.ranking import ENDED, RUNNING, Ranked, unknowns
from trueup.choose.portfolio.sensitivity import Swing, largest_swing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.programme import Programme

UNITS = {"engineering": " person-days of engineering", "change": " person-days of change work"}


class Reasons:
    """The reasons of one ranked programme. `because` gives those of a use case, the deciding one first."""

    def __init__(self, programme: Programme, ranked: Ranked) -> None:
        self.programme = programme
        self.ranked = ranked
        problem = ranked.problem
        self._after = followers(problem.needs)
        self._before = followers((other, one) for one, other in problem.needs)
        self._apart = partners(problem.excludes)
        self._left = problem.left(ranked.selection.chosen)

    def because(self, at: int, swing: Swing | None) -> list[str]:
        """Return the reasons of the use case at a position, in sentences without a full stop."""
        case = self.programme.use_cases[self.ranked.problem.names[at]]
        if case.stage in ENDED:
            return [f"it is {case.stage}"]
        first = [self._stays(at)] if case.stage in RUNNING else list(self._chosen_or_not(at))
        return [*first, *self._depends(at), *([swing_words(swing)] if swing else [])]

    def swing(self, at: int) -> Swing | None:
        """Return the unknown that would change the pick, None where none does."""
        return largest_swing(self.ranked.funded[at], self.ranked.drawn[at].inputs)

    def _stays(self, at: int) -> str:
        case = self.programme.use_cases[self.ranked.problem.names[at]]
        words = f"it is in {case.stage}, and stays until it is stopped"
        net = self.ranked.worths[at].net
        if net is None:
            return f"{words}; its net value is not known ({_listed(self.ranked.worths[at].missing)} not declared)"
        return f"{words}; {self._sum(at)}"

    def _chosen_or_not(self, at: int) -> Iterator[str]:
        ranked, problem = self.ranked, self.ranked.problem
        rows = dict(zip(problem.rows, problem.limits.tolist(), strict=True))
        missing = unknowns(ranked.worths[at], rows)
        if missing:
            yield f"not known: {_listed(missing)}; until that is declared it cannot be chosen"
            return
        if ranked.selection.chosen[at]:
            yield self._sum(at)
            yield from self._pulled_in(at)
            return
        yield from self._left_out(at)

    def _sum(self, at: int) -> str:
        """Write the sum: what is expected, from which figures."""
        worth, currency = self.ranked.worths[at], self.programme.file.currency or ""
        net = worth.net or 0.0
        words = "expected to earn" if net > 0 else "not expected to earn its cost:"
        committed = worth.committed or 0.0
        later = (worth.cost or 0.0) - committed
        earned = f"{worth.value or 0:,.0f}" if not later else f"{worth.value or 0:,.0f} less {later:,.0f} to keep it up"
        return (
            f"{words} {net:,.0f} {currency}".rstrip()
            + f" (chance {worth.success.expected:.2f} of {earned}; {committed:,.0f} is paid either way)"
        )

    def _pulled_in(self, at: int) -> Iterator[str]:
        problem, chosen = self.ranked.problem, self.ranked.selection.chosen
        by = [problem.names[one] for one in self._before.get(at, ()) if chosen[one]]
        if by:
            yield f"needed by {_listed(by)}"

    def _left_out(self, at: int) -> Iterator[str]:
        problem, chosen = self.ranked.problem, self.ranked.selection.chosen
        group = sorted(closure([at], self._after))
        apart = [problem.names[other] for other in self._apart.get(at, ()) if chosen[other]]
        dead = [problem.names[other] for other in group if problem.barred[other] and other != at]
        if dead:
            yield f"it needs {_listed(dead)}, which cannot be chosen"
        elif float(problem.net[group].sum()) <= 0:
            yield self._sum(at)
        elif apart:
            yield f"it excludes {_listed(apart)}, which is worth more in this portfolio"
        else:
            yield from self._no_room(at, [one for one in group if not chosen[one]])

    def _no_room(self, at: int, added: list[int]) -> Iterator[str]:
        problem, left = self.ranked.problem, self._left
        for row, name in enumerate(problem.rows):
            taken, limit = float(problem.uses[row, added].sum()), float(problem.limits[row])
            if taken > left[row] + TOLERANCE * max(limit, 1.0):
                unit = UNITS.get(name, f" {self.programme.file.currency or ''}".rstrip() if name == "budget" else "")
                room = "more than the whole limit" if taken > limit else f"and {max(left[row], 0):,.0f} are left"
                yield f"`{name}` binds: it takes {taken:,.0f}{unit} of {limit:,.0f}, {room}"
        yield self._sum(at)

    def _depends(self, at: int) -> Iterator[str]:
        success, case = self.ranked.worths[at].success, self.programme.use_cases[self.ranked.problem.names[at]]
        for belief, effect in success.effects.items():
            yield f"the assumption {belief} is false: its chance is multiplied by {effect:.2f}"
        for factor in success.unknown:
            means = " has not been measured" if factor == "data" and case.feasibility else " is not known"
            yield f"feasibility.{factor}{means}: counted as any of 0.3, 0.6, 0.9"
        if case.needs:
            yield f"it needs {_listed(case.needs)}"


def swing_words(swing: Swing) -> str:
    """Say which unknown decides, and how much."""
    return (
        f"{swing.input} would change the pick: funded in {swing.high:.0%} of the draws where it is high, "
        f"in {swing.low:.0%} where it is low"
    )


def _listed(names: object) -> str:
    words = [str(name) for name in names] if isinstance(names, list | tuple) else [str(names)]
    return ", ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def percentiles(values: np.ndarray | None) -> dict[str, float] | None:
    """Return the 10th, 50th and 90th percentile of draws; Hazen's positions, because draws are middles of slices."""
    if values is None:
        return None
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], method="hazen").tolist()
    return {"p10": round(low, 2), "p50": round(middle, 2), "p90": round(high, 2)}

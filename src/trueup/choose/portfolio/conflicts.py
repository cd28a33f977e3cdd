"""A portfolio that no choice can save: which limit what already runs breaks, and the fewest use cases that do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.problem import TOLERANCE
from trueup.kernel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trueup.choose.portfolio.problem import Problem

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Conflict:
    """A limit, and the fewest use cases that stay and together break it. `says` is the sentence."""

    limit: str
    names: tuple[str, ...]
    says: str


def conflicts(problem: Problem) -> list[Conflict]:
    """Return everything that what stays breaks, the smallest first; empty when there is a portfolio.

    What takes from a limit never gives to it, and everything that may be left out can be: so each limit is broken by
    itself or not at all, and the smallest set that conflicts is one limit with the largest of what stays.
    """
    forced = problem.forced()
    found = [*_limits(problem, forced), *_pairs(problem, forced), *_barred(problem, forced)]
    return sorted(found, key=lambda conflict: (len(conflict.names), conflict.limit, conflict.names))


def _limits(problem: Problem, forced: NDArray[np.bool_]) -> Iterator[Conflict]:
    inside = np.flatnonzero(forced)
    for row, limit, uses in zip(problem.rows, problem.limits, problem.uses, strict=True):
        ordered = inside[np.argsort(-uses[inside], kind="stable")]
        taken = np.cumsum(uses[ordered])
        beyond = np.flatnonzero(taken > limit + TOLERANCE * max(limit, 1.0))
        if beyond.size:
            few = ordered[: beyond[0] + 1]
            names = tuple(problem.names[at] for at in few)
            parts = ", ".join(f"{problem.names[at]} {uses[at]:,.0f}" for at in few[:_MOST_NAMED])
            more = f" and {len(few) - _MOST_NAMED} more" if len(few) > _MOST_NAMED else ""
            says = f"`limits.{row}` is {limit:,.0f}, and what stays takes {taken[beyond[0]]:,.0f} ({parts}{more})"
            yield Conflict(f"limits.{row}", names, says)


def _pairs(problem: Problem, forced: NDArray[np.bool_]) -> Iterator[Conflict]:
    for one, other in problem.excludes:
        if forced[one] and forced[other]:
            pair = (problem.names[one], problem.names[other])
            yield Conflict("excludes", pair, f"{pair[0]} and {pair[1]} exclude each other, and both stay")


def _barred(problem: Problem, forced: NDArray[np.bool_]) -> Iterator[Conflict]:
    for one, other in problem.needs:
        if forced[one] and problem.barred[other]:
            pair = (problem.names[one], problem.names[other])
            yield Conflict("needs", pair, f"{pair[0]} stays and needs {pair[1]}, which cannot be chosen")


def require_possible(problem: Problem) -> None:
    """Raise ConflictError `impossible-portfolio` with the smallest set that conflicts, when there is no portfolio."""
    found = conflicts(problem)
    if found:
        others = "".join(f"\nAlso: {conflict.says}." for conflict in found[1:4])
        raise ConflictError(
            "impossible-portfolio",
            f"No portfolio is possible: {found[0].says}.",
            "What is in pilot or in production stays until it is stopped. Raise the limit, or set `stage: stopped` "
            f"where that is the decision.{others}",
        )

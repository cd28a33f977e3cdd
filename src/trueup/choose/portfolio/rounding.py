"""Shares become a set: what is whole is in, then what the shares favour, as long as it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.problem import TOLERANCE, closure, followers, partners

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from trueup.choose.portfolio.problem import Problem

_WHOLE = 1 - 1e-6
_SOME = 1e-6
# Which of the divided use cases is taken matters in small sets; in large ones each is a small part of the whole, and
# every further try costs a look at all. So tries times use cases stay about this many.
_LOOKS = 1_600
_MOST_STARTS = 4


class Rounding:
    """Turns shares into a set that fits: what is whole is in, then what the shares favour, as long as it fits.

    Plain lists, because each step looks at a handful of numbers; arrays would cost several times as much.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._forced = problem.forced()
        self._barred = problem.barred.tolist()
        # What comes with a use case, and what can never come with it.
        after = followers(problem.needs)
        self._together = {at: sorted(closure([at], after)) for at in after}
        self._apart = partners(problem.excludes)

    def round(
        self, shares: NDArray[np.float64], net: NDArray[np.float64], uses: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Return the best of a few greedy sets: as the shares say, and with each divided use case first.

        A basic solution divides at most as many use cases as there are limits and binding pairs.
        """
        order = self._order(shares, net, uses)
        share = shares.tolist()
        whole = [at for at in order if share[at] >= _WHOLE]
        rest = [at for at in order if share[at] < _WHOLE]
        divided = [at for at in rest if share[at] > _SOME][: min(_MOST_STARTS, _LOOKS // max(len(order), 1))]
        starts = [[*whole, *rest]]
        starts += [start for first in divided for start in ([first, *whole, *rest], [*whole, first, *rest])]
        columns, gains = uses.T.tolist(), net.tolist()
        sets = [self._filled(start, gains, columns) for start in starts]
        return max(sets, key=lambda chosen: float(net @ chosen))

    def _order(self, shares: NDArray[np.float64], net: NDArray[np.float64], uses: NDArray[np.float64]) -> list[int]:
        """Return the use cases worth trying: by share, then by net value for the limit that they need most of."""
        limits = np.maximum(self._problem.limits, uses @ self._forced)
        part = (uses / np.where(limits > 0, limits, 1.0)[:, None]).max(axis=0, initial=0.0)
        density = net / np.maximum(part, 1e-12)
        tried = np.flatnonzero(~self._problem.barred & ~self._forced & ((net > 0) | (shares > _SOME)))
        ordered: list[int] = tried[np.lexsort((-density[tried], -np.round(shares[tried], 6)))].tolist()
        return ordered

    def _filled(self, order: Iterable[int], gains: list[float], columns: list[list[float]]) -> NDArray[np.bool_]:
        """Take the use cases in order, each with what it needs, as long as the group earns something and fits."""
        chosen: list[bool] = self._forced.tolist()
        left = self._problem.limits.copy()
        for stays in np.flatnonzero(self._forced).tolist():
            left -= columns[stays]
        # What stays may break a limit in a draw; then nothing is left of it, and not less than nothing.
        room = (np.maximum(left, 0.0) + TOLERANCE * np.maximum(self._problem.limits, 1.0)).tolist()
        for at in order:
            if chosen[at]:
                continue
            added = self._added(at, chosen)
            if not added or sum(gains[one] for one in added) <= 0:
                continue
            taken = (
                columns[at]
                if len(added) == 1
                else [sum(row) for row in zip(*(columns[one] for one in added), strict=True)]
            )
            if all(some <= free for some, free in zip(taken, room, strict=True)):
                room = [free - some for some, free in zip(taken, room, strict=True)]
                for one in added:
                    chosen[one] = True
        return np.array(chosen)

    def _added(self, at: int, chosen: list[bool]) -> list[int]:
        """Return what would come in with a use case, itself included; nothing when something bars it."""
        added = [one for one in self._together.get(at, (at,)) if not chosen[one]]
        coming = set(added)
        for one in added:
            if self._barred[one] or any(chosen[other] or other in coming for other in self._apart.get(one, ())):
                return []
        return added

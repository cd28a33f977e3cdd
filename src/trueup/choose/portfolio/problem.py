"""The choice as numbers: what each use case adds, what it takes of each limit, what it needs and excludes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.kernel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

# A set fits when it takes no more than this much of a limit beyond it: rounding of sums, not money.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """Use cases by position. `uses` has a row for each limit and a column for each use case.

    `stays` are in whatever the figures say, `barred` are out. `needs` holds (i, j): i only with j; `excludes` holds
    (i, j): never both.
    """

    names: tuple[str, ...]
    net: NDArray[np.float64]
    uses: NDArray[np.float64]
    limits: NDArray[np.float64]
    rows: tuple[str, ...]
    stays: NDArray[np.bool_]
    barred: NDArray[np.bool_]
    needs: tuple[tuple[int, int], ...] = ()
    excludes: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        """How many use cases there are."""
        return len(self.names)

    def forced(self) -> NDArray[np.bool_]:
        """Return what is in before anything is chosen: what stays, with what that needs."""
        inside = np.zeros(self.size, dtype=bool)
        inside[sorted(closure(np.flatnonzero(self.stays).tolist(), followers(self.needs)))] = True
        return inside

    def left(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what a set leaves of each limit."""
        free: NDArray[np.float64] = self.limits - self.uses @ chosen
        return free

    def fits(self, chosen: NDArray[np.bool_]) -> bool:
        """Tell whether a set keeps every limit, need and exclusion, what stays and what is barred."""
        return bool(
            np.all(self.left(chosen) >= -TOLERANCE * np.maximum(self.limits, 1.0))
            and np.all(chosen >= self.stays)
            and not np.any(chosen & self.barred)
            and all(chosen[other] for one, other in self.needs if chosen[one])
            and not any(chosen[one] and chosen[other] for one, other in self.excludes)
        )


def closure(positions: Iterable[int], after: Mapping[int, Sequence[int]]) -> set[int]:
    """Return the positions and everything that they need, directly or not; `after` is what each needs."""
    found = set(positions)
    open_ = list(found)
    while open_:
        for other in after.get(open_.pop(), ()):
            if other not in found:
                found.add(other)
                open_.append(other)
    return found


def partners(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return, for each member of a pair, the other members of its pairs."""
    both = [pair for one, other in pairs for pair in ((one, other), (other, one))]
    return followers(both)


def followers(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return the second members of the pairs by their first."""
    found: dict[int, list[int]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found


def require_no_circle(needs: Mapping[str, Sequence[str]]) -> None:
    """Raise ConflictError `needs-circle`, with the circle, when use cases wait for each other."""
    done: set[str] = set()
    for start in sorted(needs):
        path: list[str] = []
        on_path: set[str] = set()
        open_: list[tuple[str, bool]] = [(start, False)]
        while open_:
            name, leaving = open_.pop()
            if leaving:
                done.add(path.pop())
                on_path.discard(name)
            elif name in on_path:
                raise _circle([*path[path.index(name) :], name])
            elif name not in done:
                path.append(name)
                on_path.add(name)
                open_ += [(name, True), *((other, False) for other in sorted(needs.get(name, ()), reverse=True))]


def _circle(path: list[str]) -> ConflictError:
    return ConflictError(
        "needs-circle",
        f"Use cases need each other in a circle: {' -> '.join(path)}.",
        f"Remove one of these from `needs`; the first stands in use-cases/{path[0]}.yaml.",
    )

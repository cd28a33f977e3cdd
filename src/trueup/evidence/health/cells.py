"""Values in a few cells: what two windows are compared by, chosen from both together so that labels cannot matter."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Ten parts of equal mass, or the nine commonest values and the others, as the mix of segments is counted.
PARTS = 10
COMMONEST = 9
OTHER = "(other)"
MISSING = "(none)"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cell of every case (`code`, positions in `names`)."""

    code: NDArray[np.int64]
    names: tuple[str, ...]

    def counts(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of the chosen cases lie in each cell."""
        return np.bincount(self.code[chosen], minlength=len(self.names))


def numeric_cells(values: NDArray[np.float64]) -> Cells:
    """Return cells of about equal mass over all values given; NaN is a cell of its own, equal values share one.

    Raises ValueError for an infinite value.
    """
    known = ~np.isnan(values)
    if np.isinf(values).any():
        msg = "an infinite value lies in no cell"
        raise ValueError(msg)
    # Edges are values that occur: a value takes part in the cell below its edge, so ties stay together.
    places = np.arange(1, PARTS) / PARTS
    edges = np.unique(np.quantile(values[known], places, method="inverted_cdf")) if known.any() else np.empty(0)
    edges = edges[edges < values[known].max()] if known.any() else edges
    code = np.where(known, np.searchsorted(edges, values, side="left"), len(edges) + 1)
    return _occupied(code.astype(np.int64), [*_spans(edges), MISSING])


def _spans(edges: NDArray[np.float64]) -> list[str]:
    if not len(edges):
        return ["any value"]
    between = [f"above {low:.6g} to {high:.6g}" for low, high in itertools.pairwise(edges)]
    return [f"up to {edges[0]:.6g}", *between, f"above {edges[-1]:.6g}"]


def category_cells(values: Sequence[str | None]) -> Cells:
    """Return a cell for each of the commonest values, one for all others, one for none given."""
    counted = Counter(value for value in values if value is not None)
    # Of equally common values the first in the alphabet: no order of the cases may matter.
    commonest = sorted(counted, key=lambda value: (-counted[value], value))[:COMMONEST]
    place = {value: number for number, value in enumerate(commonest)}
    other, missing = len(commonest), len(commonest) + 1
    code = np.array([missing if value is None else place.get(value, other) for value in values], dtype=np.int64)
    return _occupied(code, [*commonest, OTHER, MISSING])


def _occupied(code: NDArray[np.int64], names: list[str]) -> Cells:
    used, again = np.unique(code, return_inverse=True)
    return Cells(again.astype(np.int64), tuple(names[number] for number in used))

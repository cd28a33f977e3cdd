"""Which unknown would change the pick: the input whose high and low draws end most differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# A third of 1,000 draws tells two probabilities apart by about 0.1 (two standard errors); half of that again for care.
SMALLEST_SWING = 0.15
_FEWEST_DRAWS = 30


@dataclass(frozen=True, slots=True)
class Swing:
    """How often a use case is funded where one of its inputs lies in the lowest and in the highest third."""

    input: str
    low: float
    high: float

    @property
    def size(self) -> float:
        """How far the two lie apart."""
        return abs(self.high - self.low)

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {"input": self.input, "p_funded_low": round(self.low, 3), "p_funded_high": round(self.high, 3)}


def largest_swing(funded: NDArray[np.bool_], inputs: Mapping[str, NDArray[np.float64]]) -> Swing | None:
    """Return the input that decides most; None when none decides enough to be told from chance.

    `funded` has one value a draw; an input has the place of each draw in its range, from 0 to 1.
    """
    if funded.size < _FEWEST_DRAWS:
        return None
    swings = [
        Swing(name, float(funded[place < 1 / 3].mean()), float(funded[place > 2 / 3].mean()))
        for name, place in inputs.items()
    ]
    best = max(swings, key=lambda swing: swing.size, default=None)
    return best if best is not None and best.size >= SMALLEST_SWING else None

"""How often a sequence is looked at decides what it sees: every week, or after every case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from studies.figures import Count, counts_of
from studies.tables import simulated, table
from studies.worlds import Floats
from tests.evidence.simulation import ALPHA, WEEKS, World, draw
from trueup.evidence.moments import Moments
from trueup.evidence.sequences import concurrent_means

PILOTS, CHUNK, SEED = 4000, 200, 47
HOLDOUT = 0.2
# Cases a week, the change, and what was expected of the sequence.
CELLS = ((60, -0.3, 0.85), (200, -0.2, 0.93), (60, 0.0, math.nan))
OFTEN = ("every week", "after every case")
PART = "looks"


def measure(pilots: int) -> Iterator[Count]:
    """Yield how many pilots see a fall by week 12, and, where there is none, how many claim anything."""
    for volume, effect, _ in CELLS:
        rng = np.random.default_rng([SEED, volume])
        seen = dict.fromkeys(OFTEN, 0)
        world = World("normal", volume, HOLDOUT, icc=0.05, phi=0.4)
        for start in range(0, pilots, CHUNK):
            values = draw(world, min(CHUNK, pilots - start), WEEKS, rng).reshape(-1, WEEKS * volume)
            treated = rng.random(values.shape) >= HOLDOUT
            values = np.where(treated, values + math.log1p(effect), values)
            for row, chosen in zip(values, treated, strict=True):
                for often, step in zip(OFTEN, (volume, 1), strict=True):
                    seen[often] += _sees(row, chosen, step, either=effect == 0)
        about = {"what": PART, "volume": f"{volume}", "change": f"{effect:.0%}"}
        yield from (Count({**about, "often": often}, hits, pilots) for often, hits in seen.items())


def _sees(values: Floats, treated: NDArray[np.bool_], step: int, *, either: bool) -> bool:
    sums = [[np.cumsum(np.where(arm, part, 0.0)) for part in (1.0, values, values**2)] for arm in (treated, ~treated)]
    for last in range(step - 1, len(values), step):
        one, other = (Moments.from_sums(int(arm[0][last]), float(arm[1][last]), float(arm[2][last])) for arm in sums)
        found = concurrent_means(one, other, ALPHA)
        if found.clears(0.0, -1) or (either and found.clears(0.0, 1)):
            return True
    return False


def shown(figures: Sequence[Count]) -> str:
    """Return the table."""
    body = []
    for volume, effect, expected in CELLS:
        found = [counts_of(figures, volume=f"{volume}", change=f"{effect:.0%}", often=often) for often in OFTEN]
        name = f"{volume} a week, {effect:.0%}" if effect else f"{volume} a week, nothing happens: claims either way"
        row = [simulated(one[0]) if one else "-" for one in found]
        body.append([name, "0.05 at most" if math.isnan(expected) else f"{expected:.2f}", *row])
    return table(("pilot, 20% held out", "expected", *(f"looked at {often}" for often in OFTEN)), body)

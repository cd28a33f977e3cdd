"""How true the printed P(funded) is: true values drawn from the declared ranges, and the best set of each by looking.

Nothing of the ranking's own draws or solver is used for the truth: ordinary random numbers, the sum written out again,
and every set looked at. The table pools use cases by the probability that was printed for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.rank import DAY, generated
from trueup.choose.portfolio.metalog import Metalog
from trueup.choose.portfolio.ranking import Question, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.report import Report
    from trueup.declare.model.use_case import UseCase
    from trueup.declare.programme import Programme
    from trueup.kernel.quantities import Range

YEARS, DISCOUNT = 3, 0.08
_AT_A_TIME = 50
_BINS = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])


@dataclass(frozen=True, slots=True)
class Printed:
    """What was printed for use cases, and how often each was in the best set of a world; arrays of one length."""

    said: NDArray[np.float64]
    happened: NDArray[np.float64]

    def table(self) -> list[tuple[float, float, int, float, float]]:
        """Return, for each bin that holds any: its ends, how many, the mean printed and the mean that happened."""
        at = np.clip(np.searchsorted(_BINS, self.said, side="right") - 1, 0, _BINS.size - 2)
        return [
            (
                float(_BINS[one]),
                float(_BINS[one + 1]),
                int((at == one).sum()),
                float(self.said[at == one].mean()),
                float(self.happened[at == one].mean()),
            )
            for one in np.unique(at).tolist()
        ]

    @property
    def bias(self) -> float:
        """The mean of what was printed less what happened."""
        return float((self.said - self.happened).mean())

    @property
    def off(self) -> float:
        """The mean distance between the two."""
        return float(np.abs(self.said - self.happened).mean())


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Compare printed with happened, where every set is looked at (10 candidates) and where it is rounded (15)."""
    for size, programmes, worlds in ((10, 60, 2_000), (15, 20, 500)):
        found = compared(size, programmes, worlds, seed=1)
        report.row(f"P(funded), {size} candidates: mean distance", found.off, unit="", note=f"bias {found.bias:+.4f}")
        for low, high, count, said, happened in found.table():
            note = f"{count} use cases: {said:.3f} printed, {happened:.3f} happened"
            report.row(f"  printed {low:.2f} to {high:.2f}", said, happened, unit="", note=note)


def compared(size: int, programmes: int, worlds: int, seed: int) -> Printed:
    """Rank generated programmes, and draw worlds of each."""
    said, happened = [], []
    for one in range(programmes):
        programme = generated(size, seed=seed * 1_000 + one)
        ranked = rank(programme, Question(DAY))
        said.append(ranked.funded.mean(axis=1))
        happened.append(frequency(programme, worlds, np.random.default_rng([seed, one])))
    return Printed(np.concatenate(said), np.concatenate(happened))


def frequency(programme: Programme, worlds: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how often each use case, by id, is in the best of all sets that fit, over worlds of true values."""
    cases = dict(sorted(programme.use_cases.items()))
    limits = programme.file.limits
    assert limits is not None
    drawn = [_world(case, worlds, rng) for case in cases.values()]
    net = np.array([one[0] for one in drawn])
    uses = [np.array([one[1 + row] for one in drawn]) for row in range(3)]
    ceilings = (limits.budget, limits.engineering, limits.change)
    sets = _sets(cases, limits.parallel_pilots)
    counted = np.zeros(len(cases))
    for first in range(0, worlds, _AT_A_TIME):
        now = slice(first, first + _AT_A_TIME)
        worth = sets @ net[:, now]
        for taken, ceiling in zip(uses, ceilings, strict=True):
            worth[sets @ taken[:, now] > float(ceiling or 0.0) * (1 + 1e-9)] = -np.inf
        counted += sets[worth.argmax(axis=0)].sum(axis=0)
    frequencies: NDArray[np.float64] = counted / worlds
    return frequencies


def _world(case: UseCase, worlds: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return net value, budget, engineering and change in every world; the sum of the decision record, written out."""
    assert case.cost is not None
    assert case.effort is not None

    def true(given: Range | None) -> NDArray[np.float64]:
        assert given is not None
        return np.maximum(Metalog.through(given).quantile(rng.uniform(size=worlds)), 0.0)

    line = case.value["hours_saved"]
    value = Metalog.through(line.range).quantile(rng.uniform(size=worlds)) * float(line.rate or 1.0)
    build, yearly, labelling = true(case.cost.build), true(case.cost.run), true(case.cost.labelling)
    years = [(1 + DISCOUNT) ** -year for year in range(1, YEARS + 1)]
    chance = 0.9**3 * (0.6 if case.feasibility and case.feasibility.process == 1 else 0.9)
    committed = build + labelling + yearly * years[0]
    net = chance * (value * sum(years) - yearly * sum(years[1:])) - committed
    return [net, build + labelling + yearly, true(case.effort.engineering), true(case.effort.change)]


def _sets(cases: dict[str, UseCase], most: int | None) -> NDArray[np.float64]:
    """Return every set that keeps needs, exclusions and the number of pilots, one a row."""
    names = list(cases)
    size = len(names)
    sets = (np.arange(2**size)[:, None] >> np.arange(size)) & 1 == 1
    keeps = sets.sum(axis=1) <= (size if most is None else most)
    for at, case in enumerate(cases.values()):
        for other in case.needs:
            keeps &= ~sets[:, at] | sets[:, names.index(other)]
        for other in case.excludes:
            keeps &= ~(sets[:, at] & sets[:, names.index(other)])
    possible: NDArray[np.float64] = sets[keeps].astype(float)
    return possible

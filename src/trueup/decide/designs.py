"""The analyses of designs that are not drawn case by case, as a comparison asks for them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.designs.matched import placebo_changes, weekly_differences
from trueup.evidence.designs.stable import StableSeries
from trueup.evidence.designs.staggered import permuted_effects, staggered_effect
from trueup.evidence.moments import Interval, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOOKS = 12
# Groups of untouched units are drawn the same way wherever they are shown.
PLACEBO_SEED = 1


@dataclass(frozen=True, slots=True)
class StableWeeks:
    """A series against its own past: one margin for every look, however the gates share their level."""

    series: StableSeries
    weeks: tuple[str, ...]

    @property
    def base(self) -> float:
        """Mean of the baseline weeks."""
        return self.series.base

    @property
    def by_margin(self) -> bool:
        """Always: the margin already holds what processes do by themselves."""
        return True

    def shift(self, alpha: float) -> Interval:  # noqa: ARG002 -- the margin has its own level, at any number of looks
        """Return the change with its margin."""
        return self.series.change()

    def watched(self, alpha: float) -> Interval:
        """Return the same: the margin holds at every week."""
        return self.shift(alpha)

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Return the weeks after the launch."""
        return {"week": self.weeks}

    def without(self, kind: str, name: str) -> StableWeeks:  # noqa: ARG002 -- there are only weeks
        """Return the series without one week after the launch."""
        place = self.weeks.index(name)
        kept = (*self.weeks[:place], *self.weeks[place + 1 :])
        return StableWeeks(self.series.without(place), kept)


@dataclass(frozen=True, slots=True)
class Panel:
    """Weekly means of units on their scale: `means` and `cases` (units, weeks), NaN and 0 where there is no case.

    The first `before` weeks are the baseline; `weeks` and `units` name the rest of it and the rows.
    """

    units: tuple[str, ...]
    weeks: tuple[str, ...]
    means: Floats
    cases: Floats
    before: int

    def without(self, kind: str, name: str) -> Panel:
        """Return the panel without one unit or one week."""
        if kind == "unit":
            kept = [place for place, unit in enumerate(self.units) if unit != name]
            units = tuple(self.units[place] for place in kept)
            return replace(self, units=units, means=self.means[kept], cases=self.cases[kept])
        kept = [place for place, week in enumerate(self.weeks) if week != name]
        before = sum(place < self.before for place in kept)
        weeks = tuple(self.weeks[place] for place in kept)
        return replace(self, weeks=weeks, means=self.means[:, kept], cases=self.cases[:, kept], before=before)

    def mean_of(self, chosen: NDArray[np.bool_]) -> float:
        """Return the mean over the cases of the chosen cells; NaN without any."""
        weight = np.where(chosen, self.cases, 0.0)
        total = float(weight.sum())
        return float((weight * np.where(weight > 0, self.means, 0.0)).sum()) / total if total else math.nan


@dataclass(frozen=True, slots=True)
class MatchedUnits:
    """Treated units beside the others: the weekly difference, held to the rule for stable series at half its floor."""

    panel: Panel
    treated: frozenset[str]
    floor: float

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Which rows of the panel are treated."""
        return np.array([unit in self.treated for unit in self.panel.units], dtype=bool)

    @property
    def series(self) -> StableSeries:
        """The difference before and after the launch; weeks in which one side has no case are left out."""
        panel = self.panel
        gaps = weekly_differences(panel.means, panel.cases, self.chosen, panel.before)
        early, late = (tuple(part[np.isfinite(part)].tolist()) for part in (gaps[: panel.before], gaps[panel.before :]))
        return StableSeries(early, late, self.floor)

    @property
    def base(self) -> float:
        """What the treated units would have been: their mean after the launch less the change."""
        after = np.zeros(self.panel.means.shape, dtype=bool)
        after[self.chosen, self.panel.before :] = True
        return self.panel.mean_of(after) - self.series.change().estimate

    @property
    def by_margin(self) -> bool:
        """Always, as for a stable series."""
        return True

    def shift(self, alpha: float) -> Interval:  # noqa: ARG002 -- the margin has its own level, at any number of looks
        """Return the change of the difference with its margin."""
        return self.series.change()

    def watched(self, alpha: float) -> Interval:
        """Return the same: the margin holds at every week."""
        return self.shift(alpha)

    def placebos(self) -> tuple[float, Floats] | None:
        """Return the change, and those of other groups of untouched units; None where too few can be made."""
        return placebo_changes(self.panel.means, self.panel.cases, self.chosen, self.panel.before, PLACEBO_SEED)

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Return the weeks after the launch, and every unit that is not the last of its arm."""
        arms = [[unit for unit in self.panel.units if (unit in self.treated) is side] for side in (True, False)]
        units = [unit for arm in arms if len(arm) > 1 for unit in arm]
        return {"week": self.panel.weeks[self.panel.before :], "unit": tuple(units)}

    def without(self, kind: str, name: str) -> MatchedUnits:
        """Return the comparison without one week or one unit."""
        return replace(self, panel=self.panel.without(kind, name))


@dataclass(frozen=True, slots=True)
class RolloutOrder:
    """Units launched in random order: `launches` names the week from which each is treated (absent: not yet)."""

    panel: Panel
    launches: Mapping[str, str]
    seed: int

    @property
    def _columns(self) -> list[int]:
        return [
            sum(week < self.launches[unit] for week in self.panel.weeks)
            if unit in self.launches
            else len(self.panel.weeks)
            for unit in self.panel.units
        ]

    @property
    def base(self) -> float:
        """What the launched units would have been: the mean of their cells after launch less the effect."""
        columns = np.array(self._columns)
        after = np.arange(len(self.panel.weeks))[None, :] >= columns[:, None]
        # The level at which nothing is ever rejected gives the estimate alone.
        return self.panel.mean_of(after) - self.shift(0.5).estimate

    @property
    def by_margin(self) -> bool:
        """Never: the interval holds at its level and has to clear the bar."""
        return False

    def shift(self, alpha: float) -> Interval:
        """Return the effect that permuted orders do not reject; nothing is known before two units differ."""
        if len(self.panel.units) < 2 or not len(self.panel.weeks):
            return unknown()
        return staggered_effect(self.panel.means, self._columns, alpha, self.seed)

    def watched(self, alpha: float) -> Interval:
        """Return the interval for weekly looks: no sequence over a handful of units, so they share the level."""
        return self.shift(alpha / LOOKS)

    def placebos(self) -> tuple[float, Floats] | None:
        """Return the effect, and those of the other orders; None where nothing is known."""
        if len(self.panel.units) < 2 or not len(self.panel.weeks):
            return None
        return permuted_effects(self.panel.means, self._columns, self.seed)

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Return the weeks after the first launch, and the units."""
        return {"week": self.panel.weeks[self.panel.before :], "unit": self.panel.units}

    def without(self, kind: str, name: str) -> RolloutOrder:
        """Return the comparison without one week or one unit."""
        return replace(self, panel=self.panel.without(kind, name))

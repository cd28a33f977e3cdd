"""What stands beside units that were matched and not drawn: whether untouched units would have shown the same.

Placebo in space asks it of other units, a negative control of a KPI that the workflow cannot move, a synthetic control
of another mixture of units. None of them makes a claim stronger. The first two can take it back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trueup.decide.designs import PLACEBO_SEED, MatchedUnits, Panel
from trueup.decide.level import Level
from trueup.decide.numbers import interval_json
from trueup.evidence.designs.matched import placebo_in_space
from trueup.evidence.moments import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trueup.decide.comparison import Comparison

    Floats = NDArray[np.float64]

# More placebos than this part as large as the effect, and the effect is nothing special.
_AS_LARGE = 0.05
# Units from which a synthetic control is mixed: fewer are none, with more the plain difference serves.
_LEAST_UNITS = 2
FEW_UNITS = 12
# A synthetic control that shows less than this part of the difference, or the other way, is said.
_DISAGREES = 0.5


class Weigher(Protocol):
    """Finds the mixture of control units that follows a series best.

    Guarantees: weights are not negative and add up to 1; the same numbers give the same weights.
    """

    def weights(self, series: Floats, controls: Floats) -> Floats:
        """Return a weight for every column of `controls` (weeks, units), given `series` (weeks)."""
        ...


@dataclass(frozen=True, slots=True)
class Placebo:
    """Of how many groups of untouched units (all, or 999 that were drawn) the change was at least as large."""

    as_large: int
    groups: int

    @property
    def ordinary(self) -> bool:
        """True where so many untouched groups changed as much that the effect is nothing special."""
        return self.as_large > _AS_LARGE * self.groups

    def to_json(self) -> dict[str, Any]:
        """Return the published form; `share` counts the treated group as one of all."""
        share = (1 + self.as_large) / (1 + self.groups)
        return {"as_large": self.as_large, "groups": self.groups, "share": share, "ordinary": self.ordinary}


@dataclass(frozen=True, slots=True)
class NegativeControl:
    """A KPI that the workflow cannot move, compared as the primary one is; `moved` where its interval excludes 0."""

    kpi: str
    unit: str
    interval: Interval
    moved: bool

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {"kpi": self.kpi, "unit": self.unit, **interval_json(self.interval), "moved": self.moved}


@dataclass(frozen=True, slots=True)
class Synthetic:
    """The effect against the mixture of control units that followed the treated ones best before the launch.

    `estimate` in the KPI's unit; `fit` is the root mean square of what the mixture missed before the launch, on the
    scale of the comparison; `as_large` of `groups` control units, each against a mixture of the others, departed as
    far from theirs for what theirs had missed.
    """

    estimate: float
    weights: dict[str, float]
    fit: float
    as_large: int
    groups: int

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "estimate": self.estimate,
            "weights": self.weights,
            "fit": self.fit,
            "as_large": self.as_large,
            "groups": self.groups,
        }


@dataclass(frozen=True, slots=True)
class DesignChecks:
    """What was asked beside a comparison; None where the question does not arise, or units are too few for it.

    `trend` is the p-value of a trend of the difference before the launch. `synthetic` may be the reason why there is
    none.
    """

    placebo: Placebo | None = None
    controls: tuple[NegativeControl, ...] = ()
    synthetic: Synthetic | str | None = None
    trend: float | None = None

    def weakened(self) -> str | None:
        """Say what takes the claim back, or None."""
        said = []
        if self.placebo is not None and self.placebo.ordinary:
            said.append(
                f"{self.placebo.as_large} of {self.placebo.groups} groups of untouched units changed at least as much"
            )
        moved = [control.kpi for control in self.controls if control.moved]
        if moved:
            said.append(f"{', '.join(moved)} moved too, which the workflow cannot move")
        return "; ".join(said) or None

    def notes(self, estimate: float) -> tuple[str, ...]:
        """Return what people should know of the estimate (in the KPI's unit) that changes no verdict."""
        found = []
        if isinstance(self.synthetic, Synthetic) and self.synthetic.estimate * estimate < _DISAGREES * estimate**2:
            found.append(f"a synthetic control shows {self.synthetic.estimate:+.3g} instead of {estimate:+.3g}")
        if self.trend is not None and self.trend < 0.05:
            found.append(f"the difference was moving before the launch (p {self.trend:.2g})")
        return tuple(found)

    def says(self, unit: str) -> str | None:
        """Return all of it in one line, or None where nothing could be asked."""
        found = []
        if self.placebo is not None:
            found.append(f"{self.placebo.as_large} of {self.placebo.groups} groups of untouched units changed as much")
        found += [f"{control.kpi} {'moved too' if control.moved else 'stayed'}" for control in self.controls]
        if isinstance(self.synthetic, Synthetic):
            found.append(f"against a synthetic control {self.synthetic.estimate:+.3g} {unit}")
        return "; ".join(found) or None

    def to_json(self, unit: str) -> dict[str, Any]:
        """Return the published form; `unit` is that of the primary KPI."""
        why = self.synthetic if isinstance(self.synthetic, str) else None
        return {
            "placebo": self.placebo.to_json() if self.placebo else None,
            "negative_controls": [control.to_json() for control in self.controls],
            "synthetic": self.synthetic.to_json() if isinstance(self.synthetic, Synthetic) else None,
            "synthetic_unknown": why,
            "pre_trend_p": self.trend,
            "weakened": self.weakened(),
            "says": self.says(unit),
        }


def level_after(level: Level, checks: DesignChecks) -> Level:
    """Return the level that is left: B and C fall to D where a check takes the claim back; drawn arms keep theirs.

    What was drawn is alike but for chance, and a KPI that moves by chance is no reason to doubt it.
    """
    weak = checks.weakened() is not None and level in {Level.MATCHED, Level.STABLE}
    return Level.BEFORE_AFTER if weak else level


def placebo_of(analysis: MatchedUnits) -> Placebo | None:
    """Return how other groups of untouched units changed; None where fewer than five can be made."""
    panel = analysis.panel
    found = placebo_in_space(panel.means, panel.cases, analysis.chosen, panel.before, PLACEBO_SEED)
    return None if found is None else Placebo(round(found[0] * (1 + found[1])) - 1, found[1])


def negative_control(comparison: Comparison, alpha: float) -> NegativeControl:
    """Return whether a KPI that should stay has moved, in either direction, at the level of a gate."""
    interval = comparison.at_gate(alpha)
    moved = comparison.too_few() is None and (interval.lower > 0 or interval.upper < 0)
    return NegativeControl(comparison.kpi, comparison.unit, interval, moved)


def synthetic_of(comparison: Comparison, analysis: MatchedUnits, weigher: Weigher) -> Synthetic | None:
    """Return the synthetic control, where control units are few; None where a series has gaps, or units are too many.

    Series are taken relative to their mean before the launch, so that a mixture has to follow movements, not levels
    (Abadie, Diamond and Hainmueller 2010; Ferman and Pinto 2021 for the demeaned form).
    """
    panel = analysis.panel
    controls = _whole(panel, ~analysis.chosen)
    treated = _arm(panel, analysis.chosen)
    if treated is None or not _LEAST_UNITS <= len(controls) <= FEW_UNITS or panel.before >= len(panel.weeks):
        return None
    series, units = _demeaned(treated, panel.before), np.array([row for _, row in controls])
    units = np.array([_demeaned(row, panel.before) for row in units])
    weights, gaps = _against(series, units, panel.before, weigher)
    own = _departure(gaps, panel.before)
    others = [
        _departure(_against(row, np.delete(units, at, axis=0), panel.before, weigher)[1], panel.before)
        for at, row in enumerate(units)
        if len(units) > _LEAST_UNITS
    ]
    shift = float(gaps[panel.before :].mean())
    effect = comparison.transform.contrast(Interval(shift, shift, shift), analysis.base).estimate
    return Synthetic(
        estimate=effect,
        weights={name: round(float(part), 6) for (name, _), part in zip(controls, weights, strict=True)},
        fit=float(np.sqrt((gaps[: panel.before] ** 2).mean())),
        as_large=sum(one >= own for one in others),
        groups=len(others),
    )


def _whole(panel: Panel, chosen: NDArray[np.bool_]) -> list[tuple[str, Floats]]:
    return [
        (panel.units[at], panel.means[at]) for at in np.flatnonzero(chosen) if bool(np.isfinite(panel.means[at]).all())
    ]


def _arm(panel: Panel, chosen: NDArray[np.bool_]) -> Floats | None:
    """Return the weekly mean of the treated units' demeaned series, by their cases before; None with gaps."""
    rows = _whole(panel, chosen)
    if not rows or len(rows) < int(chosen.sum()):
        return None
    weight = panel.cases[chosen][:, : panel.before].sum(1)
    moved = np.array([_demeaned(row, panel.before) for _, row in rows])
    found: Floats = weight @ moved / weight.sum()
    return found


def _demeaned(row: Floats, before: int) -> Floats:
    moved: Floats = row - row[:before].mean()
    return moved


def _against(series: Floats, units: Floats, before: int, weigher: Weigher) -> tuple[Floats, Floats]:
    weights = weigher.weights(series[:before], units[:, :before].T)
    gaps = series - weights @ units
    return weights, gaps - gaps[:before].mean()


def _departure(gaps: Floats, before: int) -> float:
    early, late = (math.sqrt(float((part**2).mean())) for part in (gaps[:before], gaps[before:]))
    return late / early if early > 0 else math.inf

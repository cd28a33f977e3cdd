"""What would overturn a verdict: one week less, one unit less, or a bias of that size.

Shown beside a gate and never part of it: a claim that hangs on one week is still one, and people should see the week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.bars import Contrast, Side
from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.decide.numbers import known
from trueup.decide.samples import sample_from
from trueup.evidence.blocks import means_by_label
from trueup.evidence.checks import autocorrelation, intraclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# More units than this are not left out one by one: none of so many can carry a claim alone.
MOST_UNITS = 60


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Of how many weeks and units one was left out in turn, which of them alone turns the verdict, and the bias.

    `bias` is in the KPI's unit: added to every treated value, it would bring the interval back to the bar. None where
    there is no claim to overturn.
    """

    weeks: int
    turning_weeks: tuple[str, ...]
    units: int
    turning_units: tuple[str, ...]
    bias: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "weeks": self.weeks,
            "turning_weeks": list(self.turning_weeks),
            "units": self.units,
            "turning_units": list(self.turning_units),
            "bias": self.bias,
        }


def sensitivity_of(comparison: Comparison, contrast: Contrast, alpha: float) -> Sensitivity:
    """Return what would turn the side on which the gate interval lies of a bar."""
    side = comparison.side(contrast, alpha)
    found: dict[str, list[str]] = {"week": [], "unit": []}
    counted = {"week": 0, "unit": 0}
    for kind, name, rest in _left_out(comparison):
        counted[kind] += 1
        if rest.side(contrast, alpha) is not side:
            found[kind].append(name)
    return Sensitivity(
        counted["week"],
        tuple(found["week"]),
        counted["unit"],
        tuple(found["unit"]),
        _bias(comparison, contrast, alpha, side),
    )


def hanging_together(sample: Sample) -> dict[str, float | None]:
    """Return how cases of one week resemble each other (`icc`) and weeks the one before (`phi`), as they are compared.

    Of a frozen baseline, and where a week has one value, only its weeks are known. None where it cannot be told.
    """
    values, weeks = sample.values, sample.weeks
    if values is None or weeks is None or len(values) != len(weeks):
        return {"icc": None, "phi": autocorrelation(sample.blocks)}
    return {"icc": intraclass(values, weeks), "phi": autocorrelation(means_by_label(values, weeks))}


def _bias(comparison: Comparison, contrast: Contrast, alpha: float, side: Side) -> float | None:
    """Return the distance from the nearer end of the interval to the bar; by margin also that of the margin to 0."""
    if side is Side.ACROSS:
        return None
    interval = comparison.at_gate(alpha, contrast.ratio)
    near = min(abs(interval.lower - contrast.threshold), abs(interval.upper - contrast.threshold))
    if side is Side.GOOD and comparison.analysis is not None and comparison.analysis.by_margin:
        plain = comparison.at_gate(alpha)
        near = min(abs(contrast.edge_distance(interval)), abs(plain.lower), abs(plain.upper))
    return known(near)


def _left_out(comparison: Comparison) -> Iterator[tuple[str, str, Comparison]]:
    if comparison.analysis is not None:
        for kind, names in comparison.analysis.parts().items():
            for name in names if len(names) <= MOST_UNITS and len(names) > 1 else ():
                yield kind, name, replace(comparison, analysis=comparison.analysis.without(kind, name))
        return
    by_unit = comparison.basis is Basis.UNITS
    for kind in ("week", "unit") if by_unit else ("week",):
        labels = {str(label) for arm in (comparison.treated, comparison.control) for label in _labels(arm, kind)}
        for name in sorted(labels) if 1 < len(labels) <= MOST_UNITS else ():
            rest = replace(
                comparison,
                treated=_without(comparison.treated, kind, name),
                control=_without(comparison.control, kind, name),
                known=comparison.known.without(name) if comparison.known is not None and kind == "week" else None,
            )
            if min(rest.treated.n, rest.control.n):
                yield kind, name, rest


def _labels(sample: Sample, kind: str) -> NDArray[np.str_]:
    labels = sample.weeks if kind == "week" else sample.units
    return np.array([], dtype=np.str_) if labels is None else np.unique(labels)


def _without(sample: Sample, kind: str, name: str) -> Sample:
    labels = sample.weeks if kind == "week" else sample.units
    if labels is None or sample.values is None or sample.weeks is None:
        return sample
    kept = labels != name
    # A ratio whose denominators sum to nought has no values: only its pairs are those of its cases.
    values = sample.values[kept] if len(sample.values) == len(kept) else sample.values
    return sample_from(
        values,
        sample.weeks[kept],
        None if sample.units is None else sample.units[kept],
        pairs=None if sample.pairs is None else sample.pairs[kept],
        quantile=sample.quantile,
    )

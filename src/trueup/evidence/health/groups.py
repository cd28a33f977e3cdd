"""Whether groups are treated alike: rates of each, and the largest difference between any two.

Names and definitions are those of fairlearn (Bird et al. 2020), after Agarwal et al. 2018 and Hardt et al. 2016.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.evidence.gates import share_contrast
from trueup.evidence.moments import Interval, require_level
from trueup.evidence.sequences import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Counted:
    """In `n` cases of a group something happened in `having`."""

    n: int
    having: int

    @property
    def rate(self) -> float:
        """Return the share; not a number without cases."""
        return self.having / self.n if self.n else float("nan")

    def interval(self, alpha: float) -> Interval:
        """Return the exact interval of the share (Clopper and Pearson)."""
        return clopper_pearson(self.having, self.n, alpha)


@dataclass(frozen=True, slots=True)
class Apart:
    """The two groups whose rates differ most: the `difference` with its interval, the smallest `ratio` of rates."""

    high: str
    low: str
    difference: Interval
    ratio: float | None


def largest_difference(groups: Mapping[str, Counted], alpha: float) -> Apart | None:
    """Return max - min of the groups' rates; None where fewer than two groups have cases.

    Every pair gets the score interval of Miettinen and Nurminen at alpha over the number of pairs. With probability
    1 - alpha all of them hold; then the largest true difference is at least the largest lower end of a distance, and
    at most the largest upper end: that is the interval. `ratio` is min / max, None where no group has any.
    """
    require_level(alpha)
    filled = {name: counted for name, counted in sorted(groups.items()) if counted.n}
    pairs = list(itertools.combinations(filled.values(), 2))
    if not pairs:
        return None
    level = alpha / len(pairs)
    found = [share_contrast(one.having, one.n, other.having, other.n, level) for one, other in pairs]
    high = max(filled, key=lambda name: filled[name].rate)
    low = min(filled, key=lambda name: filled[name].rate)
    most, least = filled[high].rate, filled[low].rate
    lower = max(0.0, *(max(each.lower, -each.upper) for each in found))
    upper = max(max(each.upper, -each.lower) for each in found)
    return Apart(high, low, Interval(most - least, lower, upper), least / most if most else None)


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was answered and what was right, of one group: selected or not, by the label."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def false_positive_rate(self) -> Counted:
        """Return the cases that should not have been selected, and those that were."""
        return Counted(self.false_positives + self.true_negatives, self.false_positives)

    @property
    def false_negative_rate(self) -> Counted:
        """Return the cases that should have been selected, and those that were not."""
        return Counted(self.true_positives + self.false_negatives, self.false_negatives)

    @property
    def true_positive_rate(self) -> Counted:
        """Return the cases that should have been selected, and those that were."""
        return Counted(self.true_positives + self.false_negatives, self.true_positives)


def confusion(selected: Sequence[bool], wanted: Sequence[bool]) -> Confusion:
    """Count answers against labels. Raises ValueError for unequal lengths."""
    pairs = list(zip(selected, wanted, strict=True))
    return Confusion(
        true_positives=sum(answer and label for answer, label in pairs),
        false_positives=sum(answer and not label for answer, label in pairs),
        true_negatives=sum(not answer and not label for answer, label in pairs),
        false_negatives=sum(not answer and label for answer, label in pairs),
    )


def equalized_odds(groups: Mapping[str, Confusion], alpha: float) -> tuple[Apart | None, Apart | None]:
    """Return the largest difference of true positive rates and of false positive rates, alpha shared by the two.

    The equalized odds difference is the larger of both; each needs two groups with such cases, else it is None.
    """
    true = {name: each.true_positive_rate for name, each in groups.items()}
    false = {name: each.false_positive_rate for name, each in groups.items()}
    return largest_difference(true, alpha / 2), largest_difference(false, alpha / 2)

"""Columns with so many values that nothing can be said of any of them: they split nothing, and it is said why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trueup.observe.cases.definition import Definition

# A pilot of 100 cases a week for half a year has 2.6 cases for each of so many values.
MOST_VALUES = 1_000


def without_crowds(definition: Definition, count: Callable[[Sequence[str]], Mapping[str, int]]) -> Definition:
    """Return the definition without segments and splits of more than MOST_VALUES values; `lacking` says why.

    `count` tells how many different values the columns named have. The unit of an assignment stays: it is a sample.
    """
    asked = [one for one in (*definition.segments, *definition.further) if one.value != definition.unit]
    found = count([one.value for one in asked]) if asked else {}
    crowded = {one.name: found[one.value] for one in asked if found[one.value] > MOST_VALUES}
    if not crowded:
        return definition
    return replace(
        definition,
        segments=[one for one in definition.segments if one.name not in crowded],
        further=[one for one in definition.further if one.name not in crowded],
        lacking={**definition.lacking, **{name: _too_many(name, values) for name, values in crowded.items()}},
    )


def _too_many(name: str, values: int) -> DataError:
    return DataError(
        "too-many-values",
        f"{name!r} has {values:,} different values; at most {MOST_VALUES:,} can be compared.",
        "Name a coarser field (a region, not a customer), or take it out of the workflow's `segment` and `groups`.",
    )

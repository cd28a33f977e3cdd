"""Untouched pilots at three gates, as a comparison judges them: how often is one of them claimed to have changed.

Weeks shake their cases, values are long-tailed, a fifth is held out. A false go is a claim in one direction.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from trueup.decide.adjustment import known_of
from trueup.decide.bars import Contrast, Side
from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.decide.samples import sample_from
from trueup.evidence.designs.scales import PLAIN, Scale, Transform

Floats = NDArray[np.float64]
GATES = (4, 8, 12)
ALPHA = 0.05 / len(GATES)
CAP = 14.0
KINDS = ("ratio", "ratio of fields", "ratio by week", "tail", "logarithm", "covariates")


def world(chance: np.random.Generator, per_week: int) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.str_]]:
    """Times of 20 weeks (eight of them before), a covariate, arms, and the week of each case."""
    shocks = chance.standard_normal(20)
    for week in range(1, 20):
        shocks[week] = 0.4 * shocks[week - 1] + math.sqrt(1 - 0.4**2) * shocks[week]
    covariate = chance.standard_normal((20, per_week))
    noise = chance.standard_normal((20, per_week))
    values = np.exp(0.22 * shocks[:, None] + 0.7 * covariate + 0.7 * noise).ravel()
    weeks = np.repeat([f"w{week:02d}" for week in range(20)], per_week)
    return np.minimum(3 * values, CAP), covariate.ravel(), chance.random(len(values)) >= 0.2, weeks


def sample(kind: str, values: Floats, weeks: NDArray[np.str_], chance: np.random.Generator) -> Sample:
    if kind == "logarithm":
        return sample_from(Transform(Scale.LOG, 0.01)(values), weeks, None)
    if kind == "tail":
        return sample_from(values, weeks, None, quantile=0.75)
    if kind.startswith("ratio"):
        items = chance.poisson(2, len(values)) if kind == "ratio of fields" else chance.random(len(values)) < 0.7
        spent = values * np.maximum(items, 0.3) if kind == "ratio of fields" else values
        return sample_from(values, weeks, None, pairs=np.column_stack([spent, items.astype(float)]))
    return sample_from(values, weeks, None)


def compared(kind: str, chance: np.random.Generator, per_week: int) -> list[Comparison]:
    """The comparison of one untouched pilot at each gate."""
    values, covariate, treated, weeks = world(chance, per_week)
    found = []
    nothing = sample_from(values[:0], weeks[:0], None)
    for gate in GATES:
        inside = (weeks >= "w08") & (weeks < f"w{8 + gate:02d}")
        blank = Comparison("k", "d", share=False, basis=Basis.CASES, frozen=False, treated=nothing, control=nothing)
        arms = [sample(kind, values[inside & arm], weeks[inside & arm], chance) for arm in (treated, ~treated)]
        if kind == "ratio by week":
            before = sample(kind, values[weeks < "w08"], weeks[weeks < "w08"], chance)
            whole = sample(kind, values[inside], weeks[inside], chance)
            found.append(replace(blank, basis=Basis.BLOCKS, frozen=True, treated=whole, control=before, paired=True))
            continue
        one = replace(
            blank,
            treated=arms[0],
            control=arms[1],
            cap=CAP,
            quantile=0.75 if kind == "tail" else None,
            paired=kind.startswith("ratio"),
            transform=Transform(Scale.LOG, 0.01) if kind == "logarithm" else PLAIN,
        )
        if kind == "covariates":
            known = known_of(
                (values[inside & treated], values[inside & ~treated]),
                treated[inside],
                weeks[inside],
                fields=("x",),
                covariates=covariate[inside][:, None],
                strata=None,
                share=0.8,
                decides=True,
            )
            one = replace(one, known=known)
        found.append(one)
    return found


def false_goes(kind: str, pilots: int, seed: int, per_week: int = 60) -> tuple[int, int]:
    """How many of so many untouched pilots say at a gate that things went down, and up."""
    chance = np.random.default_rng(seed)
    down = up = 0
    for _ in range(pilots):
        sides = [
            {sign: one.too_few() is None and one.side(Contrast(1.0, 0.0, sign), ALPHA) is Side.GOOD for sign in (-1, 1)}
            for one in compared(kind, chance, per_week)
        ]
        down += any(side[-1] for side in sides)
        up += any(side[1] for side in sides)
    return down, up


@pytest.mark.parametrize("kind", KINDS)
def test_three_gates_go_falsely_at_most_as_often_as_promised(kind: str) -> None:
    pilots = 20 if kind == "tail" else 80
    down, up = false_goes(kind, pilots, 1)
    assert stats.binom.sf(down + up - 1, pilots, 0.05) > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("per_week", [30, 60, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_three_gates_keep_their_promise_in_many_pilots(kind: str, per_week: int) -> None:
    down, up = false_goes(kind, 1000, 2, per_week)
    assert stats.binom.sf(down + up - 1, 1000, 0.05) > 1e-3

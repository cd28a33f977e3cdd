"""What a rollout, drawn units and matched units could show before they start: told from nought four times in five."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trueup.evidence import gates, power
from trueup.evidence.designs.rollout_power import smallest_by_order
from trueup.evidence.designs.stable import StableSeries, stable_margin
from trueup.evidence.designs.staggered import staggered_effect
from trueup.loop.pilots.sizes.units import LARGER, POWER_QUANTILE

ALPHA = 0.05 / 3
LAUNCHES = [8, 9, 11, 12, 14, 15]


def untouched(rng: np.random.Generator, weeks: int) -> np.ndarray:
    noise = rng.standard_normal((len(LAUNCHES) + 1, weeks))
    for week in range(1, weeks):
        noise[:, week] = 0.4 * noise[:, week - 1] + math.sqrt(1 - 0.16) * noise[:, week]
    found: np.ndarray = rng.standard_normal((len(LAUNCHES), 1)) + 0.3 * noise[:-1] + 0.3 * noise[-1:]
    return found


def found_by_order(sign: int, pilots: int, seed: int) -> float:
    """Return how often an effect of the size that its own past names is told from nought."""
    rng = np.random.default_rng(seed)
    treated = np.arange(18)[None, :] >= np.array(LAUNCHES)[:, None]
    seen = 0
    for _ in range(pilots):
        panel = untouched(rng, 34 + 18)
        smallest = smallest_by_order(panel[:, :34], LAUNCHES, 18, ALPHA, sign, 1)
        interval = staggered_effect(panel[:, 34:] + sign * smallest * treated, LAUNCHES, ALPHA, 1)
        seen += interval.lower > 0 if sign > 0 else interval.upper < 0
    return seen / pilots


def test_the_smallest_effect_of_a_rollout_is_found_about_four_times_in_five() -> None:
    assert 0.55 <= found_by_order(-1, 20, seed=1) <= 1.0


@pytest.mark.long
def test_the_smallest_effect_of_many_rollouts_is_found_about_four_times_in_five() -> None:
    rates = [found_by_order(sign, 300, seed=2) for sign in (1, -1)]
    print(f"found: {rates}")
    assert all(0.66 <= rate <= 0.9 for rate in rates)


def test_a_past_that_knows_too_little_names_no_effect() -> None:
    panel = untouched(np.random.default_rng(3), 20)
    assert smallest_by_order(panel[:, :7], LAUNCHES, 18, ALPHA, 1, 1) == math.inf
    assert smallest_by_order(panel, LAUNCHES, 0, ALPHA, 1, 1) == math.inf
    assert smallest_by_order(panel, [18] * 6, 18, ALPHA, 1, 1) == math.inf
    assert smallest_by_order(panel, LAUNCHES, 18, ALPHA, 1, 1) == smallest_by_order(panel, LAUNCHES, 18, ALPHA, 1, 1)


def test_the_smallest_difference_of_drawn_units_is_found_four_times_in_five() -> None:
    assert power.smallest_detectable_units(1.0, 1, 9, ALPHA) == math.inf
    rng, seen = np.random.default_rng(4), 0
    for _ in range(400):
        shift = power.smallest_detectable_units(1.0, 10, 10, ALPHA)
        found = gates.unit_contrast(shift + rng.standard_normal(10), rng.standard_normal(10), ALPHA)
        seen += found.lower > 0
    assert 0.74 <= seen / 400 <= 0.86


def test_a_change_by_margin_of_that_size_exceeds_it_four_times_in_five() -> None:
    rng, seen = np.random.default_rng(5), 0
    smallest = stable_margin(LARGER * 0.1, 10, 0.1) + POWER_QUANTILE * 0.1 * math.sqrt(1 / 8 + 1 / 10)
    for _ in range(400):
        weeks = 0.1 * rng.standard_normal(18)
        series = StableSeries(tuple(weeks[:8]), tuple(weeks[8:] + smallest), 0.1)
        seen += series.change().lower > 0
    assert 0.74 <= seen / 400 <= 0.86

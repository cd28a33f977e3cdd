"""A comparison at equal mix keeps its promise where the mix of the two sides is not the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trueup.evidence.gates import contrast_variance
from trueup.evidence.mix import Stratum, at_equal_mix
from trueup.evidence.moments import Moments

MEANS = (2.0, 8.0)


def covered(runs: int, gain: float) -> float:
    """Return how often the interval holds the true difference, the two sides 90/10 against 20/80 of two kinds."""
    chance = np.random.default_rng(20240401)
    held = 0
    for _ in range(runs):
        strata = []
        for mean, treated, control in zip(MEANS, (180, 20), (40, 160), strict=True):
            one = Moments.of(chance.gamma(4.0, (mean + gain) / 4.0, treated))
            other = Moments.of(chance.gamma(4.0, mean / 4.0, control))
            strata.append(Stratum(treated + control, one.mean - other.mean, contrast_variance(one, other)))
        held += at_equal_mix(strata, 0.05).contains(gain)
    return held / runs


@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_the_interval_holds_the_truth_as_often_as_promised(gain: float) -> None:
    assert covered(400, gain) >= 0.93


@pytest.mark.long
@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_the_interval_holds_the_truth_as_often_as_promised_in_the_long_run(gain: float) -> None:
    assert 0.945 <= covered(20_000, gain) <= 0.99


def test_by_hand() -> None:
    interval = at_equal_mix([Stratum(300, 1.0, 0.04), Stratum(100, -2.0, 0.16)], 0.05)
    assert interval.estimate == pytest.approx(0.25)
    assert interval.upper - interval.estimate == pytest.approx(1.959964 * math.sqrt(0.5625 * 0.04 + 0.0625 * 0.16))


def test_without_cases_or_spread_nothing_is_known() -> None:
    assert not at_equal_mix([], 0.05).known
    assert not at_equal_mix([Stratum(10, 1.0, 0.0)], 0.05).known


def test_few_degrees_of_freedom_widen() -> None:
    wide = at_equal_mix([Stratum(10, 1.0, 0.1, 3.0)], 0.05)
    assert wide.upper - wide.estimate == pytest.approx(3.182446 * math.sqrt(0.1))

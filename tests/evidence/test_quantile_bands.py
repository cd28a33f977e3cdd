"""Quantiles from buckets: by hand, and the band against its promise at every look."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from trueup.evidence.quantiles import quantile_band

EDGES = [float(edge) for edge in range(16)]


def misses(seed: int, runs: int, quantile: float) -> int:
    """In how many pilots the band leaves the truth at one of twelve weekly looks, 40 cases a week."""
    chance = np.random.default_rng(seed)
    truth = float(stats.gamma.ppf(quantile, 2, scale=2))
    missed = 0
    for _ in range(runs):
        values = chance.gamma(2, 2, 480)
        found = np.minimum(values, 15).astype(int)
        bands = [
            quantile_band(EDGES, np.bincount(found[: 40 * week], minlength=16).tolist(), quantile, 0.05)
            for week in range(1, 13)
        ]
        missed += any(not band.contains(truth) for band in bands)
    return missed


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_the_band_leaves_the_truth_at_most_as_often_as_promised(quantile: float) -> None:
    assert stats.binom.sf(misses(1, 200, quantile) - 1, 200, 0.05) > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_band_keeps_its_promise_in_many_pilots(quantile: float) -> None:
    assert stats.binom.sf(misses(2, 4000, quantile) - 1, 4000, 0.05) > 1e-3


def test_an_estimate_is_interpolated_in_its_bucket() -> None:
    """Of 10 and 10 values in [0, 2) and [2, 4) the median is 2, the third quartile 3."""
    assert quantile_band([0, 2, 4], [10, 10, 0], 0.5, 0.05).estimate == 2
    assert quantile_band([0, 2, 4], [10, 10, 0], 0.75, 0.05).estimate == 3


def test_many_cases_leave_the_bucket_of_the_quantile_and_its_edges() -> None:
    band = quantile_band(EDGES, [10_000] * 16, 0.53, 0.05)
    assert (band.lower, band.upper) == (8.0, 9.0)
    assert band.estimate == pytest.approx(8.48)


def test_a_quantile_in_the_open_bucket_has_no_upper_end() -> None:
    band = quantile_band([0, 1], [10, 5000], 0.9, 0.05)
    assert (band.lower, band.upper, band.estimate) == (1, math.inf, 1)


def test_nothing_is_known_without_cases_and_little_with_few() -> None:
    assert not quantile_band([0, 1], [0, 0], 0.5, 0.05).known
    few = quantile_band([0, 1, 2], [1, 1, 1], 0.5, 0.05)
    assert (few.lower, few.upper) == (0, math.inf)


@pytest.mark.parametrize(("edges", "quantile"), [([0.0], 0.5), ([0.0, 1.0], 0.0), ([0.0, 1.0], 1.0)])
def test_what_is_no_quantile_is_refused(edges: list[float], quantile: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        quantile_band(edges, [1, 1], quantile, 0.05)

"""Quantiles from buckets: by hand, and the band against its promise at every look."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from trueup.evidence.quantiles import influence_variance, quantile_band, quantile_contrast, sample_quantile

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


def claims(seed: int, pilots: int, quantile: float, *, watched: bool = False, ratio: float = 1.0) -> tuple[int, int]:
    """How many untouched pilots have an interval beyond the truth at a look, above and below: 60 cases a week.

    A fifth is held out, weeks shake their cases (intraclass correlation .15, AR(1) .4), times are cut at 14 days.
    """
    chance = np.random.default_rng(seed)
    looks, alpha = (range(1, 13), 0.05) if watched else ((4, 8, 12), 0.05 / 3)
    above = below = 0
    for _ in range(pilots):
        shocks = chance.standard_normal(12)
        for week in range(1, 12):
            shocks[week] = 0.4 * shocks[week - 1] + math.sqrt(1 - 0.4**2) * shocks[week]
        spread = math.sqrt(0.15) * shocks[:, None] + math.sqrt(0.85) * chance.standard_normal((12, 60))
        values, treated = np.minimum(3 * np.exp(spread), 14), chance.random((12, 60)) >= 0.2
        values = np.where(treated, ratio, 1.0) * values
        found = [
            quantile_contrast(
                values[:w][treated[:w]], values[:w][~treated[:w]], quantile, alpha, ratio, watched=watched
            )
            for w in looks
        ]
        above += any(one.lower > 0 for one in found)
        below += any(one.upper < 0 for one in found)
    return above, below


@pytest.mark.parametrize(("quantile", "ratio"), [(0.5, 1.0), (0.9, 0.8)])
def test_three_gates_claim_a_change_of_a_quantile_at_most_as_often_as_promised(quantile: float, ratio: float) -> None:
    assert stats.binom.sf(sum(claims(3, 40, quantile, ratio=ratio)) - 1, 40, 0.05) > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize(("quantile", "ratio"), [(0.5, 1.0), (0.75, 1.0), (0.9, 1.0), (0.9, 0.8)])
def test_quantiles_of_two_arms_keep_their_promise_in_many_pilots(
    quantile: float, ratio: float, *, watched: bool
) -> None:
    pilots = 300 if watched else 2000
    assert stats.binom.sf(sum(claims(4, pilots, quantile, ratio=ratio, watched=watched)) - 1, pilots, 0.05) > 1e-3


def test_a_change_of_a_quantile_is_found_and_its_bar_is_cleared() -> None:
    chance = np.random.default_rng(5)
    treated, control = 0.6 * chance.gamma(2, 2, 800), chance.gamma(2, 2, 200)
    truth = float(stats.gamma.ppf(0.9, 2, scale=2))
    for watched in (False, True):
        found = quantile_contrast(treated, control, 0.9, 0.05 / 3, watched=watched)
        assert found.lower < -0.4 * truth < found.upper < 0
    assert quantile_contrast(treated, control, 0.9, 0.05, 0.9).upper < 0
    level = quantile_contrast(treated, control, 0.9, 0.05, 0.0)
    assert level.lower < 0.6 * truth < level.upper
    assert level.estimate == sample_quantile(treated, 0.9)


def test_a_quantile_among_the_values_that_were_cut_is_unknown_on_that_side() -> None:
    quick, slow = np.linspace(1, 10, 200), np.concatenate([np.linspace(1, 13, 150), np.full(50, 14.0)])
    found = quantile_contrast(quick, slow, 0.9, 0.05, cap=14.0)
    assert math.isnan(found.estimate)
    assert found.lower == -math.inf
    assert found.upper < 0
    assert not quantile_contrast(slow, slow, 0.9, 0.05, cap=14.0).known


def test_a_tail_of_a_few_cases_says_nothing_of_its_quantile() -> None:
    assert not quantile_contrast(np.arange(49.0), np.arange(500.0), 0.9, 0.05).known
    assert quantile_contrast(np.arange(50.0), np.arange(500.0), 0.9, 0.05).known
    assert not quantile_contrast([], [], 0.9, 0.05).known


def test_equal_values_are_no_change() -> None:
    found = quantile_contrast(np.full(100, 3.0), np.full(100, 3.0), 0.5, 0.05)
    assert found.lower <= 0 <= found.upper


def test_a_sample_quantile_is_one_of_the_values_and_varies_as_theory_says() -> None:
    """Of an exponential the 90th percentile has density .1: variance .9 * .1 / .01 = 9."""
    assert sample_quantile(range(1, 11), 0.9) == 9
    values = np.random.default_rng(6).standard_exponential(40_000)
    assert influence_variance(values, 0.9) == pytest.approx(9.0, rel=0.2)
    assert influence_variance([1.0, 1.0, 1.0], 0.5) == influence_variance([], 0.5) == 0.0


@pytest.mark.parametrize(
    ("values", "quantile", "says"), [([-1.0], 0.5, "negative"), ([1.0], 1.0, "quantile"), ([math.inf], 0.5, "finite")]
)
def test_what_has_no_quantile_to_compare_is_refused(values: list[float], quantile: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        quantile_contrast(values, [1.0], quantile, 0.05)

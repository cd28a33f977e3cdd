"""Degenerate input is an answer: nothing known, or the only possible value; never a crash and never NaN in an end."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from trueup.evidence import checks, gates, power, sequences
from trueup.evidence.moments import Interval, Moments

EMPTY, ONE = Moments(0, 0.0, 0.0), Moments(1, 5.0, 0.0)
CONSTANT, USUAL = Moments(200, 5.0, 0.0), Moments(200, 4.0, 2.0)
MEANS: list[Callable[[Moments, Moments], Interval]] = [
    lambda one, other: gates.mean_contrast(one, other, 0.05),
    lambda one, other: gates.relative_change(one, other, 0.05),
    lambda one, other: sequences.concurrent_means(one, other, 0.05),
    lambda one, other: sequences.frozen_means(one, other, 0.05),
]


@pytest.mark.parametrize("method", MEANS)
@pytest.mark.parametrize("arm", [EMPTY, ONE])
def test_an_arm_too_small_for_a_variance_says_nothing(
    method: Callable[[Moments, Moments], Interval], arm: Moments
) -> None:
    for found in (method(arm, USUAL), method(USUAL, arm), method(arm, arm)):
        assert not found.known
        assert math.isnan(found.estimate) == (arm.n == 0)


@pytest.mark.parametrize("method", MEANS)
def test_two_constants_say_nothing(method: Callable[[Moments, Moments], Interval]) -> None:
    found = method(CONSTANT, CONSTANT)
    assert not found.known
    assert found.estimate == 0


def test_a_constant_arm_borrows_the_others_spread() -> None:
    borrowed = gates.mean_contrast(CONSTANT, USUAL, 0.05)
    assert borrowed == gates.mean_contrast(Moments(200, 5.0, 2.0), USUAL, 0.05)
    blocks = gates.block_contrast([5.0] * 6, [4.0, 5.0, 3.0, 4.0], 0.05)
    assert blocks.known
    assert blocks.upper - blocks.lower > 1


@pytest.mark.parametrize("counts", [(0, 10, 0, 10), (10, 10, 10, 10), (0, 10, 10, 10), (10, 10, 0, 10), (0, 1, 1, 1)])
@pytest.mark.parametrize("ratio", [0.0, 0.7, 1.0, 1.4])
def test_all_or_nothing_shares_keep_an_interval_of_some_width(counts: tuple[int, int, int, int], ratio: float) -> None:
    for method in (gates.share_contrast, sequences.concurrent_shares, sequences.frozen_shares):
        found = method(*counts, 0.05, ratio)
        assert -ratio <= found.lower <= found.estimate <= found.upper <= 1
        assert found.upper > found.lower


def test_an_empty_arm_of_shares_says_nothing() -> None:
    for method in (gates.share_contrast, sequences.concurrent_shares, sequences.frozen_shares):
        for counts in ((0, 0, 3, 10), (3, 10, 0, 0), (0, 0, 0, 0)):
            found = method(*counts, 0.05)
            assert not found.known
            assert math.isnan(found.estimate)


def test_blocks_without_spread_or_too_few_say_nothing() -> None:
    for treated, control in (([], []), ([1.0], [2.0, 3.0]), ([1.0, 1.0], [2.0, 2.0]), ([1.0, 2.0], [])):
        assert not gates.block_contrast(treated, control, 0.05).known
    for baseline, pilot in (([], [1.0]), ([1.0, 2.0], [1.0]), ([1.0] * 8, [2.0]), ([1.0, 2.0, 3.0], [])):
        assert not sequences.frozen_blocks(baseline, pilot, 0.05).known


def test_bounded_values_that_are_all_alike() -> None:
    assert not sequences.betting_interval([], 0.05).known
    zeros, ones = sequences.betting_interval(np.zeros(80), 0.05), sequences.betting_interval(np.ones(80), 0.05)
    assert (zeros.lower, zeros.estimate, ones.estimate, ones.upper) == (0, 0, 1, 1)
    assert 0 < zeros.upper < 0.2
    assert 0.8 < ones.lower < 1
    assert sequences.betting_interval([0.3], 0.05).upper <= 1
    assert not sequences.empirical_bernstein_interval([], 0.05).known


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    for call in (
        lambda: Moments.of([1.0, bad]),
        lambda: Moments(3, bad, 1.0),
        lambda: Moments(3, 0.0, abs(bad)),
        lambda: gates.block_contrast([1.0, bad], [1.0, 2.0], 0.05),
        lambda: sequences.frozen_blocks([1.0, 2.0, bad], [1.0], 0.05),
        lambda: sequences.betting_interval([0.5, bad], 0.05),
        lambda: sequences.concurrent_bounded([1.0], [1.0], 0.0, abs(bad), 0.05),
        lambda: gates.mean_contrast(USUAL, USUAL, 0.05, bad),
        lambda: checks.volume_shift(10.0, bad),
        lambda: checks.autocorrelation([1.0, 2.0, bad, 3.0]),
    ):
        with pytest.raises(ValueError, match=r"finite|sample|bounds|ratio|relative|volumes"):
            call()


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_a_level_outside_0_and_1_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        gates.mean_contrast(USUAL, USUAL, alpha)
    with pytest.raises(ValueError, match="alpha"):
        sequences.share_interval(1, 2, alpha)


def test_counts_that_cannot_be_are_refused() -> None:
    for call in (
        lambda: sequences.share_interval(3, 2, 0.05),
        lambda: gates.share_contrast(-1, 2, 1, 2, 0.05),
        lambda: sequences.concurrent_shares(1, 2, 3, 2, 0.05),
        lambda: sequences.betting_interval([1.5], 0.05),
        lambda: Moments(-1, 0.0, 0.0),
        lambda: Moments.of(np.zeros((2, 2))),
    ):
        with pytest.raises(ValueError, match=r"count|bounds|sample|dimension"):
            call()


def test_moments_of_a_constant_have_no_invented_spread() -> None:
    assert Moments.of([0.1] * 7).variance == 0
    assert Moments.from_sums(7, 0.7, 7 * 0.1 * 0.1).variance == 0


def test_forecasts_of_what_is_not_known() -> None:
    nothing = Interval(1.0, -math.inf, math.inf)
    assert power.weeks_to_decide(nothing, 0.0, 100, 10) is None
    assert power.weeks_to_decide(Interval(math.nan, -math.inf, math.inf), 0.0, 100, 10) is None
    assert power.weeks_to_decide(Interval(0.0, -1.0, 1.0), 0.0, 100, 10) is None
    assert power.weeks_to_decide(Interval(0.5, -1.0, 2.0), 0.0, 100, 0) is None
    assert power.weeks_to_decide(Interval(0.5, -1.0, 2.0), 0.0, 100, 10, floor=0.6) is None
    assert power.smallest_detectable(1.0, 0, 1.0, 10, 0.05) == math.inf
    assert power.smallest_detectable_blocks(1.0, 1, 1.0, 8, 0.05) == math.inf
    assert power.smallest_detectable_share(0.1, 10, 10, 0.05, -1) is None
    assert power.smallest_detectable_share(0.0, 100, 100, 0.05, -1) is None

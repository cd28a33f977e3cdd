"""Laws of every interval: it holds its estimate, knows no favourite arm, no unit, and no level it was not given."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trueup.evidence import gates, sequences
from trueup.evidence.moments import Interval, Moments
from trueup.evidence.shares import share_interval

LEVELS = st.floats(0.001, 0.5)
RATIOS = st.floats(0.2, 2.0)
MOMENTS = st.builds(Moments, st.integers(2, 5000), st.floats(-50, 50), st.floats(0.01, 100))
SERIES = st.lists(st.floats(-10, 10), min_size=3, max_size=20).filter(lambda values: float(np.std(values)) > 0.01)
UNIT = st.lists(st.floats(0, 1), min_size=1, max_size=60)
SLACK = 1e-6


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 600))
    return draw(st.integers(0, n)), n


def holds_its_estimate(found: Interval) -> bool:
    return found.lower - SLACK <= found.estimate <= found.upper + SLACK


def within(inner: Interval, outer: Interval) -> bool:
    return outer.lower - SLACK <= inner.lower and inner.upper <= outer.upper + SLACK


@given(MOMENTS, MOMENTS, LEVELS, LEVELS, RATIOS)
def test_means_hold_their_estimate_and_widen_with_certainty(
    treated: Moments, control: Moments, one: float, other: float, ratio: float
) -> None:
    strict, lax = min(one, other), max(one, other)
    for method in (gates.mean_contrast, sequences.concurrent_means):
        found = method(treated, control, lax, ratio)
        assert holds_its_estimate(found)
        assert within(found, method(treated, control, strict, ratio))
    frozen = sequences.frozen_means(control, treated, lax, ratio)
    assert holds_its_estimate(frozen)
    assert within(frozen, sequences.frozen_means(control, treated, strict, ratio))


@given(counts(), counts(), LEVELS, LEVELS, RATIOS)
def test_shares_hold_their_estimate_and_widen_with_certainty(
    treated: tuple[int, int], control: tuple[int, int], one: float, other: float, ratio: float
) -> None:
    strict, lax = min(one, other), max(one, other)
    for method in (gates.share_contrast, sequences.concurrent_shares, sequences.frozen_shares):
        found = method(*treated, *control, lax, ratio)
        assert math.isfinite(found.lower)
        assert math.isfinite(found.upper)
        assert holds_its_estimate(found)
        assert within(found, method(*treated, *control, strict, ratio))


@given(SERIES, SERIES, LEVELS, LEVELS, RATIOS)
def test_blocks_hold_their_estimate_and_widen_with_certainty(
    treated: list[float], control: list[float], one: float, other: float, ratio: float
) -> None:
    strict, lax = min(one, other), max(one, other)
    for method in (gates.block_contrast, sequences.frozen_blocks):
        found = method(treated, control, lax, ratio)
        assert holds_its_estimate(found)
        assert within(found, method(treated, control, strict, ratio))


@given(MOMENTS, MOMENTS, LEVELS)
def test_swapping_the_arms_of_means_turns_the_interval_round(treated: Moments, control: Moments, alpha: float) -> None:
    for method in (gates.mean_contrast, sequences.concurrent_means):
        one, other = method(treated, control, alpha), method(control, treated, alpha)
        assert one == Interval(-other.estimate, -other.upper, -other.lower)


@given(counts(), counts(), LEVELS)
def test_swapping_arms_or_outcomes_of_shares_turns_the_interval_round(
    treated: tuple[int, int], control: tuple[int, int], alpha: float
) -> None:
    (x1, n1), (x0, n0) = treated, control
    for method in (gates.share_contrast, sequences.concurrent_shares):
        found = method(x1, n1, x0, n0, alpha)
        for other in (method(x0, n0, x1, n1, alpha), method(n1 - x1, n1, n0 - x0, n0, alpha)):
            assert [found.lower, found.upper] == pytest.approx([-other.upper, -other.lower], abs=SLACK)


@given(SERIES, SERIES, LEVELS)
def test_swapping_the_arms_of_blocks_turns_the_gate_interval_round(
    treated: list[float], control: list[float], alpha: float
) -> None:
    one, other = gates.block_contrast(treated, control, alpha), gates.block_contrast(control, treated, alpha)
    assert [one.lower, one.upper] == pytest.approx([-other.upper, -other.lower], rel=1e-9, abs=1e-9)


@given(SERIES, SERIES, st.floats(0.1, 100), st.floats(-100, 100), RATIOS)
def test_minutes_or_hours_make_no_difference_and_a_shift_of_both_arms_is_no_change(
    treated: list[float], control: list[float], scale: float, shift: float, ratio: float
) -> None:
    one, other = np.array(treated), np.array(control)
    methods = (
        gates.block_contrast,
        sequences.frozen_blocks,
        lambda a, b, alpha, r=1.0: gates.mean_contrast(Moments.of(a), Moments.of(b), alpha, r),
    )
    for method in methods:
        base, scaled = method(one, other, 0.05, ratio), method(scale * one, scale * other, 0.05, ratio)
        assert [scaled.lower, scaled.upper] == pytest.approx(
            [scale * base.lower, scale * base.upper], rel=1e-6, abs=1e-6
        )
        plain, shifted = method(one, other, 0.05), method(one + shift, other + shift, 0.05)
        assert [shifted.lower, shifted.upper] == pytest.approx([plain.lower, plain.upper], rel=1e-6, abs=1e-6)


@given(UNIT, UNIT, LEVELS, LEVELS)
def test_bets_hold_the_mean_and_widen_with_certainty(
    treated: list[float], control: list[float], one: float, other: float
) -> None:
    strict, lax = min(one, other), max(one, other)
    found = sequences.betting_interval(treated, lax)
    assert 0 <= found.lower <= found.estimate <= found.upper <= 1
    pair = sequences.concurrent_bounded(treated, control, 0.0, 1.0, lax)
    assert holds_its_estimate(pair)
    assert within(pair, sequences.concurrent_bounded(treated, control, 0.0, 1.0, strict))


@given(UNIT, LEVELS)
def test_betting_on_failures_mirrors_betting_on_successes(values: list[float], alpha: float) -> None:
    found, mirrored = (
        sequences.betting_interval(values, alpha),
        sequences.betting_interval([1 - v for v in values], alpha),
    )
    assert [found.lower, found.upper] == pytest.approx([1 - mirrored.upper, 1 - mirrored.lower], abs=1e-5)


@given(UNIT, LEVELS)
def test_a_running_intersection_only_ever_narrows(values: list[float], alpha: float) -> None:
    narrowed = [sequences.betting_interval(values[: n + 1], alpha, running=True) for n in range(len(values))]
    for earlier, later in itertools.pairwise(narrowed):
        assert later.lower >= earlier.lower - SLACK
        assert later.upper <= earlier.upper + SLACK
    present = sequences.betting_interval(values, alpha)
    assert narrowed[-1].lower >= min(present.lower, present.estimate) - SLACK


@given(UNIT, UNIT)
def test_later_values_do_not_change_earlier_looks(first: list[float], later: list[float]) -> None:
    before = sequences.betting_interval(first, 0.05)
    again = sequences.betting_interval((first + later)[: len(first)], 0.05)
    assert before == again


@given(counts(), LEVELS)
def test_the_exact_interval_of_a_share_mirrors_its_complement(count: tuple[int, int], alpha: float) -> None:
    successes, n = count
    found, mirrored = share_interval(successes, n, alpha), share_interval(n - successes, n, alpha)
    assert [found.lower, found.upper] == pytest.approx([1 - mirrored.upper, 1 - mirrored.lower], abs=SLACK)


@given(counts(), counts(), LEVELS)
def test_a_watched_share_is_wider_than_its_gate(
    treated: tuple[int, int], control: tuple[int, int], alpha: float
) -> None:
    # With hardly any event the score interval is known to be wide.
    assume(all(min(x, n - x) >= 5 for x, n in (treated, control)))
    gate, watch = (
        gates.share_contrast(*treated, *control, alpha),
        sequences.concurrent_shares(*treated, *control, alpha),
    )
    assert watch.upper - watch.lower >= 0.9 * (gate.upper - gate.lower)


@given(st.lists(st.lists(st.floats(-100, 100), max_size=8), max_size=6))
def test_samples_may_be_pooled_in_any_cut(parts: list[list[float]]) -> None:
    together = Moments.of([value for part in parts for value in part])
    pooled = Moments.pooled(Moments.of(part) for part in parts)
    assert pooled.n == together.n
    assert [pooled.mean, pooled.variance] == pytest.approx([together.mean, together.variance], rel=1e-6, abs=1e-6)


@given(st.floats(-5, 5), st.floats(0.01, 3))
def test_an_interval_clears_a_bar_one_way_or_the_other_or_contains_it(estimate: float, half: float) -> None:
    found = Interval(estimate, estimate - half, estimate + half)
    assert [found.clears(0.0, 1), found.clears(0.0, -1), found.contains(0.0)].count(True) == 1

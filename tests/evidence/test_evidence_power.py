"""What the methods can see, so that caution does not turn into blindness; and whether forecasts come true."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.power import before_after
from tests.evidence.simulation import GATES, World, at_gates, watched
from trueup.evidence import gates, power, sequences
from trueup.evidence.moments import Interval, Moments

PILOTS = 600


def test_a_fifth_of_a_standard_deviation_is_seen_at_100_cases_a_week_in_each_arm() -> None:
    seen = watched(World("normal", 200, 0.5, effect=0.2), PILOTS, seed=5).by_look
    assert [seen[week - 1] for week in GATES] == pytest.approx([0.44, 0.85, 0.98], abs=0.05)


@pytest.mark.parametrize(
    ("per_week", "change", "by_gates", "by_sequence"), [(60, -0.3, 0.94, 0.85), (200, -0.2, 0.98, 0.93)]
)
def test_a_fifth_held_out_sees_the_usual_promise_on_logarithms(
    per_week: int, change: float, by_gates: float, by_sequence: float
) -> None:
    # Durations of lognormal shape, compared on their logarithms: the change is a shift there.
    world = World("normal", per_week, 0.2, icc=0.05, phi=0.4, effect=math.log1p(change))
    assert at_gates(world, PILOTS, seed=6).rate() == pytest.approx(by_gates, abs=0.05)
    assert watched(world, PILOTS, seed=6).rate() == pytest.approx(by_sequence, abs=0.05)


@pytest.mark.parametrize(("per_week", "change", "exceeds"), [(60, -0.3, 0.24), (200, -0.2, 0.13)])
def test_before_and_after_sees_little_and_its_admission_lets_less_through(
    per_week: int, change: float, exceeds: float
) -> None:
    # The anchors are the chance to exceed the margin; the rule asks for admission first, which most series are not.
    world = World("normal", per_week, icc=0.05, phi=0.4, effect=math.log1p(change))
    found = {what: hits / PILOTS for what, hits in before_after(world, PILOTS, seed=6).items()}
    error = math.sqrt(exceeds * (1 - exceeds) / PILOTS)
    assert found["C, exceeds its margin"] == pytest.approx(exceeds, abs=3 * error)
    assert found["C, says go"] <= min(found["C, admitted"], found["C, exceeds its margin"])
    assert found["C, says go"] < exceeds - 3 * error


def test_shares_are_watched_more_closely_than_by_two_halves_of_alpha() -> None:
    pair = sequences.concurrent_shares(160, 800, 50, 200, 0.05)
    treated, control = sequences.share_interval(160, 800, 0.025), sequences.share_interval(50, 200, 0.025)
    assert pair.upper - pair.lower < 0.85 * (treated.upper - treated.lower + control.upper - control.lower)


def test_the_smallest_detectable_difference_is_detected_four_times_in_five() -> None:
    rng = np.random.default_rng(9)
    alpha, n1, n0 = 0.05 / 3, 400, 100
    shift = power.smallest_detectable(1.0, n1, 1.0, n0, alpha)
    share = power.smallest_detectable_share(0.3, n1, n0, alpha, 1)
    assert share is not None
    means = shares = 0
    for _ in range(1000):
        treated, control = Moments.of(shift + rng.standard_normal(n1)), Moments.of(rng.standard_normal(n0))
        means += gates.mean_contrast(treated, control, alpha).lower > 0
        x1, x0 = int(rng.binomial(n1, 0.3 + share)), int(rng.binomial(n0, 0.3))
        shares += gates.share_contrast(x1, n1, x0, n0, alpha).lower > 0
    assert [means / 1000, shares / 1000] == pytest.approx([0.8, 0.8], abs=0.05)


def test_the_smallest_detectable_difference_of_blocks_covers_weeks_that_hang_together() -> None:
    alpha = 0.05 / 3
    shift = power.smallest_detectable_blocks(1.0, 12, 1.0, 12, alpha)
    rng = np.random.default_rng(10)
    weeks = rng.standard_normal((1000, 24))
    for week in range(1, 24):
        weeks[:, week] = 0.4 * weeks[:, week - 1] + math.sqrt(1 - 0.16) * weeks[:, week]
    found = sum(gates.block_contrast(row[12:] + shift, row[:12], alpha).lower > 0 for row in weeks)
    assert found >= 0.75 * 1000


@given(st.floats(0.01, 0.99), st.integers(30, 5000), st.integers(30, 5000))
def test_more_cases_see_smaller_changes_of_a_share(share: float, n1: int, n0: int) -> None:
    for sign in (1, -1):
        few, many = (power.smallest_detectable_share(share, k * n1, k * n0, 0.05, sign) for k in (1, 4))
        if few is not None:
            assert many is not None
            assert 0 < many <= few


def test_a_forecast_comes_true_when_the_estimate_stays() -> None:
    def at(n: int) -> Interval:
        return gates.mean_contrast(Moments(4 * n, -0.12, 1.0), Moments(n, 0.0, 1.0), 0.05 / 3)

    now = at(40)
    weeks = power.weeks_to_decide(now, 0.0, cases=200, per_week=50)
    assert weeks is not None
    assert not at(40 + 10 * (weeks - 1)).clears(0.0, -1)
    assert at(40 + 10 * weeks + 1).clears(0.0, -1)


def test_a_forecast_knows_what_is_decided_and_what_never_will_be() -> None:
    assert power.weeks_to_decide(Interval(-0.5, -0.7, -0.3), 0.0, 200, 50) == 0
    assert power.weeks_to_decide(Interval(0.001, -1.0, 1.0), 0.0, 200, 50) is None
    assert power.weeks_to_decide(Interval(0.5, -0.1, 1.1), 0.0, 200, 50) == 2
    # A frozen baseline leaves a width that no volume takes away.
    assert power.weeks_to_decide(Interval(0.5, -0.1, 1.1), 0.0, 200, 50, floor=0.49) == 45
    assert power.weeks_to_decide(Interval(0.5, -0.1, 1.1), 0.0, 200, 50, floor=0.5) is None

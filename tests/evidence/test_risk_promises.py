"""What thresholds, bounds and watches promise about wrong outcomes, kept by simulation; anchors beside them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evidence.risk_worlds import (
    DELTA,
    LIMIT,
    alarms_at_the_limit,
    broken_by_choice,
    delays,
    outcomes,
    passed_at_the_limit,
)
from trueup.evidence.risk.limit import reviews_to_pass, wrong_at_most
from trueup.evidence.risk.review import Weighted, review_plan, reviews_to_notice, weighed
from trueup.evidence.risk.watch import Promise, watched_all


def test_a_tested_threshold_rarely_breaks_the_limit_and_one_by_its_own_sample_often_does() -> None:
    tested, naive = broken_by_choice(1000, 1)
    assert tested <= DELTA
    assert 0.35 <= naive <= 0.49


def test_a_workflow_at_the_limit_rarely_passes_though_somebody_looks_every_week() -> None:
    ours, fixed = passed_at_the_limit(1000, 60, 26, 2)
    assert ours <= 0.05
    assert 0.13 <= fixed <= 0.25


def test_a_jump_is_seen_soon_by_the_detector_and_late_by_the_process() -> None:
    found = delays(200, 3)
    assert found["detector"] == pytest.approx(228, rel=0.15)
    assert found["process"] == pytest.approx(1618, rel=0.08)
    assert found["process before"] <= 0.05


def test_the_process_rarely_alarms_at_the_limit_and_the_detector_runs_as_long_as_it_says() -> None:
    alarmed, run_length = alarms_at_the_limit(300, 5000, 4)
    assert alarmed <= 0.05
    assert run_length >= Promise(LIMIT).run_length


@pytest.mark.parametrize(("limit", "rise_to"), [(0.03, 0.10), (0.05, 0.10), (0.01, 0.05), (0.2, 0.5)])
def test_nine_of_ten_rises_are_noticed_within_the_reviews_that_are_planned(limit: float, rise_to: float) -> None:
    promise = Promise(limit)
    needed = reviews_to_notice(promise, rise_to)
    assert needed is not None
    noticed = 0
    for seed in range(100):
        before = outcomes(300, limit / 3, 1000 + seed)
        state = watched_all(promise, [*before, *outcomes(needed, rise_to, seed)])
        noticed += state.detected_at is not None
    # 90% promised; three standard errors of a hundred runs.
    assert noticed >= 81


def test_the_weighted_estimate_is_unbiased_and_its_bound_holds_at_every_look() -> None:
    broken, estimates = 0, []
    for seed in range(60):
        random = np.random.default_rng(seed)
        state, crossed = Weighted(0.2), False
        for n in range(1500):
            drawn = random.random() < 0.2
            state = weighed(state, 0.2, wrong=bool(random.random() < 0.06) if drawn else None)
            crossed |= n % 50 == 0 and state.at_most(0.9) < 0.06
        broken += crossed
        estimates.append(state.estimate or 0.0)
    # 10% promised; two standard errors of sixty runs.
    assert broken <= 10
    assert np.mean(estimates) == pytest.approx(0.06, abs=0.006)


def test_what_an_example_of_the_review_says() -> None:
    assert wrong_at_most(24, 2140, 0.95) < 0.03
    assert wrong_at_most(0, 183, 0.95) >= 0.03 > wrong_at_most(0, 184, 0.95)
    assert reviews_to_pass(0.03, 0.95) == 184
    assert reviews_to_pass(0.03, 0.95, 0.03) is None


def test_a_plan_says_when_a_rise_cannot_be_noticed_in_time() -> None:
    promise = Promise(0.05)
    few = review_plan(promise, 0.10, per_week=60, weeks=4)
    assert (few.in_time, few.share) == (False, 1.0)
    late = review_plan(promise, 0.10, per_week=1000, weeks=4, delay_weeks=4)
    assert (late.in_time, late.available) == (False, 0.0)
    many = review_plan(promise, 0.10, per_week=60_000, weeks=4)
    assert (many.in_time, many.share) == (True, 0.05)
    middle = review_plan(promise, 0.10, per_week=200, weeks=4)
    assert middle.needed is not None
    assert middle.share == pytest.approx(middle.needed / 800)
    assert middle.share_at(1) == middle.share_at(middle.needed) == 1.0
    assert middle.share_at(10**6) == middle.share


@pytest.mark.long
def test_every_promise_at_length() -> None:
    tested, naive = broken_by_choice(4000, 11)
    assert tested <= DELTA
    assert naive >= 0.35
    for per_week in (10, 20, 60, 200, 1000):
        ours, _ = passed_at_the_limit(20_000, per_week, 52, 12)
        assert ours <= 0.05
    assert alarms_at_the_limit(2000, 20_000, 13)[0] <= 0.05
    found = delays(2000, 14)
    assert found["detector"] == pytest.approx(228, rel=0.12)
    assert found["process"] == pytest.approx(1618, rel=0.05)

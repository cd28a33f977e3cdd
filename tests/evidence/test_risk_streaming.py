"""Outcome by outcome, with the state written down and read back at any moment, or all at once: the same numbers."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.evidence.risk.limit import wrong_at_most
from trueup.evidence.risk.review import ReviewPlan, Weighted, review_plan, reviews_to_notice, weighed, weighed_all
from trueup.evidence.risk.thresholds import binomial_p_value, chosen_threshold, empirical_threshold, fewest_accepted
from trueup.evidence.risk.watch import Promise, WatchState, log_e_value, run_length_weeks, watched, watched_all

SHARES = st.floats(0.001, 0.999)


@settings(max_examples=60)
@given(st.lists(st.booleans(), max_size=200), st.data(), SHARES)
def test_a_watch_that_is_written_down_and_read_back_says_the_same_to_the_last_digit(
    wrong: list[bool], data: st.DataObject, limit: float
) -> None:
    promise = Promise(limit)
    cuts = data.draw(st.sets(st.integers(0, 200)))
    state = WatchState("model-1")
    for n, one in enumerate(wrong):
        if n in cuts:
            state = WatchState.of_json(json.loads(json.dumps(state.to_json())))
        state = watched(promise, state, wrong=one, basis="model-1")
    assert state == watched_all(promise, wrong, "model-1")
    assert state.wrong == sum(wrong)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0.05, 1), st.none() | st.booleans()), max_size=100), st.integers(0, 100))
def test_the_weighted_estimate_streams_to_the_last_digit(cases: list[tuple[float, bool | None]], cut: int) -> None:
    state = weighed_all(0.05, cases[:cut])
    state = Weighted.of_json(json.loads(json.dumps(state.to_json())))
    for share, wrong in cases[cut:]:
        state = weighed(state, share, wrong=wrong)
    assert state == weighed_all(0.05, cases)
    assert state.at_most(0.95) <= 1


@given(st.lists(st.booleans(), max_size=60), SHARES)
def test_the_process_is_the_mean_of_the_products_as_written(wrong: list[bool], limit: float) -> None:
    promise = Promise(limit)
    products = [math.prod(up if one else down for one in wrong) for up, down in promise.gains]
    assert log_e_value(promise, sum(wrong), len(wrong)) == pytest.approx(math.log(sum(products) / len(products)))


def test_another_model_starts_the_evidence_afresh() -> None:
    promise = Promise(0.05)
    bad = watched_all(promise, [True] * 40, "model-1")
    assert bad.alarmed
    fresh = watched(promise, bad, wrong=False, basis="model-2")
    assert (fresh.basis, fresh.reviewed, fresh.wrong, fresh.alarmed) == ("model-2", 1, 0, False)


def test_an_alarm_stands_and_says_when() -> None:
    promise = Promise(0.05)
    state = watched_all(promise, [True] * 40 + [False] * 200)
    assert state.alarmed_at is not None
    assert state.detected_at is not None
    assert state.alarmed_at <= 40
    assert run_length_weeks(promise, 50) == 100
    assert run_length_weeks(promise, 0) is None


def test_very_long_runs_stay_finite() -> None:
    promise = Promise(0.001)
    assert all(math.isfinite(value) for value in watched_all(promise, [True] * 400).detectors)
    assert all(value >= 0 for value in watched_all(promise, [False] * 3000).detectors)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"basis": "x", "reviewed": 1, "wrong": 2, "detectors": [0.0] * 6},
        {"basis": "x", "detectors": [0.0]},
        {"basis": "x", "detectors": ["a"] * 6},
        {"basis": "x", "detectors": [0.0] * 6, "more": 1},
    ],
)
def test_a_state_that_is_none_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"state|float"):
        WatchState.of_json(broken)


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        Promise(0.0)
    with pytest.raises(ValueError, match="run length"):
        Promise(0.05, run_length=1)
    with pytest.raises(ValueError, match="within the limit"):
        reviews_to_notice(Promise(0.05), 0.05)
    with pytest.raises(ValueError, match="0 or more"):
        review_plan(Promise(0.05), 0.1, -1, 4)
    with pytest.raises(ValueError, match="0 or more"):
        review_plan(Promise(0.05), 0.1, math.inf, 4)
    with pytest.raises(ValueError, match="share"):
        weighed(Weighted(0.5), 0.2, wrong=None)
    with pytest.raises(ValueError, match="smallest share"):
        Weighted(0)
    with pytest.raises(ValueError, match="no weighted"):
        Weighted.of_json({"other": 1})
    with pytest.raises(ValueError, match="no count"):
        binomial_p_value(3, 2, 0.1)
    with pytest.raises(ValueError, match=r"sure"):
        wrong_at_most(1, 10, 1.0)
    with pytest.raises(ValueError, match="one label"):
        chosen_threshold([0.5], [0.0, 1.0], 0.1, 0.1)
    with pytest.raises(ValueError, match="one label"):
        chosen_threshold([0.5], [0.5], 0.1, 0.1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        chosen_threshold([1.5], [0.0], 0.1, 0.1)


def test_too_few_cases_choose_no_threshold() -> None:
    needed = fewest_accepted(0.05, 0.1)
    assert needed == 45
    assert chosen_threshold([0.9] * (needed - 1), [0] * (needed - 1), 0.05, 0.1) is None
    chosen = chosen_threshold([0.9] * needed, [0] * needed, 0.05, 0.1)
    assert chosen is not None
    assert (chosen.accepted, chosen.share) == (needed, 1.0)
    assert empirical_threshold([], [], 0.05) is None
    assert binomial_p_value(0, 0, 0.1) == 1.0
    assert wrong_at_most(0, 0, 0.95) == 1.0


def test_nothing_is_known_of_nothing() -> None:
    empty = Weighted(0.1)
    assert (empty.estimate, empty.at_most(0.95)) == (None, 1.0)
    assert ReviewPlan(None, 100, 1.0).share_at(10**9) == 1.0

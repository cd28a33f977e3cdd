"""The promises, kept by simulation: where nothing happens, at most one pilot in twenty is told that something did.

Gates are weeks 4, 8 and 12 at a third of 5% each; the watched sequence is looked at in each of 12 weeks. Claims in
either direction are counted, so a false `go` (one direction) is about half of what is held to 5% here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from tests.evidence.simulation import ALPHA, World, at_gates, watched
from trueup.evidence import sequences
from trueup.evidence.moments import Moments

QUICK, FULL = 500, 4000
KINDS = [("normal", 0.05), ("exponential", 0.05), ("lognormal", 0.05), ("share", 0.05), ("share", 0.3)]

SAMPLE = [
    World("normal", 20, 0.5),
    World("normal", 400, 0.2),
    World("exponential", 60, 0.1),
    World("exponential", 400, 0.5),
    World("lognormal", 20, 0.2),
    World("lognormal", 60, 0.2),
    World("lognormal", 100, 0.1),
    World("lognormal", 100, 0.2, icc=0.05, phi=0.5),
    World("share", 20, 0.5, share=0.3),
    World("share", 100, 0.2),
    World("share", 400, 0.2, share=0.3),
    World("normal", 100),
    World("lognormal", 20),
    World("share", 20),
    World("normal", 400, icc=0.05, phi=0.5),
    World("exponential", 200, icc=0.05, phi=0.5),
    World("lognormal", 60, icc=0.05, phi=0.4, baseline=26),
    World("share", 200, icc=0.05, phi=0.5),
    World("lognormal", 100, 0.2, effect=-0.1, ratio=0.9),
    World("exponential", 100, icc=0.05, phi=0.4, effect=-0.1, ratio=0.9),
]


def every_world() -> Iterator[World]:
    for kind, share in KINDS:
        for per_week in (20, 60, 100, 200, 400):
            for holdout in (0.1, 0.2, 0.5):
                yield World(kind, per_week, holdout, share=share)
            yield World(kind, per_week, 0.2, icc=0.05, phi=0.5, share=share)
            yield World(kind, per_week, share=share)
            for phi in (0.4, 0.5):
                yield World(kind, per_week, icc=0.05, phi=phi, share=share)
            for baseline in (12, 26, 52):
                yield World(kind, per_week, icc=0.05, phi=0.4, share=share, baseline=baseline)


@pytest.mark.parametrize("world", SAMPLE, ids=str)
def test_an_untouched_process_is_rarely_told_that_it_changed(world: World) -> None:
    gate, watch = at_gates(world, QUICK, seed=1), watched(world, QUICK, seed=2)
    assert not gate.proves_more_than(ALPHA), gate
    assert not watch.proves_more_than(ALPHA), watch


def test_a_relative_bar_for_shares_is_rarely_cleared_from_exactly_on_it() -> None:
    world = World("share", 100, 0.2, share=0.3, effect=-0.03, ratio=0.9)
    assert not at_gates(world, QUICK, seed=1).proves_more_than(ALPHA)


@pytest.mark.long
@pytest.mark.parametrize("world", list(every_world()), ids=str)
def test_false_claims_stay_below_5_percent(world: World) -> None:
    gate, watch = at_gates(world, FULL, seed=1), watched(world, FULL, seed=2)
    assert max(gate.up, gate.down) <= ALPHA * FULL, gate
    assert watch.rate() <= ALPHA, watch
    assert not gate.proves_more_than(ALPHA, 0.975), gate


@pytest.mark.parametrize(
    "world", [World("exponential", 60), World("share", 20), World("share", 100, share=0.3)], ids=str
)
def test_sequences_over_cases_hold_against_a_frozen_baseline_of_independent_weeks(world: World) -> None:
    assert not watched(world, 300, seed=3, by_case=True).proves_more_than(ALPHA)


def test_sequences_over_cases_fail_when_weeks_hang_together() -> None:
    # Why nothing but weekly blocks is used without randomisation by case.
    world = World("normal", 200, icc=0.05, phi=0.5)
    assert watched(world, 300, seed=3, by_case=True).rate() > 0.25


@pytest.mark.parametrize("share", [0.02, 0.3, 0.98])
def test_the_exact_sequence_of_a_share_covers_at_all_times(share: float) -> None:
    rng = np.random.default_rng(6)
    counts = np.cumsum(rng.random((400, 600)) < share, axis=1)[:, ::20]
    missed = sum(
        any(not sequences.share_interval(int(x), 1 + 20 * look, ALPHA).contains(share) for look, x in enumerate(row))
        for row in counts
    )
    assert missed <= ALPHA * 400


@pytest.mark.parametrize("kind", ["beta", "rare", "halves"])
def test_bets_and_bernstein_cover_at_all_times(kind: str) -> None:
    rng = np.random.default_rng(7)
    values, mean = {
        "beta": (rng.beta(2, 5, (300, 300)), 2 / 7),
        "rare": ((rng.random((300, 300)) < 0.03).astype(np.float64), 0.03),
        "halves": (rng.integers(0, 3, (300, 300)) / 2, 0.5),
    }[kind]
    looks = range(10, 301, 29)
    for method in (sequences.betting_interval, sequences.empirical_bernstein_interval):
        missed = sum(any(not method(row[:n], ALPHA).contains(mean) for n in looks) for row in values)
        assert missed <= 0.05 * 300 + 3 * math.sqrt(300 * 0.05 * 0.95)
    missed = sum(not sequences.betting_interval(row, ALPHA, running=True).contains(mean) for row in values)
    assert missed <= 0.05 * 300 + 3 * math.sqrt(300 * 0.05 * 0.95)


def test_watching_from_the_first_case_holds_over_betting_and_asymptotics_together() -> None:
    rng = np.random.default_rng(8)
    cap, claims = 6.0, 0
    for _ in range(200):
        values = np.minimum(np.exp(rng.standard_normal(400)), cap)
        treated = rng.random(400) < 0.8
        looks = (
            sequences.watched_means(*_arms(values[:n], treated[:n]), ALPHA, bounds=(0.0, cap))
            for n in range(20, 401, 20)
        )
        claims += any(not seen.contains(0.0) for seen in looks)
    assert claims <= ALPHA * 200


def _arms(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], treated: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[list[float], list[float]]:
    return values[treated].tolist(), values[~treated].tolist()


def test_means_say_nothing_before_their_entry_conditions() -> None:
    early, late = Moments(79, 1.0, 1.0), Moments(20, 5.0, 1.0)
    assert not sequences.concurrent_means(early, late, ALPHA).known
    assert sequences.concurrent_means(Moments(80, 1.0, 1.0), late, ALPHA).known
    assert not sequences.concurrent_means(Moments(500, 1.0, 1.0), Moments(19, 5.0, 1.0), ALPHA).known
    assert not sequences.mean_interval(Moments(99, 1.0, 1.0), ALPHA).known
    assert sequences.entered(100, 5)
    assert not sequences.entered(100, 4)
    assert not sequences.entered(100, 96)

"""Designs without a drawn control by case: their constants, and how often they claim what did not happen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.evidence.designs import matched, stable, staggered
from trueup.evidence.designs.scales import PLAIN, Scale, Transform, least_of
from trueup.evidence.moments import Interval
from trueup.evidence.multiplicity import e_bh, e_lond, e_value_at

GATES = (4, 8, 12)
ALPHA = 0.05


def ar1(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> np.ndarray:
    found = rng.standard_normal(shape)
    for week in range(1, shape[-1]):
        found[..., week] = phi * found[..., week - 1] + math.sqrt(1 - phi**2) * found[..., week]
    return found


@pytest.mark.parametrize(("blocks", "margin"), [(4, 3.111), (7, 2.577), (8, 2.474), (10, 2.320), (12, 2.208)])
def test_the_margin_of_a_stable_series_at_eight_baseline_weeks(blocks: int, margin: float) -> None:
    assert stable.stable_margin(1.0, blocks, 0.0) == pytest.approx(margin, abs=1e-3)
    assert stable.stable_margin(0.01, blocks, 0.2) == 0.2


def test_a_series_is_admitted_where_its_margin_is_no_more_than_what_is_promised() -> None:
    weeks = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.02, 0.98]
    assert stable.admit(weeks, 0.21, 0.2, delay=3).admitted
    assert not stable.admit(weeks, 0.19, 0.2, delay=3).admitted
    assert "8 are needed" in stable.admit(weeks[:7], 0.9, 0.2, delay=3).because
    assert not stable.admit(weeks, 0.9, 0.2, delay=9).admitted
    assert not stable.admit([1.0] * 8, 0.9, 0.2, delay=3).admitted


def claims_of_stable_series(phi: float, spread: float, pilots: int, seed: int) -> tuple[int, int]:
    rng = np.random.default_rng(seed)
    claimed = admitted = 0
    for series in spread * ar1(rng, (pilots, 8 + 3 + 12), phi):
        if not stable.admit(series[:8], 0.36, 0.2, delay=3).admitted:
            continue
        admitted += 1
        claimed += any(
            stable.StableSeries(tuple(series[:8]), tuple(series[11 : 11 + j]), 0.2).change().lower > 0 for j in (5, 9)
        )
    return claimed, admitted


def test_an_admitted_series_that_nobody_touched_rarely_claims() -> None:
    claimed, admitted = claims_of_stable_series(0.4, 0.12, 2000, 1)
    assert admitted > 1000
    assert claimed / admitted < 0.03


def panel_of(rng: np.random.Generator, units: int, weeks: int, effect: float, launches: list[int]) -> np.ndarray:
    panel = rng.standard_normal((units, 1)) + 0.3 * ar1(rng, (units, weeks), 0.4) + 0.3 * ar1(rng, (1, weeks), 0.6)
    panel += effect * (np.arange(weeks)[None, :] >= np.array(launches)[:, None])
    panel[rng.random(panel.shape) < 0.05] = np.nan
    return panel


def claims_of_rollouts(units: int, rollouts: int, effect: float, seed: int) -> float:
    rng = np.random.default_rng(seed)
    places, claimed = staggered.launch_weeks(units, 9), 0
    for _ in range(rollouts):
        launches = [8 + places[place] for place in rng.permutation(units)]
        panel = panel_of(rng, units, 17, effect, launches)
        looks = [staggered.staggered_effect(panel[:, : 8 + week], launches, ALPHA / 3, 1) for week in (1, 5, 9)]
        claimed += any(look.lower > 0 or look.upper < 0 for look in looks)
    return claimed / rollouts


def test_a_rollout_in_random_order_claims_no_more_than_its_level() -> None:
    assert claims_of_rollouts(6, 150, 0.0, 2) <= 0.09


@pytest.mark.long
def test_many_rollouts_in_random_order_keep_the_promise() -> None:
    assert claims_of_rollouts(6, 3000, 0.0, 3) <= 0.055
    assert claims_of_rollouts(12, 1000, 0.0, 4) <= 0.06


def test_a_rollout_sees_a_large_effect_and_four_units_can_reject_nothing() -> None:
    assert claims_of_rollouts(8, 20, 1.5, 5) > 0.8
    assert claims_of_rollouts(4, 20, 5.0, 6) == 0
    with pytest.raises(ValueError, match="needs 6"):
        staggered.rollout_order(["a", "b", "c", "d"], 1)


def test_the_interval_of_a_rollout_moves_with_the_effect() -> None:
    rng = np.random.default_rng(7)
    launches = [8, 9, 11, 12, 14, 15]
    panel = panel_of(rng, 6, 17, 0.0, launches)
    plain = staggered.staggered_effect(panel, launches, 0.05, 1)
    treated = np.arange(17)[None, :] >= np.array(launches)[:, None]
    moved = staggered.staggered_effect(panel + 2.0 * treated, launches, 0.05, 1)
    assert [moved.estimate, moved.lower, moved.upper] == pytest.approx(
        [plain.estimate + 2, plain.lower + 2, plain.upper + 2], abs=1e-6
    )


@given(st.permutations([f"unit {n}" for n in range(9)]), st.integers(0, 2**48))
def test_the_order_follows_from_units_and_seed_alone(units: list[str], seed: int) -> None:
    order = staggered.rollout_order(units, seed)
    assert order == staggered.rollout_order(sorted(units), seed)
    assert sorted(order) == sorted(units)


def test_matched_units_take_out_what_moves_both() -> None:
    rng = np.random.default_rng(8)
    shared = np.cumsum(rng.standard_normal(20))[None, :]
    panel = rng.standard_normal((9, 1)) + shared + 0.05 * rng.standard_normal((9, 20))
    treated = np.arange(9) < 3
    panel[:3, 8:] += 1.0
    gaps = matched.weekly_differences(panel, np.full((9, 20), 10.0), treated, 8)
    assert matched.change_of(gaps, 8) == pytest.approx(1.0, abs=0.1)
    placebo = matched.placebo_in_space(panel, np.full((9, 20), 10.0), treated, 8, 1)
    assert placebo is not None
    assert placebo[0] == pytest.approx(1 / 21)
    trend = matched.pre_trend(gaps[:8])
    assert trend is not None
    assert trend.p > 0.01


def test_logarithms_come_back_as_geometric_means() -> None:
    log = Transform(Scale.LOG, 0.1)
    base = float(log([2.0, 8.0]).mean())
    assert log.back(base) == pytest.approx(4.0)
    shift = Interval(math.log(0.7), math.log(0.6), math.log(0.8))
    assert log.contrast(shift, base, 1.0).estimate == pytest.approx(4.0 * -0.3)
    assert log.contrast(shift, base, 0.8).upper == pytest.approx(0.0, abs=1e-12)
    assert log.contrast(Interval(0.0, -math.inf, math.inf), base).lower == -math.inf
    assert log.worth(base, 0.9, 0.0) == pytest.approx(math.log(0.9))
    assert PLAIN.contrast(Interval(1.0, 0.0, 2.0), 5.0, 0.9).estimate == pytest.approx(1.5)
    assert least_of([0.0, 0.0, 1.0]) is None
    with pytest.raises(ValueError, match="positive least"):
        Transform(Scale.LOG, 0.0)


def test_a_promise_beyond_the_cap_promises_less() -> None:
    log = Transform(Scale.LOG, 0.1)
    assert stable.promised_shift([5.0, 21.0], [False, True], 0.7, log) == pytest.approx(math.log(0.7) / 2)


def test_e_values_of_a_family_and_of_a_stream() -> None:
    assert e_bh([100.0, 30.0, 1.0, 0.0], 0.05) == [True, False, False, False]
    assert e_bh([100.0, 45.0, 1.0, 0.0], 0.05) == [True, True, False, False]
    assert e_bh([], 0.05) == []
    assert e_lond([40.0, 30.0], 0.05) == [True, False]
    found = e_value_at(lambda alpha: alpha > 0.01)
    assert 100 * (1 - 1e-5) < found <= 100  # rounded down, never up
    assert e_value_at(lambda _: False) == 0.0
    with pytest.raises(ValueError, match="not negative"):
        e_bh([math.nan], 0.05)


def test_at_most_five_in_a_hundred_of_a_cycle_are_false_discoveries() -> None:
    rng = np.random.default_rng(9)
    false = []
    for _ in range(400):
        # Forty workflows without effect, ten with one; e-values of a normal likelihood ratio, all moved by one shock.
        z = rng.standard_normal(50) * 0.8 + 0.6 * rng.standard_normal()
        z[:10] += 4.0
        found = np.array(e_bh(np.exp(3.0 * z - 4.5).tolist(), ALPHA))
        false.append(found[10:].sum() / max(found.sum(), 1))
    assert np.mean(false) <= ALPHA

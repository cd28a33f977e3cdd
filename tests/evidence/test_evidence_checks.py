"""The checks behind a comparison: arms, volume, mix, blocks that hang together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.evidence import checks


def test_arms_as_declared_raise_no_alarm_and_a_lossy_log_does() -> None:
    assert checks.ratio_e_value([812, 188], [0.8, 0.2]) < 1
    assert checks.ratio_e_value([700, 300], [0.8, 0.2]) > checks.RATIO_ALARM
    assert checks.ratio_e_value([0, 0], [0.8, 0.2]) == pytest.approx(1)
    assert checks.ratio_e_value([5, 1], [1.0, 0.0]) == math.inf
    assert checks.ratio_e_value([5, 0], [1.0, 0.0]) == pytest.approx(1)


def test_the_ratio_e_value_is_a_fair_bet() -> None:
    # Expectation 1 under the declared shares, by complete enumeration of 12 cases.
    n, share = 12, 0.3
    weights = [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    mean = sum(w * checks.ratio_e_value([k, n - k], [share, 1 - share]) for k, w in enumerate(weights))
    assert mean == pytest.approx(1, abs=1e-9)


def test_the_ratio_alarm_is_rare_at_all_looks_together() -> None:
    rng = np.random.default_rng(20)
    treated = np.cumsum(rng.binomial(60, 0.8, size=(2000, 12)), axis=1)
    alarms = sum(
        any(checks.ratio_e_value([int(t), 60 * week - int(t)], [0.8, 0.2]) >= 20 for week, t in enumerate(row, 1))
        for row in treated
    )
    # Ville: at the threshold 20 at most one series in 20 may alarm, however often it is looked at.
    assert alarms <= 0.05 * 2000


@pytest.mark.parametrize("bad", [([1], [0.5, 0.5]), ([1, -1], [0.5, 0.5]), ([1, 1], [0.5, 0.4])])
def test_shares_that_do_not_add_up_are_refused(bad: tuple[list[int], list[float]]) -> None:
    with pytest.raises(ValueError, match="sample ratio"):
        checks.ratio_e_value(*bad)


@given(st.lists(st.integers(0, 500), min_size=2, max_size=8), st.integers(2, 20))
def test_the_same_mix_at_another_volume_is_stable(cells: list[int], factor: int) -> None:
    found = checks.population_stability(cells, [factor * cell for cell in cells])
    if sum(cells) == 0:
        assert found is None
    else:
        assert found is not None
        assert 0 <= found < 0.1


def test_a_cell_that_vanishes_is_a_break_and_not_infinite() -> None:
    found = checks.population_stability([500, 500], [0, 1000])
    assert found is not None
    assert checks.MIX_BREAK < found < math.inf
    assert checks.population_stability([500, 500, 0], [500, 500, 0]) == pytest.approx(0)
    assert checks.population_stability([0, 0], [1, 2]) is None
    with pytest.raises(ValueError, match="mix"):
        checks.population_stability([1, 2], [1])


def test_an_unchanged_mix_of_many_cells_is_rarely_a_break_and_a_new_kind_of_case_is_one() -> None:
    rng = np.random.default_rng(11)
    usual = 1 / np.arange(1, 101)
    usual /= usual.sum()
    moved = usual.copy()
    moved[60] = 0.6
    moved /= moved.sum()
    for before, after in ((300, 30), (2000, 80), (5000, 1000)):
        found = [
            checks.population_stability(rng.multinomial(before, usual).tolist(), rng.multinomial(after, mix).tolist())
            for mix in (usual, moved)
            for _ in range(200)
        ]
        broken = [value is not None and value > checks.MIX_BREAK for value in found]
        assert sum(broken[:200]) <= 10
        assert sum(broken[200:]) == 200


def test_volume_is_compared_on_the_logarithm() -> None:
    assert checks.volume_shift(40, 60) == pytest.approx(math.log(1.5))
    assert checks.volume_shift(60, 40) == pytest.approx(-math.log(1.5))
    assert checks.volume_shift(40, 0) == -math.inf
    assert checks.volume_shift(0, 40) == math.inf
    assert checks.volume_shift(0, 0) is None


def test_the_intraclass_correlation_is_found() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(5, 60, 400)
    blocks = np.repeat(np.arange(400), sizes)
    values = math.sqrt(0.2) * rng.standard_normal(400)[blocks] + math.sqrt(0.8) * rng.standard_normal(len(blocks))
    assert checks.intraclass(values, blocks) == pytest.approx(0.2, abs=0.03)
    assert checks.intraclass(values, rng.permutation(blocks)) == pytest.approx(0, abs=0.02)


def test_what_has_no_correlation_is_unknown() -> None:
    assert checks.intraclass([], []) is None
    assert checks.intraclass([1.0, 2.0], [0, 1]) is None
    assert checks.intraclass([1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1]) is None
    assert checks.intraclass([1.0, 1.0, 2.0, 2.0], [0, 0, 1, 1]) == pytest.approx(1)
    assert checks.autocorrelation([1.0, 2.0, 3.0]) is None
    assert checks.autocorrelation([2.0] * 8) is None


def test_the_autocorrelation_of_short_series_is_nearly_unbiased() -> None:
    rng = np.random.default_rng(5)
    series = rng.standard_normal((3000, 20))
    for week in range(1, 20):
        series[:, week] = 0.4 * series[:, week - 1] + math.sqrt(1 - 0.16) * series[:, week]
    found = [checks.autocorrelation(row) for row in series]
    assert np.mean([value for value in found if value is not None]) == pytest.approx(0.4, abs=0.04)

"""Constants that others computed: the boundaries and intervals are the published ones, not look-alikes."""

from __future__ import annotations

import math

import pytest

from trueup.evidence import boundaries, sequences
from trueup.evidence.gates import relative_change, share_contrast
from trueup.evidence.moments import Moments


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (boundaries.best_rho(100, 0.05), 12.60056),
        (boundaries.normal_mixture(100, 0.05, 100), 30.35209),
        (boundaries.one_sided_normal_mixture(100, 0.05, 100), 27.66071),
        (boundaries.gamma_exponential(100, 0.05, 100, 2), 33.02017),
        (boundaries.beta_binomial(100, 0.05, 100, 0.2, 0.8), 31.43080),
        (boundaries.beta_binomial(100, 0.05, 100, 0.2, 0.8, one_sided=True), 28.41238),
        (boundaries.poly_stitching(100, 0.05, 10, 3), 64.48755),
    ],
)
def test_uniform_boundaries_are_those_of_the_reference_implementation(found: float, published: float) -> None:
    assert found == pytest.approx(published, abs=1e-5)


@pytest.mark.parametrize(
    ("successes", "n", "t_opt", "lower", "upper"),
    [(700, 1000, 100, 0.651629, 0.745949), (15, 50, 50, 0.129556, 0.511896)],
)
def test_bernoulli_intervals_are_those_of_the_reference_implementation(
    successes: int, n: int, t_opt: float, lower: float, upper: float
) -> None:
    found = sequences.share_interval(successes, n, 0.05, t_opt)
    assert [found.lower, found.upper] == pytest.approx([lower, upper], abs=2e-6)


@pytest.mark.parametrize(("blocks", "half_width"), [(4, 3.111), (7, 2.577), (8, 2.474), (10, 2.320), (12, 2.208)])
def test_block_sequence_has_the_designed_half_widths(blocks: int, half_width: float) -> None:
    assert sequences.block_half_width(8, blocks, 0.05) == pytest.approx(half_width, abs=1e-3)


def test_asymptotic_sequence_is_the_normal_mixture_seen_as_a_mean() -> None:
    for t in (1, 30, 500, 40_000):
        sum_bound = boundaries.normal_mixture(t, 0.05, 500)
        assert sequences.asymptotic_half_width(t, 0.05, 500) == pytest.approx(sum_bound / t, rel=1e-12)


def test_score_interval_is_that_of_the_literature() -> None:
    # Newcombe 1998, table II, method 6 (Miettinen and Nurminen): 56/70 against 48/80.
    found = share_contrast(56, 70, 48, 80, 0.05)
    assert [found.lower, found.upper] == pytest.approx([0.0528, 0.3382], abs=1e-4)


def test_fieller_agrees_with_the_delta_method_when_the_control_is_sharp() -> None:
    treated, control = Moments(10_000, 9.0, 4.0), Moments(10_000, 10.0, 4.0)
    found = relative_change(treated, control, 0.05)
    error = math.sqrt(4e-4 / 100 + 81 * 4e-4 / 10_000)
    assert found.estimate == pytest.approx(-0.1)
    assert found.upper - found.lower == pytest.approx(2 * 1.959964 * error, rel=1e-3)

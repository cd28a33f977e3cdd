"""Where others compute the same, they agree: MAPIE's fixed sequence, ville's Bernoulli sequence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from trueup.evidence.bounded import empirical_bernstein_interval
from trueup.evidence.risk.limit import wrong_at_most
from trueup.evidence.risk.review import weighed_all
from trueup.evidence.risk.thresholds import STEPS, binomial_p_value, chosen_threshold, fewest_accepted


@pytest.mark.parametrize("seed", range(20))
def test_the_fixed_sequence_ends_where_that_of_mapie_ends(seed: int) -> None:
    fwer = pytest.importorskip("mapie.risk_control.fwer_control")
    random = np.random.default_rng(seed)
    confidence = random.random(400)
    wrong = (random.random(400) < (1 - confidence) / 3).astype(int)
    grid = [step / STEPS for step in range(STEPS - 1, -1, -1)]
    grid = [at for at in grid if (confidence >= at).sum() >= fewest_accepted(0.05, 0.1)]
    p_values = [stats.binom.cdf(wrong[confidence >= at].sum(), (confidence >= at).sum(), 0.05) for at in grid]
    rejected = fwer.control_fwer(np.array(p_values), 0.1, fwer_method="fixed_sequence")
    chosen = chosen_threshold(confidence, wrong, 0.05, 0.1)
    assert (chosen.at if chosen else None) == (grid[max(rejected)] if len(rejected) else None)


def test_the_exact_p_value_is_never_above_that_of_hoeffding_and_bentkus() -> None:
    methods = pytest.importorskip("mapie.risk_control.methods")
    for wrong, n in ((0, 60), (2, 100), (7, 300), (30, 900)):
        theirs = float(methods.compute_hoeffding_bentkus_p_value(np.array([wrong / n]), n, 0.05)[0, 0])
        assert binomial_p_value(wrong, n, 0.05) <= theirs + 1e-12
        assert binomial_p_value(wrong, n, 0.05) == pytest.approx(stats.binom.cdf(wrong, n, 0.05))


@pytest.mark.parametrize(("wrong", "n"), [(0, 200), (24, 2140), (50, 1000), (300, 1000)])
def test_the_bound_lies_between_that_of_one_look_and_that_of_a_flat_mixture(wrong: int, n: int) -> None:
    ville = pytest.importorskip("ville")
    outcomes = np.concatenate([np.ones(wrong), np.zeros(n - wrong)])
    other = ville.BernoulliCS(alpha=0.05, prior=(1.0, 1.0), intersect=False).fit(outcomes)
    upper = float(np.atleast_1d(other.upper_)[-1])
    fixed = float(special.betaincinv(wrong + 1, n - wrong, 0.95))
    # Theirs spreads its mixture over all shares, ours around the share that is tested; one look may know more than all.
    assert fixed < wrong_at_most(wrong, n, 0.95) < upper * 1.02


def test_the_weighted_bound_is_empirical_bernstein_on_scaled_values() -> None:
    random = np.random.default_rng(5)
    cases = [(0.5, bool(one < 0.2) if one < 0.5 else None) for one in random.random(500)]
    values = np.array([1.0 if wrong else 0.0 for _, wrong in cases])
    theirs = empirical_bernstein_interval(values, 0.05)
    # Two-sided at 5% spends 2.5% on the upper side, as one-sided at 97.5% does; the bets are the same.
    assert weighed_all(0.5, cases).at_most(0.975) == pytest.approx(min(theirs.upper / 0.5, 1), rel=1e-9)

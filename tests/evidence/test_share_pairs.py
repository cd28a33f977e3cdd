"""The ends of the sequence of two shares: what Newton finds the search finds, and no pair beyond is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench._group_sequential import bounds, expected_share, falling, flat
from trueup.evidence import shares
from trueup.evidence.share_pairs import pair_end

WEIGHT = shares.mixture_weight(shares.T_OPT)


def worlds() -> list[tuple[int, int, int, int, float, float]]:
    chance = np.random.default_rng(1)
    found = []
    for _ in range(60):
        n1, n0 = (int(10 ** chance.uniform(0.7, 4)) for _ in range(2))
        share = float(chance.choice([0.01, 0.05, 0.3, 0.5, 0.9]))
        x1, x0 = int(chance.binomial(n1, share)), int(chance.binomial(n0, min(share * chance.uniform(0.6, 1.4), 1.0)))
        found.append((x1, n1, x0, n0, float(chance.choice([0.05, 0.01, 0.3])), float(chance.choice([1.0, 0.8, 1.3]))))
    return found


def test_newton_and_search_find_the_same_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = [shares.share_pair_interval(*world, shares.T_OPT) for world in worlds()]
    monkeypatch.setattr(shares, "pair_end", lambda *_: None)
    for world, ours in zip(worlds(), quick, strict=True):
        searched = shares.share_pair_interval(*world, shares.T_OPT)
        assert (ours.lower, ours.upper) == pytest.approx((searched.lower, searched.upper), abs=1e-8), world


def test_no_pair_of_shares_beyond_an_end_is_allowed() -> None:
    grid = np.linspace(0.002, 0.998, 250)
    looked = 0
    for x1, n1, x0, n0, alpha, ratio in worlds():
        ends = [pair_end((x1, n1), (x0, n0), ratio, WEIGHT, math.log(alpha), side) for side in (-1, 1)]
        if None in ends:
            continue
        looked += 1
        treated, control = (
            np.array([shares.share_e_value(x, n, float(p), WEIGHT) for p in grid]) for x, n in ((x1, n1), (x0, n0))
        )
        allowed = treated[:, None] + control[None, :] < -math.log(alpha)
        contrasts = (grid[:, None] - ratio * grid[None, :])[allowed]
        low, high = (float(end or 0) for end in ends)
        assert np.all((contrasts > low) & (contrasts < high))
    assert looked > 20


def test_the_bounds_that_gates_are_measured_against_are_the_published_ones() -> None:
    assert bounds(flat, 3)[0] == pytest.approx(2.289, abs=2e-3)
    assert bounds(falling, 3).tolist() == pytest.approx([3.471, 2.454, 2.004], abs=2e-3)
    assert expected_share(bounds(falling, 3), 0.0) == pytest.approx(0.994, abs=5e-3)

"""The selection is the best that fits: by hand, and against every set of random small portfolios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.choose.portfolios import best_by_hand, problem
from trueup.choose.portfolio.conflicts import conflicts
from trueup.choose.portfolio.problem import Problem, require_no_circle
from trueup.choose.portfolio.scenarios import Draws, funded, rounded
from trueup.choose.portfolio.solver import Relaxation, select, with_figures
from trueup.kernel.errors import ConflictError


def chosen(given: Problem) -> list[int]:
    return np.flatnonzero(select(given).chosen).tolist()


@st.composite
def portfolios(draw: st.DrawFn) -> Problem:
    """Return up to seven use cases under up to three limits, with needs without circles, and exclusions."""
    size = draw(st.integers(1, 7))
    rows = draw(st.integers(0, 3))
    figure = st.integers(0, 30).map(float)
    pairs = [(one, other) for one in range(size) for other in range(one)]
    some = st.lists(st.sampled_from(pairs), max_size=3, unique=True) if pairs else st.just([])
    stays = draw(st.lists(st.integers(0, size - 1), max_size=2, unique=True))
    others = [at for at in range(size) if at not in stays]
    return problem(
        [float(draw(st.integers(-20, 30))) for _ in range(size)],
        [[draw(figure) for _ in range(size)] for _ in range(rows)],
        [draw(st.integers(0, 60).map(float)) for _ in range(rows)],
        stays=stays,
        barred=draw(st.lists(st.sampled_from(others), max_size=1)) if others else [],
        needs=draw(some),
        excludes=draw(some),
    )


def test_a_budget_buys_the_best_pair_and_not_the_best_ratio() -> None:
    """By hand: 60 alone uses 50 and leaves no room; 100 + 120 costs exactly 50 and is worth 220."""
    assert chosen(problem([60, 100, 120], [[10, 20, 30]], [50])) == [1, 2]


def test_what_loses_money_is_left_out_even_when_it_fits() -> None:
    assert chosen(problem([-1, 5], [[1, 1]], [10])) == [1]


def test_what_is_needed_comes_along_when_both_together_earn_something() -> None:
    assert chosen(problem([10, -4], needs=[(0, 1)])) == [0, 1]
    assert chosen(problem([10, -14], needs=[(0, 1)])) == []


def test_of_two_that_exclude_each_other_the_better_is_chosen() -> None:
    assert chosen(problem([10, 11, 1], excludes=[(0, 1)])) == [1, 2]


def test_what_runs_stays_though_it_loses() -> None:
    assert chosen(problem([-10, 4], [[5, 5]], [9], stays=[0])) == [0]


def test_a_chain_of_needs_that_ends_in_something_barred_is_out() -> None:
    assert chosen(problem([9, 9, 9], needs=[(0, 1), (1, 2)], barred=[2])) == []


def test_an_empty_portfolio_is_a_portfolio() -> None:
    assert select(problem([])).gap == 0
    assert chosen(problem([-1, -2])) == []


def test_limits_of_nothing_and_amounts_of_every_size_are_kept() -> None:
    assert chosen(problem([5, 5], [[0, 1]], [0])) == [0]
    assert chosen(problem([1e12, 1e-3, 2e-3], [[1e14, 1, 1]], [1])) == [2]
    assert chosen(problem([3e14, 2e14, 2e14], [[1e15, 4e14, 6e14]], [1e15])) == [1, 2]


def test_a_search_without_time_still_gives_a_portfolio_with_an_honest_gap() -> None:
    rng = np.random.default_rng(1)
    given = problem(rng.uniform(5, 30, 400).tolist(), rng.uniform(5, 30, (3, 400)).tolist(), [900.0] * 3, stays=[7])
    found = select(given, seconds=0.0)
    assert given.fits(found.chosen)
    assert found.timed_out
    assert 0 < found.gap <= 1
    best = select(given)
    assert 0.9 * best.objective <= found.objective <= best.objective <= found.bound


@given(portfolios())
@settings(max_examples=150)
def test_the_selection_is_the_best_of_all_sets_that_fit(drawn: Problem) -> None:
    best = best_by_hand(drawn)
    if best is None:
        with pytest.raises(ConflictError):
            select(drawn)
        return
    found = select(drawn)
    assert drawn.fits(found.chosen)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert found.gap == 0


@given(portfolios())
def test_a_conflict_is_found_exactly_when_no_set_fits(drawn: Problem) -> None:
    assert bool(conflicts(drawn)) == (best_by_hand(drawn) is None)


@given(portfolios(), st.integers(0, 1000))
@settings(max_examples=60)
def test_no_draw_breaks_a_need_an_exclusion_or_a_limit(drawn: Problem, seed: int) -> None:
    if conflicts(drawn):
        return
    draws = several(drawn, 5, seed)
    exactly, roughly = funded(drawn, draws), rounded(drawn, draws)
    for at in range(draws.count):
        world = with_figures(drawn, draws.net[:, at], draws.uses[:, :, at])
        assert world.fits(exactly[:, at])
        assert world.fits(roughly[:, at])
        assert world.net @ exactly[:, at] == pytest.approx(best_by_hand(world), abs=1e-6)


def several(given: Problem, draws: int, seed: int) -> Draws:
    """Return figures that differ from draw to draw."""
    rng = np.random.default_rng(seed)
    net = given.net[:, None] * rng.uniform(0.2, 2.0, (given.size, draws))
    return Draws(net, given.uses[:, :, None] * rng.uniform(0.5, 1.5, (*given.uses.shape, draws)))


@pytest.mark.parametrize("seed", range(3))
def test_funded_probabilities_are_those_of_solving_every_draw(seed: int) -> None:
    """Rounding loses little where it is used: under one per cent of the value, and no use case changes its place."""
    size = 30
    rng = np.random.default_rng(seed)
    given = problem(
        rng.uniform(5, 30, size).tolist(),
        rng.uniform(5, 30, (2, size)).tolist(),
        [180.0, 200.0],
        needs=[(4, 1), (5, 2)],
        excludes=[(0, 3), (6, 7)],
    )
    draws = several(given, 60, seed)
    nearly = funded(given, draws)
    worlds = [with_figures(given, draws.net[:, at], draws.uses[:, :, at]) for at in range(draws.count)]
    exact = np.array([select(world).chosen for world in worlds]).T
    assert np.abs(nearly.mean(axis=1) - exact.mean(axis=1)).mean() <= 0.03
    assert (draws.net * nearly).sum() >= 0.99 * (draws.net * exact).sum()


def test_the_relaxation_is_never_below_the_selection() -> None:
    given = problem([60, 100, 120], [[10, 20, 30]], [50])
    shares = Relaxation(given).solve(given.net, given.uses)
    assert given.net @ shares == pytest.approx(60 + 100 + 120 * 20 / 30)


def test_a_conflict_names_the_limit_and_the_fewest_that_break_it() -> None:
    with pytest.raises(ConflictError) as raised:
        select(problem([1, 1, 1, 1], [[30, 60, 50, 10], [1, 1, 1, 1]], [100, 9], stays=[0, 1, 2, 3]))
    assert raised.value.code == "impossible-portfolio"
    assert "`limits.limit-0` is 100, and what stays takes 110 (u1 60, u2 50)" in raised.value.message


def test_two_that_run_and_exclude_each_other_conflict() -> None:
    with pytest.raises(ConflictError, match="u0 and u1 exclude each other"):
        select(problem([1, 1], stays=[0, 1], excludes=[(0, 1)]))


def test_what_runs_and_needs_what_has_ended_conflicts() -> None:
    with pytest.raises(ConflictError, match="u0 stays and needs u1"):
        select(problem([1, 1], stays=[0], barred=[1], needs=[(0, 1)]))


@pytest.mark.parametrize(
    ("needs", "circle"),
    [
        ({"a": ["a"]}, "a -> a"),
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"x": ["b"], "a": ["x", "b"], "b": ["c"], "c": ["d"], "d": ["b"]}, "b -> c -> d -> b"),
    ],
)
def test_a_circle_of_needs_is_named(needs: dict[str, list[str]], circle: str) -> None:
    with pytest.raises(ConflictError, match=circle) as raised:
        require_no_circle(needs)
    assert raised.value.code == "needs-circle"


def test_a_diamond_is_no_circle_and_a_long_chain_is_followed() -> None:
    require_no_circle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []})
    require_no_circle({str(at): [str(at + 1)] for at in range(20_000)})

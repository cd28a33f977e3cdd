"""Large portfolios end in time, with a set that fits and a gap that says how good it is."""

from __future__ import annotations

import json
import time

import pytest

from bench.rank import DAY, generated
from trueup.choose.portfolio.answer import published
from trueup.choose.portfolio.ranking import Question, rank
from trueup.choose.portfolio.solver import with_figures


def holds(size: int, question: Question, seconds: float) -> None:
    programme = generated(size, seed=2)
    began = time.perf_counter()
    ranked = rank(programme, question)
    answer = published(programme, ranked)
    assert time.perf_counter() - began < seconds
    assert ranked.problem.fits(ranked.selection.chosen)
    assert 0 <= answer["gap"] < 0.01
    assert len(answer["use_cases"]) == size
    assert all(case["because"] for case in answer["use_cases"])
    json.dumps(answer, allow_nan=False)
    pairs = ranked.problem
    assert not any((ranked.funded[one] & ~ranked.funded[other]).any() for one, other in pairs.needs)
    assert not any((ranked.funded[one] & ranked.funded[other]).any() for one, other in pairs.excludes)
    assert with_figures(pairs, pairs.net, pairs.uses).fits(ranked.selection.chosen)


def test_two_hundred_use_cases_are_solved_exactly() -> None:
    programme = generated(200, seed=2)
    assert rank(programme, Question(DAY, draws=50)).selection.gap == 0


def test_a_large_portfolio_ends_at_its_time_limit() -> None:
    holds(1_500, Question(DAY, draws=50, seconds=2.0), seconds=60)


@pytest.mark.long
def test_ten_thousand_use_cases_are_ranked() -> None:
    holds(10_000, Question(DAY), seconds=300)

"""The printed P(funded) is a promise: of all that is printed as seven in ten, seven in ten are in the best set."""

from __future__ import annotations

import numpy as np
import pytest

from bench.funded import Printed, compared


def test_printed_probabilities_happen() -> None:
    found = compared(8, programmes=12, worlds=600, seed=3)
    assert abs(found.bias) <= 0.01
    # Three standard errors of 600 worlds and 1,000 draws together, at one half.
    assert np.abs(found.said - found.happened).max() <= 0.08
    for _, _, count, said, happened in found.table():
        assert abs(said - happened) <= 0.02 + 0.06 / count**0.5


def test_a_printed_number_that_is_off_would_be_seen() -> None:
    wrong = Printed(np.full(40, 0.7), np.full(40, 0.5))
    assert wrong.bias == pytest.approx(0.2)
    ((low, high, count, said, happened),) = wrong.table()
    assert (low, high, count) == (0.6, 0.8, 40)
    assert said == pytest.approx(0.7)
    assert happened == pytest.approx(0.5)


@pytest.mark.long
def test_printed_probabilities_happen_over_many_portfolios() -> None:
    found = compared(10, programmes=120, worlds=4_000, seed=4)
    assert abs(found.bias) <= 0.003
    assert found.off <= 0.01
    assert np.abs(found.said - found.happened).max() <= 0.06
    assert all(abs(said - happened) <= 0.01 for _, _, _, said, happened in found.table())


@pytest.mark.long
def test_rounding_keeps_the_promise_where_not_every_set_is_looked_at() -> None:
    found = compared(15, programmes=40, worlds=1_000, seed=5)
    assert abs(found.bias) <= 0.01
    assert found.off <= 0.03
    assert all(abs(said - happened) <= 0.04 for _, _, _, said, happened in found.table())

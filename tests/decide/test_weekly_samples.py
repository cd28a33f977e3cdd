"""Weeks as observations: arms of a week are added up, and a week in which nothing is mature has no value."""

from __future__ import annotations

from datetime import date

import pytest

from trueup.decide.samples import weekly_sample
from trueup.observe.tables import WeekStatistic


def week(day: int, n: int, total: float, arm: str = "treated") -> WeekStatistic:
    return WeekStatistic("paid", date(2024, 1, day), arm, None, n, total, total * total, n, 0, 0, 1 - n)


def test_a_week_without_a_mature_case_has_no_value() -> None:
    sample = weekly_sample([week(1, 1, 40.0), week(8, 1, 50.0), week(15, 0, 0.0)])
    assert sample.n == 2
    assert sample.moments.mean == pytest.approx(45.0)


def test_the_arms_of_a_week_are_added_up() -> None:
    sample = weekly_sample([week(1, 1, 30.0), week(1, 1, 10.0, "control")])
    assert sample.blocks.tolist() == [40.0]


def test_no_week_at_all_is_an_empty_sample() -> None:
    assert weekly_sample([]).n == 0

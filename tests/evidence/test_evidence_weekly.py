"""The interval of one week: for reading a chart."""

from __future__ import annotations

import math

import pytest

from trueup.evidence.weekly import mean_interval_of_week, share_interval_of_week


def test_a_week_of_durations_has_students_interval() -> None:
    # 1 2 3 4 5: mean 3, standard error sqrt(2.5 / 5), t with 4 degrees of freedom 2.776445.
    found = mean_interval_of_week(5, 15.0, 55.0)
    assert [found.lower, found.upper] == pytest.approx([3 - 2.776445 * math.sqrt(0.5), 3 + 2.776445 * math.sqrt(0.5)])


def test_a_week_of_shares_has_wilsons_interval_within_0_and_1() -> None:
    # Wilson 1927 for 15 of 148, as tabulated by Newcombe 1998 (table I, method 3).
    found = share_interval_of_week(15, 148)
    assert [found.lower, found.upper] == pytest.approx([0.0624, 0.1605], abs=1e-4)
    assert share_interval_of_week(0, 20).lower == 0
    assert share_interval_of_week(20, 20).upper == pytest.approx(1)


def test_a_week_with_hardly_a_case_says_nothing() -> None:
    assert not mean_interval_of_week(0, 0.0, 0.0).known
    assert not mean_interval_of_week(1, 5.0, 25.0).known
    assert not share_interval_of_week(0, 0).known

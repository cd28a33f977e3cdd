"""Ranges, spans of time and bars: what they mean, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.quantities import (
    Bar,
    BarKind,
    Period,
    Range,
    parse_factor,
    parse_fraction,
    parse_person_days,
)


@pytest.mark.parametrize(("text", "days"), [("4h", 4 / 24), ("21d", 21), ("8w", 56), ("3y", 1095), ("1.5d", 1.5)])
def test_periods(text: str, days: float) -> None:
    assert Period.parse(text).days == pytest.approx(days)


@pytest.mark.parametrize("text", ["", "d", "4", "4 fortnights", "-4d", "4d 3h", "1e3d", "101y", "999999999999d", "٤d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    if text == "٤d":
        # Digits of other scripts read as digits; that is harmless, as long as it means four days.
        assert Period.parse(text).days == 4
        return
    with pytest.raises(ValueError):
        Period.parse(text)


@pytest.mark.parametrize("points", [(400, 900, 1500), (50, 120, 300), (5, 5, 5), (-10, 0, 10)])
def test_ranges_that_some_distribution_has(points: tuple[float, float, float]) -> None:
    assert Range.of(*points).p50 == points[1]


@pytest.mark.parametrize(
    "points", [(3, 2, 1), (1, 3, 2), (0, 0, 10), (0, 10, 10), (0, 1, 10), (float("nan"), 1, 2), (0, 1, float("inf"))]
)
def test_ranges_that_none_has(points: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError):
        Range.of(*points)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("-10%", BarKind.RELATIVE, -0.1),
        ("+3pp", BarKind.POINTS, 0.03),
        ("60%", BarKind.LEVEL, 0.6),
        ("-0.5", BarKind.ABSOLUTE, -0.5),
        (-0.5, BarKind.ABSOLUTE, -0.5),
        ("5", BarKind.LEVEL, 5.0),
        (5, BarKind.LEVEL, 5.0),
    ],
)
def test_bars(text: str | float, kind: BarKind, value: float) -> None:
    bar = Bar.parse(text)
    assert bar.kind is kind
    assert bar.value == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "%", "3pp", "ten", "+-3%", "+3 apples", "nan", "1e5%"])
def test_what_is_no_bar_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Bar.parse(text)


@given(st.text())
def test_no_text_crashes_a_reader(text: str) -> None:
    for parse in (Bar.parse, Period.parse, parse_person_days, parse_fraction, parse_factor):
        try:
            parse(text)
        except ValueError:
            continue


@given(st.floats(-500, 500).filter(lambda value: abs(value) > 1e-3))
def test_a_bar_keeps_its_text(percent: float) -> None:
    text = f"{percent:+.3f}%"
    assert str(Bar.parse(text)) == text
    assert Bar.parse(text).value == pytest.approx(percent / 100, abs=1e-5)

"""Bars in the KPI's own direction, and the three states of a guardrail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.decide.bars import Side, contrast_of
from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.decide.guardrail import GuardrailState, judge_guardrail
from trueup.evidence.moments import Interval, Moments
from trueup.kernel.quantities import Bar


@pytest.mark.parametrize(
    ("bar", "sign", "interval", "side"),
    [
        ("+3pp", 1, (0.05, 0.04, 0.06), Side.GOOD),
        ("+3pp", 1, (0.01, -0.01, 0.02), Side.BAD),
        ("+3pp", 1, (0.03, 0.01, 0.05), Side.ACROSS),
        ("-10%", -1, (-1.0, -2.0, -0.5), Side.GOOD),
        ("-10%", -1, (1.0, 0.5, 2.0), Side.BAD),
        ("-2pp", 1, (0.012, -0.004, 0.028), Side.GOOD),
        ("+2pp", -1, (0.05, 0.03, 0.07), Side.BAD),
        ("60%", 1, (0.7, 0.65, 0.75), Side.GOOD),
    ],
)
def test_the_side_of_a_bar(bar: str, sign: int, interval: tuple[float, float, float], side: Side) -> None:
    assert contrast_of(Bar.parse(bar), sign).side(Interval(*interval)) is side


def test_a_level_does_not_look_at_the_control() -> None:
    assert contrast_of(Bar.parse("60%"), 1).ratio == 0.0


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(-1, 1))
def test_an_interval_is_on_one_side_of_a_threshold_or_across_it(middle: float, half: float, bar: float) -> None:
    interval = Interval(middle, middle - half, middle + half)
    written = Bar.parse(f"{100 * bar:+.4f}pp")
    up, down = (contrast_of(written, sign).side(interval) for sign in (1, -1))
    opposite = {Side.GOOD: Side.BAD, Side.BAD: Side.GOOD, Side.ACROSS: Side.ACROSS}
    assert down is opposite[up]


def quality(treated: int, control: int, n: int) -> Comparison:
    def sample(events: int) -> Sample:
        values = np.array([1.0] * events + [0.0] * (n - events))
        return Sample(Moments.of(values), events, np.array([events / n] * 8), values)

    return Comparison(
        "first_pass_quality", "share", True, Basis.CASES, frozen=False, treated=sample(treated), control=sample(control)
    )


@pytest.mark.parametrize(
    ("treated", "control", "n", "state"),
    [
        (1820, 1800, 2000, GuardrailState.HELD),
        (1500, 1800, 2000, GuardrailState.CROSSED),
        (88, 90, 100, GuardrailState.OPEN),
    ],
)
def test_the_three_states(treated: int, control: int, n: int, state: GuardrailState) -> None:
    comparison = quality(treated, control, n)
    reading = judge_guardrail(comparison, Bar.parse("-2pp"), 1, alpha=0.05 / 3, watch=comparison, watch_alpha=0.05)
    assert reading.state is state


def test_too_few_cases_leave_a_guardrail_open_however_good_it_looks() -> None:
    comparison = quality(20, 0, 20)
    reading = judge_guardrail(comparison, Bar.parse("-2pp"), 1, alpha=0.05, watch=comparison, watch_alpha=0.05)
    assert reading.state is GuardrailState.OPEN

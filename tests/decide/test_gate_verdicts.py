"""What a gate says, case by case of the rules; samples are made so that the interval lies where the name says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.decide.gate import CHECKLIST, GateQuestion, Outcome, Unknown, judge
from trueup.decide.guardrail import GuardrailReading, GuardrailState
from trueup.decide.level import Level
from trueup.evidence.moments import Interval, Moments
from trueup.kernel.quantities import Bar


def durations(mean: float, n: int, *, spread: float = 1.0) -> Sample:
    values = mean + spread * np.sin(np.arange(n))
    return Sample(Moments.of(values), n, values[: max(n // 10, 2)] * 0 + mean, values)


def shares(events: int, n: int) -> Sample:
    values = np.array([1.0] * events + [0.0] * (n - events))
    return Sample(Moments.of(values), events, np.array([events / n] * 8), values)


def compared(treated: Sample, control: Sample, *, share: bool = False) -> Comparison:
    unit = "share" if share else "days"
    return Comparison("kpi", unit, share, Basis.CASES, frozen=False, treated=treated, control=control, cap=30.0)


def question(**changes: Any) -> GateQuestion:
    base: dict[str, Any] = {
        "workflow": "expense-approval",
        "gate": "week-8",
        "week": 8,
        "scale": False,
        "last": False,
        "gates": 3,
        "level": Level.ATTESTED,
        "sign": -1,
        "worth_having": Bar.parse("-10%"),
        "target": Bar.parse("-30%"),
        "comparison": compared(durations(7.0, 400), durations(10.0, 100)),
    }
    return GateQuestion(**{**base, **changes})


def rail(state: GuardrailState) -> GuardrailReading:
    nothing = Interval(0.0, -1.0, 1.0)
    return GuardrailReading("first_pass_quality", "share", state, "-2pp", nothing, nothing, 500)


def test_go_when_the_whole_interval_clears_the_bar() -> None:
    verdict = judge(question())
    assert (verdict.outcome, verdict.code) == (Outcome.GO, "clears-bar")
    assert verdict.interval.upper < -1.0


def test_a_relative_bar_is_tested_as_a_contrast_not_as_a_quotient() -> None:
    verdict = judge(question())
    assert verdict.bar is not None
    assert verdict.bar.contrast.ratio == pytest.approx(0.9)
    assert verdict.bar.interval.estimate == pytest.approx(7.0 - 0.9 * 10.0, abs=0.1)


def test_stop_when_the_whole_interval_is_short_of_what_is_worth_having() -> None:
    verdict = judge(question(comparison=compared(durations(10.0, 400), durations(10.0, 100))))
    assert (verdict.outcome, verdict.code) == (Outcome.STOP, "short-of-bar")


def test_hold_when_the_interval_lies_across_the_bar() -> None:
    wide = compared(durations(8.9, 60, spread=6.0), durations(10.0, 40, spread=6.0))
    verdict = judge(question(comparison=wide))
    assert (verdict.outcome, verdict.code) == (Outcome.HOLD, "undecided")


def test_the_last_gate_turns_an_open_question_into_pause_or_pivot() -> None:
    wide = compared(durations(8.9, 60, spread=6.0), durations(10.0, 40, spread=6.0))
    verdict = judge(question(comparison=wide, last=True))
    assert (verdict.outcome, verdict.code) == (Outcome.HOLD, "pause-or-pivot")


def test_twenty_nine_control_cases_are_not_mature_and_thirty_are() -> None:
    few = judge(question(comparison=compared(durations(7.0, 400), durations(10.0, 29)), next_speaking="week-12"))
    assert (few.outcome, few.code) == (Outcome.HOLD, "not-mature")
    assert "week-12" in few.because
    enough = judge(question(comparison=compared(durations(7.0, 400), durations(10.0, 30))))
    assert enough.code != "not-mature"


@pytest.mark.parametrize(("events", "expected"), [(2, "not-mature"), (3, "undecided")])
def test_shares_need_five_of_the_rarer_outcome_in_both_arms_together(events: int, expected: str) -> None:
    rare = compared(shares(events, 200), shares(2, 100), share=True)
    verdict = judge(question(comparison=rare, sign=1, worth_having=Bar.parse("+3pp"), target=None))
    assert verdict.code == expected


@pytest.mark.parametrize(
    ("level", "week", "scale", "outcome"),
    [
        (Level.BEFORE_AFTER, 8, False, Outcome.HOLD),
        (Level.STABLE, 8, False, Outcome.GO),
        (Level.STABLE, 4, False, Outcome.HOLD),
        (Level.MATCHED, 4, False, Outcome.GO),
        (Level.ATTESTED, 4, False, Outcome.GO),
        (Level.RANDOMISED, 4, False, Outcome.GO),
        (Level.STABLE, 12, True, Outcome.HOLD),
        (Level.ASSERTED, 12, True, Outcome.HOLD),
    ],
)
def test_the_ladder_limits_what_may_be_said(level: Level, week: int, scale: bool, outcome: Outcome) -> None:
    verdict = judge(question(level=level, week=week, gate=f"week-{week}", scale=scale))
    assert verdict.outcome is outcome
    if outcome is Outcome.HOLD:
        assert verdict.code == "design-too-weak"
        assert "design" in verdict.waivable


@pytest.mark.parametrize("level", list(Level))
def test_a_crossed_guardrail_stops_at_every_level(level: Level) -> None:
    verdict = judge(question(level=level, guardrails=(rail(GuardrailState.CROSSED),)))
    assert (verdict.outcome, verdict.code) == (Outcome.STOP, "guardrail-crossed")


def test_an_open_guardrail_lets_week_eight_go_but_holds_the_scale_gate() -> None:
    still_open = (rail(GuardrailState.OPEN),)
    assert judge(question(guardrails=still_open)).outcome is Outcome.GO
    at_scale = judge(question(guardrails=still_open, scale=True, week=12, last=True))
    assert (at_scale.outcome, at_scale.code) == (Outcome.HOLD, "guardrail-open")
    assert at_scale.waivable == ("first_pass_quality",)


def test_scaling_needs_the_checklist_item_by_item() -> None:
    verdict = judge(question(scale=True, week=12, missing_checklist=CHECKLIST))
    assert (verdict.outcome, verdict.code) == (Outcome.HOLD, "checklist-open")
    assert verdict.waivable == CHECKLIST
    assert judge(question(scale=True, week=12)).outcome is Outcome.GO


def test_scaling_with_the_target_ruled_out_holds() -> None:
    verdict = judge(question(scale=True, week=12, target=Bar.parse("-60%")))
    assert (verdict.outcome, verdict.code) == (Outcome.HOLD, "target-out-of-reach")


def test_unknown_is_never_coerced() -> None:
    verdict = judge(question(unknown=Unknown("arms-leak", "'c-1' is found in both arms", ("c-1",))))
    assert (verdict.outcome, verdict.code, verdict.cases) == (Outcome.UNKNOWN, "arms-leak", ("c-1",))
    assert judge(question(comparison=None)).code == "no-baseline"


def test_the_gates_share_the_error_rate() -> None:
    assert question(gates=3).alpha == pytest.approx(0.05 / 3)
    assert question(gates=1).alpha == pytest.approx(0.05)

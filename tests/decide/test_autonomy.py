"""Up only on a bound, stable cycles and the checklist; down on one alarm; never beyond what was agreed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.decide.autonomy import AutonomyEvidence, AutonomyTerms, Move, judge_autonomy
from trueup.declare.model.workflow import AutonomyLevel as Level

TERMS = AutonomyTerms(may_reach=Level.ACT, limit=0.03, sure=0.95, stable_cycles=2)
GOOD = AutonomyEvidence(Level.DRAFT, Level.DRAFT, reviewed=2140, wrong=24, cycles=2)


def test_a_bound_below_the_limit_and_stable_cycles_move_up() -> None:
    verdict = judge_autonomy(GOOD, TERMS)
    assert (verdict.move, verdict.old, verdict.new) == (Move.UP, Level.DRAFT, Level.APPROVE)
    assert verdict.because == "1.1% wrong of 2,140 reviewed, at most 3% allowed (95% sure); 2 stable cycles"
    assert verdict.bound is not None
    assert verdict.bound < 0.03


@pytest.mark.parametrize(
    ("evidence", "terms", "code", "says"),
    [
        (replace(GOOD, cycles=1), TERMS, "not-stable", "1 of 2 stable cycles"),
        (replace(GOOD, cycles=1, unstable="an incident"), TERMS, "not-stable", "1 of 2 stable cycles: an incident"),
        (replace(GOOD, reviewed=0, wrong=0), TERMS, "not-shown", "no outcome was reviewed at this level yet"),
        (replace(GOOD, reviewed=100, wrong=0), TERMS, "not-shown", "about 184 reviewed would show it at this share"),
        (replace(GOOD, wrong=70), TERMS, "not-shown", "the share itself is not below it"),
        (GOOD, replace(TERMS, limit=None), "no-limit", "no `wrong_at_most` is declared"),
        (GOOD, replace(TERMS, may_reach=Level.DRAFT), "highest", "draft is the highest level that it may reach"),
        (GOOD, replace(TERMS, may_reach=Level.SHADOW), "highest", "draft is the highest level that it may reach"),
    ],
)
def test_everything_else_stays_and_says_why(
    evidence: AutonomyEvidence, terms: AutonomyTerms, code: str, says: str
) -> None:
    verdict = judge_autonomy(evidence, terms)
    assert (verdict.move, verdict.new, verdict.code) == (Move.STAY, Level.DRAFT, code)
    assert says in verdict.because


def test_acting_alone_takes_the_checklist_and_approving_does_not() -> None:
    missing = ("users trained", "reversal rehearsed")
    assert judge_autonomy(replace(GOOD, missing=missing), TERMS).move is Move.UP
    at_approve = replace(GOOD, declared=Level.APPROVE, in_force=Level.APPROVE, missing=missing)
    verdict = judge_autonomy(at_approve, TERMS)
    assert (verdict.move, verdict.new, verdict.waivable) == (Move.STAY, Level.ACT, missing)
    assert "the checklist lacks users trained, reversal rehearsed" in verdict.because
    assert judge_autonomy(replace(at_approve, missing=()), TERMS).new is Level.ACT


def test_an_alarm_moves_down_one_rung_from_where_something_is_done() -> None:
    for level, to in ((Level.ACT, Level.APPROVE), (Level.APPROVE, Level.DRAFT)):
        verdict = judge_autonomy(replace(GOOD, declared=level, in_force=level, alarm="too many"), TERMS)
        assert (verdict.move, verdict.new, verdict.code, verdict.because) == (Move.DOWN, to, "alarm", "too many")


def test_what_the_ledger_took_back_is_proposed_to_the_file() -> None:
    fell = replace(GOOD, declared=Level.ACT, in_force=Level.DRAFT, fell_because="an incident")
    verdict = judge_autonomy(fell, TERMS)
    assert (verdict.move, verdict.old, verdict.new, verdict.because) == (
        Move.DOWN,
        Level.ACT,
        Level.DRAFT,
        "an incident",
    )
    unsaid = judge_autonomy(replace(fell, fell_because=None), TERMS)
    assert unsaid.because == "the ledger sets a lower level"


@given(
    st.sampled_from(Level),
    st.sampled_from(Level),
    st.integers(0, 3000),
    st.integers(0, 50),
    st.integers(0, 3),
    st.none() | st.just("alarm"),
)
def test_no_evidence_moves_beyond_what_was_agreed_or_by_more_than_a_rung(
    level: Level, may_reach: Level, reviewed: int, wrong: int, cycles: int, alarm: str | None
) -> None:
    order = list(Level)
    evidence = AutonomyEvidence(level, level, reviewed, min(wrong, reviewed), cycles, alarm=alarm)
    verdict = judge_autonomy(evidence, replace(TERMS, may_reach=may_reach))
    step = order.index(verdict.new) - order.index(level)
    assert abs(step) <= 1
    if verdict.move is Move.UP:
        assert order.index(verdict.new) <= order.index(may_reach)
        assert verdict.bound is not None
        assert verdict.bound < 0.03
        assert cycles >= 2
    if alarm is not None:
        assert verdict.move is not Move.UP or level in {Level.SHADOW, Level.DRAFT}

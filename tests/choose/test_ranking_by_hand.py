"""What a use case is worth, computed with pencil and paper; and what is not known stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.choose.portfolios import DAY, SURE, programme, use_case
from trueup.choose.portfolio.answer import ranking
from trueup.choose.portfolio.metalog import Metalog, stratified
from trueup.choose.portfolio.ranking import Question, rank
from trueup.choose.portfolio.success import between
from trueup.choose.portfolio.worth import Money
from trueup.kernel.errors import ConflictError, DataError
from trueup.kernel.quantities import Range

QUESTION = Question(DAY)


def by_id(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in answer["use_cases"]}


# --- the distribution


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    width = draw(st.floats(1e-3, 1e12))
    low = width * draw(st.floats(-10, 1000))
    return Range.of(low, low + width * draw(st.floats(0.17, 0.83)), low + width)


@given(ranges())
def test_the_distribution_has_the_declared_percentiles(given: Range) -> None:
    found = Metalog.through(given).quantile(np.array([0.1, 0.5, 0.9]))
    scale = max(abs(given.p10), abs(given.p90))
    assert found == pytest.approx([given.p10, given.p50, given.p90], abs=1e-9 * scale)


@given(ranges())
def test_the_distribution_never_turns_back(given: Range) -> None:
    found = Metalog.through(given).quantile(np.linspace(0.0005, 0.9995, 999))
    assert np.all(np.diff(found) >= -1e-9 * max(abs(given.p10), abs(given.p90)))


def test_the_mean_is_that_of_the_distribution() -> None:
    metalog = Metalog.through(Range.of(400, 900, 1500))
    places = (np.arange(2_000_000) + 0.5) / 2_000_000
    assert metalog.mean == pytest.approx(float(metalog.quantile(places).mean()), rel=1e-5)


def test_a_range_without_width_is_its_value() -> None:
    assert Metalog.through(Range.exactly(7.0)).quantile(np.array([0.001, 0.5, 0.999])).tolist() == [7.0, 7.0, 7.0]


def test_every_slice_is_drawn_once() -> None:
    drawn = stratified(10, np.random.default_rng(3))
    assert sorted(np.round(drawn, 6).tolist()) == [round(0.05 + step / 10, 6) for step in range(10)]


# --- money


@pytest.mark.parametrize(
    ("years", "discount", "factor"),
    [(1, 0.0, 1.0), (3, 0.0, 3.0), (1, 0.25, 0.8), (2, 0.25, 0.8 + 0.64), (1.5, 0.25, 0.8 + 0.5 * 0.64), (0, 0.1, 0.0)],
)
def test_amounts_of_a_year_fall_at_its_end(years: float, discount: float, factor: float) -> None:
    assert Money(years, discount).annuity == pytest.approx(factor)


def test_a_use_case_by_hand() -> None:
    """Two years at 25%: 0.8 + 0.64 = 1.44. Value (100 x 38 + 10 x 85) x 1.44; cost 1,000 + 300 + (200 + 50) x 1.44.

    Paid either way: 1,000 + 300 + 200 x 0.8 = 1,460; the other 200 only where it works, and so the value.
    """
    case = use_case(
        {"hours": {"range": 100, "rate": 38}, "errors": {"range": 10, "each": 85}},
        0,
        cost={"build": 1000, "labelling": 300, "run": 200, "retraining": 50},
        feasibility={"data": 2, "integration": 1, "process": 0, "risk": 2},
    )
    found = by_id(ranking(programme({"a": case}, {"horizon": "2y", "discount": "25%"}), QUESTION))["a"]
    assert found["value"] == {"p10": 6696.0, "p50": 6696.0, "p90": 6696.0}
    assert found["cost"] == {"p10": 1660.0, "p50": 1660.0, "p90": 1660.0}
    assert found["success"] == pytest.approx(0.9 * 0.6 * 0.3 * 0.9)
    assert found["committed"] == {"p10": 1460.0, "p50": 1460.0, "p90": 1460.0}
    assert found["expected_net"] == pytest.approx(0.1458 * (6696 - 200) - 1460, abs=0.01)
    paid = "chance 0.15 of 6,696 less 200 to keep it up; 1,460 is paid either way"
    assert found["because"] == [f"not expected to earn its cost: -513 GBP ({paid})"]
    assert found["uses"] == {"budget": 1500.0, "engineering": 10.0, "change": 5.0}


def test_percentiles_of_one_line_are_the_declared_ones() -> None:
    found = by_id(ranking(programme({"a": use_case([400, 900, 1500], [20, 35, 60])}), QUESTION))["a"]
    assert found["value"] == {"p10": 400.0, "p50": 900.0, "p90": 1500.0}
    assert found["cost"] == {"p10": 20.0, "p50": 35.0, "p90": 60.0}


@pytest.mark.parametrize(
    ("parts", "committed", "later"),
    [
        ({"build": 100, "run": 0}, 100, 0),
        ({"build": 0, "labelling": 40, "run": 0}, 40, 0),
        ({"build": 0, "run": 10}, 10, 20),
        ({"build": 0, "licences": 10}, 10, 20),
        ({"build": 0, "run": 0, "retraining": 10}, 0, 30),
    ],
    ids=["build", "labelling", "run", "licences", "retraining"],
)
def test_what_the_budget_pays_is_paid_either_way(parts: dict[str, int], committed: float, later: float) -> None:
    """Three years without discount: the first year of running is spent before it can be stopped, later ones are not."""
    case = use_case(100, 0, cost=parts)
    found = by_id(ranking(programme({"a": case}, {"horizon": "3y"}), QUESTION))["a"]
    assert found["committed"]["p50"] == committed
    assert found["cost"]["p50"] == committed + later
    assert found["expected_net"] == pytest.approx(0.6561 * (300 - later) - committed, abs=0.01)


def test_a_horizon_of_half_a_year_commits_half_a_year() -> None:
    money = Money(0.5, 0.25)
    assert money.annuity == pytest.approx(0.4)
    assert money.first_year == pytest.approx(0.4)


@pytest.mark.parametrize("stage", ["idea", "candidate"])
def test_a_candidate_that_is_not_expected_to_earn_its_cost_is_never_chosen_alone(stage: str) -> None:
    """Beside a use case a trillion times its size, a loss of 34 is no rounding."""
    cases = {"large": use_case(1e14, 1), "loser": use_case(100, 100, stage=stage), "zero": use_case(0, 0, stage=stage)}
    found = by_id(ranking(programme(cases), QUESTION))
    assert {name for name, case in found.items() if case["selected"]} == {"large"}
    assert found["loser"]["because"][0].startswith("not expected to earn its cost: -34 GBP")


def test_a_loss_that_another_pays_for_is_chosen_with_it_and_says_so() -> None:
    cases = {"platform": use_case(0, 10), "app": use_case(100, 20, needs=["platform"])}
    found = by_id(ranking(programme(cases), QUESTION))
    assert found["platform"]["selected"]
    assert found["platform"]["because"][:2] == [
        "not expected to earn its cost: -10 GBP (chance 0.66 of 0; 10 is paid either way)",
        "needed by app",
    ]


def test_a_portfolio_by_hand() -> None:
    """Net: a 0.6561 x 100 - 40 = 25.6, b 0.6561 x 60 - 30 = 9.4, c 0.6561 x 70 - 30 = 15.9; the budget takes 70."""
    cases = {"a": use_case(100, 40), "b": use_case(60, 30), "c": use_case(70, 30)}
    answer = ranking(programme(cases, {"budget": 70}), QUESTION)
    found = by_id(answer)
    assert {name: case["selected"] for name, case in found.items()} == {"a": True, "b": False, "c": True}
    assert {name: case["p_funded"] for name, case in found.items()} == {"a": 1.0, "b": 0.0, "c": 1.0}
    assert answer["expected_net"] == pytest.approx(0.6561 * 170 - 70, abs=0.01)
    assert answer["limits"] == {"budget": {"limit": 70.0, "used": 70.0, "unknown": []}}
    assert found["b"]["because"][0] == "`budget` binds: it takes 30 GBP of 70, and 0 are left"


def test_wide_ranges_give_probabilities_between_none_and_all() -> None:
    cases = {"a": use_case([50, 100, 150], 30), "b": use_case([50, 100, 150], 30)}
    found = by_id(ranking(programme(cases, {"budget": 30}), QUESTION))
    assert 0.4 < found["a"]["p_funded"] < 0.6
    assert found["a"]["p_funded"] + found["b"]["p_funded"] <= 1


@pytest.mark.parametrize("seed", range(4))
def test_probabilities_are_those_of_worlds_nobody_has_drawn_yet(seed: int) -> None:
    """Calibration: the share of fresh draws, from another seed, in which a use case is in the best set."""
    rng = np.random.default_rng(seed)
    cases = {
        f"u{at}": use_case([low, low * 2, low * 3.5], [30, 40, 70], effort={"engineering": ["5pd", "10pd", "20pd"]})
        for at, low in enumerate(rng.uniform(20, 70, 6).tolist())
    }
    given = programme(cases, {"budget": 130, "engineering": "35pd"})
    told = rank(given, QUESTION).funded.mean(axis=1)
    happened = rank(given, Question(DAY, seed=1000 + seed, draws=4000)).funded.mean(axis=1)
    # Three standard errors of 1,000 draws at one half.
    assert np.abs(told - happened).max() <= 0.05


def test_the_same_seed_gives_the_same_answer_and_another_seed_another() -> None:
    one = programme({"a": use_case([50, 100, 150], 60), "b": use_case([50, 100, 150], 60)}, {"budget": 60})
    assert ranking(one, QUESTION) == ranking(one, QUESTION)
    assert rank(one, Question(DAY, seed=2)).funded.tolist() != rank(one, QUESTION).funded.tolist()


def test_a_use_case_more_does_not_move_the_draws_of_the_others() -> None:
    cases = {"a": use_case([50, 100, 150], [20, 50, 80])}
    alone = by_id(ranking(programme(cases), QUESTION))["a"]
    beside = by_id(ranking(programme({**cases, "0": use_case([1, 2, 3], 1)}), QUESTION))["a"]
    assert alone["value"] == beside["value"]
    assert alone["p_funded"] == beside["p_funded"]


# --- what the chance rests on


def test_a_false_assumption_lowers_the_chance_and_can_overturn_the_pick() -> None:
    cases = {"a": use_case(100, 40), "b": use_case(90, 40)}
    belief = {"measure": "data.x.completeness(y)", "at_least": 0.9, "supports": ["a"]}
    found = {"value": 0.45, "on": DAY, "holds": False}
    before = by_id(ranking(programme(cases, {"budget": 40}, {"full": belief}), QUESTION))
    after = by_id(ranking(programme(cases, {"budget": 40}, {"full": {**belief, "found": found}}), QUESTION))
    assert (before["a"]["selected"], after["a"]["selected"], after["b"]["selected"]) == (True, False, True)
    assert after["a"]["success"] == pytest.approx(0.6561 / 2, abs=1e-4)
    assert after["a"]["rank"] == 2
    assert any("the assumption full is false" in reason for reason in after["a"]["because"])


@pytest.mark.parametrize(
    ("belief", "factor"),
    [
        ({"at_least": 0.9, "found": {"value": 0.6, "on": DAY, "holds": False}}, 2 / 3),
        ({"at_most": "120h", "found": {"value": 240.0, "on": DAY, "holds": False}}, 0.5),
        ({"at_least": 0.9, "if_false": {"success": "x0.1"}, "found": {"value": 0.6, "on": DAY, "holds": False}}, 0.1),
        ({"at_least": 0.9, "found": {"value": 0.0, "on": DAY, "holds": False}}, 0.0),
        ({"at_least": 0.9, "found": {"value": 0.95, "on": DAY, "holds": True}}, 1.0),
        ({"at_least": 0.9, "found": {"value": 0.6, "on": DAY.replace(day=6), "holds": False}}, 1.0),
        ({"at_least": 0.9}, 1.0),
    ],
    ids=["below", "above", "declared", "nothing", "holds", "found-later", "not-looked-at"],
)
def test_what_a_false_assumption_does(belief: dict[str, object], factor: float) -> None:
    said = {"b": {"measure": "m", "supports": ["a"], **belief}}
    found = by_id(ranking(programme({"a": use_case(100, 1)}, assumptions=said), QUESTION))["a"]
    assert found["success"] == pytest.approx(0.6561 * factor, abs=1e-4)


@pytest.mark.parametrize(("measured", "factor"), [(0, 0.3), (0.5, 0.6), (1, 0.9), (0.25, 0.45), (2, 0.9), (-1, 0.3)])
def test_measured_readiness_lies_between_the_scores(measured: float, factor: float) -> None:
    assert between(measured) == pytest.approx(factor)


def test_measured_readiness_replaces_what_is_unknown() -> None:
    case = use_case(100, 1, feasibility={**SURE, "data": "data.log"})
    unknown = by_id(ranking(programme({"a": case}), QUESTION))["a"]
    known = by_id(ranking(programme({"a": case}), Question(DAY, readiness={"log": 1.0})))["a"]
    assert unknown["success_factors"] == {"data": None, "integration": 0.9, "process": 0.9, "risk": 0.9}
    assert unknown["success"] == pytest.approx(0.6 * 0.9**3, abs=1e-4)
    assert "feasibility.data" in unknown["unknown"]
    assert known["success"] == pytest.approx(0.6561)


def test_the_unknown_that_would_change_the_pick_is_named() -> None:
    case = use_case(100, 45, feasibility={**SURE, "risk": None})
    found = by_id(ranking(programme({"a": case}), QUESTION))["a"]
    assert found["would_change"] == {"input": "feasibility.risk", "p_funded_low": 0.0, "p_funded_high": 1.0}
    assert str(found["because"]).count("feasibility.risk would change the pick") == 1


# --- what is not declared, and what has ended


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"value": {}}, "value"),
        ({"cost": None}, "cost.build"),
        ({"cost": {"build": 1}}, "cost.run"),
        ({"effort": None}, "effort.engineering"),
    ],
)
def test_a_candidate_is_not_chosen_on_what_is_not_known(changed: dict[str, object], missing: str) -> None:
    found = by_id(
        ranking(programme({"a": use_case(**{"value": 100, "build": 1, **changed})}, {"engineering": "20pd"}), QUESTION)
    )["a"]
    assert (found["selected"], found["p_funded"]) == (False, 0.0)
    assert missing in found["unknown"]
    assert missing in str(found["because"])


def test_a_pilot_with_unknown_figures_stays_and_says_so() -> None:
    answer = ranking(programme({"a": use_case(100, 1, stage="pilot", cost=None)}, {"budget": 10}), QUESTION)
    found = by_id(answer)["a"]
    assert found["selected"]
    assert found["cost"] is None
    assert answer["limits"]["budget"]["unknown"] == ["a"]


@pytest.mark.parametrize("stage", ["stopped", "retired"])
def test_what_has_ended_is_never_chosen_and_ranks_last(stage: str) -> None:
    cases = {"a": use_case(1000, 1, stage=stage), "b": use_case(1, 100)}
    answer = ranking(programme(cases), QUESTION)
    found = by_id(answer)
    assert (found["a"]["selected"], found["a"]["rank"], found["a"]["because"]) == (False, 2, [f"it is {stage}"])


def test_pilots_count_against_the_parallel_limit_and_production_does_not() -> None:
    cases = {
        "live": use_case(100, 1, stage="production"),
        "pilot": use_case(100, 1, stage="pilot"),
        "next": use_case(100, 1),
        "later": use_case(90, 1),
    }
    found = by_id(ranking(programme(cases, {"parallel_pilots": 2}), QUESTION))
    assert {name for name, case in found.items() if case["selected"]} == {"live", "pilot", "next"}
    assert "`parallel_pilots` binds" in str(found["later"]["because"])


def test_pilots_over_the_budget_are_an_impossible_portfolio() -> None:
    cases = {"a": use_case(100, 80, stage="pilot"), "b": use_case(100, 40, stage="pilot"), "c": use_case(9, 1)}
    with pytest.raises(ConflictError, match=r"`limits.budget` is 100, and what stays takes 120 \(a 80, b 40\)") as one:
        ranking(programme(cases, {"budget": 100}), QUESTION)
    assert one.value.code == "impossible-portfolio"


def test_a_circle_of_needs_is_refused() -> None:
    with pytest.raises(ConflictError, match="a -> b -> a"):
        ranking(programme({"a": use_case(1, 1, needs=["b"]), "b": use_case(1, 1, needs=["a"])}), QUESTION)


def test_astronomical_ranges_are_ranked_or_refused_but_never_overflow() -> None:
    wide = programme({"a": use_case([1, 5e13, 1e14], 1), "b": use_case(10, 1)}, {"budget": 5})
    assert [case["selected"] for case in ranking(wide, QUESTION)["use_cases"]] == [True, True]
    for absurd in ([0, 5e200, 1e201], [-1e307, 0, 1e307]):
        with pytest.raises(DataError, match="'a' is beyond"):
            ranking(programme({"a": use_case(absurd, 1)}), QUESTION)


def test_a_programme_without_use_cases_has_an_empty_portfolio() -> None:
    answer = ranking(programme({}), QUESTION)
    assert (answer["use_cases"], answer["gap"]) == ([], 0.0)


def test_what_limits_leave_open_is_assumed_aloud() -> None:
    answer = ranking(programme({"a": use_case(1, 1)}, {"horizon": None, "discount": None}), QUESTION)
    assert answer["horizon"] == {"years": 3.0, "declared": False}
    assert len(answer["notes"]) == 3

"""Five answers give a route: every boundary of the table, every blocker, and what is not answered stays unknown."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.choose.portfolios import programme, use_case
from trueup.choose.assessment.answer import assess
from trueup.choose.assessment.landscape import ENTRY_POINTS
from trueup.choose.assessment.operating_model import FAILURES, PULLS, possible, recommended
from trueup.choose.assessment.readiness import FACTORS, Readiness, Route, route_of
from trueup.declare.model.programme import Organisation

KEYS = {
    "score",
    "route",
    "blockers",
    "landscape",
    "entry_point",
    "operating_model",
    "decision_rights",
    "next",
    "not_now",
    "would_change",
}


def assessed(*scores: int | None, **rest: Any) -> dict[str, Any]:
    answers = {
        factor: {"score": score, "because": "simulated"}
        for factor, score in zip(FACTORS, scores, strict=False)
        if score is not None
    }
    return assess(programme({}, assessment={**answers, **rest.pop("assessment", {})}, **rest))


@pytest.mark.parametrize(
    ("score", "route"),
    [
        *((score, "strategy-first") for score in range(5)),
        *((score, "hybrid") for score in range(5, 8)),
        *((score, "implementation-first") for score in range(8, 11)),
    ],
)
def test_every_score_has_its_route(score: int, route: str) -> None:
    assert route_of(score) == route
    whole, one = divmod(score, 2)
    found = assessed(*([2] * whole + [1] * one + [0] * 5)[:5])
    assert (found["score"], found["route"]) == (score, route)
    assert set(found) >= KEYS


@pytest.mark.parametrize("scores", [(2, 0, 2, 2, 2), (2, 2, 2, 0, 2), (2, 0, 2, 0, 2), (0, 2, 0, 2, 0)])
def test_a_zero_in_ownership_or_risk_blocks_whatever_the_total(scores: tuple[int, ...]) -> None:
    found = assessed(*scores)
    expected = [name for name, at in (("ownership", 1), ("risk_posture", 3)) if scores[at] == 0]
    assert [blocker["factor"] for blocker in found["blockers"]] == expected
    assert found["route"] == route_of(sum(scores))
    assert all(step["weeks"] == [1, 1] for step in found["next"][: len(expected)])
    assert len([line for line in found["not_now"] if line.startswith("nothing goes live")]) == len(expected)


def test_a_missing_answer_is_a_range_and_never_a_zero() -> None:
    found = assessed(2, None, 1, 1, 1)
    assert (found["score"], found["range"], found["route"]) == (None, [5, 7], "hybrid")
    assert found["blockers"] == []
    open_ = assessed(1, None, 1, 1, 1)
    assert (open_["score"], open_["range"], open_["route"]) == (None, [4, 6], None)
    assert open_["routes"] == ["strategy-first", "hybrid"]
    assert open_["next"][0]["what"].startswith("answer ownership")


def test_a_programme_without_an_assessment_knows_nothing_and_says_so() -> None:
    found = assess(programme({}))
    assert (found["score"], found["range"], found["route"], found["entry_point"]) == (None, [0, 10], None, None)
    assert found["operating_model"]["recommended"] is None
    assert len(found["next"]) == len(FACTORS)
    assert set(found) >= KEYS


def test_what_would_change_the_route_is_every_single_answer_that_does() -> None:
    """Checked against trying all: one answer to the three values, the others as they are."""
    for scores in product(range(3), repeat=5):
        readiness = Readiness(dict(zip(FACTORS, scores, strict=True)))
        said = {(one["answer"], one["to"]): one["route"] for one in readiness.would_change()}
        tried = {
            (factor, other): route_of(sum(scores) - scores[at] + other)
            for at, factor in enumerate(FACTORS)
            for other in range(3)
            if route_of(sum(scores) - scores[at] + other) != route_of(sum(scores))
        }
        assert said == tried


def test_a_missing_answer_that_settles_the_route_is_among_what_would_change_it() -> None:
    found = assessed(1, None, 1, 1, 1)["would_change"]
    assert {(one["answer"], one["from"], one["to"], one["route"]) for one in found} >= {
        ("ownership", None, 0, "strategy-first"),
        ("ownership", None, 1, "hybrid"),
        ("ownership", None, 2, "hybrid"),
    }
    assert next(one for one in found if one["to"] == 0)["blockers"] == ["ownership"]


@pytest.mark.parametrize("landscape", ["first-steps", "stalled-pilots", "in-production", "scattered"])
def test_every_landscape_has_an_entry_point(landscape: str) -> None:
    found = assessed(1, 1, 1, 1, 1, assessment={"landscape": landscape})
    assert found["landscape"] == landscape
    assert found["entry_point"]["title"] == ENTRY_POINTS[landscape].title
    assert len(found["entry_point"]["steps"]) == 3


@pytest.mark.parametrize(
    ("organisation", "model"),
    [
        (("low", "high", "hierarchical", "constrained"), "top-down"),
        (("low", "high", "hierarchical", "adequate"), "top-down"),
        (("low", "high", "collaborative", "adequate"), "hybrid"),
        (("low", "high", "autonomous", "constrained"), "hybrid"),
        (("high", "low", "autonomous", "ample"), "bottom-up"),
        (("high", "low", "collaborative", "ample"), "bottom-up"),
        (("high", "high", "autonomous", "ample"), "hybrid"),
    ],
)
def test_the_operating_model_follows_the_organisation(organisation: tuple[str, ...], model: str) -> None:
    factors = dict(zip(PULLS, organisation, strict=True))
    assert recommended(factors) == model
    found = assessed(1, 1, 1, 1, 1, assessment={"organisation": factors})["operating_model"]
    assert found["recommended"] == model
    assert found["failure_modes"] == list(FAILURES[model])


def test_a_recommended_model_never_has_a_known_failure_by_all_its_factors() -> None:
    for values in product(*PULLS.values()):
        factors = dict(zip(PULLS, values, strict=True))
        if factors["regulation"] == "high":
            assert recommended(factors) != "bottom-up"
        if factors["maturity"] == "high":
            assert recommended(factors) != "top-down"


def test_an_open_factor_leaves_more_than_one_model_possible() -> None:
    partly = Organisation.model_validate({"maturity": "low", "regulation": "high"})
    assert possible(partly) == ("top-down", "hybrid")
    assert possible(None) == ("top-down", "bottom-up", "hybrid")


def test_a_declared_model_stands_beside_the_recommended_one_with_its_own_failures() -> None:
    found = assessed(
        *(1, 1, 1, 1, 1),
        assessment={"organisation": dict(zip(PULLS, ("low", "high", "hierarchical", "constrained"), strict=True))},
        operating_model={"kind": "bottom-up", "coordination": "coo", "intake": "anyone", "decides": ["coo"]},
        sponsor="coo",
    )
    model = found["operating_model"]
    assert (model["declared"], model["recommended"], model["fits"]) == ("bottom-up", "top-down", False)
    assert model["failure_modes"] == list(FAILURES["bottom-up"])
    rights = {right["decision"]: right["who"] for right in found["decision_rights"]}
    assert rights == {
        "set priorities": [],
        "set standards": ["coo"],
        "run the shared platform": ["coo"],
        "find use cases": ["anyone"],
        "stop a use case": ["coo"],
    }


@pytest.mark.parametrize("route", Route)
def test_every_route_says_what_to_do_for_four_weeks_and_what_not(route: Route) -> None:
    scores = {Route.STRATEGY_FIRST: 0, Route.HYBRID: 1, Route.IMPLEMENTATION_FIRST: 2}[route]
    found = assessed(*([scores] * 5))
    assert found["route"] == route
    assert max(step["weeks"][1] for step in found["next"]) == 4
    assert found["not_now"]


def test_what_the_files_show_stands_beside_the_declared_landscape() -> None:
    cases = {"a": use_case(1, 1, stage="production"), "b": use_case(1, 1, stage="pilot"), "c": use_case(1, 1)}
    assert assess(programme(cases))["seen"] == {"candidate": 1, "pilot": 1, "production": 1}

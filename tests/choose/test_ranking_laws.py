"""Whatever is declared, the ranking answers in finite numbers and keeps its laws."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.choose.portfolios import DAY, programme, use_case
from trueup.choose.portfolio.answer import ranking
from trueup.choose.portfolio.ranking import Question
from trueup.declare.model.use_case import UseCase
from trueup.kernel.errors import ConflictError

NAMES = ["a", "b", "c", "d", "e"]
SCORES = st.sampled_from([0, 1, 2, None])


@st.composite
def ranges(draw: st.DrawFn, lowest: float = 0.0) -> Any:
    low = draw(st.floats(lowest, 1e6))
    width = draw(st.sampled_from([0.0, 1e-6, 1.0, 1e4, 1e9]))
    return [low, low + width * draw(st.floats(0.2, 0.8)), low + width] if width else low


@st.composite
def use_cases(draw: st.DrawFn, name: str) -> UseCase:
    earlier = NAMES[: NAMES.index(name)]
    some = st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
    return use_case(
        draw(st.one_of(ranges(-1e6), st.just({}))),
        draw(ranges()),
        draw(ranges()),
        stage=draw(st.sampled_from(["idea", "candidate", "candidate", "pilot", "production", "stopped", "retired"])),
        effort=draw(st.sampled_from([None, {"engineering": "10pd"}, {"engineering": ["5pd", "9pd", "14pd"]}])),
        feasibility={factor: draw(SCORES) for factor in ("data", "integration", "process", "risk")},
        needs=draw(some),
        excludes=draw(some),
    )


@st.composite
def programmes(draw: st.DrawFn) -> Any:
    limits = {
        "budget": draw(st.sampled_from([None, 0, 1e5, 1e9])),
        "engineering": draw(st.sampled_from([None, "20pd"])),
        "parallel_pilots": draw(st.sampled_from([None, 1, 3])),
        "horizon": draw(st.sampled_from([None, "1w", "18m", "10y"])),
        "discount": draw(st.sampled_from([None, "0%", "100%"])),
    }
    return programme({name: draw(use_cases(name)) for name in NAMES}, limits)


@given(programmes())
@settings(max_examples=120)
def test_every_answer_is_finite_and_keeps_needs_exclusions_and_limits(given: Any) -> None:
    with contextlib.suppress(ConflictError):
        holds(given, ranking(given, Question(DAY, draws=60)))


def holds(given: Any, answer: dict[str, Any]) -> None:
    json.dumps(answer, allow_nan=False)
    found = {case["id"]: case for case in answer["use_cases"]}
    chosen = {name for name, case in found.items() if case["selected"]}
    assert [case["rank"] for case in answer["use_cases"]] == [1, 2, 3, 4, 5]
    for name, case in given.use_cases.items():
        told = found[name]
        assert told["because"]
        assert 0 <= told["success"] <= 1
        assert 0 <= told["p_funded"] <= 1
        if case.stage in {"pilot", "production"}:
            assert (told["selected"], told["p_funded"]) == (True, 1.0)
        if case.stage in {"stopped", "retired"}:
            assert (told["selected"], told["p_funded"]) == (False, 0.0)
        if name in chosen:
            assert set(case.needs) <= chosen
            assert not set(case.excludes) & chosen
    for row in answer["limits"].values():
        assert row["used"] <= row["limit"] * (1 + 1e-9) + 0.01

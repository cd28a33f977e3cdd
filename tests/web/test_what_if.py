"""Other limits stand in the address: they change what is shown and nothing else, and a wrong one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.consoles import Console

_CASE = """\
use_case: {name}
objective: faster
owner: owner
team: claims
stage: {stage}
scope: all
faces: staff
value: {{hours_saved: {{range: [400, 900, 1500], rate: {rate}}}}}
cost: {{build: [8000, 10000, 13000], run: [800, 1000, 1300]}}
effort: {{engineering: [8pd, 10pd, 13pd], change: [4pd, 5pd, 7pd]}}
feasibility: {{data: 2, integration: 2, process: 2, risk: 2}}
"""
_LIMITS = "limits: {budget: 40000, engineering: 100pd, change: 60pd, parallel_pilots: 3, horizon: 3y, discount: 8%}\n"


@pytest.fixture
def choosing(copied: Path) -> TestClient:
    """A portfolio of two candidates that both fit."""
    for name, rate in (("letters", 60), ("refunds", 40)):
        text = _CASE.format(name=name.capitalize(), stage="candidate", rate=rate)
        (copied / "use-cases" / f"{name}.yaml").write_text(text, "utf-8")
    file = copied / "programme.yaml"
    file.write_text(file.read_text("utf-8") + _LIMITS, "utf-8")
    return Console(copied).inside()


def shown(client: TestClient, query: str) -> dict[str, Any]:
    answer = client.get(f"/portfolio.json?as_of=2024-05-27&{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def funded(model: dict[str, Any]) -> set[str]:
    return {one["id"] for one in model["use_cases"] if one["selected"]}


def test_a_smaller_budget_leaves_one_out_and_says_which(choosing: TestClient) -> None:
    declared, tried = shown(choosing, ""), shown(choosing, "budget=15000")
    assert declared["what_if"] is None
    assert funded(declared) - funded(tried) == {"refunds"}
    assert tried["what_if"] == {"limits": {"budget": 15000.0}, "conflict": None, "enters": [], "leaves": ["refunds"]}
    assert tried["declared_limits"]["budget"] == 40000.0
    page = choosing.get("/portfolio?budget=15000").text
    assert "Would not any more: refunds" in page
    assert 'name="budget" inputmode="decimal" size="12" value="15000"' in page


def test_what_was_tried_is_saved_nowhere(choosing: TestClient) -> None:
    before = shown(choosing, "")
    shown(choosing, "budget=1&engineering=2pd&change=3&parallel_pilots=1")
    assert shown(choosing, "") == before


def test_limits_that_leave_no_portfolio_show_the_declared_one_and_the_conflict(choosing: TestClient) -> None:
    tried = shown(choosing, "parallel_pilots=0")
    assert tried["what_if"]["conflict"]
    assert funded(tried) == funded(shown(choosing, ""))


def test_an_empty_field_keeps_the_declared_limit(choosing: TestClient) -> None:
    assert shown(choosing, "budget=&engineering=")["what_if"] is None


@pytest.mark.parametrize(
    "query",
    ["budget=lots", "budget=-1", "budget=nan", "budget=inf", "engineering=10h", "parallel_pilots=1.5", "change=1e99"],
)
def test_a_limit_that_is_none_is_refused_with_the_way_out(choosing: TestClient, query: str) -> None:
    answer = choosing.get(f"/portfolio?{query}")
    assert answer.status_code == 400
    assert "leave the field empty" in answer.text


def test_a_use_case_opens_into_what_its_rank_rests_on(choosing: TestClient) -> None:
    opened = choosing.get("/portfolio/letters.json?as_of=2024-05-27").json()["data"]
    assert opened["ranked"]["id"] == "letters"
    assert [line["range"]["p50"] for line in opened["values"]] == [900]
    assert {part["part"]: part["paid"] for part in opened["costs"]} == {"build": "at once", "run": "every year"}
    assert opened["values"][0]["declared"]["file"] == "use-cases/letters.yaml"
    assert choosing.get("/portfolio/leters").status_code == 404

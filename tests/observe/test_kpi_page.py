"""The KPIs of the reference page, by hand over two tickets."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.declare.model.kpi import SHAPES
from trueup.observe.observer import Observer

# Monday 2024-01-01, hours from midnight.
LOG = [
    event("a", at(0, 8), "Open", state="complete"),
    event("a", at(0, 10), "Assign", state="complete"),
    event("a", at(0, 12), "Check", state="start"),
    event("a", at(0, 13), "Check", state="complete"),
    event("a", at(0, 14), "Send back", state="complete"),
    event("a", at(0, 15), "Assign", state="complete"),
    event("a", at(0, 16), "Check", state="start"),
    event("a", at(0, 18), "Check", state="complete"),
    event("a", at(1, 9), "Reply", state="complete"),
    event("a", at(2, 8), "Close", state="complete"),
    event("a", at(3), "Order", state="complete"),
    event("b", at(0, 20), "Open", state="complete"),
    event("b", at(0, 21), "Reply", state="complete"),
    event("b", at(1, 8), "Escalate to owner", state="complete"),
    event("b", at(2, 8), "Check", state="start"),
    event("b", at(2, 9), "Check", state="complete"),
    event("b", at(3, 20), "Close", state="complete"),
    event("b", at(4), "Reopen", state="complete"),
]
EXPECTED: dict[str, dict[str, float]] = {
    "cycle_time": {"a": 2.0, "b": 3.0},
    "business_time": {"a": 16.0, "b": 24.0},
    "first_response": {"a": 25.0, "b": 1.0},
    "waiting_for_check": {"a": 2.0 + 1.0, "b": 24.0},
    "handling_of_check": {"a": 3.0, "b": 1.0},
    "answered_in_time": {"a": 0.0, "b": 1.0},
    "resolved_in_time": {"a": 1.0, "b": 0.0},
    "first_pass": {"a": 0.0, "b": 1.0},
    "escalated": {"a": 0.0, "b": 1.0},
    "reopened": {"a": 0.0, "b": 1.0},
    "reassigned": {"a": 1.0, "b": 0.0},
    "rework_loops": {"a": 1.0, "b": 0.0},
    "rework_hours": {"a": 2.0, "b": 0.0},
    "converted": {"a": 1.0, "b": 0.0},
    "closed_per_week": {"a": 1.0, "b": 1.0},
}
BY_WEEK = {"cost_per_lead", "cost_per_closed"}


@pytest.fixture
def declared(repository: Path) -> dict[str, Any]:
    """The KPIs on the page, by name."""
    page = (repository / "docs" / "reference" / "kpis.md").read_text()
    block, _service = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found: dict[str, Any] = YAML(typ="safe").load(block)
    return found


@pytest.fixture
def observer(declared: dict[str, Any], tmp_path: Path) -> Observer:
    return observer_of(
        tmp_path, LOG, programme_of(declared, complete=["Close"], lifecycle={"column": "state", "starts": "start"})
    )


def test_every_kpi_of_the_page_is_worked_out(declared: dict[str, Any]) -> None:
    assert set(declared) == set(EXPECTED) | BY_WEEK
    assert {shape for kpi in declared.values() for shape in SHAPES if shape in kpi} == set(SHAPES)


@pytest.mark.parametrize("kpi", EXPECTED)
def test_each_comes_to_what_the_hand_gives(observer: Observer, kpi: str) -> None:
    vector = observer.cases("w", kpi, since=at(0), until=at(7), mature_by=at(60))
    assert dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True)) == EXPECTED[kpi]


def test_two_cases_close_in_their_week(observer: Observer) -> None:
    weeks = {row.week: row.total for row in observer.weekly("w", at(60), kpis=["closed_per_week"])}
    assert weeks[date(2024, 1, 1)] == 2.0

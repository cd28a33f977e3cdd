"""The KPIs of a service that answers, as the reference page declares them, by hand over three questions."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.declare.model.use_case import UseCase
from trueup.declare.programme import Programme
from trueup.observe.actuals import ActualRecord, Actuals
from trueup.observe.observer import Observer

# Monday 2024-01-01. b is asked on Friday at 16:00 and answered on Monday at 10:00; c is never answered nor labelled.
LOG = [
    event("a", at(0, 10), "Asked", answer="yes", label="yes", spent="12", pages="3"),
    event("a", at(0, 10, 30), "Answered"),
    event("a", at(0, 12), "Checked"),
    event("a", at(0, 13), "Ordered", labour_hours="0.5", tokens="50000", licences="2", review_hours="0.1"),
    event("b", at(4, 16), "Asked", answer="yes", label="no", spent="8", pages="1"),
    event("b", at(7, 10), "Answered"),
    event("b", at(7, 11), "Checked", labour_hours="1", tokens="0", licences="2", review_hours="0"),
    event("c", at(2, 9), "Asked", answer="no", spent="4", pages="4"),
    event("c", at(2, 9, 1), "Failed", labour_hours="0", tokens="100000", licences="2", review_hours="0"),
]
DAY = 86_400
# What no event ends is cut at the window of ten days: for c from Wednesday 9:00, of which eight working days are open.
EXPECTED: dict[str, dict[str, float]] = {
    "latency": {"a": 30.0, "b": 2.75 * DAY, "c": 10.0 * DAY},
    "latency_p95": {"a": 30.0, "b": 2.75 * DAY, "c": 10.0 * DAY},
    "first_response": {"a": 0.5, "b": 60.0 + 60.0, "c": 8 * 8 * 60.0},
    "waited_for_check": {"a": 2.0 - 30 / 3600, "b": 1.0},
    "uptime": {"a": 1.0, "b": 1.0, "c": 0.0},
    "model_accuracy": {"a": 1.0, "b": 0.0},
    "conversion": {"a": 1.0, "b": 0.0, "c": 0.0},
    "cost_per_lead": {"a": 12.0, "b": 8.0, "c": 4.0},
    "cost_per_order": {"a": 12.0, "b": 8.0, "c": 4.0},
    "cost_per_page": {"a": 12.0, "b": 8.0, "c": 4.0},
    # .5 x 40 + 50,000 x .00002 + 2 + .1 x 55; 40 + 2; 100,000 x .00002 + 2
    "cost_per_completed": {"a": 20 + 1 + 2 + 5.5, "b": 42.0, "c": 4.0},
}
# All three began in one week: 24 spent on one order and on eight pages; 74.5 on the one completed case.
WEEK: dict[str, float] = {
    "cost_per_lead": 24 / 3,
    "cost_per_order": 24.0,
    "cost_per_page": 24 / 8,
    "cost_per_completed": 28.5 + 42 + 4,
    "conversion": 1 / 3,
    "model_accuracy": 1 / 2,
    # 90 in bills, 2 hours of labour at 40, 1 of review at 55, over one completed case.
    "recorded_cost": 90 + 80 + 55,
}


@pytest.fixture
def declared(repository: Path) -> dict[str, Any]:
    """The KPIs of the second list on the page, by name."""
    page = (repository / "docs" / "reference" / "kpis.md").read_text()
    _process, block = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found: dict[str, Any] = YAML(typ="safe").load(block)
    return found


def with_use_case(programme: Programme) -> Programme:
    use_case = UseCase.model_validate({"use_case": "U"})
    return Programme(
        programme.root, programme.file, {"u": use_case}, programme.workflows, {}, programme.places, programme.digests
    )


@pytest.fixture
def observer(declared: dict[str, Any], tmp_path: Path) -> Observer:
    spend = [ActualRecord(at(1), "u", "bills", 60.0), ActualRecord(at(3), "u", "bills", 30.0)]
    effort = [ActualRecord(at(2), "u", "labour", 2.0), ActualRecord(at(2), "u", "review", 1.0)]
    actuals = Actuals({"spend": lambda: spend, "effort": lambda: effort})
    return observer_of(tmp_path, LOG, with_use_case(programme_of(declared, complete=["Ordered"])), actuals=actuals)


def test_every_kpi_of_the_list_is_worked_out(declared: dict[str, Any]) -> None:
    assert set(declared) == set(EXPECTED) | set(WEEK)


def test_each_case_comes_to_what_the_hand_gives(observer: Observer) -> None:
    for kpi, expected in EXPECTED.items():
        vector = observer.cases("w", kpi, since=at(0), until=at(7), mature_by=at(60))
        found = dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True))
        assert found == pytest.approx(expected), kpi


def test_each_week_comes_to_what_the_hand_gives(observer: Observer) -> None:
    for kpi, expected in WEEK.items():
        (week,) = (row for row in observer.weekly("w", at(60), kpis=[kpi]) if row.week == date(2024, 1, 1))
        assert week.total / week.n == pytest.approx(expected), kpi


def test_an_hour_that_is_not_recorded_leaves_the_cost_unknown(observer: Observer) -> None:
    assert observer.actuals is not None
    held = observer.actuals()
    observer.actuals = lambda: Actuals({"spend": held.readers["spend"], "effort": list})
    assert observer.weekly("w", at(60), kpis=["recorded_cost"]) == []


def test_nothing_completed_is_no_cost_of_nought(declared: dict[str, Any], tmp_path: Path) -> None:
    rows = [row for row in LOG if row["activity"] != "Ordered"]
    observer = observer_of(tmp_path, rows, programme_of(declared, complete=["Ordered"]))
    (week,) = observer.weekly("w", at(60), kpis=["cost_per_order"])
    assert (week.n, week.total) == (0, 0.0)


def test_memory_and_engine_agree_on_them(declared: dict[str, Any], tmp_path: Path) -> None:
    programme = programme_of(declared, complete=["Ordered"])
    memory, engine = (observer_of(tmp_path, LOG, programme) for _ in range(2))
    engine.most_held = 0
    assert memory.weekly("w", at(60)) == engine.weekly("w", at(60))
    for kpi in EXPECTED:
        one, other = (each.cases("w", kpi, since=at(0), until=at(9), mature_by=at(60)) for each in (memory, engine))
        assert one.value.tolist() == other.value.tolist()
        assert (one.under is None) is (other.under is None)
        if one.under is not None and other.under is not None:
            assert one.under.tolist() == other.under.tolist()
    places = [
        {(one.week, one.arm): (one.value, one.lower, one.upper) for one in each.quantiles("w", "latency_p95", at(60))}
        for each in (memory, engine)
    ]
    # The 95th percentile of three is the slowest, which was cut: unknown, and at least what was seen whole.
    ((value, lower, upper),) = places[0].values()
    assert (math.isnan(value), lower, upper) == (True, 2.75 * DAY, math.inf)
    assert str(places[0]) == str(places[1])

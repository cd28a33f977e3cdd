"""A log small enough to be worked out by hand; every engine must give exactly these values."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.observe.small_logs import OpenEngine, at, event, observer_of, programme_of
from trueup.observe.observer import Observer

KPIS: dict[str, Any] = {
    "cycle": {"duration": {"from": "first Submit*", "to": "last Paid"}, "unit": "days"},
    "first_touch": {"duration": {"from": "Submit", "to": "first Check*"}, "unit": "hours"},
    "clean": {"share": {"without": ["Reject*"]}},
    "escalated": {"share": {"with": ["Check by boss", "Reject by boss"]}},
    "rework": {"count": {"of": "Submit", "beyond": 1}},
    "amount": {"ratio": {"of": "amount"}},
    "amount_completed": {"ratio": {"of": "amount", "per": "completed"}},
    "closed": {"throughput": {}},
}
# Window: 10 days. Week 0 is that of Monday 2024-01-01; as of day 24 the cases that started by day 14 are mature.
LOG = [
    # a: 5 days; one resubmission; amount corrected inside the window, and again after it (not seen).
    event("a", at(0, 9), "Submit", amount="100"),
    event("a", at(1, 9), "Reject by boss"),
    event("a", at(2, 9), "Submit", amount="80.5"),
    event("a", at(4, 9), "Check"),
    event("a", at(5, 9), "Paid"),
    event("a", at(12, 9), "Submit", amount="999"),
    # b: paid twice, the second time exactly at the end of the window, which is outside it.
    event("b", at(1), "Submit", amount="200"),
    event("b", at(1, 6, 0.4), "Check by boss"),
    event("b", at(3), "Paid"),
    event("b", at(11), "Paid"),
    # c: never paid in its window: capped at 10 days.
    event("c", at(6, 23), "Submit"),
    event("c", at(30), "Paid"),
    # d: begins with something else, its Submit comes after the window: no value for durations.
    event("d", at(7), "Check", amount="7"),
    event("d", at(17), "Submit"),
    # e: paid before it was submitted: no value.
    event("e", at(8), "Paid", amount="1"),
    event("e", at(9), "Submit"),
    # f: still young as of day 24.
    event("f", at(20), "Submit"),
    event("f", at(21), "Paid"),
]


@pytest.fixture
def observer(tmp_path: Path, open_engine: OpenEngine) -> Observer:
    return observer_of(tmp_path, LOG, programme_of(KPIS, complete=["Paid"]), open_engine=open_engine)


def values(observer: Observer, kpi: str) -> dict[str, float]:
    vector = observer.cases("w", kpi, since=at(0), until=at(100), mature_by=at(24))
    return dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True))


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        ("cycle", {"a": 5.0, "b": 2.0, "c": 10.0}),
        ("first_touch", {"a": 96.0, "b": 6.0, "c": 240.0, "e": 240.0}),
        ("clean", {"a": 0.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 1.0}),
        ("escalated", {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.0, "e": 0.0}),
        ("rework", {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0}),
        ("amount", {"a": 80.5, "b": 200.0, "d": 7.0, "e": 1.0}),
        ("amount_completed", {"a": 80.5, "b": 200.0, "e": 1.0}),
        ("closed", {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.0, "e": 1.0}),
    ],
)
def test_each_mature_case_has_its_value(observer: Observer, kpi: str, expected: dict[str, float]) -> None:
    assert values(observer, kpi) == expected


def test_cases_without_a_value_are_counted_apart(observer: Observer) -> None:
    vector = observer.cases("w", "cycle", since=at(0), until=at(100), mature_by=at(24))
    assert vector.without_value == {"all": 2}
    assert dict(zip(vector.case.tolist(), vector.capped.tolist(), strict=True)) == {"a": False, "b": False, "c": True}


def test_a_week_sums_its_mature_cases_and_counts_the_young_ones_apart(observer: Observer) -> None:
    rows = {row.week: row for row in observer.weekly("w", at(24), kpis=["cycle"])}
    first, second, third = (rows[date(2024, 1, day)] for day in (1, 8, 15))
    assert (first.n, first.total, first.total_squares, first.events, first.capped) == (3, 17.0, 129.0, 3, 1)
    assert (first.without_value, first.immature) == (0, 0)
    assert (second.n, second.without_value, second.immature) == (0, 2, 0)
    assert (third.n, third.without_value, third.immature) == (0, 0, 1)


def test_throughput_is_one_observation_a_complete_week(observer: Observer) -> None:
    rows = observer.weekly("w", at(24), kpis=["closed"])
    assert [(row.week.isoformat(), row.n, row.total, row.immature) for row in rows] == [
        ("2024-01-01", 1, 2.0, 0),
        ("2024-01-08", 1, 1.0, 0),
        ("2024-01-15", 0, 0.0, 1),
    ]


def test_a_case_matures_exactly_when_its_window_ends(observer: Observer) -> None:
    def mature(second: float) -> int:
        return len(observer.cases("w", "clean", since=at(0), until=at(1), mature_by=at(10, 9, second)))

    assert (mature(-1), mature(0)) == (0, 1)


def test_the_vector_is_ordered_by_maturity(observer: Observer) -> None:
    vector = observer.cases("w", "clean", since=at(0), until=at(100), mature_by=at(24))
    assert vector.case.tolist() == ["a", "b", "c", "d", "e"]
    assert (vector.matured - vector.started == 10 * 86_400).all()


def test_the_events_that_a_kpi_saw_can_be_shown(observer: Observer) -> None:
    (traced,) = observer.trace("w", "cycle", ["b"], at(24))
    assert (traced.arm, traced.value, traced.capped) == ("all", 2.0, False)
    assert [(one["at"], one["counts_as"]) for one in traced.events] == [
        ("2024-01-02T00:00:00Z", ["from"]),
        ("2024-01-02T06:00:00.400000Z", []),
        ("2024-01-04T00:00:00Z", ["to"]),
    ]

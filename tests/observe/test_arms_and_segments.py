"""Which cases are compared: periods, arms from a column or from our router, units, segments."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.observe.observer import Observer

KPIS = {
    "clean": {"share": {"without": ["Reject"]}},
    "adoption": {"share": {"with": ["Drafted"], "among": "treated"}},
    "starts": {"throughput": {"of": "Start"}},
}
# Pilot from Monday of week 3; baseline weeks 1 and 2; week 0 is before.
PILOT: dict[str, Any] = {"starts": "2024-01-22", "baseline": {"from": "2024-01-08", "to": "2024-01-21"}}
BY_COLUMN = {"assigned": "random", "by": "column group", "treated": ["new", "New"], "control": "old", "unit": "team"}


def observed(folder: Path, rows: list[dict[str, Any]], pilot: dict[str, Any] | None, **more: Any) -> Observer:
    assignments = more.pop("assignments", None)
    programme = programme_of(KPIS, matures_after="3d", pilot=pilot, **more)
    return observer_of(folder, rows, programme, fields=["group", "team", "area"], assignments=assignments)


def arms(observer: Observer, mature_by: float = 100) -> dict[str, str]:
    vector = observer.cases("w", "clean", since=at(-10), until=at(100), mature_by=at(mature_by))
    return dict(zip(vector.case.tolist(), vector.arm.tolist(), strict=True))


def test_time_divides_cases_into_before_baseline_and_pilot(tmp_path: Path) -> None:
    edges = {
        "before": at(7) - timedelta(seconds=1),
        "first": at(7),
        "last": at(21) - timedelta(seconds=1),
        "pilot": at(21),
    }
    observer = observed(tmp_path, [event(name, when, "Start") for name, when in edges.items()], PILOT)
    assert arms(observer) == {"before": "before", "first": "baseline", "last": "baseline", "pilot": "treated"}


def test_without_a_pilot_every_case_is_all(tmp_path: Path) -> None:
    assert arms(observed(tmp_path, [event("1", at(0), "Start")], None)) == {"1": "all"}


def test_arms_come_from_the_events_of_the_window(tmp_path: Path) -> None:
    rows = [
        event("treated", at(22), "Start", group="new"),
        event("also treated", at(22), "Start", group="New"),
        event("control", at(22), "Start", group="old"),
        event("known later", at(22), "Start"),
        event("known later", at(23), "Work", group="old"),
        event("both", at(22), "Start", group="new"),
        event("both", at(23), "Work", group="old"),
        event("changed after its window", at(22), "Start", group="new"),
        event("changed after its window", at(25), "Work", group="old"),
        event("none", at(22), "Start"),
        event("unknown", at(22), "Start", group="other"),
        event("baseline", at(8), "Start", group="new"),
    ]
    observer = observed(tmp_path, rows, {**PILOT, "design": BY_COLUMN})
    assert arms(observer) == {
        "treated": "treated",
        "also treated": "treated",
        "control": "control",
        "known later": "control",
        "both": "both",
        "changed after its window": "treated",
        "none": "unassigned",
        "unknown": "unassigned",
        "baseline": "baseline",
    }
    population = observer.population("w", since=at(21), until=at(28), as_of=at(60))
    assert (population.both, population.unassigned) == (("both",), ("none", "unknown"))


def test_an_arm_is_not_known_before_its_event(tmp_path: Path) -> None:
    rows = [event("1", at(22), "Start"), event("1", at(24), "Work", group="new")]
    observer = observed(tmp_path, rows, {**PILOT, "design": BY_COLUMN})
    early, late = (observer.population("w", since=at(21), until=at(28), as_of=at(day)) for day in (23, 24))
    assert (early.immature, late.immature) == ({"unassigned": 1}, {"treated": 1})


def test_without_assigned_the_column_says_nothing(tmp_path: Path) -> None:
    design = {"by": "column group", "treated": ["new"], "control": ["old"]}
    observer = observed(tmp_path, [event("1", at(22), "Start", group="old")], {**PILOT, "design": design})
    assert arms(observer) == {"1": "treated"}


def test_our_router_assigns_by_its_own_record(tmp_path: Path) -> None:
    rows = [event(case, at(22), "Start") for case in ("1", "2", "3")]
    pilot = {**PILOT, "design": {"assigned": "random", "by": "ledger"}}
    assert arms(observed(tmp_path, rows, pilot)) == dict.fromkeys("123", "unassigned")
    routed = observed(tmp_path, rows, pilot, assignments={"w": {"1": "treated", "2": "control", "9": "treated"}})
    assert arms(routed) == {"1": "treated", "2": "control", "3": "unassigned"}


def test_the_unit_is_what_was_assigned(tmp_path: Path) -> None:
    rows = [
        event("1", at(22), "Start", group="new", team="red"),
        event("1", at(23), "Work", team="blue"),
        event("2", at(22), "Start", group="old"),
    ]
    observer = observed(tmp_path, rows, {**PILOT, "design": BY_COLUMN})
    vector = observer.cases("w", "clean", since=at(0), until=at(100), mature_by=at(100))
    assert dict(zip(vector.case, vector.unit, strict=True)) == {"1": "red", "2": "(none)"}


def test_a_share_among_treated_has_no_value_elsewhere(tmp_path: Path) -> None:
    rows = [
        event("1", at(22), "Start", group="new"),
        event("1", at(23), "Drafted"),
        event("2", at(22), "Start", group="old"),
        event("3", at(8), "Start"),
    ]
    observer = observed(tmp_path, rows, {**PILOT, "design": BY_COLUMN})
    (row,) = observer.weekly("w", at(60), kpis=["adoption"])
    assert (row.arm, row.n, row.total) == ("treated", 1, 1.0)
    vector = observer.cases("w", "adoption", since=at(0), until=at(100), mature_by=at(60))
    assert (vector.case.tolist(), vector.without_value) == (["1"], {})


def test_a_segment_is_the_first_value_that_is_given_in_the_window(tmp_path: Path) -> None:
    rows = [
        event("1", at(0), "Start", area=""),
        event("1", at(1), "Work", area="south"),
        event("1", at(2), "Work", area="north"),
        event("2", at(0), "Start"),
        event("2", at(4), "Work", area="too late"),
        event("3", at(1), "Start", area="south"),
        event("3", at(2), "Reject", area="south"),
    ]
    observer = observed(tmp_path, rows, None, segment=["area"])
    rows_of = observer.weekly("w", at(60), kpis=["clean"], segments=True)
    assert {(row.segment, row.n, row.total) for row in rows_of} == {
        (None, 3, 2.0),
        ("area=south", 2, 1.0),
        ("area=(none)", 1, 1.0),
    }
    mix = observer.population("w", since=at(0), until=at(7), as_of=at(60)).mix
    assert mix == {("area", None): 1, ("area", "south"): 2}


def test_a_segment_may_be_named_as_a_field(tmp_path: Path) -> None:
    rows = [event("1", at(0), "Start", area="south")]
    observer = observed(tmp_path, rows, None, segment=["region"], data={"fields": {"region": "area"}})
    assert {row.segment for row in observer.weekly("w", at(60), kpis=["clean"], segments=True)} == {
        None,
        "region=south",
    }


def test_without_segments_the_mix_is_of_activities_in_the_windows_of_mature_cases(tmp_path: Path) -> None:
    rows = [
        event("1", at(0), "Start"),
        event("1", at(1), "Work"),
        event("1", at(2), "Work"),
        event("1", at(5), "Late"),
        event("young", at(6), "Start"),
    ]
    population = observed(tmp_path, rows, None).population("w", since=at(0), until=at(7), as_of=at(7))
    assert population.mix == {("activity", "Start"): 1, ("activity", "Work"): 2}
    assert (population.by_arm, population.immature) == ({"all": 1}, {"all": 1})
    assert list(population.weeks.values()) == [2]


def test_throughput_counts_whole_weeks_of_one_period_and_empty_ones(tmp_path: Path) -> None:
    """A week that the pilot's start cuts in two belongs to neither side; a week without a case is zero cases."""
    pilot = {"starts": "2024-01-24", "baseline": {"from": "2024-01-01", "to": "2024-01-23"}}
    days = [0, 1, 15, 22, 24, 29, 30, 31, 44]
    rows = [event(str(day), at(day), "Start") for day in days]
    found = observed(tmp_path, rows, pilot).weekly("w", at(46), kpis=["starts"])
    assert [(row.week.day, row.arm, row.n, row.total) for row in found] == [
        (1, "baseline", 1, 2.0),
        (8, "baseline", 1, 0.0),
        (15, "baseline", 1, 1.0),
        (22, "baseline", 0, 0.0),
        (22, "treated", 0, 0.0),
        (29, "treated", 1, 3.0),
        (5, "treated", 1, 0.0),
        (12, "treated", 0, 0.0),
    ]


@pytest.mark.parametrize("segments", [False, True])
def test_weekly_names_each_cell_once(tmp_path: Path, segments: bool) -> None:
    rows = [event(str(number), at(number % 50), "Start", group="new", area=f"{number % 3}") for number in range(90)]
    observer = observed(tmp_path, rows, {**PILOT, "design": BY_COLUMN}, segment=["area"])
    cells = Counter(
        (row.kpi, row.week, row.arm, row.segment) for row in observer.weekly("w", at(60), segments=segments)
    )
    assert set(cells.values()) == {1}

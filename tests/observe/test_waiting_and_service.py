"""Waiting and service times by hand, against a plain count, and where they are refused."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.declare.model.kpi import Kpi, KpiKind
from trueup.kernel.errors import DataError
from trueup.observe.observer import Observer

KPIS = {
    "waiting": {"waiting": {"before": "Check"}, "unit": "hours", "better": "lower"},
    "service": {"service": {"of": "Check"}, "unit": "hours", "better": "lower"},
    "rework_hours": {"service": {"of": "Check", "beyond": 1}, "unit": "hours", "better": "lower"},
}
LIFECYCLE = {"column": "state", "starts": "start", "completes": "complete"}


def values(observer: Observer, kpi: str) -> dict[str, float]:
    vector = observer.cases("w", kpi, since=at(-1), until=at(100), mature_by=at(200))
    return dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True))


def step(case: str, hour: float, activity: str, state: str = "complete") -> dict[str, Any]:
    return event(case, at(0, hour), activity, state=state)


LOG = [
    # a: asked at 0, checked from 4 to 6, sent back, checked again from 10 to 11.
    step("a", 0, "Ask"),
    step("a", 4, "Check", "start"),
    step("a", 6, "Check"),
    step("a", 8, "Ask"),
    step("a", 10, "Check", "start"),
    step("a", 11, "Check"),
    # b: never checked.
    step("b", 0, "Ask"),
    # c: the check was begun and not ended in its window of ten days.
    step("c", 0, "Ask"),
    step("c", 3, "Check", "start"),
    step("c", 241, "Check"),
    # d: begins with the check; the second begins at the instant at which another step ends: no waiting.
    step("d", 0, "Check", "start"),
    step("d", 1, "Check"),
    step("d", 5, "Ask"),
    step("d", 5, "Check", "start"),
    step("d", 5, "Check", "scheduled"),
    step("d", 7, "Check"),
]


def test_by_hand_with_a_lifecycle(tmp_path: Path) -> None:
    observer = observer_of(tmp_path, LOG, programme_of(KPIS, lifecycle=LIFECYCLE))
    assert values(observer, "waiting") == {"a": 6.0, "c": 3.0, "d": 0.0}
    assert values(observer, "service") == {"a": 3.0, "d": 3.0}
    assert values(observer, "rework_hours") == {"a": 1.0, "b": 0.0, "d": 2.0}
    (row,) = observer.weekly("w", at(60), kpis=["service"])
    assert (row.n, row.total, row.without_value) == (2, 6.0, 2)


def test_without_a_lifecycle_waiting_runs_to_the_step_itself(tmp_path: Path) -> None:
    rows = [step("a", 0, "Ask"), step("a", 6, "Check"), step("a", 8, "Ask"), step("a", 11, "Check")]
    observer = observer_of(tmp_path, rows, programme_of(KPIS))
    assert values(observer, "waiting") == {"a": 9.0}
    with pytest.raises(DataError, match="needs the start of a step") as refused:
        observer.weekly("w", at(60), kpis=["service"])
    assert refused.value.code == "no-lifecycle"


def test_a_lifecycle_that_the_log_lacks_is_named(tmp_path: Path) -> None:
    observer = observer_of(tmp_path, LOG, programme_of(KPIS, lifecycle={"column": "stat"}))
    with pytest.raises(DataError, match="no column 'stat'"):
        observer.weekly("w", at(60), kpis=["waiting"])


def test_with_a_lifecycle_a_step_happens_when_it_is_completed(tmp_path: Path) -> None:
    kpis = {
        "checks": {"count": {"of": "Check"}},
        "first": {"duration": {"from": "Ask", "to": "Check"}, "unit": "hours"},
    }
    observer = observer_of(tmp_path, LOG, programme_of(kpis, lifecycle=LIFECYCLE))
    assert values(observer, "checks") == {"a": 2.0, "b": 0.0, "c": 0.0, "d": 2.0}
    assert values(observer, "first") == {"a": 6.0, "b": 240.0, "c": 240.0}


def test_parallel_work_is_cut_at_the_window_and_counted_as_cut(tmp_path: Path) -> None:
    rows = [step("a", 0, "Check", "start"), step("a", 0, "Check", "start")]
    rows += [step("a", 200, "Check"), step("a", 200, "Check")]
    observer = observer_of(tmp_path, rows, programme_of(KPIS, lifecycle=LIFECYCLE))
    (row,) = observer.weekly("w", at(60), kpis=["service"])
    assert (row.total, row.capped) == (240.0, 1)


def test_the_events_that_count_are_named_in_an_opened_case(tmp_path: Path) -> None:
    observer = observer_of(tmp_path, LOG, programme_of(KPIS, lifecycle=LIFECYCLE))
    (case,) = observer.trace("w", "waiting", ["a"], at(60))
    assert [one["counts_as"] for one in case.events] == [[], ["before"], [], [], ["before"], []]
    (case,) = observer.trace("w", "service", ["a"], at(60))
    assert [one["counts_as"] for one in case.events] == [[], ["of"], ["of"], [], ["of"], ["of"]]


def test_both_are_durations() -> None:
    assert {Kpi.model_validate(kpi).kind for kpi in KPIS.values()} == {KpiKind.DURATION}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["Ask", "Check", "Pay"])), min_size=1, max_size=12))
def test_waiting_is_the_sum_of_the_gaps_before_the_step(moments: list[tuple[int, str]]) -> None:
    rows = [event("a", at(0) + timedelta(hours=hour), activity) for hour, activity in moments]
    first = min(hour for hour, _ in moments)
    seen = sorted({hour for hour, _ in moments if hour < first + 240})
    checks = {hour for hour, activity in moments if activity == "Check" and hour < first + 240}
    gaps = [hour - max((one for one in seen if one < hour), default=hour) for hour in checks]
    with tempfile.TemporaryDirectory() as folder:
        found = values(observer_of(Path(folder), rows, programme_of(KPIS)), "waiting")
    assert found == ({"a": float(sum(gaps))} if checks else {})

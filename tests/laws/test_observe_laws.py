"""Laws of observation on made-up logs: the fast plan is the meaning; order and later events are nothing."""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.reference import by_case, expected, under, within
from tests.observe.small_logs import ORIGIN, at, event, observer_of, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.declare.programme import Programme
from trueup.observe.observer import Observer
from trueup.observe.tables import CaseVector, WeekStatistic

WINDOW = timedelta(days=2)
COMPLETE = ("Paid",)
KPIS: dict[str, Any] = {
    "first_last": {"duration": {"from": "first Sub*", "to": "last Paid"}, "unit": "hours"},
    "last_first": {"duration": {"from": "last 50%_off", "to": "first *"}, "unit": "seconds"},
    "last_last": {"duration": {"from": "last Sub*", "to": "last *i*"}, "unit": "days"},
    "with": {"share": {"with": ["Paid", "50%*"]}},
    "without": {"share": {"without": ["Sub*ed"]}},
    "count": {"count": {"of": ["Sub*", "Paid"], "beyond": 1}},
    "field": {"ratio": {"of": "amount"}},
    "field_completed": {"ratio": {"of": "amount", "per": "completed"}},
    "field_all": {"ratio": {"of": "amount", "per": "completed", "of_all": True}},
    "same": {"share": {"agree": ["arm", "said"]}},
    "throughput": {"throughput": {"of": "Paid"}},
}
PILOT = {
    "starts": "2024-01-03",
    "baseline": {"from": "2024-01-01", "to": "2024-01-02"},
    "design": {"assigned": "random", "by": "column arm", "treated": ["t"], "control": ["c"], "unit": "team"},
}
AS_OF = at(6)

# A coarse grid, so that events fall together and onto the ends of windows; a fraction of a second now and then.
moments = st.builds(
    lambda step, fraction: ORIGIN + timedelta(hours=12 * step, milliseconds=fraction),
    st.integers(0, 16),
    st.sampled_from([0, 0, 1, 999]),
)
events = st.builds(
    event,
    st.sampled_from(["1", "2", "3", "4", "5", "6", "7", "8", "NA", "", "é"]),
    moments,
    st.sampled_from(["Submitted", "Sub%", "Paid", "50%_off", "50X_off", "sub", "Idle"]),
    amount=st.sampled_from([None, None, "1", "2.5", "-3", "nan", "12,5"]),
    arm=st.sampled_from([None, None, "t", "c", "x"]),
    team=st.sampled_from([None, "red", "blue"]),
    said=st.sampled_from([None, "t", "c"]),
)
logs = st.lists(events, min_size=1, max_size=60)


@contextmanager
def observed(rows: list[dict[str, Any]], programme: Programme) -> Iterator[Observer]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield observer_of(
            Path(folder),
            rows,
            programme,
            fields=["amount", "arm", "team", "said"],
            open_engine=lambda paths: stack.enter_context(DuckEngine(paths, threads=1)),
        )


def plain() -> Programme:
    return programme_of(KPIS, matures_after="2d", complete=list(COMPLETE), data={"missing": ["nan", "12,5"]})


def piloted() -> Programme:
    return programme_of(KPIS, matures_after="2d", complete=list(COMPLETE), segment=["team"], pilot=PILOT)


def vector_of(observer: Observer, kpi: str, mature_by: datetime) -> CaseVector:
    return observer.cases("w", kpi, since=at(-1), until=at(100), mature_by=mature_by)


def rows_of(observer: Observer) -> list[WeekStatistic]:
    return observer.weekly("w", AS_OF, segments=True)


# Every example opens a database; one log of many cases tells more than many logs of one.
QUICK = 10


@settings(max_examples=QUICK)
@given(logs)
def test_the_plan_computes_what_the_kpi_means(rows: list[dict[str, Any]]) -> None:
    agree_with_the_reference(rows)


@pytest.mark.long
@settings(max_examples=500)
@given(logs)
def test_the_plan_computes_what_the_kpi_means_on_many_logs(rows: list[dict[str, Any]]) -> None:
    agree_with_the_reference(rows)


def agree_with_the_reference(rows: list[dict[str, Any]]) -> None:
    programme = plain()
    given_rows = [{**row, "amount": None if row["amount"] in {"nan", "12,5"} else row["amount"]} for row in rows]
    with observed(rows, programme) as observer:
        for name, kpi in programme.workflows["w"].kpis.items():
            cases = {case: expected(kpi, its_rows, WINDOW, COMPLETE) for case, its_rows in by_case(given_rows).items()}
            mature = {case: one for case, one in cases.items() if one.due <= AS_OF.replace(tzinfo=None)}
            vector = vector_of(observer, name, AS_OF)
            assert dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True)) == {
                case: one.value for case, one in mature.items() if one.value is not None
            }
            assert {case for case, capped in zip(vector.case, vector.capped, strict=True) if capped} == {
                case for case, one in mature.items() if one.capped
            }
            assert sum(vector.without_value.values()) == sum(one.value is None for one in mature.values())
            if vector.under is not None:
                done = {case: under(kpi, within(its, WINDOW), COMPLETE) for case, its in by_case(given_rows).items()}
                assert vector.under.tolist() == [done[case] for case in vector.case]


@settings(max_examples=QUICK)
@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    with observed(rows, piloted()) as one, observed(shuffled, piloted()) as other:
        assert rows_of(one) == rows_of(other)
        for kpi in ("first_last", "count", "field"):
            a, b = vector_of(one, kpi, AS_OF), vector_of(other, kpi, AS_OF)
            assert (a.case.tolist(), a.arm.tolist(), a.unit.tolist(), a.value.tolist(), a.without_value) == (
                b.case.tolist(),
                b.arm.tolist(),
                b.unit.tolist(),
                b.value.tolist(),
                b.without_value,
            )


@settings(max_examples=QUICK)
@given(logs)
def test_what_happens_later_changes_nothing_as_of_now(rows: list[dict[str, Any]]) -> None:
    until_now = [row for row in rows if row["at"] <= AS_OF.replace(tzinfo=None)]
    if not until_now:
        return
    window = {"since": at(-1), "until": at(100), "as_of": AS_OF}
    together = [("amount", "arm")]
    with observed(rows, piloted()) as whole, observed(until_now, piloted()) as cut:
        assert rows_of(whole) == rows_of(cut)
        assert whole.population("w", **window) == cut.population("w", **window)
        assert whole.profile("log", AS_OF, together) == cut.profile("log", AS_OF, together)


@settings(max_examples=QUICK)
@given(logs)
def test_mature_cases_never_change_their_value(rows: list[dict[str, Any]]) -> None:
    with observed(rows, piloted()) as observer:
        for kpi in KPIS:
            now, later = vector_of(observer, kpi, at(4)), vector_of(observer, kpi, at(20))
            known = dict(zip(later.case, zip(later.arm, later.unit, later.value, strict=True), strict=True))
            for case, arm, unit, value in zip(now.case, now.arm, now.unit, now.value, strict=True):
                assert known[case] == (arm, unit, value)


@settings(max_examples=QUICK)
@given(logs)
def test_weeks_add_up_to_their_cases(rows: list[dict[str, Any]]) -> None:
    with observed(rows, piloted()) as observer:
        weeks = rows_of(observer)
        # Weeks of a ratio of sums do not add up: each has its own.
        for kpi in set(KPIS) - {"throughput", "field_all"}:
            vector = vector_of(observer, kpi, AS_OF)
            by_arm: dict[str, list[float]] = defaultdict(list)
            for arm, value in zip(vector.arm, vector.value, strict=True):
                by_arm[str(arm)].append(float(value))
            for segmented in (False, True):
                chosen = [row for row in weeks if row.kpi == kpi and (row.segment is not None) == segmented]
                assert_adds_up(chosen, by_arm)


def assert_adds_up(rows: list[WeekStatistic], by_arm: dict[str, list[float]]) -> None:
    assert set(by_arm) <= {row.arm for row in rows}
    for arm in {row.arm for row in rows}:
        of_arm, values = [row for row in rows if row.arm == arm], by_arm[arm]
        squares = sum(value * value for value in values)
        assert sum(row.n for row in of_arm) == len(values)
        assert math.isclose(sum(row.total for row in of_arm), sum(values), rel_tol=1e-9, abs_tol=1e-6)
        assert math.isclose(sum(row.total_squares for row in of_arm), squares, rel_tol=1e-9, abs_tol=1e-6)


@pytest.mark.parametrize("kpi", KPIS)
def test_every_kind_of_kpi_is_drawn_with_a_value(kpi: str) -> None:
    """The laws above would hold of nothing: this log gives each of their KPIs a value."""
    rows = [
        event("1", at(0), "Submitted", amount="4", arm="t", said="t"),
        event("1", at(0, 1), "50%_off"),
        event("1", at(0, 2), "Paid"),
        event("1", at(0, 3), "50%_off"),
        event("2", at(0), "50%_off", amount="4"),
    ]
    with observed(rows, plain()) as observer:
        assert len(vector_of(observer, kpi, AS_OF)) >= 1

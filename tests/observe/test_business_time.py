"""Business time against a count of minutes, and the calendars that are refused."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.declare.model.kpi import Kpi
from trueup.declare.model.working_time import WorkingTime
from trueup.kernel.errors import DataError
from trueup.observe.cases.business import business_days
from trueup.observe.observer import Observer

BRITISH = {"country": "GB", "region": "ENG", "days": "mon-fri", "hours": "09:00-17:30"}


def minutes(calendar: WorkingTime, start: datetime, to: datetime) -> int:
    """Every minute of the span, one by one."""
    free = holidays.country_holidays(calendar.country, subdiv=calendar.region) if calendar.country else {}
    count, now = 0, start
    while now < to:
        second = now.hour * 3600 + now.minute * 60
        works = now.weekday() in calendar.days.days and now.date() not in free
        count += works and calendar.hours.opens <= second < calendar.hours.closes
        now += timedelta(minutes=1)
    return count


def observed(folder: Path, rows: list[dict[str, Any]], kpi: dict[str, Any], matures_after: str = "30d") -> Observer:
    return observer_of(folder, rows, programme_of({"k": kpi}, matures_after=matures_after))


def value_of(observer: Observer, case: str = "a") -> float | None:
    vector = observer.cases("w", "k", since=at(-400), until=at(900), mature_by=at(2000))
    return dict(zip(vector.case.tolist(), vector.value.tolist(), strict=True)).get(case)


@settings(max_examples=25, deadline=None)
@given(
    start=st.integers(0, 60 * 24 * 400),
    length=st.integers(0, 60 * 24 * 25),
    calendar=st.sampled_from(
        [
            BRITISH,
            {"days": "sat, sun", "hours": "00:00-24:00"},
            {"country": "DE", "region": "BY", "days": ["mon", "wed"], "hours": "22:15-24:00"},
            {"country": "US", "days": "fri-mon", "hours": "08:00-12:00"},
        ]
    ),
)
def test_business_time_is_the_count_of_its_minutes(start: int, length: int, calendar: dict[str, Any]) -> None:
    begin, end = at(0) + timedelta(minutes=start), at(0) + timedelta(minutes=start + length)
    kpi = {"duration": {"from": "Open", "to": "Done", "calendar": calendar}, "unit": "minutes"}
    with tempfile.TemporaryDirectory() as folder:
        found = value_of(observed(Path(folder), [event("a", begin, "Open"), event("a", end, "Done")], kpi))
    assert found == minutes(WorkingTime.model_validate(calendar), begin, end)


def test_by_hand_over_easter(tmp_path: Path) -> None:
    """Thursday 28 March 2024 16:30 to Tuesday 2 April 10:00: 1 h, then Good Friday to Easter Monday, then 1 h."""
    rows = [event("a", datetime(2024, 3, 28, 16, 30, tzinfo=UTC), "Open")]
    rows += [event("a", datetime(2024, 4, 2, 10, tzinfo=UTC), "Done")]
    timed = {"duration": {"from": "Open", "to": "Done", "calendar": BRITISH}}
    assert value_of(observed(tmp_path, rows, {**timed, "unit": "hours"})) == 2.0
    assert value_of(observed(tmp_path, rows, {**timed, "unit": "days"})) == pytest.approx(2 / 8.5)


def test_a_case_without_an_end_has_the_business_time_of_its_window(tmp_path: Path) -> None:
    """Ten days from Monday 2024-01-08 09:00: eight working days; New Year is not among them."""
    kpi = {"duration": {"from": "Open", "to": "Done", "calendar": BRITISH}, "unit": "days"}
    observer = observed(tmp_path, [event("a", at(7, 9), "Open")], kpi, "10d")
    (row,) = observer.weekly("w", at(60))
    assert (row.n, row.total, row.capped) == (1, 8.0, 1)
    assert Kpi.model_validate(kpi).longest(10 * 86_400) == 10


def test_a_share_in_time_counts_only_cases_whose_time_was_up_in_the_window(tmp_path: Path) -> None:
    kpi = {"share": {"within": "2d", "from": "Open", "to": "Reply"}}
    rows = [event(case, at(0), "Start") for case in "abcdef"]
    rows += [event("a", at(1), "Open"), event("a", at(3), "Reply")]  # exactly two days: in time
    rows += [event("b", at(1), "Open"), event("b", at(3, 0, 1), "Reply")]  # a second late
    rows += [event("c", at(8), "Open")]  # the last that can be late within ten days
    rows += [event("d", at(8, 1), "Open"), event("d", at(8, 2), "Reply")]  # soon, and yet not counted
    rows += [event("e", at(2), "Reply"), event("e", at(4), "Open")]  # answered before it was asked
    observer = observed(tmp_path, rows, kpi, "10d")
    (row,) = observer.weekly("w", at(60))
    assert (row.n, row.events, row.without_value) == (3, 1, 3)
    assert [value_of(observer, case) for case in "abcdef"] == [1.0, 0.0, 0.0, None, None, None]


def test_whole_days_of_a_calendar_are_working_days(tmp_path: Path) -> None:
    """Friday 2024-01-05 12:00 and two working days: Tuesday 12:00."""
    kpi = {"share": {"within": "2d", "from": "Open", "to": "Reply", "calendar": BRITISH}}
    rows = [event("a", at(4, 12), "Open"), event("a", at(8, 12), "Reply")]
    rows += [event("b", at(4, 12), "Open"), event("b", at(8, 12, 1), "Reply")]
    rows += [event("c", at(4, 12), "Start"), event("c", at(12, 12), "Open"), event("c", at(12, 13), "Reply")]
    observer = observed(tmp_path, rows, kpi, "10d")
    assert [value_of(observer, case) for case in "abc"] == [1.0, 0.0, None]


def test_the_day_of_a_holiday_is_closed_and_what_passed_is_counted_before_each_day() -> None:
    table = business_days(WorkingTime.model_validate(BRITISH), date(2023, 12, 29), date(2024, 1, 2)).to_pylist()
    assert [row["open"] for row in table] == [1, 0, 0, 0, 1]
    assert [row["before"] for row in table] == [0, 30_600, 30_600, 30_600, 30_600]


@pytest.mark.parametrize(
    ("calendar", "said"),
    [({"country": "XQ"}, "country 'XQ'"), ({"country": "GB", "region": "BAVARIA"}, "region of GB 'BAVARIA'")],
)
def test_a_country_without_known_holidays_refuses_its_kpi_and_no_other(
    tmp_path: Path, calendar: dict[str, Any], said: str
) -> None:
    kpis = {"k": {"duration": {"from": "Open", "to": "Done", "calendar": calendar}}, "other": {"share": {"with": "X"}}}
    observer = observer_of(tmp_path, [event("a", at(0), "Open")], programme_of(kpis))
    with pytest.raises(DataError, match=said) as refused:
        observer.weekly("w", at(60), kpis=["k"])
    assert refused.value.code == "unknown-calendar"
    assert observer.weekly("w", at(60), kpis=["other"])[0].n == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": "17:30-09:00"},
        {"hours": "9-17"},
        {"hours": 9},
        {"hours": "09:00-25:00"},
        {"days": "monday"},
        {"days": ""},
        {"days": [1, 2]},
        {"region": "BY"},
        {"zone": "Europe/London"},
    ],
)
def test_what_is_no_working_time_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorkingTime.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"within": "2d"},
        {"within": "2d", "from": "A"},
        {"with": "A", "from": "A", "to": "B"},
        {"with": "A", "within": "2d", "from": "A", "to": "B"},
        {"with": "A", "calendar": {}},
    ],
)
def test_a_share_in_time_is_written_whole(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Kpi.model_validate({"share": wrong})

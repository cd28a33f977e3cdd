"""Times in files: every form that is read, one form a column, and no guess about zones, days and months."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.connectors.conftest import Reader, Refuser


def _log(*times: str) -> str:
    return "at\n" + "".join(f'"{time}"\n' for time in times)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-01-31T10:00:00Z", "2018-01-31T10:00:00"),
        ("2018-01-31T10:00:00z", "2018-01-31T10:00:00"),
        ("2018-01-31 10:00:00 UTC", "2018-01-31T10:00:00"),
        ("2018-01-31 10:00:00.5+01:00", "2018-01-31T09:00:00.500000"),
        ("2018-01-31T10:00:00.123456789+0100", "2018-01-31T09:00:00.123456"),
        ("2018-01-31T10:00:00,250-05:30", "2018-01-31T15:30:00.250000"),
        ("2018-01-31 10:00:00 +01", "2018-01-31T09:00:00"),
        ("2018-01-31T10:00Z", "2018-01-31T10:00:00"),
        ("2018-1-31 9:05:00Z", "2018-01-31T09:05:00"),
        ("2018/01/31 10:00:00.001Z", "2018-01-31T10:00:00.001000"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00"),
        ("2200-12-31T23:59:59Z", "2200-12-31T23:59:59"),
        ("2016-02-29T23:59:59Z", "2016-02-29T23:59:59"),
        ("31/1/2018 10:00Z", "2018-01-31T10:00:00"),
    ],
)
def test_times_with_a_zone_become_instants(read: Reader, text: str, instant: str) -> None:
    assert read(_log(text), times=("at",)).column("at") == [_at(instant)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("29/2/2016 01:16", "2016-02-29T01:16:00"),
        ("29/02/2016 1:16:07", "2016-02-29T01:16:07"),
        ("29-2-2016 01:16", "2016-02-29T01:16:00"),
        ("9.2.2016 01:16", "2016-02-09T01:16:00"),
        ("9.2.2016, 01:16", "2016-02-09T01:16:00"),
        ("2/29/2016 1:16 PM", "2016-02-29T13:16:00"),
        ("2/29/2016 12:16:00 am", "2016-02-29T00:16:00"),
        ("2/29/2016 12:16 pm", "2016-02-29T12:16:00"),
        ("2016-02-29 01:16", "2016-02-29T01:16:00"),
        ("2016-02-29 01:16:00.25", "2016-02-29T01:16:00.250000"),
        ("2016-02-29", "2016-02-29T00:00:00"),
        ("29/2/2016", "2016-02-29T00:00:00"),
        (" 2016-02-29 01:16 ", "2016-02-29T01:16:00"),
    ],
)
def test_times_without_a_zone_take_the_declared_one(read: Reader, text: str, instant: str) -> None:
    assert read(_log(text), times=("at",), zone="UTC").column("at") == [_at(instant)]


def test_days_without_a_clock_begin_at_midnight_utc(read: Reader) -> None:
    assert read(_log("2018-03-01"), times=("at",)).column("at") == [_at("2018-03-01T00:00:00")]


def test_offsets_may_change_with_summer_time(read: Reader) -> None:
    found = read(_log("2011-10-11 13:42:22.688000+02:00", "2011-12-06 13:41:31.788000+01:00"), times=("at",))
    assert found.column("at") == [_at("2011-10-11T11:42:22.688"), _at("2011-12-06T12:41:31.788")]


def test_local_times_follow_their_zone_through_the_year(read: Reader) -> None:
    found = read(
        _log(
            "2020-01-15 12:00",
            "2020-07-15 12:00",
            "2020-10-25 02:30",  # comes twice: the first is meant
            "2020-03-29 02:30",  # does not come: the end of the skipped hour
        ),
        times=("at",),
        zone="Europe/Amsterdam",
    )
    assert found.column("at") == [
        _at("2020-01-15T11:00"),
        _at("2020-07-15T10:00"),
        _at("2020-10-25T00:30"),
        _at("2020-03-29T01:00"),
    ]
    assert "1 times lie in the hour that Europe/Amsterdam skips" in found.log.notes[0]


def test_local_and_unusual_forms_follow_the_same_zone(read: Reader) -> None:
    found = read(_log("15/1/2020 12:00", "15/7/2020 12:00"), times=("at",), zone="Europe/Amsterdam")
    assert found.column("at") == [_at("2020-01-15T11:00"), _at("2020-07-15T10:00")]


def test_an_unknown_zone_is_refused(refused: Refuser) -> None:
    error = refused(_log("2018-01-31 10:00"), times=("at",), zone="Europe/Londn")
    assert (error.code, "Europe/London" in error.message) == ("unknown-zone", True)


def test_no_zone_at_all_is_refused(refused: Refuser) -> None:
    error = refused(_log("2018-01-31 10:00", "2018-02-01 10:00"), times=("at",))
    assert error.code == "no-zone"
    assert "2 times" in error.message
    assert "`zone: UTC`" in error.hint


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_zones_on_some_times_only_are_refused(refused: Refuser, zone: str | None) -> None:
    error = refused(
        _log("2018-01-31 10:00:00", "2018-02-01 10:00:00Z", "2018-02-02 10:00:00"), times=("at",), zone=zone
    )
    assert error.code == "mixed-zones"
    assert "1 times carry a zone ('2018-02-01 10:00:00Z' in line 3), 2 do not" in error.message


def test_one_large_number_settles_the_order_of_the_whole_column(read: Reader) -> None:
    day_first = read(_log("1/2/2018 10:00", "13/2/2018 10:00"), times=("at",), zone="UTC")
    assert day_first.column("at") == [_at("2018-02-01T10:00"), _at("2018-02-13T10:00")]
    assert "day-first" in day_first.log.notes[0]
    month_first = read(_log("1/2/2018 10:00", "2/13/2018 10:00"), times=("at",), zone="UTC")
    assert month_first.column("at") == [_at("2018-01-02T10:00"), _at("2018-02-13T10:00")]
    assert "month-first, as values show: at ('2/13/2018 10:00')" in month_first.log.notes[0]


def test_the_order_may_show_only_at_the_end_of_a_long_file(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.connectors.logs.formats.delimited._BLOCK", 4096)
    lines = [f"{number % 12 + 1}/2/2018 {number % 24}:00" for number in range(3_000)]
    found = read(_log(*lines, "2/13/2018 10:00"), times=("at",), zone="UTC")
    assert found.column("at")[0] == _at("2018-01-02T00:00")
    assert found.column("at")[11] == _at("2018-12-02T11:00")


def test_dates_that_could_be_read_either_way_need_a_word(read: Reader, refused: Refuser) -> None:
    text = _log("1/2/2018 10:00", "3/4/2018 10:00")
    error = refused(text, times=("at",), zone="UTC")
    assert error.code == "ambiguous-dates"
    assert "`dates: day-first`" in error.hint
    day_first = read(text, times=("at",), zone="UTC", dates="day-first")
    assert day_first.column("at")[0] == _at("2018-02-01T10:00")
    month_first = read(text, times=("at",), zone="UTC", dates="month-first")
    assert month_first.column("at")[0] == _at("2018-01-02T10:00")


def test_a_declared_order_that_the_dates_contradict_is_refused(refused: Refuser) -> None:
    error = refused(_log("1/2/2018 10:00", "2/13/2018 10:00"), times=("at",), zone="UTC", dates="day-first")
    assert (error.code, "correct `dates`" in error.hint) == ("bad-time", True)


def test_two_orders_in_one_column_are_refused(refused: Refuser) -> None:
    error = refused(_log("13/2/2018 10:00", "2/14/2018 10:00", "15/2/2018 9:00"), times=("at",), zone="UTC")
    assert error.code == "mixed-dates"
    assert "2 dates begin with the day ('13/2/2018 10:00' in line 2)" in error.message
    assert "1 with the month ('2/14/2018 10:00' in line 3)" in error.message


@pytest.mark.parametrize("other", ["13/2/2018 10:00", "13.2.2018 10:00", "2018/02/13 10:00", "2018-02-13"])
def test_two_forms_in_one_column_are_refused(refused: Refuser, other: str) -> None:
    error = refused(_log("2018-02-13 10:00", "2018-02-14 10:00", other), times=("at",), zone="UTC")
    assert error.code == "mixed-dates"
    assert "2 as '2018-01-31 10:00'" in error.message
    assert f"{other!r} in line 4" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "never",
        "2018-02-30 10:00:00",
        "2018-13-01 10:00:00",
        "31/2/2018 10:00",
        "32/1/2018 10:00",
        "2018-01-31 24:00:00",
        "2018-01-31 23:60:00",
        "2018-01-31 23:59:60",
        "13/13/2018 10:00",
        "2/29/2018 13:16 PM",
        "2018-01-31T10:00:00+25:00",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "0018-01-31 10:00:00",
        "2018/01-31 10:00",
        "31.1.18 10:00",
        "10:00",
        "Jan 31 2018",
        "20180131T100000",
        "٣١/١/٢٠١٨",
    ],
)
def test_what_is_no_time_is_refused(refused: Refuser, text: str) -> None:
    error = refused(_log(text), times=("at",), zone="UTC")
    assert error.code in {"bad-time", "mixed-dates"}
    assert f"{text!r} in line 2" in error.message


def test_all_bad_times_are_counted_and_three_are_shown(refused: Refuser) -> None:
    times = ["2018-01-31 10:00:00" if number % 10 else f"bad {number}" for number in range(100)]
    error = refused(_log(*times), times=("at",), zone="UTC")
    assert "10 values are no time" in error.message
    assert "'bad 0' in line 2, 'bad 10' in line 12, 'bad 20' in line 22." in error.message


@pytest.mark.parametrize("number", ["1517392800", "1517392800000", "43131.4166", "-5"])
def test_numbers_are_no_times_and_the_hint_says_so(refused: Refuser, number: str) -> None:
    error = refused(_log(number), times=("at",), zone="UTC")
    assert (error.code, "seconds since 1970" in error.hint) == ("bad-time", True)


def test_an_event_needs_a_time_but_other_instants_may_be_missing(read: Reader, refused: Refuser) -> None:
    spec = {"case": "case", "activity": "activity", "times": ("at", "closed"), "zone": "UTC"}
    found = read("case,activity,at,closed\nA,a,2018-01-31,?\nA,b,2018-01-31,2018-02-01\n", **spec)
    assert found.column("closed") == [None, _at("2018-02-01")]
    error = refused("case,activity,at,closed\nA,a,2018-01-31,?\nA,b,?,2018-02-01\n", **spec)
    assert error.code == "bad-time"
    assert "1 event is without a time: '?' in line 3" in error.message


def test_a_column_without_any_value_is_a_column_of_nulls(read: Reader) -> None:
    spec = {"case": "case", "activity": "activity", "times": ("at", "closed"), "zone": "UTC"}
    found = read("case,activity,at,closed\nA,a,2018-01-31,\n", **spec)
    assert found.column("closed") == [None]
    assert str(found.table.schema.field("closed").type) == "timestamp[us]"

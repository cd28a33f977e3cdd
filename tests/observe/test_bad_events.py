"""Logs as they really come: what can be answered is answered, the rest is refused with a way out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.kernel.errors import DataError, NotFoundError, StorageError
from trueup.observe.observer import Observer
from trueup.observe.tables import CaseVector

KPIS: dict[str, Any] = {
    "cycle": {"duration": {"from": "Start", "to": "last End"}, "unit": "days"},
    "closed": {"throughput": {}},
    "cost": {"ratio": {"of": "amount"}},
}


def all_cases(observer: Observer, kpi: str = "cycle") -> CaseVector:
    return observer.cases("w", kpi, since=datetime(1900, 1, 1, tzinfo=UTC), until=at(9999), mature_by=at(9999))


def observed(folder: Path, rows: list[dict[str, Any]], kpis: dict[str, Any] | None = None, **more: Any) -> Observer:
    more = {"complete": ["End"], **more}
    return observer_of(folder, rows, programme_of(kpis or KPIS, **more), fields=["amount"])


@pytest.mark.parametrize("case", ["NA", "", "null", "None", "nan", "0", " x ", "Zoë", "a'b\"c", "?"])
def test_no_case_id_is_taken_for_a_missing_value(tmp_path: Path, case: str) -> None:
    rows = [event(case, at(0), "Start"), event(case, at(1), "End"), event("other", at(0), "Start")]
    assert sorted(all_cases(observed(tmp_path, rows)).case) == sorted([case, "other"])


def test_no_event_at_all_is_no_case(tmp_path: Path) -> None:
    observer = observed(tmp_path, [])
    assert len(all_cases(observer)) == 0
    assert observer.weekly("w", at(9), segments=True) == []
    population = observer.population("w", since=at(0), until=at(9), as_of=at(9))
    assert (population.by_arm, population.weeks, population.mix) == ({}, {}, {})
    assert observer.newest("log", at(9)) is None


def test_one_event_is_one_case(tmp_path: Path) -> None:
    vector = all_cases(observed(tmp_path, [event("1", at(0), "Start")]))
    assert (vector.case.tolist(), vector.value.tolist(), vector.capped.tolist()) == (["1"], [10.0], [True])


def test_no_complete_case_means_capped_durations_and_zero_throughput(tmp_path: Path) -> None:
    observer = observed(tmp_path, [event(str(n), at(n), "Start") for n in range(14)])
    assert all_cases(observer).capped.all()
    assert {row.total for row in observer.weekly("w", at(60), kpis=["closed"])} == {0.0}


def test_an_end_before_the_start_is_no_value(tmp_path: Path) -> None:
    rows = [
        event("back", at(1), "Start"),
        event("back", at(0), "End"),
        event("on", at(0), "Start"),
        event("on", at(1), "End"),
    ]
    vector = all_cases(observed(tmp_path, rows))
    assert (vector.case.tolist(), vector.without_value) == (["on"], {"all": 1})


def test_times_before_1970_count_like_any_other(tmp_path: Path) -> None:
    rows = [
        event("1", datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC), "Start"),
        event("1", datetime(1970, 1, 1, 0, 0, 1, 400_000, UTC), "End"),
    ]
    kpis = {"cycle": {"duration": {"from": "Start", "to": "End"}, "unit": "seconds"}}
    assert all_cases(observed(tmp_path, rows, kpis)).value.tolist() == [2.0]


def test_four_hundred_activities(tmp_path: Path) -> None:
    rows = [event(str(n), at(0), f"Step {n:03d}") for n in range(400)]
    kpis = {"cycle": {"share": {"with": ["Step 1*", *(f"Step {n:03d}" for n in range(300, 350))]}}}
    assert all_cases(observed(tmp_path, rows, kpis)).value.sum() == 150


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [("50%", ["50%"]), ("a_b", ["a_b"]), ("a*b", ["a_b", "axb"]), ("A_B", []), ("*", ["50%", "a_b", "axb", "500"])],
)
def test_the_star_is_the_only_wildcard(tmp_path: Path, pattern: str, matching: list[str]) -> None:
    rows = [event(name, at(0), name) for name in ("50%", "500", "a_b", "axb")]
    vector = all_cases(observed(tmp_path, rows, {"cycle": {"share": {"with": [pattern]}}}))
    assert sorted(vector.case[vector.value == 1]) == sorted(matching)


def test_a_field_that_is_no_number_is_no_value(tmp_path: Path) -> None:
    texts = {"1": "12.5", "2": "twelve", "3": "nan", "4": "inf", "5": None, "6": "?", "7": "-1e3", "8": "1e999"}
    # A number, and nothing that was measured: the sum of its squares would be none.
    texts["9"] = "1e200"
    rows = [event(case, at(0), "Start", amount=text) for case, text in texts.items()]
    vector = all_cases(observed(tmp_path, rows), "cost")
    assert dict(zip(vector.case, vector.value, strict=True)) == {"1": 12.5, "7": -1000.0}
    assert vector.without_value == {"all": 7}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([event(None, at(0), "Start"), event("1", at(0), "Start")], "no-case"),
        ([event("1", None, "Start"), event("1", at(0), "Start")], "bad-time"),
        ([event("1", None, "Start")], "bad-time"),
    ],
)
def test_an_event_without_case_or_time_is_refused_not_lost(
    tmp_path: Path, rows: list[dict[str, Any]], code: str
) -> None:
    with pytest.raises(DataError) as refused:
        observed(tmp_path, rows).weekly("w", at(9))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("kpis", "events", "code"),
    [
        (KPIS, {"matures_after": None}, "no-maturity"),
        (KPIS, {"case": "cas"}, "missing-column"),
        (KPIS, {"at": "activity"}, "bad-time"),
        (KPIS, {"segment": ["amuont"]}, "missing-column"),
        (KPIS, {"activity": None}, "no-events"),
        (KPIS, {"complete": []}, "no-completion"),
        ({"x": {"ratio": {"of": "amont"}}}, {}, "missing-column"),
    ],
)
def test_what_is_declared_and_not_there_is_refused(
    tmp_path: Path, kpis: dict[str, Any], events: dict[str, Any], code: str
) -> None:
    with pytest.raises(DataError) as refused:
        observed(tmp_path, [event("1", at(0), "Start")], kpis, **events).weekly("w", at(9))
    assert refused.value.code == code
    assert refused.value.hint


def test_data_without_a_file_are_refused(tmp_path: Path) -> None:
    with DuckEngine({"logs": tmp_path / "gone.parquet"}) as engine, pytest.raises(DataError) as refused:
        Observer(programme_of(KPIS), engine, lambda _: "").weekly("w", at(9))
    assert refused.value.code == "data-not-found"
    assert "Did you mean 'logs'" in refused.value.message


def test_a_column_that_is_nearly_named_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'amount'"):
        observed(tmp_path, [], {"x": {"ratio": {"of": "amont"}}}).weekly("w", at(9))


def test_one_kpi_that_cannot_be_computed_does_not_hide_the_others(tmp_path: Path) -> None:
    observer = observed(tmp_path, [event("1", at(0), "Start")], {**KPIS, "x": {"ratio": {"of": "nothing"}}})
    assert len(all_cases(observer)) == 1
    with pytest.raises(DataError):
        all_cases(observer, "x")


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    observer = observed(tmp_path, [event("1", at(0), "Start")])
    with pytest.raises(NotFoundError, match="Did you mean 'cycle'"):
        all_cases(observer, "cycel")
    with pytest.raises(NotFoundError):
        observer.weekly("other", at(9))
    with pytest.raises(NotFoundError):
        observer.profile("other", at(9))


def test_typed_columns_of_a_parquet_source_are_read_as_they_are(tmp_path: Path) -> None:
    """Numbers as case ids, instants with a zone, booleans as arms: nothing has to be text."""
    berlin = pa.array([at(0), at(1), at(30)], pa.timestamp("us", tz="Europe/Berlin"))
    columns = {
        "case": pa.array([7, 7, 8]),
        "activity": pa.array(["Start", "End", "Start"]).dictionary_encode(),
        "at": berlin,
        "amount": pa.array([1.5, 2.5, None]),
        "assistant": pa.array([True, True, False]),
    }
    path = tmp_path / "typed.parquet"
    pq.write_table(pa.table(columns), path)
    pilot = {
        "starts": "2024-01-01",
        "design": {"assigned": "random", "by": "column assistant", "treated": True, "control": False},
    }
    with DuckEngine({"log": path}) as engine:
        observer = Observer(programme_of(KPIS, complete=["End"], pilot=pilot), engine, lambda _: "")
        vector = all_cases(observer)
        assert (vector.case.tolist(), vector.value.tolist()) == (["7", "8"], [1.0, 10.0])
        assert vector.arm.tolist() == ["treated", "control"]
        assert all_cases(observer, "cost").value.tolist() == [2.5]
        assert observer.newest("log", at(20)) == "2024-01-02T00:00:00Z"


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    pq.write_table(pa.table({"case": ["1"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with DuckEngine({"log": path}) as engine, pytest.raises(DataError) as refused:
        Observer(programme_of(KPIS), engine, lambda _: "").weekly("w", at(9))
    assert refused.value.code == "truncated"
    assert str(tmp_path) not in refused.value.message


def test_a_file_name_is_never_a_pattern(tmp_path: Path) -> None:
    for name in ("a1.parquet", "a[1].parquet"):
        pq.write_table(pa.table({"name": [name]}), tmp_path / name)
    with DuckEngine({"odd": tmp_path / "a[1].parquet"}) as engine:
        assert engine.fetch(engine.table("odd"))["name"].to_pylist() == ["a[1].parquet"]


def test_what_is_spilled_is_removed(tmp_path: Path) -> None:
    with DuckEngine({}, spill=tmp_path) as engine:
        assert list(tmp_path.iterdir())
        engine.load(pa.table({"x": [1]}))
    assert not list(tmp_path.iterdir())


def test_too_little_memory_and_no_room_to_spill_is_said(tmp_path: Path) -> None:
    rows = [event(f"case {n} {'x' * 50}", at(0), "Start") for n in range(200_000)]
    programme = programme_of(KPIS, complete=["End"])
    observer = observer_of(
        tmp_path, rows, programme, fields=["amount"], open_engine=lambda paths: DuckEngine(paths, memory_limit="4MB")
    )
    with pytest.raises(StorageError) as refused:
        observer.weekly("w", at(90))
    assert refused.value.code == "engine-failed"


def test_repeated_rows_are_counted(tmp_path: Path) -> None:
    rows = [
        event("1", at(0), "Start"),
        event("1", at(0), "Start"),
        event("1", at(1), "Start"),
        event("1", at(0), "Start"),
    ]
    assert observed(tmp_path, rows).duplicates("log") == 2

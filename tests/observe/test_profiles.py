"""Whether declared data are there and as expected, by case or by row, alone and together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.kernel.errors import DataError
from trueup.observe.observer import Observer

KPIS = {"clean": {"share": {"without": ["Reject"]}}}
ROWS = [
    event("1", at(0), "Start", amount="10", code="A-1", day="2024-01-01"),
    event("1", at(1), "Work", amount="?", code=None),
    event("2", at(0), "Start", amount="-5", code="A-22"),
    event("2", at(1), "Work", amount="7", code="B-1"),
    event("3", at(0), "Start", amount="ten", day="31/01/2024"),
    event("4", at(2), "Start"),
    event("4", at(9), "Work", amount="1", code="A-1"),
]
EXPECTS: dict[str, Any] = {
    "sum": {"type": "number", "min": 0},
    "code": {"matches": r"A-\d+"},
    "day": {"type": "date"},
}


def observed(folder: Path, expects: dict[str, Any] | None = None, rows: list[dict[str, Any]] | None = None) -> Observer:
    data = {"fields": {"sum": "amount"}, "expects": EXPECTS if expects is None else expects}
    return observer_of(folder, rows or ROWS, programme_of(KPIS, data=data), fields=["amount", "code", "day"])


def test_a_case_is_a_record_and_one_visible_value_fills_its_field(tmp_path: Path) -> None:
    profile = observed(tmp_path).profile("log", at(5), [("sum", "code"), ("sum",)])
    assert (profile.per, profile.records, profile.digest, profile.newest) == (
        "case",
        4,
        "sha256:log",
        "2024-01-03T00:00:00Z",
    )
    amount = profile.fields["sum"]
    assert (amount.present, amount.valid, amount.examples_missing) == (3, 1, ("4",))
    assert amount.examples_invalid == ("-5", "ten")
    assert (profile.fields["code"].present, profile.fields["code"].valid) == (2, 1)
    assert "day" not in profile.fields
    day = observed(tmp_path).profile("log", at(5)).fields["day"]
    assert (day.present, day.valid) == (2, 1)
    assert profile.joint == {("sum", "code"): 2, ("sum",): 3}
    assert profile.joint_valid == {("sum", "code"): 1, ("sum",): 1}


def test_a_column_that_lacks_stops_only_the_question_about_it(tmp_path: Path) -> None:
    observer = observed(tmp_path, {**EXPECTS, "gone": {"type": "text"}})
    assert observer.profile("log", at(5), [("sum",)]).joint == {("sum",): 3}
    with pytest.raises(DataError):
        observer.profile("log", at(5))


def test_later_events_fill_fields_only_later(tmp_path: Path) -> None:
    observer = observed(tmp_path)
    assert [observer.profile("log", at(day)).fields["sum"].present for day in (1, 5, 9)] == [3, 3, 4]
    assert [observer.profile("log", at(day)).records for day in (-1, 1, 5)] == [0, 3, 4]


def test_data_that_no_workflow_reads_are_profiled_by_row(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"amount": ["1", None, ""], "_row": pa.array([0, 1, 2])}), path)
    programme = programme_of(KPIS)
    source = programme.file.data["log"].model_copy(update={"fields": {"sum": "amount"}})
    programme.file.data["table"] = source
    with DuckEngine({"table": path}) as engine:
        profile = Observer(programme, engine, lambda _: "d").profile("table", at(0))
    assert (profile.per, profile.records, profile.newest, profile.fields["sum"].present) == ("row", 3, None, 1)
    assert profile.fields["sum"].examples_missing == ("row 2", "row 3")


@pytest.mark.parametrize(
    ("expectation", "valid"),
    [
        ({"type": "number"}, ["0", "-1.5", "1e3", "12"]),
        ({"type": "number", "min": 0, "max": 12}, ["0", "12"]),
        ({"max": 12}, ["0", "-1.5", "12"]),
        ({"type": "boolean"}, ["0", "TRUE", "no"]),
        ({"type": "date"}, ["2024-02-29", "2024-02-29T10:00:00"]),
        ({"type": "text"}, None),
        ({"one_of": [12, True, "no"]}, ["12", "no"]),
        ({"matches": "n|x"}, ["x"]),
        ({"matches": "[a-z]+"}, ["nan", "no", "x"]),
    ],
)
def test_expectations(tmp_path: Path, expectation: dict[str, Any], valid: list[str] | None) -> None:
    texts = ["0", "-1.5", "1e3", "12", "nan", "TRUE", "no", "x", "2024-02-29", "2023-02-29", "2024-02-29T10:00:00"]
    rows = [event(text, at(0), "Start", amount=text) for text in texts]
    profile = observed(tmp_path, {"sum": expectation}, rows).profile("log", at(1))
    assert profile.fields["sum"].present == len(texts)
    assert profile.fields["sum"].valid == len(texts if valid is None else valid)
    if valid is not None:
        assert not set(valid) & set(profile.fields["sum"].examples_invalid)


@pytest.mark.parametrize("pattern", ["[", "(?=a)b", r"(a)\1", "(?<!x)y"])
def test_a_pattern_that_not_every_engine_knows_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(DataError) as refused:
        observed(tmp_path, {"sum": {"matches": pattern}}).profile("log", at(1))
    assert refused.value.code == "bad-pattern"


def test_a_field_that_the_log_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'code'"):
        observed(tmp_path).profile("log", at(1), [("cod",)])

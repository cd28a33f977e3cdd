"""Readiness of data, part by part: each from records that were counted by hand, and the score that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.observe.observer import Observer
from trueup.observe.readiness.record import ENOUGH, PARTS, USABLE, Part, Readiness

KPIS = {"clean": {"share": {"without": ["Reject"]}}}
ROWS = [
    event("1", at(0), "Start", amount="10", code="A-1", label="yes"),
    event("2", at(1), "Start", amount="-5", code="A-2", label="no"),
    event("3", at(2), "Start", amount="12", code=None),
    event("4", at(3), "Start", amount="7", code="a-2"),
]
DECLARED: dict[str, Any] = {
    "fields": {"sum": "amount", "label": "label"},
    "expects": {"sum": {"type": "number", "min": 0}, "code": {"matches": r"[Aa]-\d"}},
}


def ready(folder: Path, day: float = 3, rows: list[dict[str, Any]] | None = None, **declared: Any) -> Readiness:
    programme = programme_of(KPIS, data={**DECLARED, **declared})
    fields = ["amount", "code", "label"]
    return observer_of(folder, ROWS if rows is None else rows, programme, fields=fields).readiness("log", at(day))


def values(found: Readiness) -> dict[str, tuple[float | None, int | None]]:
    return {part.name: (part.value, part.n) for part in found.parts if part.needed}


def test_each_part_is_counted(tmp_path: Path) -> None:
    found = ready(
        tmp_path,
        labels={"field": "label", "needed": 8},
        volume={"needed": 5},
        fresh_within="2d",
        fields={"sum": "amount"},
    )
    # `a-2` and `A-2` are one code in two spellings: one value of three is in the rarer one.
    assert values(found) == {
        "completeness": (3 / 4, 4),
        "validity": (2 / 3, 3),
        "uniqueness": (1.0, 4),
        "consistency": (pytest.approx(2 / 3), 3),
        "freshness": (1.0, 1),
        "volume": (4 / 5, 4),
        "labels": (2 / 8, 2),
    }
    assert found.usable == pytest.approx(3 / 4 * 2 / 3 * 2 / 3)
    assert found.enough == 2 / 8
    assert found.score == pytest.approx(3 / 4 * 2 / 3 * 2 / 3 * 2 / 8)
    assert found.because.startswith("labels 0.25: 2 of 8 labels needed")


def test_the_field_of_the_labels_need_not_be_in_every_record(tmp_path: Path) -> None:
    assert values(ready(tmp_path))["completeness"] == (2 / 4, 4)
    with_labels = ready(tmp_path, labels={"field": "label", "needed": 1})
    assert values(with_labels)["completeness"] == (3 / 4, 4)
    assert values(with_labels)["labels"] == (1.0, 2)


def test_older_than_allowed_counts_less(tmp_path: Path) -> None:
    found = ready(tmp_path, day=11, fresh_within="2d")
    assert values(found)["freshness"][0] == pytest.approx(2 / 8)


def test_what_is_not_asked_for_takes_no_part(tmp_path: Path) -> None:
    found = ready(tmp_path)
    assert set(values(found)) == set(USABLE)
    assert found.enough == 1.0
    assert {part.name for part in found.parts} == set(PARTS)


def test_without_declared_fields_the_score_is_unknown(tmp_path: Path) -> None:
    found = ready(tmp_path, fields={}, expects={})
    assert found.score is None
    assert "no field is declared" in found.because


def test_no_records_are_unknown_and_not_nought(tmp_path: Path) -> None:
    found = ready(tmp_path, day=-1)
    assert (found.score, values(found)["completeness"]) == (None, (None, 0))


def test_a_column_that_lacks_is_unknown_in_what_rests_on_it(tmp_path: Path) -> None:
    found = ready(tmp_path, expects={"gone": {"type": "text"}})
    assert values(found)["completeness"] == (None, None)
    assert values(found)["uniqueness"] == (1.0, 4)
    assert found.score is None
    assert "no column 'gone'" in found.because


def test_a_source_that_cannot_be_read_is_unknown_in_every_part() -> None:
    programme = programme_of(KPIS, data=DECLARED)
    with DuckEngine({}) as engine:
        found = Observer(programme, engine, lambda _: "d").readiness("log", at(0))
    assert [part.value for part in found.parts] == [None] * 7
    assert found.score is None
    assert found.because.startswith("There is no file")


def test_rows_that_repeat_are_counted_where_no_workflow_reads_events(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"amount": ["1", "2", "2", "2"], "_row": pa.array([0, 1, 2, 3])}), path)
    programme = programme_of(KPIS)
    table = programme.file.data["log"].model_copy(update={"fields": {"sum": "amount"}})
    programme.file.data.update({"table": table, "kept": table.model_copy(update={"duplicates": "keep"})})
    with DuckEngine({"table": path, "kept": path}) as engine:
        observer = Observer(programme, engine, lambda _: "d")
        assert values(observer.readiness("table", at(0)))["uniqueness"] == (0.5, 4)
        assert "uniqueness" not in values(observer.readiness("kept", at(0)))


parts = some.lists(
    some.tuples(some.sampled_from(PARTS), some.one_of(some.none(), some.floats(0, 1)), some.booleans()),
    unique_by=lambda one: one[0],
    max_size=7,
)


@given(parts)
def test_a_score_lies_between_nought_and_its_least_part_and_hides_no_unknown(
    chosen: list[tuple[str, float | None, bool]],
) -> None:
    found = Readiness("d", tuple(Part(name, value, 1, "", needed) for name, value, needed in chosen))
    asked = [value for _, value, needed in chosen if needed]
    known = [value for value in asked if value is not None]
    if len(known) < len(asked):
        assert found.score is None
    else:
        assert found.score is not None
        assert 0 <= found.score <= min([1.0, *known])
        assert (found.score == 1.0) == all(value == 1.0 for value in known)


@given(some.sampled_from([*USABLE, *ENOUGH]), some.floats(0, 1), some.floats(0, 1))
def test_a_better_part_never_makes_a_lower_score(name: str, one: float, other: float) -> None:
    def scored(value: float) -> float:
        rest = tuple(Part(part, 0.5, 1, "") for part in PARTS if part != name)
        return Readiness("d", (*rest, Part(name, value, 1, ""))).score or 0.0

    assert scored(min(one, other)) <= scored(max(one, other))

"""What is wrong with the data of a pilot has an answer of its own: an outcome, a finding, a refusal; never a figure."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.loop.pilots import Truth, write_programme
from tests.observe.small_logs import at, observer_of, programme_of
from tests.running import Ran, run_trueup
from trueup.kernel.errors import DataError
from trueup.observe.cases import crowds

WEEK_8 = "2024-05-27"
Row = dict[str, str]
Rows = list[Row]


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_programme(tmp_path_factory.mktemp("registered") / "p", Truth(per_week=25))
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    return root


def in_pilot(row: Row) -> bool:
    return row["claim"] >= "C13"


def spoilt(registered: Path, folder: Path, spoil: Callable[[Rows], Rows]) -> Path:
    """A copy of the programme, its log changed."""
    root = Path(shutil.copytree(registered, folder / "copy"))
    log = root / "data" / "claims.csv"
    with log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(spoil(rows))
    return root


def week_8(root: Path) -> dict[str, Any]:
    changes = run("review", root, "--as-of", WEEK_8).data["changes"]
    found: dict[str, Any] = next(one for one in changes if one["kind"] == "gate" and one["gate"] == "week-8")
    return found


def leaking(rows: Rows) -> Rows:
    other = {"a": "b", "b": "a"}
    return [
        {**row, "variant": other[row["variant"]]} if (row["claim"], row["activity"]) == ("C15-001", "Settled") else row
        for row in rows
    ]


def after_the_fact(rows: Rows) -> Rows:
    """The arm of one case stands beside its end only, when it is known how the case went."""
    return [
        {**row, "variant": ""} if row["claim"] == "C15-001" and row["activity"] == "Received" else row for row in rows
    ]


def in_no_arm(rows: Rows) -> Rows:
    return [{**row, "variant": "c"} if row["claim"] == "C15-001" else row for row in rows]


def one_arm_empty(rows: Rows) -> Rows:
    return [row for row in rows if not (in_pilot(row) and row["variant"] == "a")]


def empty_weeks(rows: Rows) -> Rows:
    return [row for row in rows if not in_pilot(row)]


def constant(rows: Rows) -> Rows:
    """Every case of the pilot ends at the instant at which it began."""
    starts = {row["claim"]: row["time"] for row in rows if row["activity"] == "Received"}
    return [{**row, "time": starts[row["claim"]]} if in_pilot(row) else row for row in rows]


@pytest.mark.parametrize(
    ("spoil", "code", "named"),
    [
        (leaking, "arms-leak", ["C15-001"]),
        (after_the_fact, "arm-late", ["C15-001"]),
        (in_no_arm, "arm-unknown", ["C15-001"]),
        (one_arm_empty, "arm-empty", []),
        (empty_weeks, "stale-data", []),
    ],
)
def test_a_pilot_that_cannot_be_judged_is_unknown_with_the_reason(
    registered: Path, tmp_path: Path, spoil: Callable[[Rows], Rows], code: str, named: list[str]
) -> None:
    gate = week_8(spoilt(registered, tmp_path, spoil))
    assert (gate["outcome"], gate["code"], gate["named_cases"]) == ("unknown", code, named)


def test_a_kpi_that_never_varies_decides_nothing(registered: Path, tmp_path: Path) -> None:
    gate = week_8(spoilt(registered, tmp_path, constant))
    assert (gate["outcome"], gate["code"]) == ("hold", "undecided")


VALUES = ["", "?", "-12.5", "NaN", "inf", "-inf", "1e999", "twelve", "7.5"]


def test_missing_negative_and_infinite_values_are_counted_for_what_they_are(tmp_path: Path) -> None:
    """Of nine amounts two are numbers; the others leave a count, and no mean."""
    rows = [
        {"case": f"c{n}", "at": at(n / 9).replace(tzinfo=None), "activity": "Start", "amount": value}
        for n, value in enumerate(VALUES)
    ]
    kpis: dict[str, Any] = {"cost": {"ratio": {"of": "amount", "per": "case"}, "unit": "EUR", "better": "lower"}}
    observer = observer_of(tmp_path, rows, programme_of(kpis, matures_after="5d"))
    (week,) = observer.weekly("w", at(60))
    assert (week.n, week.without_value, week.total) == (2, 7, -5.0)
    assert math.isfinite(week.total_squares)
    vector = observer.cases("w", "cost", since=at(0), until=at(9), mature_by=at(60))
    assert (sorted(vector.value.tolist()), vector.without_value) == ([-12.5, 7.5], {"all": 7})


@pytest.mark.parametrize(
    "cases", [3_000, pytest.param(1_000_000, marks=pytest.mark.long)], ids=["in memory", "a million, in the engine"]
)
def test_a_segment_with_a_value_for_every_case_is_refused_and_costs_the_kpi_nothing(tmp_path: Path, cases: int) -> None:
    started = pa.array([at(0).replace(tzinfo=None)] * cases, pa.timestamp("us"))
    names = pa.array([f"customer {n}" for n in range(cases)])
    columns = {"case": names, "at": started, "activity": pa.array(["Start"] * cases), "area": names}
    programme = programme_of({"x": {"share": {"with": ["Start"]}}}, segment=["area"], pilot={"starts": "2024-01-01"})
    observer = observer_of(tmp_path, [], programme, fields=["area"])
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    rows = observer.weekly("w", at(60), segments=True)
    assert [(row.segment, row.n) for row in rows] == [(None, cases)]
    refused = observer.lacking("w")["area"]
    assert isinstance(refused, DataError)
    assert (refused.code, f"{cases:,} different values" in refused.message) == ("too-many-values", True)
    assert observer.population("w", since=at(0), until=at(9), as_of=at(60)).mix == {("activity", "Start"): cases}


def test_a_segment_that_is_none_is_named_by_measure_and_by_the_review(
    registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = spoilt(registered, tmp_path, lambda rows: rows)
    workflow = root / "workflows" / "claims.yaml"
    complete = "  complete: [Settled]\n"
    workflow.write_text(workflow.read_text("utf-8").replace(complete, f"{complete}  segment: [amount]\n"), "utf-8")
    monkeypatch.setattr(crowds, "MOST_VALUES", 100)
    assert run("measure", root, "claims", "--segments", "--as-of", WEEK_8).error["code"] == "too-many-values"
    assert run("measure", root, "claims", "--as-of", WEEK_8).data["readings"]
    changes = run("review", root, "--as-of", WEEK_8).data["changes"]
    assert any("different values" in json.dumps(one) and "DATA01" in json.dumps(one) for one in changes)

"""Everything that is asked of a log comes out the same on every engine, over times of any kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conformance.conftest import ENGINES
from tests.observe.small_logs import at, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.declare.programme import Programme
from trueup.observe.observer import Observer

KPIS: dict[str, Any] = {
    "cycle": {"duration": {"from": "Submit", "to": "last Paid"}, "unit": "hours"},
    "clean": {"share": {"without": ["Reject*"]}},
    "rework": {"count": {"of": "Submit", "beyond": 1}},
    "amount": {"ratio": {"of": "amount"}},
    "weight": {"ratio": {"of": "weight", "per": "completed"}},
    "paid for": {"ratio": {"of": "amount", "per": "completed", "of_all": True}},
    "priced": {"ratio": {"of": "priced", "prices": {"amount": 0.1, "weight": 3}, "per": "weight"}},
    "same": {"share": {"agree": ["place", "day"]}},
    "closed": {"throughput": {}},
}
PILOT = {
    "starts": "2024-01-22",
    "adjust": {"covariates": ["weight", "amount"], "strata": ["place", "yes"]},
    "design": {"assigned": "random", "unit": "case", "by": "column arm", "treated": ["new"], "control": ["old"]},
}
DATA = {
    "fields": {"sum": "amount"},
    "fresh_within": "2d",
    "volume": {"needed": 1000},
    "labels": {"field": "label", "needed": 10},
    "expects": {
        "sum": {"type": "number", "min": 0, "max": 1e6},
        "place": {"matches": r"[A-Z]\w+(?: \d{1,2})?", "one_of": ["Ost 1", "Süd", "West", "ost 1"]},
        "day": {"type": "date"},
        "yes": {"type": "boolean"},
        "weight": {"type": "number", "max": 50},
    },
}
AMOUNTS = ["10", "80.5", "1_000", " 7 ", "5.", ".5", "1e3", "1E-2", "+4", "-3", "?", "", None, "1f", "2d", "0x10"]
AMOUNTS += [
    "inf",
    "-Infinity",
    "NaN",
    "1e999",
    "-1e999",
    "1e-999",
    "9e99999",
    "1,5",
    "3 4",
    "ten",
    "\t6\n",
    "1__0",
    "_1",
]
AMOUNTS += ["1.7976931348623157e308", "4.9e-324", "0.1", "123456789012345678901234567890", "- 5", "1e5_0", "١"]
DAYS = ["2024-02-29", "2023-02-29", "2024-2-3", "2024/01/05", "2024-13-01", "31/01/2024", "2024-01-01 10:00", None]
DAYS += [
    "2024-01-01T10:00:00Z",
    "2024-01-01 10:00:00.123456",
    "2024-04-31",
    "1900-02-29",
    "20240101",
    "2024-01-01 25:00",
]
PLACES = ["Ost 1", "ost 1", "Süd", "süd", "West", "", None, "Ost 1\n", "Zürich", "_x", "Österreich", "East\n2"]
ACTIVITIES = ["Submit", "Reject by boss", "Check", "Paid", "check", "Ünlock", "%like_", "it's"]


def log_rows(cases: int = 120, seed: int = 7) -> list[dict[str, Any]]:
    """Cases with everything that engines read differently; instants are aware, some within one second."""
    chosen = random.Random(seed)
    rows = []
    for number in range(cases):
        start = at(chosen.uniform(0, 42))
        for step in range(chosen.randint(1, 7)):
            when = start + timedelta(hours=chosen.choice([0, 0, 0.0001, 5, 30, 100]) * step)
            rows.append(
                {
                    "case": f"{chosen.choice(['a', 'B', 'ä', ''])}{number}",
                    "at": when.replace(microsecond=chosen.choice([0, 1, 499_999, 500_000, 999_999])),
                    "activity": "Submit" if step == 0 and number % 9 else chosen.choice(ACTIVITIES),
                    "amount": chosen.choice(AMOUNTS),
                    "place": chosen.choice(PLACES),
                    "arm": chosen.choice(["new", "old", "old", None]) if step < 2 else None,
                    "day": chosen.choice(DAYS),
                    "yes": chosen.choice([True, False, None]),
                    "weight": chosen.choice([None, 1.0, 2.5, -0.125, 1 / 3, 49.0, 1e9]),
                    "label": chosen.choice([None, 3]),
                }
            )
    return rows


def written(path: Path, rows: list[dict[str, Any]], zone: str | None) -> Path:
    """A Parquet file of rows, its times in a zone or naive."""
    times = [row["at"] if zone else row["at"].replace(tzinfo=None) for row in rows]
    kinds = {"yes": pa.bool_(), "weight": pa.float64(), "label": pa.int32()}
    columns = {
        name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in rows[0] if name != "at"
    }
    pq.write_table(pa.table({**columns, "at": pa.array(times, pa.timestamp("us", zone))}), path)
    return path


def programme() -> Programme:
    return programme_of(
        KPIS, matures_after="8d", pilot=PILOT, complete=["Paid"], segment=["place", "yes", "weight"], data=DATA
    )


def answers(observer: Observer, as_of: datetime) -> Iterator[tuple[str, Any]]:
    """Everything that an observer can be asked, each with what it is called."""
    yield "weekly", observer.weekly("w", as_of, segments=True)
    for kpi in KPIS:
        vector = observer.cases("w", kpi, since=at(0), until=at(60), mature_by=as_of)
        columns = ("case", "started", "matured", "arm", "unit", "value", "capped")
        yield f"cases of {kpi}", [getattr(vector, name).tolist() for name in columns]
        known = (vector.under, vector.covariates, vector.stratum)
        # As text: nothing equals a number that is none.
        yield f"known of {kpi}", [None if one is None else str(one.tolist()) for one in known]
        yield f"without {kpi}", vector.without_value
        yield f"histogram of {kpi}", observer.histograms("w", kpi, as_of)
    yield "population", observer.population("w", since=at(7), until=at(40), as_of=as_of)
    yield "profile", observer.profile("log", as_of, [("sum", "day"), ("place",)])
    yield "whole profile", observer.profile("log", as_of)
    yield "readiness", observer.readiness("log", as_of)
    yield "mixtures", observer.mixtures("log", as_of)
    yield "newest", observer.newest("log", as_of)
    yield "duplicates", observer.duplicates("log")
    yield "trace", observer.trace("w", "amount", [row["case"] for row in log_rows()[:9]], as_of)


def asked(engine: Any) -> dict[str, Any]:
    # Each answer by the engine itself: cases held in memory would answer alike wherever they came from.
    observer = Observer(programme(), engine, lambda data: f"sha256:{data}", most_held=0)
    return {f"{name}, day {day}": value for day in (30, 70) for name, value in answers(observer, at(day, 3, 0.25))}


# UTC is the easiest of the aware zones: what fails there fails in Kathmandu, too.
@pytest.mark.parametrize("zone", [None, pytest.param("UTC", marks=pytest.mark.long), "Asia/Kathmandu"])
@pytest.mark.parametrize("engine", [name for name in ENGINES if name not in {"duckdb", "spark"}])
def test_an_engine_answers_everything_as_duckdb_does(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, zone: str | None
) -> None:
    compared(request, tmp_path, engine, zone)


def test_spark_answers_a_sample_as_duckdb_does(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = written(tmp_path / "log.parquet", log_rows(60), "Asia/Kathmandu")
    few = programme_of({name: KPIS[name] for name in ("cycle", "amount")}, matures_after="8d", segment=["place"])
    found = {}
    for name in ("duckdb", "spark"):
        with ENGINES[name](request, {"log": path}) as engine:
            observer = Observer(few, engine, lambda data: data)
            vector = observer.cases("w", "amount", since=at(0), until=at(60), mature_by=at(70))
            found[name] = (
                observer.weekly("w", at(70), segments=True),
                [column.tolist() for column in (vector.case, vector.arm, vector.value)],
            )
    assert found["spark"] == found["duckdb"]


@pytest.mark.long
@pytest.mark.parametrize("zone", [None, "Asia/Kathmandu"])
def test_spark_answers_everything_as_duckdb_does(
    request: pytest.FixtureRequest, tmp_path: Path, zone: str | None
) -> None:
    compared(request, tmp_path, "spark", zone)


def compared(request: pytest.FixtureRequest, folder: Path, name: str, zone: str | None) -> None:
    path = written(folder / "log.parquet", log_rows(), zone)
    with DuckEngine({"log": path}) as reference:
        expected = asked(reference)
    with ENGINES[name](request, {"log": path}) as engine:
        found = asked(engine)
    assert len(expected["weekly, day 70"]) > 500
    for question, answer in expected.items():
        assert found[question] == answer, question

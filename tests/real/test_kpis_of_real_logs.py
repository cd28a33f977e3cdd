"""KPIs of real logs against the same computed in pandas, by other steps: filter each case's window first, then ask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.observe.small_logs import programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.declare.programme import Programme
from trueup.observe.observer import Observer

COLUMNS: dict[str, Any] = {"case": "case:concept:name", "activity": "concept:name", "at": "time:timestamp"}
EVER = {"since": datetime(2000, 1, 1, tzinfo=UTC), "until": datetime(2100, 1, 1, tzinfo=UTC)}
DECLARATIONS = {
    "path": "logs/bpic2020/DomesticDeclarations.parquet",
    "window": 21,
    "as_of": datetime(2018, 5, 1, tzinfo=UTC),
    "from": "Declaration SUBMITTED by EMPLOYEE",
    "to": "Payment Handled",
    "with": "Declaration APPROVED by BUDGET OWNER",
    "without": "Declaration REJECTED by EMPLOYEE",
    "amount": "(case)_Amount",
}
HELPDESK = {
    "path": "logs/helpdesk/helpdesk.parquet",
    "window": 60,
    "as_of": datetime(2013, 6, 1, tzinfo=UTC),
    "from": "Take in charge ticket",
    "to": "Closed",
    "with": "Require upgrade",
    "without": "Wait",
    "amount": None,
}


@pytest.fixture(params=[DECLARATIONS, HELPDESK], ids=["declarations", "helpdesk"])
def log(request: pytest.FixtureRequest, shared_data: Path) -> dict[str, Any]:
    return {**request.param, "file": shared_data / request.param["path"]}


@pytest.fixture
def programme(log: dict[str, Any]) -> Programme:
    kpis: dict[str, Any] = {
        "cycle": {"duration": {"from": f"first {log['from']}", "to": f"last {log['to']}"}, "unit": "hours"},
        "with": {"share": {"with": [log["with"]]}},
        "without": {"share": {"without": [log["without"]]}},
        "repeats": {"count": {"of": log["from"], "beyond": 1}},
        "closed": {"throughput": {"of": log["to"]}},
    }
    if log["amount"]:
        kpis["amount"] = {"ratio": {"of": log["amount"]}}
    return programme_of(kpis, matures_after=f"{log['window']}d", **COLUMNS)


@pytest.fixture
def observer(log: dict[str, Any], programme: Programme) -> Iterator[Observer]:
    with DuckEngine({"log": log["file"]}) as engine:
        yield Observer(programme, engine, lambda data: data)


@pytest.fixture
def cases(log: dict[str, Any]) -> pd.DataFrame:
    """Every mature case with its values; a window is cut out before anything is looked at."""
    events = pd.read_parquet(log["file"]).rename(columns={name: key for key, name in COLUMNS.items()})
    events["at"] = events["at"].dt.tz_localize(None).astype("datetime64[us]")
    start = events.groupby("case")["at"].transform("min")
    window = pd.Timedelta(days=log["window"])
    seen = events[events["at"] < start + window]
    of = {name: seen[seen["activity"] == log[name]].groupby("case")["at"] for name in ("from", "to", "with", "without")}
    found = pd.DataFrame({"start": events.groupby("case")["at"].min()})
    begun, ended = of["from"].min().reindex(found.index), of["to"].max().reindex(found.index)
    seconds = (ended.dt.floor("s") - begun.dt.floor("s")) / pd.Timedelta(seconds=1)
    seconds = seconds.where(ended.notna(), window.total_seconds())
    found["cycle"] = seconds.where(begun.notna() & ~(ended < begun)) / 3600
    found["capped"] = begun.notna() & ended.isna()
    found["with"] = found.index.isin(of["with"].size().index).astype(float)
    found["without"] = (~found.index.isin(of["without"].size().index)).astype(float)
    found["repeats"] = (of["from"].size().reindex(found.index, fill_value=0) - 1).clip(lower=0).astype(float)
    found["closed"] = ended.notna().astype(float)
    if log["amount"]:
        found["amount"] = seen.sort_values("at").groupby("case")[log["amount"]].last().astype(float)
    found["mature"] = found["start"] + window <= log["as_of"].replace(tzinfo=None)
    return found


def test_every_case_has_the_same_value(log: dict[str, Any], observer: Observer, cases: pd.DataFrame) -> None:
    mature = cases[cases["mature"]]
    for kpi in observer.programme.workflows["w"].kpis:
        vector = observer.cases("w", kpi, **EVER, mature_by=log["as_of"])
        expected = mature[kpi].dropna()
        assert len(expected) > 1000
        assert dict(zip(vector.case, vector.value, strict=True)) == pytest.approx(expected.to_dict(), rel=1e-12)
        assert sum(vector.without_value.values()) == int(mature[kpi].isna().sum())


def test_every_week_has_the_same_statistics(log: dict[str, Any], observer: Observer, cases: pd.DataFrame) -> None:
    started = cases[cases["start"] <= log["as_of"].replace(tzinfo=None)]
    week = (started["start"] - pd.to_timedelta(started["start"].dt.day_of_week, unit="D")).dt.date
    rows = observer.weekly("w", log["as_of"], kpis=["cycle", "with", "repeats"])
    assert len(rows) == 3 * week.nunique()
    for row in rows:
        here = started[week == row.week]
        values = here[here["mature"]][row.kpi]
        assert row.immature == int((~here["mature"]).sum())
        assert (row.n, row.without_value) == (values.notna().sum(), values.isna().sum())
        assert math.isclose(row.total, values.sum(), rel_tol=1e-12, abs_tol=1e-9)
        assert math.isclose(row.total_squares, (values**2).sum(), rel_tol=1e-12, abs_tol=1e-9)
        assert row.events == (values.fillna(0) != 0).sum()
        assert row.capped == (int((here["mature"] & here["capped"]).sum()) if row.kpi == "cycle" else 0)


def test_throughput_of_complete_weeks(log: dict[str, Any], observer: Observer, cases: pd.DataFrame) -> None:
    week = (cases["start"] - pd.to_timedelta(cases["start"].dt.day_of_week, unit="D")).dt.date
    rows = [row for row in observer.weekly("w", log["as_of"], kpis=["closed"]) if row.n]
    last = log["as_of"] - timedelta(days=log["window"] + 7)
    assert max(row.week for row in rows) == (last - timedelta(days=last.weekday())).date()
    for row in rows:
        assert row.total == cases[week == row.week]["closed"].sum()
    assert sum(row.total for row in rows) > 1000


def test_the_population_counts_every_case_once(log: dict[str, Any], observer: Observer, cases: pd.DataFrame) -> None:
    population = observer.population("w", **EVER, as_of=log["as_of"])
    started = cases["start"] <= log["as_of"].replace(tzinfo=None)
    assert population.by_arm == {"all": int(cases["mature"].sum())}
    assert population.immature == {"all": int((started & ~cases["mature"]).sum())}
    assert sum(population.weeks.values()) == int(started.sum())
    assert observer.duplicates("log") == pd.read_parquet(log["file"]).duplicated().sum()

"""Cases that are held in memory answer every question as their engine would, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.backends.duckdb import DuckEngine
from trueup.observe.observer import Observer

KPIS: dict[str, Any] = {
    "clean": {"share": {"without": ["Reject"]}},
    "adoption": {"share": {"with": ["Work"], "among": "treated"}},
    "time": {"duration": {"from": "first Start", "to": "first End"}, "unit": "hours"},
    "again": {"count": {"of": ["Work"], "beyond": 1}},
    "amount": {"ratio": {"of": "sum", "per": "case"}},
    "starts": {"throughput": {"of": "Start"}},
}
_DATES: dict[str, Any] = {"starts": "2024-01-22", "baseline": {"from": "2024-01-08", "to": "2024-01-21"}}
_BY_COLUMN = {"assigned": "random", "by": "column group", "treated": ["new"], "control": "old", "unit": "team"}
PILOTS: dict[str, dict[str, Any] | None] = {
    "no pilot": None,
    "before and after": _DATES,
    "arms of a column": {**_DATES, "design": _BY_COLUMN},
    "arms that were drawn": {**_DATES, "design": {"assigned": "random", "by": "ledger", "share": "50%"}},
}


def log_rows(seed: int, cases: int = 90) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    rows = []
    for number in range(cases):
        start = at(chance.uniform(-3, 50)) + timedelta(microseconds=chance.randrange(10**6))
        area, group, team = chance.choice([None, "N", "Ö", ""]), chance.choice([None, "new", "old", "?"]), "t"
        for activity in ("Start", *chance.choices(["Work", "End", "Reject"], k=chance.randrange(5))):
            fields = {"area": area, "group": group, "team": team, "sum": chance.choice([None, "0.1", "7", "1e9", "x"])}
            rows.append(event(f"c{number}", start, activity, **fields))
            start += timedelta(hours=chance.expovariate(1 / 40))
            group = chance.choice([group, "old"])
    return rows


def answers(observer: Observer, as_of: datetime) -> Iterator[Any]:
    yield observer.weekly("w", as_of, segments=True)
    yield observer.weekly("w", as_of, kpis=["amount", "clean"])
    for kpi in KPIS:
        vector = observer.cases("w", kpi, since=at(0), until=at(45), mature_by=as_of)
        for name in ("case", "started", "matured", "arm", "unit", "value", "capped"):
            yield kpi, name, getattr(vector, name).tolist(), getattr(vector, name).dtype
        yield vector.without_value
    yield observer.population("w", since=at(0), until=at(45), as_of=as_of)
    yield observer.histograms("w", "time", as_of)


@pytest.mark.parametrize("segment", [["area", "group"], []])
@pytest.mark.parametrize("design", PILOTS)
def test_memory_and_engine_agree_in_every_answer(tmp_path: Path, design: str, segment: list[str]) -> None:
    programme = programme_of(KPIS, matures_after="5d", pilot=PILOTS[design], segment=segment, complete=["End"])
    drawn = {"w": {f"c{number}": ("treated", "control")[number % 2] for number in range(120)}}
    rows = log_rows(len(design) + len(segment))
    memory, engine = (observer_of(tmp_path, rows, programme, assignments=drawn) for _ in range(2))
    engine.most_held = 0
    for day in (37.25, 90):
        assert list(answers(memory, at(day))) == list(answers(engine, at(day)))


def test_an_empty_log_has_no_cases_in_memory_either(tmp_path: Path) -> None:
    observer = observer_of(tmp_path, [], programme_of(KPIS, segment=["area"]), fields=["area", "sum"])
    assert observer.weekly("w", at(50), segments=True) == []
    assert len(observer.cases("w", "time", since=at(0), until=at(9), mature_by=at(50))) == 0


def test_more_cases_than_fit_and_values_too_large_stay_in_the_engine(tmp_path: Path) -> None:
    rows = [event(str(number), at(number), "Start") for number in range(5)]
    long = [event("1", at(0), "Start"), event("1", at(366 * 100), "End")]
    for events, matures_after, most in ((rows, "10d", 4), (long, "30000d", 9)):
        folder = tmp_path / matures_after
        folder.mkdir()
        kpis = {"time": KPIS["time"]}
        observer = observer_of(folder, events, programme_of(kpis, matures_after=matures_after))
        plain = observer_of(folder, events, programme_of(kpis, matures_after=matures_after))
        observer.most_held, plain.most_held = most, 0
        as_of = at(366 * 150)
        assert observer.weekly("w", as_of) == plain.weekly("w", as_of)
        assert observer.weekly("w", as_of)[0].n == len({row["case"] for row in events})


def test_equal_questions_to_other_data_are_answered_by_those(tmp_path: Path) -> None:
    found = []
    for name, cases in (("one", 3), ("other", 7)):
        folder = tmp_path / name
        folder.mkdir()
        rows = [event(str(number), at(1), "Start") for number in range(cases)]
        found.append(observer_of(folder, rows, programme_of(KPIS), fields=["sum"]).weekly("w", at(50), kpis=["clean"]))
    assert [row.n for (row,) in found] == [3, 7]


def test_a_name_of_data_needs_no_care_in_sql(tmp_path: Path) -> None:
    path = observer_of(tmp_path, [event("1", at(0), "Start")], programme_of(KPIS)).engine
    assert path is not None
    with DuckEngine({'a "b" c': tmp_path / "log.parquet"}) as engine:
        table = engine.table('a "b" c')
        assert engine.fetch(table.aggregate(n=table.count()))["n"].to_pylist() == [1]

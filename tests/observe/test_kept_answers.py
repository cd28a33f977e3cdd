"""What is kept between commands gives the figures of a full recompute to the last digit, and is believed only whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.observe.small_logs import at, event, programme_of, write_log
from tests.observe.test_cases_in_memory import KPIS, PILOTS, answers, log_rows
from trueup.connectors.logs.answers import KeptAnswers, version_of_answers
from trueup.connectors.logs.declared import LogPaths
from trueup.declare.programme import Programme
from trueup.kernel.progress import silent
from trueup.observe.observer import Observer
from trueup.workspace.data import DeclaredData

DATA: dict[str, Any] = {
    "zone": "UTC",
    "fields": {"area": "area", "sum": "sum"},
    "expects": {"sum": {"type": "number"}},
    "fresh_within": "9d",
    "volume": {"needed": 200},
}


def declared(root: Path, segment: list[str], kpis: dict[str, Any] | None = None) -> Programme:
    pilot = PILOTS["arms of a column"]
    made = programme_of(kpis or KPIS, matures_after="5d", pilot=pilot, segment=segment, complete=["End"], data=DATA)
    return Programme(root, made.file, made.use_cases, made.workflows, made.registrations, made.places, made.digests)


def everything(observer: Observer) -> Iterator[Any]:
    for day in (20.5, 37.25, 90):
        yield list(answers(observer, at(day)))
        yield observer.newest("log", at(day)), observer.mixtures("log", at(day))
        yield observer.readiness("log", at(day)), observer.profile("log", at(day), [("area", "sum"), ("sum",)])
    yield observer.duplicates("log"), observer.lacking("w"), observer.flow("w", at(60))
    yield observer.trace("w", "time", ["c1", "c2"], at(60))


def looked(programme: Programme) -> list[Any]:
    """What a command of its own finds."""
    with closing(DeclaredData(programme, silent)) as data:
        return list(everything(data.observer()))


def recomputed(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(KeptAnswers, "get", lambda *_: None)
        return looked(programme)


def kept(root: Path) -> list[Path]:
    return sorted((root / ".trueup" / "cache" / "answers").iterdir())


@pytest.mark.parametrize("segment", [["area", "team"], []])
def test_what_is_kept_equals_a_full_recompute_and_asks_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segment: list[str]
) -> None:
    write_log(tmp_path / "log.parquet", log_rows(3))
    programme = declared(tmp_path, segment)
    first = looked(programme)
    assert looked(programme) == first == recomputed(programme, monkeypatch)
    with closing(DeclaredData(programme, silent)) as data, monkeypatch.context() as patch:
        observer = data.observer()
        patch.setattr(type(observer.engine), "fetch", lambda *_: pytest.fail("an engine was asked"))
        observer.weekly("w", at(37.25), segments=True)
        observer.population("w", since=at(0), until=at(45), as_of=at(37.25))
        observer.readiness("log", at(91))


def test_a_week_more_an_edited_file_and_damage_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = log_rows(5)
    write_log(tmp_path / "log.parquet", rows)
    before = looked(declared(tmp_path, ["area"]))
    late = [{**row, "case": f"new {row['case']}", "at": row["at"] + timedelta(days=7)} for row in rows]
    write_log(tmp_path / "log.parquet", [*rows, *late])
    grown = looked(declared(tmp_path, ["area"]))
    assert grown == recomputed(declared(tmp_path, ["area"]), monkeypatch) != before
    other = {**KPIS, "clean": {"share": {"without": ["Work"]}}}
    edited = looked(declared(tmp_path, ["area"], other))
    assert edited == recomputed(declared(tmp_path, ["area"], other), monkeypatch) != grown
    for number, path in enumerate(kept(tmp_path)):
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(bytes(whole if number % 2 else whole[: len(whole) // 3]))
    assert looked(declared(tmp_path, ["area"])) == grown
    for path in kept(tmp_path):
        path.unlink()
    assert looked(declared(tmp_path, ["area"])) == grown


def test_a_folder_that_cannot_be_written_keeps_nothing_and_stops_nobody(tmp_path: Path) -> None:
    write_log(tmp_path / "log.parquet", log_rows(7))
    usual = looked(declared(tmp_path, ["area"]))
    other = tmp_path / "other"
    (other / ".trueup" / "cache").mkdir(parents=True)
    (other / ".trueup" / "cache" / "answers").write_text("a file, where a folder has to be", "utf-8")
    write_log(other / "log.parquet", log_rows(7))
    assert looked(declared(other, ["area"])) == usual


def test_answers_of_other_code_are_not_those_of_this(tmp_path: Path) -> None:
    write_log(tmp_path / "log.parquet", [event("1", at(0), "Start")])
    paths = LogPaths(declared(tmp_path, []), silent, tmp_path / "cache")
    mine, other = (KeptAnswers(tmp_path / "kept", paths, version) for version in (version_of_answers(), "other"))
    mine.put("cases", "name", json.dumps(1).encode())
    assert (mine.get("cases", "name"), other.get("cases", "name"), mine.get("steps", "name")) == (b"1", None, None)
    for number in range(9):
        mine.put("cases", f"name {number}", b"")
    assert len(list((tmp_path / "kept").iterdir())) == 3

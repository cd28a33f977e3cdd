"""A folder of Parquet files is one log, of which only what was added is read; what is not one log is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.observe.small_logs import at, event, programme_of
from trueup.connectors.logs.parts import folder
from trueup.declare.programme import Programme
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent
from trueup.workspace.data import DeclaredData

KPIS: dict[str, Any] = {
    "time": {"duration": {"from": "first Start", "to": "first End"}, "unit": "hours"},
    "clean": {"share": {"without": ["Reject"]}},
}


def rows_of(week: int, cases: int = 12) -> list[dict[str, Any]]:
    rows = []
    for number in range(cases):
        start = at(7 * week + number / 3)
        rows += [event(f"{week}-{number}", start, "Start", area="N")]
        rows += [event(f"{week}-{number}", start + timedelta(hours=5 * number), "End", area="S")]
    return rows


def write(path: Path, rows: list[dict[str, Any]], **kinds: pa.DataType) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(rows[0]) if rows else []
    types = {"at": pa.timestamp("us"), **kinds}
    columns = {name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names}
    pq.write_table(pa.table(columns), path)
    return path


def programme(root: Path, source: str = "log", **data: Any) -> Programme:
    made = programme_of(KPIS, matures_after="5d", segment=["area"], data={"source": source, "zone": "UTC", **data})
    return Programme(root, made.file, made.use_cases, made.workflows, made.registrations, made.places, made.digests)


def measured(made: Programme) -> list[Any]:
    with closing(DeclaredData(made, silent)) as data:
        observer = data.observer()
        return [
            observer.weekly("w", at(90), segments=True),
            observer.cases("w", "time", since=at(0), until=at(60), mature_by=at(90)).value.tolist(),
            observer.profile("log", at(90)).fields,
            observer.newest("log", at(90)),
        ]


def refused(made: Programme) -> DataError:
    with pytest.raises(DataError) as raised:
        measured(made)
    return raised.value


def test_a_folder_says_what_one_file_of_all_its_rows_says(tmp_path: Path) -> None:
    for week in range(3):
        write(tmp_path / "log" / f"part {week % 2}" / f"week-{week}[1].parquet", rows_of(week))
    (tmp_path / "log" / "_SUCCESS").touch()
    write(tmp_path / "one.parquet", [row for week in range(3) for row in rows_of(week)])
    in_parts = measured(programme(tmp_path))
    assert in_parts == measured(programme(tmp_path, "one.parquet"))
    assert sum(row.n for row in in_parts[0] if row.kpi == "time" and row.segment is None) == 36


def test_a_week_added_is_all_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup.connectors.logs import normalise

    for week in range(3):
        write(tmp_path / "log" / f"{week}.parquet", rows_of(week))
    first = measured(programme(tmp_path))
    looked: list[str] = []
    read = vars(normalise)["_read"]

    def noted(path: Path, *rest: Any, **named: Any) -> None:
        looked.append(path.name)
        read(path, *rest, **named)

    monkeypatch.setattr(normalise, "_read", noted)
    write(tmp_path / "log" / "3.parquet", rows_of(3))
    grown = measured(programme(tmp_path))
    assert (looked, len(grown[1])) == (["3.parquet"], len(first[1]) + 12)
    write(tmp_path / "all.parquet", [row for week in range(4) for row in rows_of(week)])
    assert grown == measured(programme(tmp_path, "all.parquet"))


def _a_text(root: Path) -> None:
    (root / "log" / "readme.txt").write_text("no log", "utf-8")


def _a_partition(root: Path) -> None:
    write(root / "log" / "year=2024" / "a.parquet", rows_of(4))


def _other_columns(root: Path) -> None:
    write(root / "log" / "z.parquet", [{**row, "more": "x"} for row in rows_of(4)])


def _other_types(root: Path) -> None:
    write(root / "log" / "z.parquet", [{**row, "area": 7} for row in rows_of(4)], area=pa.int64())


def _an_event_twice(root: Path) -> None:
    write(root / "log" / "z.parquet", [*rows_of(4), *rows_of(0)[3:5]])


def _a_cut_file(root: Path) -> None:
    whole = write(root / "log" / "z.parquet", rows_of(4))
    whole.write_bytes(whole.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (_a_text, "not-a-log", "readme.txt"),
        (_a_partition, "not-a-log", "year=2024"),
        (_other_columns, "columns-differ", "'more' is not there in a.parquet, and string in z.parquet"),
        (_other_types, "columns-differ", "'area' is string in a.parquet, and int64"),
        (
            _an_event_twice,
            "duplicate-events",
            "2 events of log lie in two of its files: z.parquet row 25 = a.parquet row 4",
        ),
        (_a_cut_file, "truncated", "z.parquet"),
    ],
)
def test_what_is_not_one_log_is_refused_and_nothing_of_it_used(
    tmp_path: Path, spoil: Callable[[Path], None], code: str, said: str
) -> None:
    write(tmp_path / "log" / "a.parquet", rows_of(0))
    for _ in range(2):
        spoil(tmp_path)
        error = refused(programme(tmp_path))
        assert (error.code, said in error.message) == (code, True), error.message
        # Neither does what was read before make it right.
        measured(programme(tmp_path, "log/a.parquet"))


def test_an_empty_folder_and_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").mkdir()
    assert refused(programme(tmp_path)).code == "data-empty"
    monkeypatch.setattr(folder, "_MOST_PARTS", 1)
    for name in ("a", "b"):
        write(tmp_path / "log" / f"{name}.parquet", rows_of(0))
    assert refused(programme(tmp_path)).code == "not-a-log"


def test_events_that_happened_twice_may_be_kept(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "log" / f"{name}.parquet", rows_of(0))
    assert len(measured(programme(tmp_path, duplicates="keep"))[1]) == 12

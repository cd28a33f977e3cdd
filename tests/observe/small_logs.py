"""Small logs for tests: rows in, a Parquet file and an observer over it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trueup.backends.duckdb import DuckEngine
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import Places, Programme
from trueup.observe.actuals import Actuals
from trueup.observe.engine import Engine
from trueup.observe.observer import Observer

OpenEngine = Callable[[Mapping[str, Path]], Engine]

# A Monday.
ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)


def at(day: float, hour: float = 0, second: float = 0) -> datetime:
    """The instant so many days and hours after Monday 2024-01-01 00:00Z."""
    return ORIGIN + timedelta(days=day, hours=hour, seconds=second)


def event(case: Any, when: datetime | None, activity: str | None, **fields: Any) -> dict[str, Any]:
    """One row of a log."""
    naive = when.astimezone(UTC).replace(tzinfo=None) if when else None
    return {"case": case, "at": naive, "activity": activity, **fields}


def write_log(path: Path, rows: Sequence[Mapping[str, Any]], fields: Iterable[str] = ()) -> Path:
    """Write a log as the connectors leave it: text, and times in naive UTC."""
    names = dict.fromkeys([*fields, *(name for row in rows for name in row if name not in {"case", "at", "activity"})])
    columns = {
        "case": pa.array([row["case"] for row in rows], pa.string()),
        "at": pa.array([row["at"] for row in rows], pa.timestamp("us")),
        "activity": pa.array([row["activity"] for row in rows], pa.string()),
        **{name: pa.array([row.get(name) for row in rows], pa.string()) for name in names},
        "_row": pa.array(range(len(rows)), pa.int64()),
    }
    pq.write_table(pa.table(columns), path)
    return path


def programme_of(
    kpis: Mapping[str, Any],
    *,
    matures_after: str | None = "10d",
    data: Mapping[str, Any] | None = None,
    pilot: Mapping[str, Any] | None = None,
    **events: Any,
) -> Programme:
    """A programme with one workflow `w` over the data `log`."""
    columns = {"data": "log", "case": "case", "activity": "activity", "at": "at", "matures_after": matures_after}
    declared = {"workflow": "W", "use_case": "u", "events": {**columns, **events}, "kpis": dict(kpis), "pilot": pilot}
    file = ProgrammeFile.model_validate(
        {"programme": "Test", "data": {"log": {"source": "log.parquet", **(data or {})}}}
    )
    return Programme(Path(), file, {}, {"w": Workflow.model_validate(declared)}, {}, Places(), {})


def observer_of(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    programme: Programme,
    *,
    open_engine: OpenEngine = DuckEngine,
    fields: Iterable[str] = (),
    actuals: Actuals | None = None,
    assignments: Mapping[str, Mapping[str, str]] | None = None,
) -> Observer:
    """An observer over rows."""
    engine = open_engine({"log": write_log(folder / "log.parquet", rows, fields)})
    return Observer(
        programme,
        engine,
        lambda data: f"sha256:{data}",
        actuals=(lambda: actuals) if actuals else None,
        assignments=assignments or {},
    )

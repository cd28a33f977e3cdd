"""Weekly statistics of a log that no memory holds: `python -m bench._large_log {duckdb,spark} EVENTS [FOLDER]`.

Not among the benches that run by themselves: a hundred million events take minutes and 2 GB of disk. The log is
written in parts and kept in FOLDER for the next run; the numbers of both engines must be equal.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench._loan_log import ACTIVITIES, EVENTS_A_CASE, WEEKS
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import Places, Programme
from trueup.observe.observer import Observer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from trueup.observe.engine import Engine

PART = 1_000_000
FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)
WORKFLOW = {
    "workflow": "Loans",
    "use_case": "loans",
    "events": {
        "data": "log",
        "case": "case",
        "activity": "activity",
        "at": "at",
        "matures_after": "60d",
        "complete": ["A_Pending"],
    },
    "kpis": {
        "cycle": {"duration": {"from": "A_Create Application", "to": "last A_Pending"}, "unit": "days"},
        "accepted": {"share": {"with": ["O_Accepted"]}},
        "calls": {"count": {"of": "W_Call*"}},
        "closed": {"throughput": {}},
    },
}


def written(folder: Path, events: int) -> Path:
    """Write the log in parts, unless it is there: cases begin one after another over two years, and overlap."""
    path = folder / f"loans-{events}.parquet"
    if path.is_file():
        return path
    random = np.random.default_rng(20260105)
    parts = max(1, events // PART)
    making = path.with_suffix(".part")
    writer: pq.ParquetWriter | None = None
    for part in range(parts):
        rows = _part(random, part, parts)
        writer = writer or pq.ParquetWriter(making, rows.schema)
        writer.write_table(rows, row_group_size=122_880)
    if writer is not None:
        writer.close()
    return making.rename(path)


def _part(random: np.random.Generator, part: int, parts: int) -> pa.Table:
    cases = PART // EVENTS_A_CASE
    lengths = 1 + random.poisson(EVENTS_A_CASE - 1, cases)
    case = np.repeat(np.arange(cases), lengths)
    first = np.diff(case, prepend=-1) != 0
    clock = np.cumsum(random.exponential(43_200.0, len(case)))
    since = clock - np.maximum.accumulate(np.where(first, clock, 0.0))
    began = FIRST + (part + random.random(cases)) / parts * WEEKS * 604_800
    at = ((began[case] + since) * 1e6).astype(np.int64)
    activity = random.integers(0, len(ACTIVITIES), len(case))
    activity[first] = 0
    order = np.argsort(at, kind="stable")
    names = pa.array([f"Application_{part * cases + number}" for number in range(cases)])
    users = pa.array([f"User_{number}" for number in range(145)])
    return pa.table(
        {
            "case": names.take(pa.array(case[order])),
            "activity": pa.array(ACTIVITIES).take(pa.array(activity[order])),
            "at": pa.array(at[order], pa.timestamp("us")),
            "resource": users.take(pa.array(random.integers(0, 145, len(case)))),
        }
    )


def _opened(name: str, path: Path) -> AbstractContextManager[Engine]:
    if name == "duckdb":
        from trueup.backends.duckdb import DuckEngine

        return DuckEngine({"log": path}, spill=path.parent)
    from trueup.backends.engines.spark import SparkEngine, spark_session
    from trueup.backends.engines.tables import TableSpec

    settings = {"spark.driver.memory": "4g", "spark.local.dir": str(path.parent), "spark.sql.shuffle.partitions": "16"}
    session = spark_session("local[2]", settings)
    return SparkEngine(session, {"log": TableSpec(parquet=str(path))}, Path())


def main() -> None:
    """Write the log, ask for its weekly statistics, and print the figures as JSON."""
    name, events = sys.argv[1], int(sys.argv[2])
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())
    began = time.perf_counter()
    path = written(folder, events)
    made = time.perf_counter()
    file = ProgrammeFile.model_validate({"programme": "Large", "data": {"log": {"source": path.name}}})
    programme = Programme(folder, file, {}, {"w": Workflow.model_validate(WORKFLOW)}, {}, Places(), {})
    with _opened(name, path) as engine:
        opened = time.perf_counter()
        rows = Observer(programme, engine, str).weekly("w", AS_OF)
        counted = time.perf_counter()
    figures = {
        "engine": name,
        "events": pq.ParquetFile(path).metadata.num_rows,
        "file_mb": round(path.stat().st_size / 1e6),
        "write_s": round(made - began, 1),
        "start_s": round(opened - made, 1),
        "weekly_s": round(counted - opened, 1),
        "peak_mb_of_this_process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "numbers": hashlib.sha256(repr(rows).encode()).hexdigest()[:16],
        "rows": len(rows),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()

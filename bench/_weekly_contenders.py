"""The same weekly statistics by four programs; each runs alone in its process: `python -m bench._weekly_contenders`.

The question: for each week (ISO, UTC) of case start, over the cases that are mature, number and sums of a duration
(first A_Submitted to last O_Accepted or A_Cancelled, days, capped at the follow-up window of 30 days), of two
shares, of a count, and the number of completed cases.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

AS_OF = datetime(2025, 12, 1, tzinfo=UTC)
WINDOW = timedelta(days=30)
FROM = ("A_Submitted",)
TO = ("O_Accepted",)
WITH = ("W_Assess fraud",)
WITHOUT = ("A_Incomplete", "W_Call incomplete files")
REPEATED = ("W_Call after offers",)
COMPLETE = ("O_Accepted", "A_Cancelled", "A_Denied")
KPIS: dict[str, Any] = {
    "cycle_time": {"duration": {"from": "first A_Submitted", "to": "last O_Accepted"}, "unit": "days"},
    "fraud": {"share": {"with": list(WITH)}},
    "clean": {"share": {"without": ["A_Incomplete", "W_Call incomplete*"]}},
    "calls": {"count": {"of": list(REPEATED), "beyond": 1}},
    "closed": {"throughput": {}},
}

# Per week: mature cases, duration seconds, cases with fraud, clean cases, repeated calls, completed cases.
Weeks = dict[str, tuple[int, ...]]


def with_trueup(log: Path) -> Callable[[], Weeks]:
    """As `trueup measure` does it."""
    from trueup.backends.duckdb import DuckEngine
    from trueup.declare.model.programme import ProgrammeFile
    from trueup.declare.model.workflow import Workflow
    from trueup.declare.programme import Places, Programme
    from trueup.observe.observer import Observer

    events = {
        "data": "loans",
        "case": "case",
        "activity": "activity",
        "at": "at",
        "complete": list(COMPLETE),
        "matures_after": f"{WINDOW.days}d",
    }
    workflow = Workflow.model_validate({"workflow": "Loans", "events": events, "kpis": KPIS})
    file = ProgrammeFile.model_validate({"programme": "Bench", "data": {"loans": {"source": log.name}}})
    programme = Programme(log.parent, file, {}, {"loans": workflow}, {}, Places(), {})

    def weeks() -> Weeks:
        with DuckEngine({"loans": log}) as engine:
            rows = Observer(programme, engine, lambda _: "").weekly("loans", AS_OF)
        found: dict[tuple[str, str], Any] = {(row.kpi, row.week.isoformat()): row for row in rows}
        return {
            week: (
                row.n,
                round(found["cycle_time", week].total * 86_400),
                found["fraud", week].events,
                found["clean", week].events,
                round(found["calls", week].total),
                round(found["closed", week].total),
            )
            for (kpi, week), row in found.items()
            if kpi == "clean" and found["closed", week].n
        }

    return weeks


def with_pandas(log: Path) -> Callable[[], Weeks]:
    """As one writes it in pandas: the three columns, a group-by for the starts, one for each measure."""
    import pandas as pd

    def weeks() -> Weeks:
        events = pd.read_parquet(log, columns=["case", "activity", "at"])
        events["case"], events["activity"] = events["case"].astype("category"), events["activity"].astype("category")
        by_case: Any = {"sort": False, "observed": True}
        start = events.groupby("case", **by_case)["at"].min()
        seen = events[events["at"] < events["case"].map(start).astype("datetime64[us]") + WINDOW]

        def of(names: tuple[str, ...]) -> Any:
            return seen[seen["activity"].isin(names)].groupby("case", **by_case)["at"]

        cases = pd.DataFrame({"start": start})
        cases["from"], cases["to"] = of(FROM).min(), of(TO).max()
        cases["fraud"] = cases.index.isin(of(WITH).size().index)
        cases["clean"] = ~cases.index.isin(of(WITHOUT).size().index)
        cases["calls"] = (of(REPEATED).size().reindex(cases.index, fill_value=0) - 1).clip(lower=0)
        cases["closed"] = cases.index.isin(of(COMPLETE).size().index)
        cases = cases[cases["start"] + WINDOW <= AS_OF.replace(tzinfo=None)]
        seconds = (cases["to"].dt.floor("s") - cases["from"].dt.floor("s")).dt.total_seconds()
        seconds = seconds.mask(cases["to"].isna(), WINDOW.total_seconds())
        cases["seconds"] = seconds.mask(cases["from"].isna() | (cases["to"] < cases["from"]))
        day = cases["start"].dt.normalize()
        week = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
        names = ["seconds", "fraud", "clean", "calls", "closed"]
        sums = cases.groupby(week)[names].sum()
        sums.insert(0, "n", cases.groupby(week).size())
        return {str(week.date()): tuple(int(value) for value in row) for week, *row in sums.itertuples()}

    return weeks


def with_polars(log: Path) -> Callable[[], Weeks]:
    """As one writes it in Polars: lazily, a join with the starts, one group-by for all measures."""
    import polars as pl

    def weeks() -> Weeks:
        events = pl.scan_parquet(log).select("case", "activity", "at")
        start = events.group_by("case").agg(start=pl.col("at").min())
        seen = events.join(start, on="case").filter(pl.col("at") < pl.col("start") + WINDOW)

        def of(names: tuple[str, ...]) -> pl.Expr:
            return pl.col("at").filter(pl.col("activity").is_in(names))

        cases = seen.group_by("case").agg(
            pl.col("start").first(),
            origin=of(FROM).min(),
            to=of(TO).max(),
            fraud=of(WITH).len() > 0,
            clean=of(WITHOUT).len() == 0,
            calls=(of(REPEATED).len().cast(pl.Int64) - 1).clip(lower_bound=0),
            closed=of(COMPLETE).len() > 0,
        )
        cases = cases.filter(pl.col("start") + WINDOW <= AS_OF.replace(tzinfo=None))
        seconds = pl.col("to").dt.epoch("s") - pl.col("origin").dt.epoch("s")
        cases = cases.with_columns(
            seconds=pl.when(pl.col("origin").is_null() | (pl.col("to") < pl.col("origin")))
            .then(None)
            .when(pl.col("to").is_null())
            .then(int(WINDOW.total_seconds()))
            .otherwise(seconds),
            week=pl.col("start").dt.truncate("1w").dt.date(),
        )
        names = ["seconds", "fraud", "clean", "calls", "closed"]
        sums = cases.group_by("week").agg(pl.len().alias("n"), *(pl.col(name).sum() for name in names)).collect()
        return {str(week): (n, *map(int, values)) for week, n, *values in sums.iter_rows()}

    return weeks


def with_scan(log: Path) -> Callable[[], Weeks]:
    """No statistics at all: DuckDB decodes the three columns. Nothing that reads them can be faster by much."""
    import duckdb

    columns = 'sum(strlen("case")), sum(strlen(activity)), sum(epoch_us("at"))'

    def weeks() -> Weeks:
        with duckdb.connect() as connection:
            connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(log)]).fetchall()
        return {}

    return weeks


CONTENDERS = {"trueup": with_trueup, "pandas": with_pandas, "polars": with_polars, "scan": with_scan}


def main() -> None:
    """Answer the question once, and print the weeks, the seconds (imports apart) and the peak memory in MB."""
    contender, log = CONTENDERS[sys.argv[1]], Path(sys.argv[2])
    ask = contender(log)
    began = time.perf_counter()
    weeks = ask()
    seconds = time.perf_counter() - began
    # Linux counts in kB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"weeks": weeks, "seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main()

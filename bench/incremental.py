"""What one week more costs: a large log in weekly files, and a programme of many small logs of which one grew.

Ours reads again what changed and nothing else; the peer computes everything, its cache deleted. Their answers are
compared first: figures that differ are no measurement.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from bench._large_programme import write_large_programme
from bench.report import Report

EVENTS = 2_000_000
WORKFLOWS, ROUNDS = 50, 3

_PROGRAMME = """\
programme: A large log (generated)
sponsor: chief
currency: EUR
adopted: 2024-01-01
people:
  chief: {name: C. Hief, email: chief@large.example, roles: [sponsor, owner, approver]}
data:
  loans: {source: loans, zone: UTC}
"""
_WORKFLOW = """\
workflow: Loans
owners: {business: chief, prompts: chief, knowledge: chief, incidents: chief, escalation: chief}
events:
  data: loans
  case: case
  activity: activity
  at: at
  complete: [A_Pending, A_Denied, A_Cancelled]
  matures_after: 28d
kpis:
  cycle_time: {duration: {from: first A_Create Application, to: last A_Pending}, unit: days, better: lower}
  clean: {share: {without: [A_Incomplete]}, better: higher}
  calls: {count: {of: [W_Call incomplete files]}, better: lower}
  offers: {share: {with: [O_Accepted]}, better: higher}
"""


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; the logs are made here
    """Measure a large log that got a week more, then a programme of which one log did."""
    with tempfile.TemporaryDirectory() as folder:
        _large_log(report, Path(folder, "programme"))
    with tempfile.TemporaryDirectory() as folder:
        _many_logs(report, Path(folder, "programme"))


def _large_log(report: Report, root: Path) -> None:
    for name, text in (("programme.yaml", _PROGRAMME), ("workflows/loans.yaml", _WORKFLOW)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    report.say(f"writing {EVENTS:,} events in weekly files")
    subprocess.run([sys.executable, "-m", "bench._loan_log", str(root / "all.parquet"), str(EVENTS)], check=True)
    parts = _by_week(root / "all.parquet", root / "loans")
    (root / "all.parquet").unlink()
    last, aside = parts[-1], root / "last.parquet"
    grown: list[float] = []
    whole: list[float] = []
    for turn in range(ROUNDS):
        report.say(f"round {turn + 1} of {ROUNDS}")
        last.rename(aside)
        _asked("measure", root)
        aside.rename(last)
        one = _asked("measure", root)
        shutil.rmtree(root / ".trueup" / "cache")
        other = _asked("measure", root)
        _require_equal(one, other)
        grown.append(one["seconds"])
        whole.append(other["seconds"])
    note = f"{len(parts)} files, the last one new; peer: everything read again"
    report.row(f"{EVENTS:,} events, one week more", statistics.median(grown), statistics.median(whole), note=note)


def _by_week(log: Path, folder: Path) -> list[Path]:
    """Cut a log into files by the week of the event."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE VIEW log AS SELECT * EXCLUDE (_row), date_trunc('week', "at") AS week FROM '{log}'"""
        )
        weeks = [row[0] for row in connection.execute("SELECT DISTINCT week FROM log ORDER BY week").fetchall()]
        paths = [folder / f"{week:%Y-%m-%d}.parquet" for week in weeks]
        for week, path in zip(weeks, paths, strict=True):
            connection.execute(f"COPY (SELECT * EXCLUDE (week) FROM log WHERE week = '{week}') TO '{path}'")
    return paths


def _many_logs(report: Report, root: Path) -> None:
    report.say(f"writing and registering {WORKFLOWS} workflows")
    write_large_programme(root, WORKFLOWS, WORKFLOWS)
    found: dict[str, list[float]] = {"grown": [], "same": [], "whole": []}
    _asked("review", root)
    for turn in range(ROUNDS):
        report.say(f"round {turn + 1} of {ROUNDS}")
        log = root / "data" / "log-007.csv"
        at = datetime(2025, 6, 2, tzinfo=UTC) + timedelta(hours=turn)
        with log.open("a", encoding="utf-8") as stream:
            for case in range(14):
                stream.write(f"more-{turn}-{case},Begun,{at + timedelta(minutes=case):%Y-%m-%dT%H:%M:%SZ},b\n")
        one, same = _asked("review", root), _asked("review", root)
        shutil.rmtree(root / ".trueup" / "cache")
        other = _asked("review", root)
        _require_equal(one, other)
        _require_equal(same, other)
        for name, answer in (("grown", one), ("same", same), ("whole", other)):
            found[name].append(answer["seconds"])
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    peer = "peer: everything computed again"
    report.row(f"review of {WORKFLOWS}, one log grew", medians["grown"], medians["whole"], note=peer)
    report.row(f"review of {WORKFLOWS}, nothing changed", medians["same"], medians["whole"], note=peer)


def _asked(what: str, root: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.incremental", what, str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{what} ended with {ran.returncode}:\n{ran.stderr}")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _require_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    if one["figures"] != other["figures"]:
        sys.exit("what was read in part differs from what was read whole")


def main() -> None:
    """Measure or review a programme; print the seconds, and the figures."""
    from bench._large_programme import AS_OF
    from trueup.kernel.progress import silent
    from trueup.loop.measure import measure
    from trueup.loop.review import compute
    from trueup.workspace import opened

    what, root = sys.argv[1], Path(sys.argv[2])
    began = time.perf_counter()
    with opened(root, silent) as bench:
        if what == "review":
            figures = compute(bench, AS_OF).fingerprint()
        else:
            until = datetime(2027, 6, 1, tzinfo=UTC)
            figures = json.dumps([reading.to_json() for reading in measure(bench, "loans", until)])
    print(json.dumps({"seconds": time.perf_counter() - began, "figures": figures}))


if __name__ == "__main__":
    main()

"""Weekly statistics of a loan-like log of 10 M events: against pandas, Polars, and the scan of the columns needed."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench._weekly_contenders import CONTENDERS
from bench.report import Report

EVENTS = 10_000_000
ROUNDS = 3


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; the log is made here
    """Ask every contender the same question, each in its own process, in turn; print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "loans.parquet")
        report.say(f"writing a log of {EVENTS:,} events")
        # In a process of its own: the peak memory of a process counts from that of the one that started it.
        started("bench._loan_log", str(log), str(EVENTS))
        answers: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
        for turn in range(ROUNDS):
            for name in CONTENDERS:
                report.say(f"round {turn + 1} of {ROUNDS}: {name}")
                answers[name].append(answer(name, log))
    require_agreement(answers)
    for what, title, unit in (
        ("seconds", f"weekly statistics, {EVENTS:,} events", "s"),
        ("process", "the same, with start of the process and imports", "s"),
        ("peak", "peak memory of the process", "MB"),
    ):
        medians = {name: statistics.median(float(one[what]) for one in answers[name]) for name in answers}
        for name in ("pandas", "polars", "scan"):
            report.row(title, medians["trueup"], medians[name], unit=unit, note=f"peer: {name}")


def answer(name: str, log: Path) -> dict[str, Any]:
    """Run one contender in a process of its own."""
    began = time.perf_counter()
    printed = started("bench._weekly_contenders", name, str(log))
    return {**json.loads(printed), "process": time.perf_counter() - began}


def started(*module: str) -> str:
    """Run a module with byte code on and return what it printed; a crash is not a measurement."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", *module]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(module)} ended with {ran.returncode}:\n{ran.stderr}")
    return ran.stdout


def require_agreement(answers: dict[str, list[dict[str, Any]]]) -> None:
    """A fast wrong answer is no answer: every contender gives the same numbers in every complete week."""
    ours = answers["trueup"][0]["weeks"]
    if not ours:
        sys.exit("there are no complete weeks to compare")
    for name in ("trueup", "pandas", "polars"):
        for one in answers[name]:
            differing = [week for week in ours if one["weeks"].get(week) != ours[week]]
            if differing:
                week = differing[0]
                sys.exit(f"{name} differs in {week}: {one['weeks'].get(week)} instead of {ours[week]}")

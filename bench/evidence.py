"""Evidence from sufficient statistics: 1,000 workflows x 5 KPIs x 52 weeks, beside one bare pass of numpy over them."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.report import Report

WORKFLOWS, MEANS, SHARES, WEEKS = 1000, 3, 2, 52
PER_WEEK, HOLDOUT = 60, 0.2
GATE_ALPHA, ALPHA = 0.05 / 3, 0.05
ROUNDS = 3


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; the table is made here
    """Ask for everything that is shown of a KPI, in a process of its own, in turn with the bare pass."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for turn in range(ROUNDS):
        for what, answers in found.items():
            report.say(f"round {turn + 1} of {ROUNDS}: {what}")
            command = [sys.executable, "-m", "bench.evidence", what]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            answers.append(json.loads(ran.stdout))
    medians = {
        what: {name: statistics.median(one[name] for one in answers) for name in answers[0]}
        for what, answers in found.items()
    }
    n = WORKFLOWS * (MEANS + SHARES)
    ours, bare = medians["ours"], medians["bare"]
    note = "peer: sums and z by numpy alone"
    report.row(f"{WORKFLOWS:,} workflows, gates and sequences", ours["seconds"], bare["seconds"], note=note)
    report.row("  a KPI: weeks, gate interval, sequence", ours["seconds"] / n)
    report.row("  of which exact pairs of shares, each", ours["shares"] / (WORKFLOWS * SHARES))
    report.row("  peak memory of the process", ours["peak"], bare["peak"], unit="MB", note=note)


def table() -> tuple[np.ndarray, np.ndarray]:
    """Return n, sum and sum of squares by KPI, week and arm (control first): of means, and of shares."""
    chance = np.random.default_rng(7)
    sizes = np.array([round(PER_WEEK * HOLDOUT), PER_WEEK - round(PER_WEEK * HOLDOUT)])
    counts = np.broadcast_to(sizes, (WORKFLOWS, MEANS, WEEKS, 2)).astype(float)
    total = chance.normal(counts * 3.0, np.sqrt(counts))
    squares = total**2 / counts + chance.chisquare(counts - 1)
    of_shares = np.broadcast_to(sizes, (WORKFLOWS, SHARES, WEEKS, 2))
    events = chance.binomial(of_shares, 0.1)
    return np.stack([counts, total, squares], axis=-1), np.stack([of_shares, events, events], axis=-1)


def ours(means: np.ndarray, shares: np.ndarray) -> float:
    """Return the seconds that shares took; weekly intervals, gate intervals and sequences of all are computed."""
    from trueup.evidence import gates, sequences
    from trueup.evidence.moments import Moments
    from trueup.evidence.weekly import mean_interval_of_week, share_interval_of_week

    for weeks in means.reshape(-1, WEEKS, 2, 3).tolist():
        arms = [
            [Moments.from_sums(int(n), total, squares) for n, total, squares in (week[arm] for week in weeks)]
            for arm in (0, 1)
        ]
        for week in weeks:
            for n, total, squares in week:
                mean_interval_of_week(int(n), total, squares)
        control, treated = (Moments.pooled(parts) for parts in arms)
        gates.mean_contrast(treated, control, GATE_ALPHA)
        sequences.concurrent_means(treated, control, ALPHA)
    began = time.perf_counter()
    for weeks in shares.reshape(-1, WEEKS, 2, 3).tolist():
        for week in weeks:
            for n, events, _ in week:
                share_interval_of_week(events, n)
        (n0, x0), (n1, x1) = ((sum(week[arm][part] for week in weeks) for part in (0, 1)) for arm in (0, 1))
        gates.share_contrast(x1, n1, x0, n0, GATE_ALPHA)
        sequences.concurrent_shares(x1, n1, x0, n0, ALPHA)
    return time.perf_counter() - began


def bare(means: np.ndarray, shares: np.ndarray) -> float:
    """The least that can be done with the table: one weekly z and one overall, of every KPI at once."""
    for part in (means, shares.astype(float)):
        for n, total, squares in (np.moveaxis(part, -1, 0), np.moveaxis(part.sum(axis=2), -1, 0)):
            mean = total / n
            error = np.sqrt((squares / n - mean**2) / n)
            np.stack([mean - 1.96 * error, mean + 1.96 * error])
    return 0.0


def main() -> None:
    """Do what the argument says; print seconds, those of shares, and the peak of memory in MB, as JSON."""
    found = table()
    work = {"ours": ours, "bare": bare}[sys.argv[1]]
    began = time.perf_counter()
    in_shares = work(*found)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "shares": in_shares, "peak": peak}))


if __name__ == "__main__":
    main()

"""How long a review takes, of 5, 50 and 200 workflows: each in a process of its own, beside a bare scan of the logs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench._large_programme import write_large_programme
from bench.report import Report

SIZES = (5, 50, 200)
ROUNDS = 3


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; the programmes are made here
    """Review generated programmes, in turn with the scan; medians, with the first process of each left out."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "programme")
            report.say(f"writing and registering {size} workflows")
            write_large_programme(root, size, size)
            found: dict[str, list[float]] = {"review": [], "scan": []}
            for turn in range(ROUNDS + 1):
                report.say(f"round {turn} of {ROUNDS}")
                for what, seconds in found.items():
                    # The first review also reads the logs into the cache, which the scan reads from.
                    seconds.append(_seconds(what, root))
            review, scan = (statistics.median(seconds[1:]) for seconds in found.values())
            report.row(f"review of {size} workflows", review, scan, note="peer: scan of the logs, every column")
            report.row("  a workflow", review / size)


def _seconds(what: str, root: Path) -> float:
    command = [sys.executable, "-m", "bench._one_review", what, str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stderr}")
    return float(ran.stdout)

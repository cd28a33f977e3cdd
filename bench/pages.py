"""Page times of the console at 1,000 use cases and 200 workflows, beside the emptiest page of the same server."""

from __future__ import annotations

import http.client
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench._large_programme import AS_OF, write_large_programme
from bench.report import Report

EMPTY = "/help"
USE_CASES, WORKFLOWS = 1_000, 200
ROUNDS = 60
PAGES = {
    "Today": "/",
    "Workflows, all 200": "/workflows",
    "Portfolio": "/portfolio",
    "Portfolio, all 1,000": "/portfolio?all=1",
    "Portfolio as JSON": "/portfolio.json",
    "Workflow": "/workflows/workflow-007",
    "KPI of a workflow, opened": "/workflows/workflow-007/cycle_time",
    "Use case, opened": "/portfolio/use-case-0007",
    "Review": "/review",
    "Ledger, verified each time": "/ledger",
    "Find": "/find?q=workflow-00",
}


@dataclass
class Visitor:
    """One browser on one connection."""

    connection: http.client.HTTPConnection
    cookie: str

    def seconds(self, path: str) -> tuple[float, int]:
        """Load a page and return how long it took, and its size in bytes."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers={"cookie": self.cookie})
        answer = self.connection.getresponse()
        body = answer.read()
        taken = time.perf_counter() - began
        if answer.status != http.HTTPStatus.OK:
            text = f"{path} answers {answer.status}: {body[:500]!r}"
            raise RuntimeError(text)
        return taken, len(body)


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Load every page once cold, then all in turn, and once more after an entry was appended to the ledger."""
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        root = Path(folder) / "large"
        report.say(f"writing and registering {USE_CASES:,} use cases and {WORKFLOWS} workflows")
        write_large_programme(root, USE_CASES, WORKFLOWS)
        with visited(root) as visitor:
            visitor.seconds(EMPTY)
            report.say("loading every page for the first time")
            cold = {name: visitor.seconds(path) for name, path in PAGES.items()}
            report.say(f"loading every page {ROUNDS} times")
            warm = _in_turn(visitor)
            empty = statistics.median(warm[EMPTY])
            report.row("an empty page", empty, empty, note=f"p99 {_p99(warm[EMPTY])}")
            for name, path in PAGES.items():
                first, size = cold[name]
                note = f"p99 {_p99(warm[path])}, first {first:,.2f} s, {size / 1000:,.0f} kB"
                report.row(name, statistics.median(warm[path]), empty, note=note)
            _append(root)
            # The server has let go of a connection that was quiet meanwhile; the next request makes it again.
            visitor.connection.close()
            report.row("Portfolio, first after an entry", visitor.seconds(PAGES["Portfolio"])[0], empty)
            report.row("Today, first after an entry", visitor.seconds(PAGES["Today"])[0], empty)


def _in_turn(visitor: Visitor) -> dict[str, list[float]]:
    """Load all pages in rounds of a changing order, so that a busy moment hits no page alone."""
    taken: dict[str, list[float]] = {path: [] for path in (EMPTY, *PAGES.values())}
    chance = random.Random(1)
    for _ in range(ROUNDS):
        for path in chance.sample(sorted(taken), len(taken)):
            taken[path].append(visitor.seconds(path)[0])
    return taken


def _p99(seconds: list[float]) -> str:
    return f"{1000 * sorted(seconds)[-1 - len(seconds) // 100]:,.0f} ms"


def _append(root: Path) -> None:
    command = [sys.executable, "-m", "trueup", "record", str(root), "note", "--text", "an entry", "--by", "lead"]
    subprocess.run([*command, "--as-of", f"{AS_OF:%Y-%m-%d}"], check=True, capture_output=True)


@contextmanager
def visited(root: Path) -> Iterator[Visitor]:
    """Serve a programme as people do, and come in by the link that is printed."""
    command = [sys.executable, "-m", "trueup", "serve", str(root), "--port", "0", "--as-of", f"{AS_OF:%Y-%m-%d}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://(127\.0\.0\.1:\d+)(/enter\S+)", process.stderr.readline())
        assert found is not None
        connection = http.client.HTTPConnection(found[1], timeout=1200)
        try:
            connection.request("GET", found[2])
            answer = connection.getresponse()
            answer.read()
            yield Visitor(connection, (answer.headers["set-cookie"] or "").split(";")[0])
        finally:
            connection.close()
            process.terminate()

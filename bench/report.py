"""What a bench found: rows of ours, peer and their ratio, for people and for programs."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `ratio` is ours / peer, None where there is no peer."""

    bench: str
    name: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    note: str


@dataclass(slots=True)
class Report:
    """Collects rows, and prints each as soon as it is known."""

    as_json: bool = False
    bench: str = ""
    rows: list[Row] = field(default_factory=list)
    decisions: Path | None = None
    found: list[dict[str, Any]] = field(default_factory=list)

    def row(self, name: str, ours: float, peer: float | None = None, *, unit: str = "s", note: str = "") -> None:
        """Add one comparison; both figures are in `unit`."""
        ratio = ours / peer if peer else None
        row = Row(self.bench, name, ours, peer, ratio, unit, note)
        self.rows.append(row)
        if not self.as_json:
            if len(self.rows) == 1:
                print(f"{'name':<48}{'ours':>14}{'peer':>14}{'ratio':>8}")
            print(
                f"{name[:47]:<48}{_figure(ours, unit):>14}{_figure(peer, unit):>14}{_ratio(ratio):>8}  {note}".rstrip()
            )
            sys.stdout.flush()

    def measured(self, values: dict[str, Any], line: str) -> None:
        """Add figures that are no comparison of ours with a peer's, and print them as a line for people."""
        self.found.append({"bench": self.bench, **values})
        if not self.as_json:
            print(line, flush=True)

    def say(self, line: str) -> None:
        """Tell what is being done, on stderr."""
        print(f"bench {self.bench}: {line}", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Print everything at once, for programs."""
        if self.as_json:
            found = {"measured": self.found} if self.found else {}
            print(json.dumps({"rows": [asdict(row) for row in self.rows], **found}))


def in_alternation(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 9) -> tuple[float, float]:
    """Time both in turn after one warm-up each, so that a busy minute hits both; return the medians in seconds."""
    ours()
    peer()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for seconds, work in zip(times, (ours, peer), strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "s" and value < 1:
        return f"{value * 1000:,.1f} ms"
    return f"{value:,.2f} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}x"

"""Masking: what is found and what is flagged in vain, on made-up British texts and on Presidio's own synthetic sets."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench._masking_sets import Sample, british
from trueup.connectors.masking.presidio import PresidioFinder
from trueup.connectors.masking.recognisers import FOUND_BY_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bench.report import Report

SIZE, SEED = 4000, 20261121
# Presidio's names of the kinds that patterns can find; its set has no British numbers.
THEIRS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IBAN": "iban",
    "IP_ADDRESS": "ip_address",
}
FILES = ("synth_dataset_v2.json", "generated_large.json")


def run(report: Report, data: Path | None) -> None:
    """Print precision and recall by kind, with n and exact 95% intervals, and the time of 1 kB beside them."""
    finder = PresidioFinder(FOUND_BY_PATTERN)
    _scored(report, "british", finder, british(SEED, SIZE))
    for name in FILES if data is not None else ():
        path = data / name if data is not None else None
        if path is not None and path.exists():
            _scored(report, name.removesuffix(".json"), finder, theirs(path))
    text = ("Please ring Ada on 020 7946 0958 about the invoice, or write to ada.osei@example.co.uk. " * 12)[:1024]
    began = time.perf_counter()
    for _ in range(50):
        finder.find(text)
    report.row("1 kB of text", (time.perf_counter() - began) / 50)


def theirs(path: Path) -> list[Sample]:
    """Read a set in Presidio's form, with the kinds that patterns find."""
    records: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [
        Sample(
            one["full_text"],
            tuple(
                (THEIRS[span["entity_type"]], span["start_position"], span["end_position"])
                for span in one["spans"]
                if span["entity_type"] in THEIRS
            ),
        )
        for one in records
    ]


def counted(finder: PresidioFinder, samples: Iterable[Sample]) -> dict[str, Counter[str]]:
    """Count, by kind: `right` (found where it is), `missed`, and `vain` (found where nothing personal is)."""
    counts: dict[str, Counter[str]] = {}
    for sample in samples:
        found = finder.find(sample.text)
        for kind, start, end in sample.spans:
            # Masked is masked, whatever it is called.
            hit = any(one.start <= start and one.end >= end for one in found)
            counts.setdefault(kind, Counter())["right" if hit else "missed"] += 1
        for one in found:
            if not any(one.start < end and one.end > start for _, start, end in sample.spans):
                counts.setdefault(one.kind, Counter())["vain"] += 1
    return counts


def _scored(report: Report, name: str, finder: PresidioFinder, samples: list[Sample]) -> None:
    for kind, count in sorted(counted(finder, samples).items()):
        for word, bad in (("recall", "missed"), ("precision", "vain")):
            n = count["right"] + count[bad]
            if n:
                _share(report, f"{name} {kind} {word}", count["right"], n)


def _share(report: Report, name: str, right: int, n: int) -> None:
    from scipy.stats import binomtest

    interval = binomtest(right, n).proportion_ci(0.95, "exact")
    values = {"name": name, "share": right / n, "lower": interval.low, "upper": interval.high, "n": n}
    report.measured(values, f"{name:<48}{right / n:>8.3f}  [{interval.low:.3f}, {interval.high:.3f}]  n {n:,}")

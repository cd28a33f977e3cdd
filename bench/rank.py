"""How long the ranking takes: the exact selection to its gap, and the scenario draws, on generated portfolios."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import numpy as np

from bench.report import Report
from trueup.choose.portfolio.answer import published
from trueup.choose.portfolio.ranking import Question, rank
from trueup.declare.model.programme import Limits, ProgrammeFile
from trueup.declare.model.use_case import Cost, Effort, Feasibility, Stage, UseCase, ValueLine
from trueup.declare.programme import Places, Programme
from trueup.kernel.quantities import Period, Range

DAY = date(2026, 1, 5)
SIZES = (200, 1_000, 10_000)


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Rank generated portfolios of several sizes; the gap and the number of draws stand in the note."""
    for size in SIZES:
        programme = generated(size, seed=1)
        report.say(f"ranking {size:,} use cases")
        began = time.perf_counter()
        only = rank(programme, Question(DAY, draws=0))
        selected = time.perf_counter() - began
        began = time.perf_counter()
        ranked = rank(programme, Question(DAY))
        whole = time.perf_counter() - began
        began = time.perf_counter()
        published(programme, ranked)
        report.row(
            f"rank of {size:,} use cases",
            whole,
            note=f"gap {ranked.selection.gap:.2e}, {ranked.draws:,} draws, {ranked.selection.chosen.sum():,} chosen",
        )
        report.row(f"  with {only.draws} draws only", selected, note=f"gap {only.selection.gap:.2e}")
        report.row("  its reasons in words", time.perf_counter() - began)


def generated(size: int, seed: int) -> Programme:
    """Return a programme of candidates with wide ranges: four limits that bind, a need in four, an exclusion in ten."""
    rng = np.random.default_rng(seed)
    cases = {f"use-case-{at:05}": _case(rng, at) for at in range(size)}
    limits = Limits(
        parallel_pilots=size * 2 // 5,
        budget=size * 10_000.0,
        engineering=size * 9.0,
        change=size * 4.5,
        horizon=Period(1095.0, "3y"),
        discount=0.08,
    )
    file = ProgrammeFile(programme="Generated", currency="GBP", limits=limits)
    return Programme(Path("generated"), file, cases, {}, {}, Places(), {})


def _case(rng: np.random.Generator, at: int) -> UseCase:
    earlier = [f"use-case-{int(rng.integers(at)):05}"] if at else []
    kind = rng.random()
    return UseCase(
        use_case=f"Use case {at}",
        stage=Stage.CANDIDATE,
        value={"hours_saved": ValueLine(range=_range(rng, 1_500.0), rate=50.0)},
        cost=Cost(build=_range(rng, 30_000.0), run=_range(rng, 8_000.0), labelling=_range(rng, 3_000.0)),
        effort=Effort(engineering=_range(rng, 40.0), change=_range(rng, 20.0)),
        feasibility=Feasibility(data=2, integration=2, process=int(rng.integers(1, 3)), risk=2),
        needs=tuple(earlier) if kind < 0.25 else (),
        excludes=tuple(earlier) if kind > 0.9 else (),
    )


def _range(rng: np.random.Generator, middle: float) -> Range:
    centre = middle * float(rng.lognormal(0.0, 0.5))
    return Range.of(centre * 0.6, centre, centre * 1.5)

"""Small portfolios, to be ranked: declared in a line each, without files. Everything in them is simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from trueup.choose.portfolio.problem import Problem
from trueup.declare.model.data import Assumption
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import Places, Programme

DAY = date(2026, 1, 5)
SURE = {"data": 2, "integration": 2, "process": 2, "risk": 2}  # a chance of 0.9^4 = 0.6561


def use_case(value: Any, build: Any, run: Any = 0, **rest: Any) -> UseCase:
    """Return a candidate with one value line in money (or the lines given), and scores of 2 unless said otherwise."""
    said = {
        "use_case": "Simulated",
        "stage": "candidate",
        "value": value if isinstance(value, dict) else {"saved": {"range": value}},
        "cost": {"build": build, "run": run},
        "effort": {"engineering": "10pd", "change": "5pd"},
        "feasibility": SURE,
        **rest,
    }
    return UseCase.model_validate({key: part for key, part in said.items() if part is not None})


def programme(
    cases: Mapping[str, UseCase],
    limits: Mapping[str, Any] | None = None,
    assumptions: Mapping[str, Mapping[str, Any]] | None = None,
    workflows: Mapping[str, Workflow] | None = None,
    **file: Any,
) -> Programme:
    """Return a programme of use cases; a year and no discount unless said otherwise."""
    said = {
        "programme": "Simulated",
        "currency": "GBP",
        "limits": {"horizon": "1y", "discount": "0%", **(limits or {})},
        "assumptions": {name: Assumption.model_validate(one) for name, one in (assumptions or {}).items()},
        **file,
    }
    read = ProgrammeFile.model_validate(said)
    return Programme(Path("simulated"), read, dict(cases), dict(workflows or {}), {}, Places(), {})


def problem(
    net: Sequence[float],
    uses: Sequence[Sequence[float]] = (),
    limits: Sequence[float] = (),
    *,
    stays: Sequence[int] = (),
    barred: Sequence[int] = (),
    needs: Sequence[tuple[int, int]] = (),
    excludes: Sequence[tuple[int, int]] = (),
) -> Problem:
    """Return a choice as numbers."""
    size = len(net)
    places = np.arange(size)
    return Problem(
        names=tuple(f"u{at}" for at in range(size)),
        net=np.array(net, dtype=float),
        uses=np.array(uses, dtype=float).reshape(len(limits), size),
        limits=np.array(limits, dtype=float),
        rows=tuple(f"limit-{row}" for row in range(len(limits))),
        stays=np.isin(places, stays),
        barred=np.isin(places, barred),
        needs=tuple(needs),
        excludes=tuple(excludes),
    )


def best_by_hand(given: Problem) -> float | None:
    """Return the highest net value of all sets that fit, by trying each; None when none fits."""
    found = [
        float(given.net @ np.array(chosen, dtype=bool))
        for chosen in product([False, True], repeat=given.size)
        if given.fits(np.array(chosen, dtype=bool))
    ]
    return max(found, default=None)

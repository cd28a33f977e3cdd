"""How weeks hang together, and what would overturn a verdict, as they stand beside a comparison and are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trueup.cli.views.review import chain_text, review_text
from trueup.decide.comparison import Sample
from trueup.decide.samples import sample_from
from trueup.decide.sensitivity import hanging_together
from trueup.evidence.moments import Moments


def cases(shock: float) -> Sample:
    rng = np.random.default_rng(3)
    weeks = np.repeat([f"2024-01-{day:02d}" for day in range(1, 29)], 40)
    steps = rng.normal(0, 1, 28)
    level = np.repeat(steps + np.concatenate([[0.0], steps[:-1]]), 40)
    return sample_from(rng.normal(0, 1, len(weeks)) + shock * level, weeks, None)


def test_shocks_of_weeks_show_in_both_figures() -> None:
    quiet, shaken = hanging_together(cases(0.0)), hanging_together(cases(0.5))
    assert quiet["icc"] == pytest.approx(0, abs=0.03)
    assert quiet["phi"] == pytest.approx(0, abs=0.3)
    assert shaken["icc"] is not None
    assert 0.15 < shaken["icc"] < 0.5
    assert shaken["phi"] is not None
    assert shaken["phi"] > 0.3


def test_a_frozen_baseline_knows_only_its_weeks() -> None:
    frozen = Sample(Moments(100, 3.0, 1.0), 0, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    found = hanging_together(frozen)
    assert found["icc"] is None
    assert found["phi"] is not None
    assert found["phi"] > 0.5
    assert hanging_together(Sample(Moments(0, 0.0, 0.0), 0, np.array([]))) == {"icc": None, "phi": None}


def chain(sensitivity: dict[str, Any] | None) -> str:
    side = {"n": 40, "mean": 3.0, "variance": 1.0, "events": None, "blocks": [1.0, 2.0], "icc": 0.0412, "phi": None}
    change = {
        "kind": "finding",
        "severity": "note",
        "code": "X",
        "summary": "s",
        "detail": "d",
        "fix": "f",
        "unit": "share",
        "sensitivity": sensitivity,
    }
    inputs = {"basis": "cases", "treated": side, "control": side | {"phi": 0.36}}
    return chain_text(
        {
            "change": change,
            "formula": {"name": "n", "expression": "e", "inputs": inputs},
            "readings": [],
            "events": {"sample": []},
            "declared": {"file": "f", "line": 1, "col": 1, "text": "t"},
            "data": {},
        }
    )


def test_the_chain_prints_how_weeks_hang_together_and_what_would_overturn_it() -> None:
    text = " ".join(
        chain({"weeks": 7, "turning_weeks": ["2024-01-08"], "units": 3, "turning_units": [], "bias": 0.0213}).split()
    )
    assert "treated ICC 0.041, AR(1) unknown; control ICC 0.041, AR(1) +0.36" in text
    assert "each of 7 weeks left out in turn: without 2024-01-08 it is another side of the bar" in text
    assert "each of 3 units left out in turn: the side of the bar stays" in text
    assert "a bias of 2.1 pp in the treated would bring it back to the bar" in text
    assert "overturn" not in chain(None)


def letter(weeks: int) -> str:
    gate: dict[str, Any] = {
        "kind": "gate",
        "outcome": "hold",
        "subject": "claims",
        "gate": "week-8",
        "code": "undecided",
        "design": "randomised",
        "evidence_level": "A",
        "kpi": "time",
        "unit": "days",
        "estimate": None,
        "guardrails": [],
        "because": "open",
        "forecast_weeks": weeks,
        "waivable": [],
        "notes": [],
    }
    data = {"id": "2024-01-01-a", "as_of": "2024-01-01T00:00:00Z", "pilots": 1, "changes": [gate]}
    return review_text(data, next_steps=False)


def test_a_forecast_beyond_two_years_counts_no_weeks() -> None:
    assert "open; about 1 more week at this volume" in letter(1)
    assert "open; about 104 more weeks at this volume" in letter(104)
    assert "open; more than two more years at this volume" in letter(478)

"""Quantiles of weekly counts taken together: only of durations, by arm, and unknown in the open bucket."""

from __future__ import annotations

from typing import Any

from tests.observe.small_logs import programme_of
from trueup.loop.facts.quantiles import quantiles

KPIS = {"cycle": {"duration": {"from": "A", "to": "B"}}, "loops": {"count": {"of": "A"}}}


def row(kpi: str, arm: str, counts: list[int]) -> dict[str, Any]:
    return {"workflow": "w", "kpi": kpi, "arm": arm, "unit": "days", "edges": [0.0, 1.0, 2.0], "counts": counts}


def test_weeks_add_up_and_arms_do_not() -> None:
    rows = [row("cycle", "treated", [4, 0, 0]), row("cycle", "control", [0, 9, 0]), row("cycle", "treated", [0, 4, 0])]
    found = quantiles(programme_of(KPIS), [*rows, row("loops", "treated", [5, 5, 5])])
    assert [(one["arm"], one["quantile"], one["n"], one["value"]) for one in found] == [
        ("control", 0.5, 9, 1.5),
        ("control", 0.9, 9, 1.9),
        ("treated", 0.5, 8, 1.0),
        ("treated", 0.9, 8, 1.8),
    ]


def test_a_quantile_among_capped_cases_is_unknown_and_not_their_cap() -> None:
    median, ninth = quantiles(programme_of(KPIS), [row("cycle", "all", [600, 0, 400])])
    assert (median["value"], median["lower"]) == (500 / 600, 0.0)
    assert (ninth["value"], ninth["lower"], ninth["upper"]) == (None, 2.0, None)

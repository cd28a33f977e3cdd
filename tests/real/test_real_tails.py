"""Tails of logs that nobody treated, between arms drawn by chance: three gates claim a change at most as promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from studies.launches import GATES, LAST, mondays
from studies.logs import WEEK, Logs, Series
from trueup.decide.comparison import Basis, Comparison
from trueup.decide.samples import sample_from
from trueup.loop.pilots.comparisons import cap_of

ALPHA = 0.05
TIMES = {
    "declarations": "cycle",
    "requests": "cycle",
    "helpdesk": "resolution",
    "receipts": "cycle",
    "incidents": "cycle",
}


@pytest.fixture(scope="module")
def logs(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(shared_data, tmp_path_factory.mktemp("tails"))


def false_claims(series: Series, quantile: float, draws: int, every: int) -> tuple[int, int]:
    """Return in how many pretended pilots a gate claimed that the quantile moved, and how many could speak."""
    week, cases = int(WEEK.total_seconds()), series.cases
    claimed = spoke = 0
    for at in mondays(series)[::every]:
        begins = int(at.timestamp())
        inside = (cases.started >= begins) & (cases.started < begins + LAST * week)
        values, matured = cases.value[inside], cases.started[inside] + int(series.matures.total_seconds()) - begins
        for row in np.random.default_rng([7, begins]).random((draws, len(values))):
            looks = [
                _look(series, quantile, values[matured <= gate * week], row[matured <= gate * week]) for gate in GATES
            ]
            found = [one.at_gate(ALPHA / len(GATES)) for one in looks if one.too_few() is None]
            spoke += bool(found)
            claimed += any(one.lower > 0 or one.upper < 0 for one in found)
    return claimed, spoke


def _look(series: Series, quantile: float, values: np.ndarray, drawn: np.ndarray) -> Comparison:
    weeks = np.full(len(values), "w")
    arms = [sample_from(values[side], weeks[side], None, quantile=quantile) for side in (drawn >= 0.2, drawn < 0.2)]
    cap = cap_of(series.kpi, int(series.matures.total_seconds()))
    return Comparison(
        series.name,
        "d",
        share=False,
        basis=Basis.CASES,
        frozen=False,
        treated=arms[0],
        control=arms[1],
        cap=cap,
        quantile=quantile,
    )


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_tails_of_randomised_parts_keep_the_promise(quantile: float, logs: Logs) -> None:
    totals = np.zeros(2, dtype=int)
    for log, kpi in TIMES.items():
        found = false_claims(logs.series(log, kpi), quantile, draws=4, every=4)
        print(f"{log}: {found[0]} of {found[1]}")
        totals += found
    assert totals[1] > 100
    assert stats.binom.sf(totals[0] - 1, totals[1], ALPHA) > 1e-3

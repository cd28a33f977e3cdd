"""Randomised halves of logs that nobody treated: whatever is claimed of them is a false claim.

Every case is put into an arm by chance, a launch is pretended in some week, and the gates of weeks 4, 8 and 12 and
twelve weekly looks at the watched sequence are asked, as `studies/drawn.py` does for docs/evidence/randomised.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from studies.drawn import ALPHA, claims_of
from studies.launches import mondays
from studies.logs import LOGS, Logs

HOLDOUTS = (0.2, 0.5)
# One duration and one share of every log; all its KPIs are in the study.
KPIS = {
    "declarations": ("cycle", "unrejected"),
    "requests": ("cycle", "unrejected"),
    "helpdesk": ("resolution", "waited"),
    "receipts": ("cycle", "confirmed"),
    "incidents": ("cycle", "waited"),
}


@pytest.fixture(scope="module")
def logs(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(shared_data, tmp_path_factory.mktemp("halves"))


def false_claims(logs: Logs, name: str, draws: int) -> tuple[int, int, int]:
    """Return in how many pilots a gate claimed something, in how many the weekly watch did, and how many there were."""
    gates = watched = count = 0
    for kpi in KPIS[name]:
        series = logs.series(name, kpi)
        for at in mondays(series)[::3]:
            pilots = [one for drawn in claims_of(series, at, HOLDOUTS, draws, seed=1) for one in drawn]
            gates += sum(one.gate_better or one.gate_worse for one in pilots)
            watched += sum(one.watch_better or one.watch_worse for one in pilots)
            count += len(pilots)
    return gates, watched, count


def within_promise(found: int, count: int) -> bool:
    """Five in a hundred, unless the excess is beyond chance (one-sided, 1 in 1,000)."""
    return bool(stats.binom.sf(found - 1, count, ALPHA) > 1e-3)


@pytest.mark.parametrize("name", sorted(LOGS))
def test_a_sample_of_randomised_halves_keeps_the_promise(name: str, logs: Logs) -> None:
    gates, watched, count = false_claims(logs, name, draws=2)
    print(f"{name}: gates {gates}/{count}, watched {watched}/{count}")
    assert count >= 30
    assert within_promise(gates, count)
    assert within_promise(watched, count)


@pytest.mark.long
def test_randomised_halves_of_all_logs_keep_the_promise(logs: Logs) -> None:
    totals = np.zeros(3, dtype=int)
    for name in sorted(LOGS):
        found = false_claims(logs, name, draws=20)
        print(f"{name}: gates {found[0] / found[2]:.3f}, watched {found[1] / found[2]:.3f}, n {found[2]}")
        totals += found
    assert totals[0] / totals[2] <= ALPHA
    assert totals[1] / totals[2] <= ALPHA

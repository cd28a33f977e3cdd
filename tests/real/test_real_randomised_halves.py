"""Randomised halves of logs that nobody treated: whatever is claimed of them is a false claim.

Every case is put into an arm by chance, a launch is pretended in some week, and the gates of weeks 4, 8 and 12 and
twelve weekly looks at the watched sequence are asked, as the loop asks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from trueup.decide.comparison import Basis, Comparison
from trueup.decide.samples import sample_of
from trueup.evidence.moments import Interval
from trueup.kernel.progress import silent
from trueup.observe.tables import CaseVector
from trueup.workspace import DeclaredData, checked_programme

WEEK = 7 * 86_400
GATES = (4, 8, 12)
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Log:
    file: str
    case: str
    activity: str
    at: str
    kpis: str
    extra: str = ""
    matures: int = 21


LOGS = {
    "declarations": Log(
        "bpic2020/DomesticDeclarations.xes.gz",
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "{slow: {duration: {from: first Declaration SUBMITTED*, to: last Payment Handled}, unit: days, better: lower},"
        " good: {share: {without: ['Declaration REJECTED*']}, better: higher}}",
    ),
    "requests": Log(
        "bpic2020/RequestForPayment.xes.gz",
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "{slow: {duration: {from: first Request For Payment SUBMITTED*, to: last Payment Handled}, unit: days,"
        " better: lower}, good: {share: {without: ['Request For Payment REJECTED*']}, better: higher}}",
    ),
    "helpdesk": Log(
        "helpdesk/helpdesk.xes.gz",
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "{slow: {duration: {from: 'first *', to: last Closed}, unit: days, better: lower},"
        " good: {share: {with: ['Require upgrade', 'Wait']}, better: lower}}",
        extra=", duplicates: drop",
        matures=30,
    ),
    "receipts": Log(
        "receipt/receipt.csv",
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "{slow: {duration: {from: first Confirmation of receipt, to: last T10 *}, unit: days, better: lower},"
        " good: {share: {with: ['T05 *']}, better: higher}}",
    ),
    "incidents": Log(
        "servicenow/incident_event_log.zip",
        "number",
        "ident_state",
        "sys_updated_at",
        "{slow: {duration: {from: 'first *', to: last Closed}, unit: days, better: lower},"
        " good: {share: {with: ['Awaiting *']}, better: lower}}",
        extra=", dates: day-first, duplicates: drop",
        matures=14,
    ),
}


def vectors(name: str, shared_data: Path, tmp_path: Path) -> list[tuple[CaseVector, float | None]]:
    log = LOGS[name]
    (tmp_path / "workflows").mkdir(parents=True)
    source = shared_data / "logs" / log.file
    (tmp_path / "programme.yaml").write_text(
        f"programme: {name}\ndata:\n  log: {{source: '{source}', zone: UTC{log.extra}}}\n", "utf-8"
    )
    (tmp_path / "workflows" / "log.yaml").write_text(
        f"workflow: {name}\nevents: {{data: log, case: '{log.case}', activity: '{log.activity}', at: '{log.at}', "
        f"matures_after: {log.matures}d}}\nkpis: {log.kpis}\n",
        "utf-8",
    )

    class Fixed:
        def now(self) -> datetime:
            return datetime(2024, 1, 1, tzinfo=UTC)

    data = DeclaredData(checked_programme(tmp_path, Fixed()).programme, silent)
    far = datetime(2100, 1, 1, tzinfo=UTC)
    since = datetime(1990, 1, 1, tzinfo=UTC)
    last = max(row.week for row in data.observer().weekly("log", far, kpis=["slow"]) if row.n)
    end = datetime.combine(last, datetime.min.time(), tzinfo=UTC)
    found = [
        (data.observer().cases("log", kpi, since=since, until=end, mature_by=end), cap)
        for kpi, cap in (("slow", float(log.matures)), ("good", None))
    ]
    data.close()
    return found


def launches(vector: CaseVector) -> list[int]:
    """Mondays on which a pilot of twelve weeks can begin and still have cases."""
    first, last = int(vector.started.min()), int(vector.started.max())
    monday = first - (first + 3 * 86_400) % WEEK + WEEK
    return list(range(monday, last - 12 * WEEK, 3 * WEEK))


def compared(vector: CaseVector, treated: np.ndarray, cap: float | None) -> Comparison:
    share = cap is None
    return Comparison(
        "kpi",
        "share" if share else "days",
        share,
        Basis.CASES,
        frozen=False,
        treated=sample_of(vector.where(treated)),
        control=sample_of(vector.where(~treated)),
        cap=cap,
    )


def claims(interval: Interval) -> bool:
    return interval.lower > 0 or interval.upper < 0


def false_claims(vector: CaseVector, cap: float | None, seeds: int, holdout: float) -> tuple[int, int, int]:
    """Return how many fake launches claimed something at a gate, in the weekly watch, and how many there were."""
    at_gates = watched = count = 0
    delay = int(vector.matured[0] - vector.started[0])
    for seed in range(seeds):
        treated = np.random.default_rng(seed).random(len(vector)) >= holdout
        for launch in launches(vector):
            count += 1
            looks = []
            for week in range(1, 13):
                due = launch + week * WEEK
                seen = (vector.started >= launch) & (vector.started + delay <= due)
                looks.append(compared(vector.where(seen), treated[seen], cap))
            at_gates += any(
                looks[week - 1].too_few() is None and claims(looks[week - 1].at_gate(ALPHA / len(GATES)))
                for week in GATES
            )
            watched += any(claims(look.watched(ALPHA)) for look in looks)
    return at_gates, watched, count


def run(name: str, shared_data: Path, tmp_path: Path, seeds: int) -> tuple[int, int, int]:
    totals = np.zeros(3, dtype=int)
    for vector, cap in vectors(name, shared_data, tmp_path):
        for holdout in (0.2, 0.5):
            totals += false_claims(vector, cap, seeds, holdout)
    gates, watched, count = (int(total) for total in totals)
    return gates, watched, count


def within_promise(found: int, count: int) -> bool:
    """Five in a hundred, unless the excess is beyond chance (one-sided, 1 in 1,000)."""
    return bool(stats.binom.sf(found - 1, count, ALPHA) > 1e-3)


@pytest.mark.parametrize("name", sorted(LOGS))
def test_a_sample_of_randomised_halves_keeps_the_promise(name: str, shared_data: Path, tmp_path: Path) -> None:
    gates, watched, count = run(name, shared_data, tmp_path, seeds=2)
    print(f"{name}: gates {gates}/{count}, watched {watched}/{count}")
    assert count >= 30
    assert within_promise(gates, count)
    assert within_promise(watched, count)


@pytest.mark.long
def test_randomised_halves_of_all_logs_keep_the_promise(shared_data: Path, tmp_path: Path) -> None:
    totals = np.zeros(3, dtype=int)
    for name in sorted(LOGS):
        found = run(name, shared_data, tmp_path / name, seeds=20)
        print(f"{name}: gates {found[0] / found[2]:.3f}, watched {found[1] / found[2]:.3f}, n {found[2]}")
        totals += found
    assert totals[0] / totals[2] <= ALPHA
    assert totals[1] / totals[2] <= ALPHA


def test_the_weeks_of_launch_are_mondays(shared_data: Path, tmp_path: Path) -> None:
    vector, _ = vectors("receipts", shared_data, tmp_path)[0]
    days = {datetime.fromtimestamp(launch, UTC).weekday() for launch in launches(vector)}
    assert days == {0}

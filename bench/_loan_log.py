"""A seeded log of loan applications: about 38 events a case over two years, 20 columns, in order of time. Invented."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

ACTIVITIES = (
    "A_Create Application",
    "A_Submitted",
    "A_Concept",
    "A_Accepted",
    "A_Complete",
    "A_Validating",
    "A_Incomplete",
    "A_Pending",
    "A_Denied",
    "A_Cancelled",
    "O_Create Offer",
    "O_Created",
    "O_Sent",
    "O_Returned",
    "O_Accepted",
    "O_Refused",
    "O_Cancelled",
    "W_Handle leads",
    "W_Complete application",
    "W_Call after offers",
    "W_Validate application",
    "W_Call incomplete files",
    "W_Assess fraud",
    "W_Collect",
)
GOALS = ("Car", "Home improvement", "Existing loan takeover", "Other", "Unknown", "Caravan", "Boat", "Remaining debt")
EVENTS_A_CASE = 38
WEEKS = 104
_FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
_SLICE = 1_000_000


def write_loan_log(path: Path, events: int, seed: int = 20260105) -> None:
    """Write about `events` events; the same bytes for the same numbers."""
    random = np.random.default_rng(seed)
    cases = max(1, events // EVENTS_A_CASE)
    lengths = 1 + random.poisson(EVENTS_A_CASE - 1, cases)
    case = np.repeat(np.arange(cases), lengths)
    at, activity = _events(random, case, lengths)
    order = np.argsort(at, kind="stable")
    case, at, activity = case[order], at[order], activity[order]
    per_case = _attributes(random, cases)
    with pq.ParquetWriter(path, _slice(case[:1], at[:1], activity[:1], per_case, 0, random).schema) as writer:
        for start in range(0, len(case), _SLICE):
            part = slice(start, start + _SLICE)
            rows = _slice(case[part], at[part], activity[part], per_case, start, random)
            writer.write_table(rows, row_group_size=122_880)


def _events(
    random: np.random.Generator, case: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times in microseconds (half a day between events of a case, on average) and activities by number."""
    first = np.zeros(len(case), dtype=bool)
    first[np.concatenate([[0], np.cumsum(lengths)[:-1]])] = True
    clock = np.cumsum(random.exponential(43_200.0, len(case)))
    since_start = clock - np.maximum.accumulate(np.where(first, clock, 0.0))
    started = _FIRST + random.integers(0, WEEKS * 604_800, len(lengths))
    at = ((started[case] + since_start) * 1e6).astype(np.int64)
    weights = random.dirichlet(np.full(len(ACTIVITIES), 2.0))
    activity = random.choice(len(ACTIVITIES), len(case), p=weights)
    activity[first] = 0
    return at, activity


def _attributes(random: np.random.Generator, cases: int) -> dict[str, pa.Array]:
    """What stays the same within a case."""
    return {
        "case": pa.array([f"Application_{1_652_823_628 + 7 * number}" for number in range(cases)]),
        "goal": pa.array(GOALS).take(pa.array(random.integers(0, len(GOALS), cases))),
        "type": pa.array(["New credit", "Limit raise"]).take(pa.array(random.integers(0, 2, cases))),
        "requested": pa.array(np.round(random.lognormal(9.4, 0.8, cases), -2).astype(int).astype(str).tolist()),
        "branch": pa.array([f"Branch {number:03d}" for number in random.integers(0, 60, cases)]),
        "channel": pa.array(["web", "shop", "phone"]).take(pa.array(random.integers(0, 3, cases))),
    }


def _slice(
    case: NDArray[np.int64],
    at: NDArray[np.int64],
    activity: NDArray[np.int64],
    per_case: dict[str, pa.Array],
    start: int,
    random: np.random.Generator,
) -> pa.Table:
    count = len(case)
    users = pa.array([f"User_{number}" for number in range(1, 146)])
    of_case = {name: values.take(pa.array(case)) for name, values in per_case.items()}
    columns: dict[str, pa.Array] = {
        "case": of_case["case"],
        "activity": pa.array(ACTIVITIES).take(pa.array(activity)),
        "at": pa.array(at, pa.timestamp("us")),
        "resource": users.take(pa.array(random.integers(0, 145, count))),
        "lifecycle": pa.array(["complete", "start", "schedule", "suspend", "resume"]).take(
            pa.array(random.integers(0, 5, count))
        ),
        "origin": pa.array(["Application", "Offer", "Workflow"]).take(pa.array(random.integers(0, 3, count))),
        "event_id": pa.array(random.integers(0, 2**62, count)),
        "offer_id": pa.array(random.integers(0, 2**40, count)),
        "first_withdrawal": pa.array(random.integers(0, 30_000, count)),
        "credit_score": pa.array(random.integers(0, 1_200, count)),
        "monthly_cost": pa.array(random.gamma(2.0, 150.0, count)),
        "terms": pa.array(random.integers(6, 180, count)),
        "selected": pa.array(random.integers(0, 2, count) == 1),
        "accepted": pa.array(random.integers(0, 2, count) == 1),
        **{name: values for name, values in of_case.items() if name != "case"},
        "_row": pa.array(np.arange(start, start + count)),
    }
    return pa.table(columns)


if __name__ == "__main__":
    write_loan_log(Path(sys.argv[1]), int(sys.argv[2]))

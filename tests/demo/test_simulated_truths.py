"""The simulated logs hold the truths that they claim, whatever the seed: the demo's verdicts are no accident."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from trueup.demo.calendar import LOG_BEGINS, LOG_ENDS, REMINDERS_BEGIN, STARTS, registered_before
from trueup.demo.simulation import SEED, TRUTHS, WITHOUT_BUDGET, Cases, arrivals, draw_cases, simulated_logs
from trueup.evidence import gates
from trueup.evidence.moments import Interval, Moments
from trueup.kernel.clock import start_of_day

ALPHA = 0.05 / 3
DAY = 86_400
SEEDS = range(100, 120)


@pytest.fixture(scope="module")
def logs() -> dict[str, list[dict[str, str]]]:
    return {
        path: list(csv.DictReader(io.StringIO(gzip.decompress(content).decode())))
        for path, content in simulated_logs().items()
    }


def at_week_8(workflow: str, seed: int, matures_after: int) -> tuple[Cases, NDArray[np.bool_], NDArray[np.float64]]:
    """Draw the cases of a workflow; return them, which are mature pilot cases at week 8, and their capped days."""
    cases = draw_cases(np.random.default_rng(seed), workflow)
    due = start_of_day(STARTS[workflow]) + timedelta(weeks=8)
    mature = cases.piloted & (cases.start + matures_after * DAY <= due.timestamp())
    return cases, mature, np.minimum((cases.end - cases.start) / DAY, matures_after)


def means(days: NDArray[np.float64], treated: NDArray[np.bool_], control: NDArray[np.bool_], ratio: float) -> Interval:
    return gates.mean_contrast(Moments.of(days[treated]), Moments.of(days[control]), ALPHA, ratio)


def shares(good: NDArray[np.bool_], treated: NDArray[np.bool_], control: NDArray[np.bool_]) -> Interval:
    counts = (int((good & treated).sum()), int(treated.sum()), int((good & control).sum()), int(control.sum()))
    return gates.share_contrast(*counts, ALPHA)


def test_a_real_effect_is_found_and_its_guardrail_held_under_most_seeds() -> None:
    found = held = 0
    for seed in SEEDS:
        cases, mature, days = at_week_8("expense-approval", seed, 14)
        treated, control = mature & cases.treated, mature & ~cases.treated
        found += means(days, treated, control, 0.8).upper < 0
        held += shares(~cases.trouble, treated, control).lower > -0.04
    assert found == len(SEEDS)
    assert held >= 0.6 * len(SEEDS)


def test_a_flat_pilot_is_seen_to_be_short_of_what_is_worth_having_and_never_to_clear_it() -> None:
    intervals = []
    for seed in SEEDS:
        cases, mature, _ = at_week_8("invoice-match", seed, 14)
        intervals.append(shares(~cases.trouble, mature & cases.treated, mature & ~cases.treated))
    assert sum(interval.upper < 0.03 for interval in intervals) >= 0.7 * len(SEEDS)
    assert not any(interval.lower > 0.03 for interval in intervals)


def test_a_drift_without_a_control_looks_like_a_success_although_nobody_did_anything() -> None:
    assert TRUTHS["claims-letters"].effect == 1.0
    clears = 0
    for seed in SEEDS:
        cases, mature, days = at_week_8("claims-letters", seed, 14)
        week = (cases.start - int(LOG_BEGINS.timestamp())) // (7 * DAY)
        before = (cases.start >= start_of_day(date(2025, 10, 20)).timestamp()) & (
            cases.start < start_of_day(date(2026, 1, 12)).timestamp()
        )
        blocks = [
            np.array([days[chosen & (week == one)].mean() for one in np.unique(week[chosen])])
            for chosen in (mature, before)
        ]
        clears += gates.block_contrast(blocks[0], blocks[1], ALPHA, 0.9).upper < 0
    assert clears >= 0.9 * len(SEEDS)


def test_every_event_lies_within_the_log_and_in_order_of_time(logs: dict[str, list[dict[str, str]]]) -> None:
    for rows in logs.values():
        instants = [datetime.fromisoformat(row["at"]) for row in rows]
        assert instants == sorted(instants)
        assert instants[0] >= REMINDERS_BEGIN
        assert instants[-1] < LOG_ENDS


def test_only_pilot_cases_have_a_route_and_each_has_one(logs: dict[str, list[dict[str, str]]]) -> None:
    rows = logs["data/invoices.csv.gz"]
    routes: dict[str, set[str]] = {}
    starts: dict[str, str] = {}
    for row in rows:
        routes.setdefault(row["invoice"], set()).add(row["route"])
        starts.setdefault(row["invoice"], row["at"])
    piloted = {case for case, at in starts.items() if at >= "2026-01-27"}
    assert {case for case, found in routes.items() if found != {""}} == piloted
    assert all(len(found) == 1 for found in routes.values())
    assistant = sum(routes[case] == {"assistant"} for case in piloted) / len(piloted)
    assert assistant == pytest.approx(TRUTHS["invoice-match"].treated, abs=0.03)


def test_the_router_decides_who_is_treated_and_nothing_else_changes(logs: dict[str, list[dict[str, str]]]) -> None:
    chosen = {case: "treated" for case, at in arrivals(SEED, "expense-approval")[-300:]}
    routed = simulated_logs(SEED, {"expense-approval": chosen})
    assert list(routed) == ["data/expenses.csv.gz"]
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(routed["data/expenses.csv.gz"]).decode())))
    drafted = {row["expense"] for row in rows if row["event"] == "Drafted by assistant"}
    assert drafted
    assert drafted <= set(chosen)
    before = [row for row in logs["data/expenses.csv.gz"] if row["expense"] not in chosen]
    assert [row for row in rows if row["expense"] not in chosen] == before


def test_about_one_expense_in_five_lacks_its_budget_number(logs: dict[str, list[dict[str, str]]]) -> None:
    filled = {row["expense"]: bool(row["budget_number"]) for row in logs["data/expenses.csv.gz"]}
    assert sum(filled.values()) / len(filled) == pytest.approx(1 - WITHOUT_BUDGET, abs=0.02)


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    assert simulated_logs(7) == simulated_logs(7)
    assert simulated_logs(7) != simulated_logs(8)


def test_every_baseline_is_locked_before_its_pilot_starts() -> None:
    for workflow, starts in STARTS.items():
        assert registered_before(workflow) < start_of_day(starts)
        assert registered_before(workflow).tzinfo is UTC
        assert start_of_day(starts) - registered_before(workflow) <= timedelta(days=7)

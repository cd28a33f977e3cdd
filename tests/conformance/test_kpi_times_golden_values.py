"""Waiting, service, business time and shares in time, worked out by hand; every engine must give exactly these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.observe.small_logs import OpenEngine, at, event, observer_of, programme_of

CALENDAR = {"country": "GB", "region": "ENG", "days": "mon-fri", "hours": "09:00-17:30"}
KPIS: dict[str, Any] = {
    "waited": {"waiting": {"before": "Check"}, "unit": "hours"},
    "checked": {"service": {"of": "Check"}, "unit": "hours"},
    "waited_open": {"waiting": {"before": "Check", "calendar": CALENDAR}, "unit": "hours"},
    "checked_open": {"service": {"of": "Check", "calendar": CALENDAR}, "unit": "hours"},
    "rechecked": {"service": {"of": "Check", "beyond": 1}, "unit": "hours"},
    "answer_hours": {"duration": {"from": "Ask", "to": "last Answer", "calendar": CALENDAR}, "unit": "hours"},
    "in_time": {"share": {"within": "2d", "from": "Ask", "to": "Answer"}},
    "in_working_time": {"share": {"within": "1d", "from": "Ask", "to": "Answer", "calendar": CALENDAR}},
}
# Monday 2024-01-01 is a holiday.
LOG = [
    event("a", at(0, 12), "Ask", state="complete"),
    event("a", at(1, 9), "Check", state="start"),
    event("a", at(1, 11), "Check", state="complete"),
    event("a", at(1, 11), "Check", state="start"),
    event("a", at(1, 12), "Check", state="complete"),
    event("a", at(1, 17), "Answer", state="complete"),
    event("b", at(4, 16), "Ask", state="complete"),
    event("b", at(7, 16, 0.5), "Answer", state="complete"),
    event("c", at(5), "Ask", state="complete"),
    event("d", at(0), "Check", state="start"),
    event("d", at(9), "Ask", state="complete"),
    event("d", at(9, 1), "Answer", state="complete"),
    # From Friday at 16:00 to Monday at 10:00, and from then until an hour after work is over.
    event("e", at(4, 16), "Ask", state="complete"),
    event("e", at(7, 10), "Check", state="start"),
    event("e", at(7, 18, 1800), "Check", state="complete"),
]
EXPECTED = {
    "waited": {"a": 21.0, "d": 0.0, "e": 66.0},
    "checked": {"a": 3.0, "e": 8.5},
    "waited_open": {"a": 0.0, "d": 0.0, "e": 2.5},
    "checked_open": {"a": 3.0, "e": 7.5},
    "rechecked": {"a": 1.0, "b": 0.0, "c": 0.0, "e": 0.0},
    "answer_hours": {"a": 8.0, "b": 8.5, "c": 6 * 8.5, "d": 0.0, "e": 1.5 + 5 * 8.5 + 7},
    "in_time": {"a": 1.0, "b": 0.0, "c": 0.0, "e": 0.0},
    "in_working_time": {"a": 1.0, "b": 1.0, "c": 0.0, "d": 1.0, "e": 0.0},
}


def test_times_come_out_the_same_on_every_engine(tmp_path: Path, open_engine: OpenEngine) -> None:
    programme = programme_of(KPIS, lifecycle={"column": "state"})
    observer = observer_of(tmp_path, LOG, programme, open_engine=open_engine)
    flow = {(one.before, one.after): (one.n, one.seconds, one.place) for one in observer.flow("w", at(200))}
    # Starts are no steps of their own; d began with one.
    assert flow == {
        (None, "Ask"): (5, 0, 0),
        ("Ask", "Check"): (2, 23 * 3600 + 74 * 3600 + 1800, 2),
        ("Check", "Check"): (1, 3600, 2),
        ("Check", "Answer"): (1, 5 * 3600, 3),
        ("Ask", "Answer"): (2, 73 * 3600, 2),
    }
    found = {kpi: observer.cases("w", kpi, since=at(0), until=at(100), mature_by=at(200)) for kpi in KPIS}
    assert {
        kpi: dict(zip(one.case.tolist(), one.value.tolist(), strict=True)) for kpi, one in found.items()
    } == EXPECTED

"""Cases on their way into a pilot: the router draws their arms before they start, and then they happen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.demo.calendar import STARTS, WEEKS, review_instant, week_begins
from trueup.demo.simulation import arrivals, simulated_logs
from trueup.enforce.router import Arrival, Router, drawn_arms
from trueup.kernel.clock import start_of_day
from trueup.kernel.files import write_durably

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.loop.workbench import Workbench


def is_routed(bench: Workbench, workflow: str) -> bool:
    """Tell whether the arms of a workflow's cases are drawn here."""
    pilot = bench.programme.workflows[workflow].pilot
    return pilot is not None and pilot.design.by == "ledger"


def route(bench: Workbench, workflow: str, seed: int) -> None:
    """Hand the cases of every week of a pilot to the router before they start, and let them happen as it says.

    The simulation knows who will come, so all weeks are handed over at once; each is on record as of its beginning.
    """
    router = Router(bench.programme, workflow, bench.ledger)
    arms: dict[str, str] = {}
    for begins, ends in _weeks(workflow):
        coming = [Arrival(case) for case, at in arrivals(seed, workflow) if begins <= at < ends]
        arms.update((drawn.case, drawn.arm) for drawn in router.assign_all(coming, begins))
    for path, content in simulated_logs(seed, {workflow: arms}).items():
        write_durably(bench.root / path, content)


def arrived(bench: Workbench, workflow: str, week: int, seed: int) -> list[tuple[str, datetime, str]]:
    """Return the cases of a week that are in the pilot: case, start and arm, as the ledger has it."""
    begins, ends = week_begins(workflow, week), review_instant(week)
    drawn, _ = drawn_arms(bench.programme, bench.ledger.entries)
    arms = drawn[workflow]
    return [(case, at, arms[case]) for case, at in arrivals(seed, workflow) if begins <= at < ends and case in arms]


def _weeks(workflow: str) -> list[tuple[datetime, datetime]]:
    started = start_of_day(STARTS[workflow])
    weeks = [week for week in range(1, WEEKS + 1) if review_instant(week) > started]
    return [(week_begins(workflow, week), review_instant(week - 1) + timedelta(weeks=1)) for week in weeks]

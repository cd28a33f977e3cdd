"""Fifteen weeks in half a minute: register, review, apply, week by week, as people would.

Nothing here knows what a review will say: the files and the logs are written, and the loop is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.connectors.git import GitRepository
from trueup.demo import northwind
from trueup.demo.calendar import (
    ADOPTED,
    CHECKED_AFTER_WEEK,
    GOVERNED_FROM_WEEK,
    PROPOSED_AFTER_WEEK,
    STARTS,
    WEEKS,
    registered_before,
    review_instant,
)
from trueup.demo.proposals import pass_through
from trueup.demo.routing import arrived, is_routed, route
from trueup.demo.simulation import SEED
from trueup.loop.apply import Ask as ApplyAsk
from trueup.loop.apply import apply
from trueup.loop.baseline import Ask as BaselineAsk
from trueup.loop.baseline import register
from trueup.loop.facts.kinds import Said
from trueup.loop.facts.recording import Ask as RecordAsk
from trueup.loop.facts.recording import record
from trueup.loop.permission import business_owner
from trueup.loop.review import compute, save
from trueup.workspace import opened, signer_for, verify_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.kernel.progress import Progress

SIGNER = "coo"
# The first pilot of all: it ends first, and what it has proven is copied.
EXPANDING = "payment-reminders"


@dataclass(frozen=True, slots=True)
class Played:
    """The last review as it stood before it was applied, what applying it did, and what stands afterwards.

    `weeks` tells, for each of the weekly reviews, what was applied of it; `after` holds what a fresh review lists
    once the last one is applied.
    """

    review: dict[str, Any]
    applied: dict[str, Any]
    after: list[dict[str, Any]]
    ledger: dict[str, Any]
    weeks: tuple[dict[str, Any], ...]


def play(root: Path, progress: Progress, seed: int = SEED) -> Played:
    """Write the demo programme to a folder and take it through its weeks.

    Raises ConflictError when the folder holds something else, StorageError when it cannot be written.
    """
    northwind.make_room(root)
    progress("simulating the events", 0, WEEKS)
    northwind.write(root, seed)
    _register_due(root, progress, 0, seed)
    held = [_week(root, progress, week, seed) for week in range(1, WEEKS + 1)]
    after = _open_changes(root, progress)
    ledger = verify_ledger(root, progress).to_json()
    northwind.mark(root, GitRepository(root).head())
    weeks = tuple(
        {"week": week, "id": review["id"], "as_of": review["as_of"], "applied": applied["applied"]}
        for week, (review, applied) in enumerate(held, 1)
    )
    return Played(*held[-1], after, ledger, weeks)


def _week(root: Path, progress: Progress, week: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Live through one week: its cases, the review at its end, what is proposed then, the baselines of what comes."""
    if week >= GOVERNED_FROM_WEEK:
        with opened(root, _in_week(progress, week)) as bench:
            cases = arrived(bench, EXPANDING, week, seed)
        pass_through(root, _in_week(progress, week), cases, seed)
    held = _checkpoint(root, progress, week)
    if week == PROPOSED_AFTER_WEEK:
        northwind.propose(root)
    if week == CHECKED_AFTER_WEEK:
        _check_expansion(root, progress, week)
    _register_due(root, progress, week, seed)
    return held


def _checkpoint(root: Path, progress: Progress, week: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Review and apply, as of the end of a week."""
    instant = review_instant(week)
    with opened(root, _in_week(progress, week), write=True) as bench:
        review = save(bench, compute(bench, instant))
        ask = ApplyAsk(review=review["id"], by=SIGNER, as_of=instant, notes=_notes(week, review))
        return review, apply(bench, ask, signer_for(bench, SIGNER))


def _notes(week: int, review: dict[str, Any]) -> tuple[str, ...]:
    return (f"week {week} of {WEEKS} (simulated)",) if not review["changes"] else ()


def _register_due(root: Path, progress: Progress, week: int, seed: int) -> None:
    """Lock the baselines of the pilots that start before the next review, and let the router draw their arms."""
    instant = review_instant(week) if week else ADOPTED
    due = [workflow for workflow in STARTS if registered_before(workflow) == instant]
    if not due:
        return
    for workflow in due:
        with opened(root, _in_week(progress, week), write=True) as bench:
            owner = business_owner(bench.programme, workflow)
            register(bench, BaselineAsk(workflow, registered_before(workflow), owner))
        with opened(root, _in_week(progress, week), write=True) as bench:
            if is_routed(bench, workflow):
                route(bench, workflow, seed)


def _check_expansion(root: Path, progress: Progress, week: int) -> None:
    """Put on record what the scale gate of the first pilot asks for: the pre-expansion checklist."""
    with opened(root, _in_week(progress, week), write=True) as bench:
        owner = business_owner(bench.programme, EXPANDING) or SIGNER
        for item, seen in northwind.CHECKED.items():
            said = Said(workflow=EXPANDING, item=item, evidence=seen)
            record(bench, RecordAsk("checklist", said, owner, review_instant(week)), signer_for(bench, owner))


def _open_changes(root: Path, progress: Progress) -> list[dict[str, Any]]:
    """Return what a fresh review lists; it is not kept, so that the last thing written is an apply."""
    with opened(root, _in_week(progress, WEEKS)) as bench:
        return [change.to_json() for change in compute(bench, review_instant(WEEKS)).changes]


def _in_week(progress: Progress, week: int) -> Progress:
    def report(label: str, done: float = 0.0, total: float | None = None) -> None:  # noqa: ARG001 -- Progress's shape
        progress(f"living through week {week} of {WEEKS}", week, WEEKS)

    return report

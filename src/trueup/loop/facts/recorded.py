"""What was recorded by hand, read back from the ledger in the forms that the rest works with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from trueup.kernel.clock import start_of_day
from trueup.observe.actuals import ActualRecord
from trueup.observe.people import WorkflowPerson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trueup.ledger.entry import Recorded
    from trueup.observe.actuals import ActualKind

AMOUNTS = {"spend": "amount", "effort": "hours"}


def recorded_actuals(entries: Iterable[Recorded], kind: ActualKind) -> list[ActualRecord]:
    """Return the spend or the effort that was recorded, each about its entry's `time`."""
    return [
        ActualRecord(
            at=item.entry.time,
            use_case=str(item.entry.data["use_case"]),
            kind=str(item.entry.data["kind"]),
            amount=float(str(item.entry.data[AMOUNTS[kind]])),
        )
        for item in entries
        if item.entry.type == f"{kind}.recorded"
    ]


def recorded_training(entries: Iterable[Recorded]) -> list[WorkflowPerson]:
    """Return who was trained on which workflow, and since when. Whether they are eligible is the people file's word."""
    return [
        WorkflowPerson(
            person=str(item.entry.data["person"]),
            workflow=str(item.entry.data["workflow"]),
            trained_on=start_of_day(date.fromisoformat(str(item.entry.data["trained"]))),
        )
        for item in entries
        if item.entry.type == "training.recorded"
    ]

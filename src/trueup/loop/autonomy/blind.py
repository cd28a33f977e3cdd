"""What was drawn for a blind review: how it stands, who still has to look, and what the labels say of all the rest.

The list names the case and nothing of the answer. What is past its time is overdue: a review that nobody makes notices
no rise.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from trueup.enforce.autonomy.drawing import done_alone, ended, per_week
from trueup.enforce.autonomy.outcomes import REVIEWED
from trueup.enforce.autonomy.rung import Rungs
from trueup.evidence.risk.review import Weighted, weighed_all
from trueup.kernel.clock import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trueup.declare.model.workflow import Autonomy
    from trueup.enforce.autonomy.drawing import Done
    from trueup.enforce.autonomy.rung import Rung
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.loop.workbench import Workbench

# What a label may take where `detect.labels_after` does not say.
USUAL = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that somebody has to look at: which, what kind of action it was about, and until when."""

    id: str
    workflow: str
    case: str
    actions: tuple[str, ...]
    since: datetime
    due: datetime
    overdue: bool
    done: Done

    def to_json(self) -> dict[str, Any]:
        """Return the published form: nothing of what was answered, or by whom."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "case": self.case,
            "actions": list(self.actions),
            "since": format_instant(self.since),
            "due": format_instant(self.due),
            "overdue": self.overdue,
        }


@dataclass(frozen=True, slots=True)
class Blind:
    """How the blind review of a rung stands.

    `done` cases were done without a person, `drawn` of them for review, `reviewed` of these were looked at. `weighted`
    is the estimate over all of them, whose bound is its `at_most`. `delay` is what a label took at the median, in days;
    `per_week` counts the cases lately.
    """

    done: int
    drawn: int
    reviewed: int
    waiting: tuple[Waiting, ...]
    weighted: Weighted | None
    delay: float | None
    per_week: float | None

    @property
    def overdue(self) -> int:
        """How many reviews are past their time."""
        return sum(one.overdue for one in self.waiting)


def blind_reviews(bench: Workbench, workflow: str, as_of: datetime) -> Blind:
    """Return how the blind review of a workflow's present rung stands at an instant."""
    rung = Rungs(bench.ledger, workflow).now(as_of)
    return stands(bench.ledger, workflow, bench.programme.workflows[workflow].autonomy, rung, as_of)


def stands(ledger: Ledger, workflow: str, autonomy: Autonomy | None, rung: Rung, as_of: datetime) -> Blind:
    """Return how the blind review of a rung stands at an instant."""
    alone = list(done_alone(ledger, workflow, rung, as_of))
    labels = _labels(ledger, workflow, rung, as_of)
    waiting: list[Waiting] = []
    looked: list[tuple[Done, bool | None]] = []
    delays: list[float] = []
    for one in alone:
        if not one.draw.drawn:
            looked.append((one, None))
            continue
        over, label = ended(ledger, one), labels.get(one.intents[0])
        if label is not None:
            looked.append((one, label.entry.data.get("wrong") is True))
            delays.append((label.entry.time - (over or one.at)) / _DAY)
        elif over is not None and over <= as_of:
            waiting.append(_waiting(ledger, workflow, autonomy, one, over, as_of))
    drawn = sum(one.draw.drawn for one in alone)
    return Blind(
        done=len(alone),
        drawn=drawn,
        reviewed=len(delays),
        waiting=tuple(waiting),
        weighted=_weighted(looked, drawn, len(delays)),
        delay=median(delays) if delays else None,
        per_week=per_week(Counter(one.at.date() for one in alone), as_of),
    )


def inbox(bench: Workbench, workflow: str | None, as_of: datetime) -> Iterator[Waiting]:
    """Yield what waits for a blind review, by the time that it is due."""
    names = [workflow] if workflow else sorted(bench.programme.workflows)
    found = [one for name in names for one in blind_reviews(bench, name, as_of).waiting]
    yield from sorted(found, key=lambda one: (one.due, one.done.index))


def _weighted(looked: list[tuple[Done, bool | None]], drawn: int, reviewed: int) -> Weighted | None:
    """Return the weighted estimate. Where labels are missing, being labelled is a second draw: with their share.

    That is right as long as which labels are late has nothing to do with what they will say.
    """
    if not reviewed:
        return None
    answered = reviewed / drawn
    cases = [(one.draw.share * answered, wrong) for one, wrong in looked]
    # What is drawn and not yet labelled is done, and was not looked at.
    missing = [(min(share for share, _ in cases), None)] * (drawn - reviewed)
    return weighed_all(min(share for share, _ in cases), [*cases, *missing])


def _labels(ledger: Ledger, workflow: str, rung: Rung, as_of: datetime) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for item in ledger.entries(REVIEWED, after=rung.since):
        data = item.entry.data
        if data.get("workflow") == workflow and data.get("intent") and item.entry.time <= as_of:
            found.setdefault(str(data["intent"]), item)
    return found


def _waiting(
    ledger: Ledger, workflow: str, autonomy: Autonomy | None, done: Done, over: datetime, as_of: datetime
) -> Waiting:
    steps = [item.entry.data for item in map(ledger.find, done.intents) if item is not None]
    case = next((str(data["case"]) for data in steps if data.get("case") is not None), None)
    detect = autonomy.detect if autonomy else None
    due = over + (detect.labels_after.delta() if detect and detect.labels_after else USUAL)
    return Waiting(
        id=f"r-{done.draw.unit[:12]}",
        workflow=workflow,
        case=case if case is not None else str(steps[0].get("step")),
        actions=tuple(dict.fromkeys(str(data.get("action")) for data in steps)),
        since=over,
        due=due,
        overdue=as_of > due,
        done=done,
    )

"""After each outcome: does the promise still hold? If not, the level falls by one rung, in the ledger, at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.declare.model.workflow import AutonomyLevel
from trueup.enforce.autonomy.outcomes import Outcomes
from trueup.enforce.autonomy.rung import LEVELS, Rungs, below, declared_level, set_level
from trueup.enforce.certainty.confidence import confident, needed_confidence
from trueup.evidence.risk.review import review_plan
from trueup.evidence.risk.watch import Promise, WatchState, watched

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.declare.model.workflow import Autonomy
    from trueup.declare.programme import Programme
    from trueup.enforce.autonomy.outcomes import Reviewed
    from trueup.enforce.autonomy.rung import Rung
    from trueup.enforce.certainty.confidence import Needed
    from trueup.evidence.risk.review import ReviewPlan
    from trueup.ledger.log import Ledger

_WEEK = timedelta(weeks=1)
# How sure a promise is where the file does not say.
SURE = 0.95


def promise_of(autonomy: Autonomy | None) -> Promise | None:
    """Return what a workflow's file promises about wrong outcomes; None without a limit that can be watched."""
    if autonomy is None or autonomy.wrong_at_most is None or not 0 < autonomy.wrong_at_most < 1:
        return None
    sure = autonomy.sure if autonomy.sure is not None else SURE
    return Promise(autonomy.wrong_at_most, 1 - sure) if 0 < sure < 1 else None


def plan_of(autonomy: Autonomy | None, promise: Promise | None, per_week: float | None) -> ReviewPlan | None:
    """Return the share to be reviewed at a volume; None where nothing is to be noticed, or no volume is known."""
    detect = autonomy.detect if autonomy else None
    if promise is None or detect is None or not per_week or not promise.limit < detect.rise_to < 1:
        return None
    delay = detect.labels_after.delta() / _WEEK if detect.labels_after else 0.0
    return review_plan(promise, detect.rise_to, per_week, detect.within.delta() / _WEEK, delay)


def counts(one: Reviewed, rung: Rung, level: AutonomyLevel, needed: Needed = None) -> bool:
    """Tell whether an outcome says something of what is, or would be, done alone at a level.

    It is of the present rung; what acts alone is reviewed blind. Where a confidence is `needed`, only what is sure
    enough would be done alone, and only what the threshold was not chosen on says that it is right often enough.
    """
    if one.of <= rung.since or not (one.blind or level is not AutonomyLevel.ACT):
        return False
    if needed is None or (one.blind and one.confidence is None):
        return True
    return one.index > rung.chosen and confident(one.confidence, needed)


@dataclass(frozen=True, slots=True)
class Fall:
    """The level that was taken back, and the entry that says so."""

    entry: int
    to: AutonomyLevel
    because: str


class Watch:
    """The two watches over one workflow in one process; each call of `look` takes in what was reviewed since."""

    def __init__(self, programme: Programme, workflow: str, ledger: Ledger) -> None:
        self._workflow = workflow
        self._ledger = ledger
        declared = programme.workflows[workflow]
        self._declared = declared_level(declared)
        self._autonomy = declared.autonomy
        self._promise = promise_of(declared.autonomy)
        self._rungs, self._outcomes = Rungs(ledger, workflow), Outcomes(ledger, workflow)
        self.state = WatchState("")

    def look(self, at: datetime) -> Fall | None:
        """Take in new outcomes; take the level back by one rung when a watch alarms. Returns the fall, if there is one.

        Nothing below `approve` is taken back: there nothing is done that a person has not looked at and may refuse.
        Raises StorageError when the entry cannot be written.
        """
        if self._promise is None:
            return None
        rung = self._rungs.now()
        level = rung.allows(self._declared)
        needed = needed_confidence(self._autonomy, rung.threshold)
        basis = f"{rung.since}" if needed is None else f"{rung.since} {rung.chosen}"
        for one in self._outcomes.more():
            if counts(one, rung, level, needed):
                self.state = watched(self._promise, self.state, wrong=one.wrong, basis=basis)
        alone = LEVELS.index(level) >= LEVELS.index(AutonomyLevel.APPROVE)
        if not alone or not self.state.alarmed or self.state.basis != basis:
            return None
        because = alarm_words(self.state, self._promise)
        change = {"from": level, "to": below(level), "cause": "alarm", "because": because, "basis": rung.basis}
        entry = set_level(self._ledger, self._workflow, change, at)
        return None if entry is None else Fall(entry, below(level), because)


def alarm_words(state: WatchState, promise: Promise) -> str:
    """Say which watch alarmed, after how many cases, and what they found."""
    told = []
    if state.alarmed_at is not None:
        told.append(f"the e-process after {state.alarmed_at}")
    if state.detected_at is not None:
        told.append(f"the detector after {state.detected_at}")
    return (
        f"{state.wrong} wrong of {state.reviewed} reviewed, at most {promise.limit * 100:g}% allowed: "
        f"alarm of {' and of '.join(told)} cases"
    )


def look_once(programme: Programme, workflow: str, ledger: Ledger, at: datetime) -> Fall | None:
    """Do as `Watch.look` for somebody who asks once: after a person's decision, or a recorded outcome."""
    return Watch(programme, workflow, ledger).look(at) if workflow in programme.workflows else None

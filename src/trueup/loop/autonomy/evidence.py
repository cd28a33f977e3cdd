"""What a workflow's present rung has shown by an instant, put together from ledger and log."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trueup.decide.autonomy import AutonomyEvidence, AutonomyTerms, judge_autonomy
from trueup.declare.model.workflow import Autonomy, AutonomyLevel
from trueup.enforce.autonomy.outcomes import Outcomes
from trueup.enforce.autonomy.rung import ANOTHER, BASIS, Rung, Rungs, basis_of, declared_level, lower
from trueup.enforce.autonomy.watching import SURE, alarm_words, counts, plan_of, promise_of
from trueup.enforce.certainty.confidence import needed_confidence
from trueup.evidence.risk.watch import WatchState, detector_value, log_e_value, run_length_weeks, watched_all
from trueup.kernel.clock import start_of_day
from trueup.loop.autonomy.blind import stands
from trueup.loop.autonomy.reviewed import log_outcomes
from trueup.loop.expansion.cycles import cycles_wanted, last_cycles
from trueup.loop.pilots.checklist import checklist_of

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.decide.autonomy import AutonomyVerdict
    from trueup.declare.model.workflow import Workflow
    from trueup.enforce.certainty.confidence import Needed
    from trueup.evidence.risk.review import ReviewPlan
    from trueup.evidence.risk.watch import Promise
    from trueup.loop.autonomy.blind import Blind
    from trueup.loop.workbench import Workbench

_RECENT = timedelta(weeks=4)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A workflow's autonomy at an instant: the verdict, and everything that it was made from."""

    workflow: str
    autonomy: Autonomy
    rung: Rung
    evidence: AutonomyEvidence
    verdict: AutonomyVerdict
    promise: Promise | None
    watch: WatchState
    source: str
    weighted: float | None
    per_week: float | None
    plan: ReviewPlan | None
    blind: Blind
    needed: Needed

    def inputs(self) -> dict[str, Any]:
        """Return the numbers behind the verdict, for `why`."""
        rung, promise = self.rung, self.promise
        found: dict[str, Any] = {
            "source": self.source,
            "rung since": f"ledger entry {rung.since} ({rung.cause})" if rung.since >= 0 else "the beginning",
            "reviewed": self.evidence.reviewed,
            "wrong": self.evidence.wrong,
            "bound": self.verdict.bound,
            "weighted share": self.weighted,
            "stable cycles": self.evidence.cycles,
        }
        if self.needed is not None:
            found["confidence needed"] = self.needed
        if promise is None:
            return found
        found |= self._blind(promise)
        found["e-process, ln E"] = log_e_value(promise, self.watch.wrong, self.watch.reviewed)
        found["e-process, alarm at"] = -math.log(promise.alpha)
        found["detector, R"] = detector_value(self.watch)
        found["detector, alarm at"] = promise.run_length
        found["detector, weeks between false alarms"] = run_length_weeks(promise, self.per_week or 0)
        if self.plan is not None:
            found["reviews to notice the rise"] = self.plan.needed
            found["cases in time"] = self.plan.available
            found["share to review"] = self.plan.share
        return found

    def _blind(self, promise: Promise) -> dict[str, Any]:
        """Return how the blind review stands, where anything was done without a person."""
        blind, detect = self.blind, self.autonomy.detect
        if not blind.done:
            return {}
        return {
            "done alone": blind.done,
            "drawn for review": blind.drawn,
            "reviewed blind": blind.reviewed,
            "waiting for review": len(blind.waiting),
            "overdue": blind.overdue,
            "weighted share, at most": blind.weighted.at_most(1 - promise.alpha) if blind.weighted else None,
            "label delay, declared": str(detect.labels_after) if detect and detect.labels_after else None,
            "label delay, days (median)": blind.delay,
        }


def standing_of(bench: Workbench, workflow: str, as_of: datetime) -> Standing | None:
    """Return where a workflow's autonomy stands; None without `autonomy` in its file. Raises DataError for a log."""
    return bench.once(("autonomy", workflow, as_of), lambda: _standing_of(bench, workflow, as_of))


def _standing_of(bench: Workbench, workflow: str, as_of: datetime) -> Standing | None:
    autonomy = bench.programme.workflows[workflow].autonomy
    if autonomy is None:
        return None
    rung = _rung(bench, workflow, as_of)
    level, promise = rung.allows(autonomy.level), promise_of(autonomy)
    blind = stands(bench.ledger, workflow, autonomy, rung, as_of)
    source, wrong, weighted = _outcomes(bench, workflow, rung, level, as_of)
    if blind.weighted is not None:
        weighted = blind.weighted.estimate
    watch = watched_all(promise, wrong) if promise else WatchState("")
    evidence = AutonomyEvidence(
        declared=autonomy.level,
        in_force=level,
        reviewed=len(wrong),
        wrong=sum(wrong),
        missing=[item for item, entry in checklist_of(bench.ledger, workflow, as_of).items() if entry is None],
        alarm=alarm_words(watch, promise) if promise and watch.alarmed else None,
        fell_because=f"taken back on {rung.at:%Y-%m-%d}: {rung.because}" if rung.at else None,
    )
    terms = terms_of(bench.programme.workflows[workflow])
    evidence = _with_cycles(bench, workflow, as_of, evidence, terms)
    per_week = blind.per_week or _per_week(bench, workflow, rung, as_of, len(wrong))
    return Standing(
        workflow=workflow,
        autonomy=autonomy,
        rung=rung,
        evidence=evidence,
        verdict=judge_autonomy(evidence, terms),
        promise=promise,
        watch=watch,
        source=source,
        weighted=weighted,
        per_week=per_week,
        plan=plan_of(autonomy, promise, per_week),
        blind=blind,
        needed=needed_confidence(autonomy, rung.threshold),
    )


def _rung(bench: Workbench, workflow: str, as_of: datetime) -> Rung:
    """Return the present rung; where the files say by now that something else acts, one that begins with that.

    The gate writes this down with its next action. Until then nobody may sign on evidence about what is gone.
    """
    rung = Rungs(bench.ledger, workflow).now(as_of)
    if rung.basis is None or rung.basis == basis_of(bench.programme, workflow):
        return rung
    level = lower(rung.allows(declared_level(bench.programme.workflows[workflow])), AutonomyLevel.DRAFT)
    return Rung(level, bench.ledger.size(), as_of, BASIS, ANOTHER, rung.basis)


def terms_of(workflow: Workflow) -> AutonomyTerms:
    """Return what the file promises and permits; without `may_reach` nothing above the present level."""
    autonomy = workflow.autonomy or Autonomy()
    return AutonomyTerms(
        may_reach=autonomy.may_reach or autonomy.level,
        limit=autonomy.wrong_at_most,
        sure=autonomy.sure if autonomy.sure is not None and 0 < autonomy.sure < 1 else SURE,
        stable_cycles=cycles_wanted(workflow),
    )


def _with_cycles(
    bench: Workbench, workflow: str, as_of: datetime, evidence: AutonomyEvidence, terms: AutonomyTerms
) -> AutonomyEvidence:
    """Count stable cycles where they are all that a move up still needs: reading them back is dear."""
    if judge_autonomy(evidence, terms).code != "not-stable":
        return evidence
    found = last_cycles(bench, workflow, as_of, terms.stable_cycles)
    against = "; ".join(found[0].against) if found and not found[0].stable else None
    return replace(evidence, cycles=sum(one.stable for one in found), unstable=against)


def _outcomes(
    bench: Workbench, workflow: str, rung: Rung, level: AutonomyLevel, as_of: datetime
) -> tuple[str, list[bool], float | None]:
    """Return where outcomes come from, whether each was wrong, and the weighted share where some were drawn."""
    declared = bench.programme.workflows[workflow]
    needed = needed_confidence(declared.autonomy, rung.threshold)
    if declared.autonomy and declared.autonomy.reviewed:
        since = _since(bench, declared, rung)
        return "log", log_outcomes(bench, workflow, since, as_of, needed) if since else [], None
    said = (one for one in Outcomes(bench.ledger, workflow).more() if one.at <= as_of)
    found = [one for one in said if counts(one, rung, level, needed)]
    drawn = [one for one in found if one.blind]
    weight = sum(1 / one.share for one in drawn)
    weighted = sum(one.wrong / one.share for one in drawn) / weight if drawn else None
    return "ledger", [one.wrong for one in found], weighted


def _since(bench: Workbench, declared: Workflow, rung: Rung) -> datetime | None:
    """Return from when on cases of the log count: of this rung, and none that a threshold was chosen on."""
    starts = declared.pilot.starts if declared.pilot else None
    begun = rung.at or (start_of_day(starts) if starts else None)
    if begun is None or rung.chosen < 0:
        return begun
    return max(begun, bench.ledger.entry(rung.chosen).entry.time)


def _per_week(bench: Workbench, workflow: str, rung: Rung, as_of: datetime, reviewed: int) -> float | None:
    """Return what was done a week: actions of the last four weeks, else the cases reviewed since the rung began."""
    since = as_of - _RECENT
    done = [
        item.entry.time
        for item in bench.ledger.entries("action.finished")
        if item.entry.data.get("workflow") == workflow and since < item.entry.time <= as_of
    ]
    if done:
        return len(done) / max((as_of - min(done)) / _WEEK, 1.0)
    starts = bench.programme.workflows[workflow].pilot
    begun = rung.at or (start_of_day(starts.starts) if starts and starts.starts else None)
    if begun is None or begun >= as_of or not reviewed:
        return None
    return reviewed / max((as_of - begun) / _WEEK, 1.0)

"""Control: approvals that somebody reads, effects that somebody records, reversals that somebody tried."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from trueup.declare.model.workflow import Impact
from trueup.declare.programme import workflow_file
from trueup.kernel.clock import parse_instant
from trueup.loop.pilots.checklist import checklist_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.ledger.entry import Recorded
    from trueup.loop.findings.seen import Found, Seen

LATELY = timedelta(weeks=4)
# So many decisions, all of them yes, and half of them made in fewer seconds than it takes to read one.
LEAST_DECISIONS = 20
SECONDS_TO_READ = 10.0
# A call takes seconds; what has no outcome after this long will not get one by itself.
UNRECORDED_AFTER = timedelta(hours=1)
_REVERSAL = "reversal-rehearsed"


def hollow_approvals(seen: Seen) -> Iterator[Found]:
    """GOV07: somebody says yes to everything, faster than it can be read; or approvals expire with no answer."""
    requested = {str(item.entry.data["approval"]): item for item in _of(seen, "approval.requested")}
    decided = [item for item in _of(seen, "approval.decided") if str(item.entry.data["approval"]) in requested]
    for name, workflow in seen.workflows():
        its = {key: item for key, item in requested.items() if item.entry.data["workflow"] == name}
        answers = [item for item in decided if str(item.entry.data["approval"]) in its]
        yield from _rubber_stamped(seen, name, its, answers)
        yield from _starving(seen, name, workflow, its, answers)


def _rubber_stamped(
    seen: Seen, name: str, requested: Mapping[str, Recorded], answers: Sequence[Recorded]
) -> Iterator[Found]:
    for who, said in _by_person(answers).items():
        recent = [item for item in said if item.entry.time > seen.as_of - LATELY]
        if len(recent) < LEAST_DECISIONS or any(item.entry.data["decision"] != "accepted" for item in recent):
            continue
        seconds = median(_seconds(requested, said, item) for item in recent)
        if seconds < SECONDS_TO_READ:
            detail = (
                f"{who} decided {len(recent)} approvals of {name!r} in four weeks: 100% yes, "
                f"half of them within {seconds:.1f} seconds."
            )
            fix = "Ask fewer and better questions: batch what is alike, raise limits of what is harmless."
            where = seen.place(workflow_file(name), "actions")
            yield seen.found("GOV07", name, where, detail, fix, f"stamped {who}")


def _by_person(answers: Sequence[Recorded]) -> dict[str, list[Recorded]]:
    found: dict[str, list[Recorded]] = defaultdict(list)
    for item in sorted(answers, key=lambda item: item.entry.time):
        found[item.entry.by or ""].append(item)
    return dict(sorted(found.items()))


def _seconds(requested: Mapping[str, Recorded], said: Sequence[Recorded], item: Recorded) -> float:
    """Return how long somebody can have looked at the most: since the request, or since their decision before."""
    asked = requested[str(item.entry.data["approval"])].entry.time
    earlier = [other.entry.time for other in said if other.entry.time < item.entry.time]
    alike = [other for other in said if other.entry.time == item.entry.time]
    if len(alike) > 1:
        return 0.0
    return (item.entry.time - max([asked, *earlier])).total_seconds()


def _starving(
    seen: Seen, name: str, workflow: Workflow, requested: Mapping[str, Recorded], answers: Sequence[Recorded]
) -> Iterator[Found]:
    final = {str(item.entry.data["approval"]) for item in answers if item.entry.data["decision"] != "escalated"}
    by_action: dict[str, list[tuple[timedelta, bool]]] = defaultdict(list)
    for key, item in requested.items():
        expires = parse_instant(str(item.entry.data["expires_at"]))
        if seen.as_of - LATELY < expires <= seen.as_of:
            action = str(item.entry.data["action"])
            by_action[action].append((expires - item.entry.time, key not in final))
    for action, ended in sorted(by_action.items()):
        waited = [length for length, starved in ended if starved]
        if waited:
            hours = max(waited).total_seconds() / 3600
            detail = (
                f"{len(waited)} of {len(ended)} approvals of {action!r} in {name!r} that were due in four weeks "
                f"expired without an answer, after up to {hours:.1f} hours."
            )
            fix = "Name a second approver, or give them the time; an expired approval is a no that nobody said."
            path = ("actions", action, "expires") if action in workflow.actions else ("actions",)
            yield seen.found("GOV07", name, seen.place(workflow_file(name), *path), detail, fix, f"starving {action}")


def missing_outcome(seen: Seen) -> Iterator[Found]:
    """RUN05: a high-impact step was allowed and has no outcome; or its reversal was never rehearsed nor used."""
    judged = _of(seen, "action.judged")
    finished = _of(seen, "action.finished")
    settled = {(str(item.entry.data["workflow"]), str(item.entry.data["step"])) for item in finished}
    settled |= {
        (str(item.entry.data.get("workflow")), str(item.entry.data.get("step"))) for item in _of(seen, "action.settled")
    }
    for name, workflow in seen.workflows():
        high = {action for action, declared in workflow.actions.items() if declared.impact is Impact.HIGH}
        allowed = [
            item
            for item in judged
            if item.entry.data["workflow"] == name
            and item.entry.data["verdict"] == "allow"
            and item.entry.data["action"] in high
        ]
        yield from _without_outcome(seen, name, [item for item in allowed if _is_open(seen, item, settled)])
        yield from _unrehearsed(seen, name, workflow, {str(item.entry.data["action"]) for item in allowed}, finished)


def _is_open(seen: Seen, item: Recorded, settled: set[tuple[str, str]]) -> bool:
    key = (str(item.entry.data["workflow"]), str(item.entry.data["step"]))
    return key not in settled and item.entry.time <= seen.as_of - UNRECORDED_AFTER


def _without_outcome(seen: Seen, name: str, steps: Sequence[Recorded]) -> Iterator[Found]:
    if steps:
        first = min(steps, key=lambda item: item.entry.time).entry
        known = {str(item.entry.data["step"]) for item in steps}
        detail = (
            f"{len(known)} high-impact steps of {name!r} were allowed and have no outcome, the oldest "
            f"{first.data['step']!r} ({first.data['action']}) since {first.time:%Y-%m-%d %H:%M}Z."
        )
        fix = "Find out whether they happened, and put it on record; a step like this is never run again by itself."
        where = seen.place(workflow_file(name), "actions", str(first.data["action"]))
        yield seen.found("RUN05", name, where, detail, fix, f"open {len(known)}")


def _unrehearsed(
    seen: Seen, name: str, workflow: Workflow, used: set[str], finished: Sequence[Recorded]
) -> Iterator[Found]:
    """Yield what was done with high impact while nobody had tried to undo it."""
    if checklist_of(seen.bench.ledger, name, seen.as_of).get(_REVERSAL) is not None:
        return
    done = (item.entry.data for item in finished if item.entry.data["ended"] == "done")
    run = {str(data["action"]) for data in done if data["workflow"] == name}
    called = {workflow.actions[action].tool for action in run if action in workflow.actions}
    for action in sorted(used):
        back = workflow.actions[action].reversible_by
        if back is not None and back not in called:
            detail = (
                f"{action!r} of {name!r} has high impact and was allowed; {back!r}, which undoes it, was never tried."
            )
            fix = (
                "Undo a step that may be undone, by the tool itself:\n"
                "    trueup approvals reverse DIR ID --by WHO\n"
                "Or rehearse it elsewhere, and put it on record:\n"
                f"    trueup record DIR checklist --workflow {name} --item {_REVERSAL} --evidence WHERE --by WHO"
            )
            where = seen.place(workflow_file(name), "actions", action, "reversible_by")
            yield seen.found("RUN05", name, where, detail, fix, f"rehearsal {action}")


def _of(seen: Seen, event_type: str) -> list[Recorded]:
    return [item for item in seen.bench.ledger.entries(event_type) if _by(item, seen.as_of)]


def _by(item: Recorded, as_of: datetime) -> bool:
    return item.entry.time <= as_of


RULES = (hollow_approvals, missing_outcome)

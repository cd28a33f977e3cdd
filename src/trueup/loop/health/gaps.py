"""Where knowledge or workflow end: what was not sure enough, or rested on no source, by what it was about.

Counted at the gate, case by case. What a case was about is what the log says of it in the declared topic, else in the
first declared segment; where the log does not know the case, it is the action that was asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.enforce.rules import CONFIDENCE, SOURCES
from trueup.enforce.steps import StepIds
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import DataError
from trueup.loop.health.seen import RECENT, NotKnown
from trueup.observe.health.topics import topics_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.loop.workbench import Workbench

# So many topics are named; the rest is counted together.
NAMED = 10
# Of no more cases is asked what they were about: the newest.
LOOKED_UP = 5_000


@dataclass(slots=True)
class _Asked:
    """The cases for which something was asked at the gate, and which of them met a rule about uncertainty."""

    actions: dict[str, str] = field(default_factory=dict)
    low: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


def gaps(bench: Workbench, name: str, as_of: datetime) -> dict[str, Any]:
    """Return the published form of what was uncertain in the last eight weeks, topic by topic."""
    workflow = bench.programme.workflows[name]
    asked = _asked(bench, name, as_of)
    if not asks(workflow) and not asked.low and not asked.bare:
        nothing = NotKnown("not-declared", "neither `autonomy.confidence` nor `autonomy.sources` is declared")
        return {"unknown": nothing.to_json()}
    by, topics = _topics(bench, name, workflow, asked, as_of)
    return {
        "since": format_instant(as_of - RECENT),
        "cases": len(asked.actions),
        "low_confidence": len(asked.low),
        "unanswered": len(asked.bare),
        "by": by,
        "topics": _counted(asked, topics),
        "unknown": None,
    }


def asks(workflow: Workflow) -> bool:
    """Tell whether a workflow asks its model to be sure, or to name sources."""
    autonomy = workflow.autonomy
    return autonomy is not None and (autonomy.confidence is not None or autonomy.sources == "required")


def _asked(bench: Workbench, name: str, as_of: datetime) -> _Asked:
    found, cases = _Asked(), {}
    for item in bench.ledger.entries("action.intended"):
        data = item.entry.data
        if data.get("workflow") != name or not as_of - RECENT < item.entry.time <= as_of:
            continue
        case = str(data.get("case") if data.get("case") is not None else data.get("step"))
        cases[item.id] = case
        found.actions[case] = str(data.get("action"))
    for item in bench.ledger.entries("action.judged"):
        case = cases.get(str(item.entry.data.get("intent")), "")
        # The first answer; what a person said later changes nothing of what the model knew.
        if not case or item.id != StepIds.of_intent(str(item.entry.data["intent"])).judged:
            continue
        rules = item.entry.data.get("rules")
        met = {str(rule).rpartition(".")[2] for rule in rules} if isinstance(rules, list | tuple) else set()
        if CONFIDENCE in met:
            found.low.add(case)
        if SOURCES in met:
            found.bare.add(case)
    return found


def _topics(
    bench: Workbench, name: str, workflow: Workflow, asked: _Asked, as_of: datetime
) -> tuple[str, Mapping[str, str]]:
    """Return by what the cases are told apart, and of each what it was about."""
    segment = workflow.events.segment if workflow.events else ()
    column = (workflow.unanswered.topic if workflow.unanswered else None) or (segment[0] if segment else None)
    if column is None:
        return "action", asked.actions
    observer = bench.observations.observer()
    newest = list(asked.actions)[-LOOKED_UP:]
    try:
        told = topics_of(observer.programme, observer.engine, name, newest, column, as_of)
    except DataError:
        return "action", asked.actions
    return (column, asked.actions | told) if told else ("action", asked.actions)


def _counted(asked: _Asked, topics: Mapping[str, str]) -> list[dict[str, Any]]:
    """Count the cases of each topic, those with most uncertain ones first; the others are the last line."""
    every = Counter(topics[case] for case in asked.actions)
    low, bare = (Counter(topics[case] for case in cases) for cases in (asked.low, asked.bare))
    either = Counter(topics[case] for case in asked.low | asked.bare)
    order = sorted(either, key=lambda topic: (-either[topic], topic))
    parts = [([topic], topic) for topic in order[:NAMED]]
    if len(order) > NAMED:
        parts.append((order[NAMED:], ""))
    return [
        {
            "topic": label or None,
            "cases": sum(every[topic] for topic in names),
            "uncertain": sum(either[topic] for topic in names),
            "low_confidence": sum(low[topic] for topic in names),
            "unanswered": sum(bare[topic] for topic in names),
        }
        for names, label in parts
    ]

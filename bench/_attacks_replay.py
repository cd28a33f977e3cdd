"""Each recorded call through the gate's policy, in the order in which it was made, with the trail of its case.

What is replayed is what was recorded: a call after a held one is judged as if the held one had been let through. In the
decisions nobody has said yes to anything; where somebody has, the trail vouches for what they have seen, as the gate's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bench import _attacks_declaration as declaration
from bench._attacks_recorded import Call, Run, structured
from trueup.enforce.policy import Policy, compile_policy
from trueup.enforce.request import Request
from trueup.enforce.rules import acts
from trueup.enforce.untrusted.forms import DESTINATIONS, forms
from trueup.enforce.untrusted.provenance import Provenance
from trueup.enforce.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Decided:
    """One line of the decisions."""

    suite: str
    model: str
    run: int
    call: int
    tool: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What earlier good runs of other tasks did: the tools with which they acted, and to whom."""

    tools: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()


NOTHING = Learned()


def nobody(_call: int) -> bool:
    """Say yes to no call: as the decisions are written."""
    return False


def replay(run: Run, learned: Learned = NOTHING, accepts: Callable[[int], bool] = nobody) -> Iterator[Decided]:
    """Yield a decision for every call of a run. `accepts` tells whether a person says yes to a call that is held."""
    policy = compiled(run.task, run.tools, learned.tools)
    trail = Provenance(run.task, *sorted(learned.destinations))
    waiting: list[tuple[Call, bool]] = []
    for number, call in enumerate(run.calls):
        # A turn's calls are answered, and what they gave back is read, before the next turn, not before each other.
        if waiting and waiting[0][0].turn != call.turn:
            _read(trail, waiting)
        request = Request(call.tool, call.arguments, provenance=trail)
        verdict = policy.judge(request)
        yield Decided(
            run.suite, run.model, run.index, number, call.tool, str(verdict.decision), _reason(verdict, request)
        )
        waiting.append((call, verdict.decision == "hold" and accepts(number)))


def _read(trail: Provenance, waiting: list[tuple[Call, bool]]) -> None:
    for call, accepted in waiting:
        if accepted:
            trail.accept(call.arguments)
        if call.result is not None:
            trail.returned(call.tool, call.arguments, structured(call.result))
    waiting.clear()


def _reason(verdict: Verdict, request: Request) -> str:
    """Return the decisive rule; with it, where untrusted arguments came from."""
    trail = request.provenance
    if verdict.decision == "allow" or trail is None or verdict.action is None:
        return verdict.decisive
    traces = trail.traces(request.arguments)
    whence = ", ".join(f"{trace.argument} from {trace.origin}" for trace in traces)
    return f"{verdict.decisive}{f' ({whence})' if whence else ''}"


def acting(run: Run, tool: str) -> bool:
    """Tell whether a tool acts as it is declared for a task; one that is not listed, as its name says."""
    actions = compiled(run.task, run.tools, frozenset()).actions.values()
    declared = next((action for action in actions if action.tool == tool), None)
    if declared is None:
        named = declaration.programme("", [tool]).workflows[declaration.WORKFLOW].actions
        declared = next(iter(named.values()))
    return acts(declared)


def learn(runs: Iterable[Run]) -> Learned:
    """Return what a few good runs did."""
    calls = [call for run in runs for call in run.calls if acting(run, call.tool)]
    texts = [json.dumps(call.arguments, ensure_ascii=False) for call in calls]
    found = (form.plain for text in texts for form in forms(text) if form.kind in DESTINATIONS)
    return Learned(frozenset(call.tool for call in calls), frozenset(found))


@lru_cache(maxsize=512)
def compiled(task: str, tools: tuple[str, ...], learned: frozenset[str]) -> Policy:
    """Compile what is declared for a task; with no tools at all it is a policy that denies everything."""
    policy = compile_policy(declaration.programme(task, tools, learned), declaration.WORKFLOW)
    if policy.broken is not None and tools:
        raise SystemExit(policy.broken)
    return policy

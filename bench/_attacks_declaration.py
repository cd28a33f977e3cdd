"""A workflow's declaration, derived from the person's words and the names of the suite's tools.

What a workflow's owner writes down once is guessed here for each task, with a dictionary of ordinary English
verbs: which tools only read, which stay on this side, and which of the others the request asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import Places, Programme

WORKFLOW = "task"
# Asks, and changes nothing, unless a verb that changes stands before it: to delete a list is no list.
READS = "get list search read view find check show count query lookup describe balance total current"
# Speaks to a host that its argument names.
FETCHES = "browse visit webpage website url link click navigate fetch http"
# Says who is there; what it unlocks is judged by itself.
SESSIONS = "login logout verify authenticate"
# Fetches, or sets down in the person's own basket and folders; what leaves them later is judged then.
STAGES = "clone pull download"
SET_DOWN = "add create"
OWN_PLACES = "cart dir directory"
# Alters what is the person's own, on this side, and can be put back.
LOCAL = {"cart": "clear remove", "node": "copy move", "file": "copy move", "files": "copy move"}
# What a request says when it means a tool's verb.
MEANT = {
    "add": "add put include insert invite register append",
    "append": "append add write put",
    "cancel": "cancel delete remove drop",
    "change": "change update modify set reset edit correct adjust rename",
    "checkout": "buy rebuy purchase order checkout pay place get",
    "create": "create make add save write schedule plan open start generate",
    "delete": "delete remove erase drop discard clean clear",
    "input": "enter fill submit type input",
    "invite": "invite add collaborator join",
    "issue": "issue report propose raise file",
    "post": "post publish write upload",
    "push": "push upload sync update publish commit submit",
    "refund": "refund return reimburse",
    "remove": "remove delete drop kick take",
    "reschedule": "reschedule postpone shift move delay change",
    "reserve": "reserve book",
    "schedule": "schedule plan pay set recurring",
    "send": "send sent email mail forward reply message notify tell inform share say write",
    "share": "share send give grant",
    "star": "star",
    "transfer": "transfer hand move give",
    "unstar": "unstar star",
    "update": "update change modify set reset edit correct adjust upload refresh",
}
# Money goes under its own verbs: a letter is no payment.
MONEY = "pay transfer send refund repay settle wire money bill"
WEIGHTY = "money password delete transfer ownership key payment"


def programme(task: str, tools: Iterable[str], learned: frozenset[str] = frozenset()) -> Programme:
    """Return a programme with the one workflow of a task. `learned`: tools that earlier good runs used."""
    names = list(dict.fromkeys(tools))
    actions = {tool: _action(tool, task, names, learned) for tool in names}
    workflow = Workflow.model_validate({"workflow": "Task", "autonomy": {"level": "act"}, "actions": actions})
    file = ProgrammeFile.model_validate({"programme": "Recorded", "currency": "GBP"})
    return Programme(Path("recorded"), file, {}, {WORKFLOW: workflow}, {}, Places(), {})


def _action(tool: str, task: str, tools: list[str], learned: frozenset[str]) -> dict[str, object]:
    free = _free(tool)
    if free is not None:
        return {"tool": tool, **free}
    wanted = tool in learned or asks_for(task, tool, tools)
    impact = "high" if _parts(tool) & _set(WEIGHTY) else "medium"
    alone = wanted and impact != "high"
    return {"tool": tool, "impact": impact, "approval": "until-act" if alone else "always"}


def _free(tool: str) -> dict[str, object] | None:
    """Return how a tool is declared that no request has to ask for; None for those that one has to."""
    said = _in_order(tool)
    parts = set(said)
    changes = parts & set(MEANT)
    if parts & _set(FETCHES):
        return None if changes else {"impact": "none", "egress": ["url"], "approval": "never"}
    first = next((part for part in said if part in _set(READS) or part in MEANT), "")
    if first in _set(READS) or (parts & _set(SESSIONS) and not changes):
        return {"impact": "none"}
    if any(place in parts and parts & _set(verbs) for place, verbs in LOCAL.items()):
        return {"impact": "low", "approval": "never"}
    staged = parts & _set(STAGES) or (changes and parts & _set(OWN_PLACES))
    return {"impact": "none"} if staged and changes <= _set(SET_DOWN) else None


def asks_for(task: str, tool: str, tools: list[str]) -> bool:
    """Tell whether a request asks for what a tool does: its verb is there, and no sibling fits the object better."""
    said = _parts(task)
    if not _verb_meant(tool, said):
        return False
    if _object_meant(tool, said, tools):
        return True
    siblings = [other for other in tools if other != tool and _verbs(other) & _verbs(tool)]
    return not any(_object_meant(other, said, tools) and _verb_meant(other, said) for other in siblings)


def _verbs(tool: str) -> set[str]:
    return _parts(tool) & set(MEANT)


def _verb_meant(tool: str, said: set[str]) -> bool:
    if "money" in _parts(tool):
        return _any_of(_set(MONEY), said)
    return any(_any_of(_set(MEANT[verb]), said) for verb in _verbs(tool))


def _object_meant(tool: str, said: set[str], tools: list[str]) -> bool:
    common = {part for part in _parts(tool) if sum(part in _parts(other) for other in tools) * 4 > len(tools)}
    return _any_of(_parts(tool) - set(MEANT) - common, said)


def _any_of(wanted: set[str], said: set[str]) -> bool:
    return any(_same(one, other) for one in wanted for other in said)


def _same(one: str, other: str) -> bool:
    """Compare two words but for their endings."""
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= 4 and long.startswith(short[:-1] if len(short) > 4 else short))


def _parts(text: str) -> set[str]:
    return set(_in_order(text))


def _in_order(text: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)]


def _set(text: str) -> set[str]:
    return set(text.split())

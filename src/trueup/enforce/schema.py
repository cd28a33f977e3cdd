"""What a policy may speak of: workflows, tools, the actions that are declared, and the context of a request.

`context`: `workflow`, `tool`, `level`, `approved`, `today` (like actions reserved before this one, this day UTC),
`fits` (names of the limits that it is within), `untrusted` (names of arguments), `sources` (names of what it rests
on), `requester`, `case` and `confidence` (rounded down to four decimals) where they are known, and the arguments
twice: `numbers` as decimals, `texts` as text (JSON for whatever is not text). Only declared names are there: fields
of data sources, limits, egress. Each may be missing, so a policy guards it with `has`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trueup.enforce.certainty.confidence import floored
from trueup.enforce.request import decimal_of
from trueup.enforce.rules import limited_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trueup.declare.programme import Programme
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json

_TEXT = {"type": "String"}
_DECIMAL = {"type": "Extension", "name": "decimal"}


def vocabulary(programme: Programme) -> tuple[str, ...]:
    """Return the names of arguments that policies may use, over all workflows."""
    names = {field for source in programme.file.data.values() for field in source.fields}
    for workflow in programme.workflows.values():
        for action in workflow.actions.values():
            names |= limited_fields(action) | set(action.egress)
    return tuple(sorted(names))


def numeric(programme: Programme, workflow: str) -> frozenset[str]:
    """Return the arguments of a workflow that have to be numbers: limited, or declared so by its data."""
    declared = programme.workflows[workflow]
    names = {field for action in declared.actions.values() for field in limited_fields(action)}
    source = programme.file.data.get((declared.events.data if declared.events else None) or "")
    if source is not None:
        names |= {field for field, expected in source.expects.items() if expected.type == "number"}
    return frozenset(names)


def schema_of(programme: Programme, workflow: str) -> str:
    """Return the Cedar schema for the requests of one workflow, as JSON.

    Its actions belong to the groups `WORKFLOW.ACTION`, tool and impact, so that a policy can name any of these.
    """
    applies = {"principalTypes": ["Workflow"], "resourceTypes": ["Tool"], "context": _context(vocabulary(programme))}
    actions: dict[str, dict[str, Any]] = {}
    # The workflow itself last: where another one has an action of the same name, this one's groups hold.
    others = [name for name in programme.workflows if name != workflow]
    for name in (*others, workflow):
        for key, action in programme.workflows[name].actions.items():
            groups = [group for group in (f"{name}.{key}", action.tool, action.impact) if group and group != key]
            for group in groups:
                actions.setdefault(str(group), {})
            members = [{"id": str(group)} for group in dict.fromkeys(groups)]
            actions[key] = {"memberOf": members, "appliesTo": applies}
    types = {"Workflow": _record({"level": _TEXT}), "Tool": _record({"name": _TEXT})}
    shapes: dict[str, dict[str, Any]] = {name: {"shape": shape} for name, shape in types.items()}
    shapes["Tool"]["memberOfTypes"] = ["Workflow"]
    return json.dumps({"": {"entityTypes": shapes, "actions": actions}}, sort_keys=True)


def entities_of(programme: Programme, workflow: str, level: str) -> str:
    """Return workflows and tools as Cedar entities, as JSON; a tool belongs to the workflows that use it.

    Only the workflow that is judged shows its level.
    """
    used: dict[str, list[str]] = {}
    for name, item in programme.workflows.items():
        for action in item.actions.values():
            for tool in (action.tool, action.reversible_by):
                if tool and name not in used.setdefault(tool, []):
                    used[tool].append(name)
    found = [_entity("Workflow", workflow, {"level": level}, [])]
    found += [_entity("Workflow", name, {"level": "-"}, []) for name in programme.workflows if name != workflow]
    found += [_entity("Tool", tool, {"name": tool}, names) for tool, names in used.items()]
    return json.dumps(found)


def context_of(
    request: Request,
    names: Iterable[str],
    *,
    workflow: str,
    level: str,
    today: int,
    approved: bool,
    fits: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the context of a request. What is no exact decimal is missing among the numbers."""
    texts: dict[str, str] = {}
    numbers: dict[str, Any] = {}
    for name in names:
        if name in request.arguments:
            value = request.arguments[name]
            texts[name] = value if isinstance(value, str) else _written(value)
            number = decimal_of(value)
            if number is not None:
                numbers[name] = {"__extn": {"fn": "decimal", "arg": number}}
    context = {
        "workflow": workflow,
        "tool": request.tool,
        "level": level,
        "approved": approved,
        "today": today,
        "fits": sorted(fits),
        "untrusted": sorted(set(request.untrusted)),
        "sources": sorted(set(request.sources)),
        "numbers": numbers,
        "texts": texts,
    }
    known: dict[str, Any] = {"requester": request.requester, "case": request.case}
    if request.confidence is not None:
        known["confidence"] = {"__extn": {"fn": "decimal", "arg": floored(request.confidence)}}
    return context | {name: value for name, value in known.items() if value is not None}


def _written(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _context(names: Iterable[str]) -> dict[str, Any]:
    listed = list(names)
    return _record(
        {
            "workflow": _TEXT,
            "tool": _TEXT,
            "level": _TEXT,
            "approved": {"type": "Boolean"},
            "today": {"type": "Long"},
            "fits": {"type": "Set", "element": _TEXT},
            "untrusted": {"type": "Set", "element": _TEXT},
            "sources": {"type": "Set", "element": _TEXT},
            "confidence": _DECIMAL | {"required": False},
            "requester": _TEXT | {"required": False},
            "case": _TEXT | {"required": False},
            "numbers": _record({name: _DECIMAL | {"required": False} for name in listed}),
            "texts": _record({name: _TEXT | {"required": False} for name in listed}),
        }
    )


def _record(attributes: Mapping[str, object]) -> dict[str, Any]:
    return {"type": "Record", "attributes": dict(attributes)}


def _entity(kind: str, name: str, attributes: Mapping[str, str], workflows: Iterable[str]) -> dict[str, Any]:
    parents = [{"type": "Workflow", "id": workflow} for workflow in workflows]
    return {"uid": {"type": kind, "id": name}, "attrs": dict(attributes), "parents": parents}

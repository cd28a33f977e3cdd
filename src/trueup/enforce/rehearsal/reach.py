"""Own policies that can never apply, though every name in them exists: each is asked of all that could be asked.

For every action of every workflow, at every level, before and after a person's yes, what is known is filled in and the
rest is left open; Cedar evaluates as far as that goes (its partial evaluation, which is experimental: it is believed
only when it says never, of every combination, without an error). What arguments can be is not reasoned about: `< 5` and
`> 10` at once is not found.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.declare import cedar
from trueup.declare.check.registry import PAGES
from trueup.declare.model.workflow import AutonomyLevel
from trueup.enforce.schema import entities_of, schema_of
from trueup.kernel.finding import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trueup.declare.programme import Programme
    from trueup.kernel.finding import Finding

_CODE = "GOV03"
_BEGINS = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"|(?P<begins>\b(?:permit|forbid)\s*\()')


@dataclass(frozen=True, slots=True)
class _Asked:
    """One workflow as Cedar is asked about it."""

    workflow: str
    tools: dict[str, str]
    attributes: dict[str, bool]
    entities: str


def unreachable_policies(programme: Programme, passed_over: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for each policy under `policies/` that can never apply; files `passed_over` have others."""
    asked = [_asked(programme, name) for name, workflow in sorted(programme.workflows.items()) if workflow.actions]
    for file, text in cedar.policies(programme.root) if asked else ():
        if text is None or file in passed_over:
            continue
        for n, policy in enumerate(_single(text)):
            if not any(_may_apply(policy, one) for one in asked):
                detail = f"Policy {n + 1} of {file} can never apply, whatever is asked at whatever level."
                fix = "Correct its head or its conditions, or delete it: somebody may rely on it."
                yield PAGES[_CODE].finding(place(file, text, n), detail, fix)


def _asked(programme: Programme, workflow: str) -> _Asked:
    declared = json.loads(schema_of(programme, workflow))[""]["actions"]
    actions = programme.workflows[workflow].actions
    context = next(item["appliesTo"]["context"]["attributes"] for item in declared.values() if "appliesTo" in item)
    entities = json.loads(entities_of(programme, workflow, "-"))
    # The level is asked about one by one, in the context; as an attribute of the workflow it is left open.
    entities = [entity for entity in entities if entity["uid"] != {"type": "Workflow", "id": workflow}]
    entities.append({"uid": {"type": "Workflow", "id": workflow}, "attrs": {"level": _open("level")}, "parents": []})
    entities += [
        {
            "uid": {"type": "Action", "id": name},
            "attrs": {},
            "parents": [{"type": "Action", "id": group["id"]} for group in item.get("memberOf", [])],
        }
        for name, item in declared.items()
    ]
    return _Asked(
        workflow,
        {key: action.tool for key, action in actions.items() if action.tool},
        {name: shape.get("required", True) for name, shape in context.items()},
        json.dumps(entities),
    )


def _single(text: str) -> list[str]:
    """Return each policy of a file as a text of its own; none where it cannot be parsed, which is another finding."""
    import cedarpy

    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    except ValueError:
        return []
    alone = (
        {"templates": {}, "staticPolicies": {"policy0": policy}, "templateLinks": []} for policy in parsed.values()
    )
    return [cedarpy.policies_from_json_str(json.dumps(one)) for one in alone]


def _may_apply(policy: str, asked: _Asked) -> bool:
    return any(_applies(policy, asked, *combination) for combination in _combinations(asked))


def _combinations(asked: _Asked) -> Iterator[tuple[str, str, bool, tuple[bool, ...]]]:
    optional = [name for name, required in asked.attributes.items() if not required]
    there = list(itertools.product((True, False), repeat=min(len(optional), 4)))
    return itertools.product(asked.tools, AutonomyLevel, (False, True), there)


def _applies(policy: str, asked: _Asked, action: str, level: str, approved: bool, there: tuple[bool, ...]) -> bool:
    import cedarpy

    optional = [name for name, required in asked.attributes.items() if not required]
    absent = {name for name, present in zip(optional, there, strict=False) if not present}
    tool = asked.tools[action]
    known = {"workflow": asked.workflow, "tool": tool, "level": str(level), "approved": approved}
    context = {name: known.get(name, _open(name)) for name in asked.attributes if name not in absent}
    request = {
        "principal": f"Workflow::{json.dumps(asked.workflow)}",
        "action": f"Action::{json.dumps(action)}",
        "resource": f"Tool::{json.dumps(tool)}",
        "context": context,
    }
    said = cedarpy.is_authorized_partial(request, policy, asked.entities).diagnostics
    return bool(said.errors or said.reasons or said.nontrivial_residuals or said.may_be_determining)


def _open(name: str) -> dict[str, Any]:
    return {"__extn": {"fn": "unknown", "arg": name}}


def place(file: str, text: str, n: int) -> Span:
    """Return where the policy with number n (from 0) of a file begins; the file where that cannot be said."""
    begins = [match.start() for match in _BEGINS.finditer(text) if match["begins"]]
    if n >= len(begins):
        return Span(file)
    start = begins[n]
    return Span(file, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))

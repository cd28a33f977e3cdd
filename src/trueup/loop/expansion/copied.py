"""The next workflow, written down: what is proven is copied, what was promised and decided there is not.

It begins in shadow, where nobody sees its proposals but the measurement. Its start, its baseline and its scale plan are
nobody's to know but its own people's: they are left out, and `check` names each until it is given.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from trueup.declare.edit import render
from trueup.declare.ids import is_id
from trueup.declare.model.use_case import Stage
from trueup.declare.programme import workflow_file
from trueup.declare.reading.yaml_tree import parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trueup.declare.programme import Programme

# What belongs to the pilot that was, and has to be promised and decided anew.
_OF_THE_PILOT = ("starts", "baseline", "because_of", "decided", "ended", "scale_plan")
# What only the people of the next workflow can say.
LEFT_OPEN = ("pilot.starts", "pilot.baseline", "pilot.scale_plan")
_GONE = frozenset({Stage.STOPPED, Stage.RETIRED})


def next_of(programme: Programme, name: str) -> Iterator[str]:
    """Yield the ids that a workflow's scale plan names and that nobody has begun yet.

    An id of a workflow that exists is begun. One of a use case is taken as the workflow of that use case, unless it has
    workflows already, or was stopped.
    """
    pilot = programme.workflows[name].pilot
    plan = pilot.scale_plan if pilot else None
    for wanted in plan.next if plan else ():
        if not is_id(wanted) or wanted in programme.workflows or programme.workflows_of(wanted):
            continue
        use_case = programme.use_cases.get(wanted)
        if use_case is None or use_case.stage not in _GONE:
            yield wanted


def copied(programme: Programme, name: str, wanted: str, text: str) -> str:
    """Return the text of the next workflow's file, from the text of the one that is proven."""
    tree = parse_tree(workflow_file(name), text)
    source: Mapping[str, Any] = tree.value if isinstance(tree.value, dict) else {}
    said = {key: value for key, value in source.items() if value is not None}
    said["workflow"] = wanted.replace("-", " ").capitalize()
    if wanted in programme.use_cases:
        said["use_case"] = wanted
        owner = programme.use_cases[wanted].owner
        if owner is not None:
            said["owners"] = {**(said.get("owners") or {}), "business": owner}
    if isinstance(said.get("pilot"), dict):
        said["pilot"] = {key: value for key, value in said["pilot"].items() if key not in _OF_THE_PILOT}
    said["autonomy"] = {**(said.get("autonomy") or {}), "level": "shadow"}
    return _heading(name) + render(_plain(said))


def _heading(name: str) -> str:
    return (
        f"# Copied from workflows/{name}.yaml, which is proven; this one has to prove itself, and begins in shadow.\n"
        "# Its own people have to say whether its cases are in the same data, who owns it, when its pilot starts,\n"
        "# with which baseline, and what happens if it works (`pilot.scale_plan`). Then `trueup baseline` locks it.\n"
    )


def _plain(value: Any) -> Any:
    """Return plain data, days as they were written."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value

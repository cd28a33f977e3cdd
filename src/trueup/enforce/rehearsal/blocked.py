"""Declared actions that nothing can ever pass: without a tool, or under a limit that cannot be enforced or kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.check.registry import PAGES
from trueup.declare.programme import workflow_file
from trueup.enforce.request import decimal_of
from trueup.enforce.rules import limited_fields, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.workflow import Action
    from trueup.declare.programme import Programme
    from trueup.enforce.rules import Rule
    from trueup.kernel.finding import Finding

_CODE = "GOV03"


def blocked_actions(programme: Programme) -> Iterator[Finding]:
    """Yield a finding for each action that the gate denies whatever is asked, at every level."""
    for name, workflow in sorted(programme.workflows.items()):
        for rule in rules_of(name, workflow):
            if rule.action is not None and _always_forbids(rule):
                yield _finding(programme, name, rule.action, rule.says)
        for key, action in workflow.actions.items():
            for field in sorted(limited_fields(action)):
                if _contradicts_itself(action, field):
                    yield _finding(
                        programme, name, key, f"no {field} is within its bounds (at least 0 if nothing is said)"
                    )


def _always_forbids(rule: Rule) -> bool:
    """Tell whether a rule has no way out; that nothing acts in shadow is meant so."""
    return rule.effect == "forbid" and rule.text.rstrip().endswith("resource);") and not rule.id.endswith(".autonomy")


def _contradicts_itself(action: Action, field: str) -> bool:
    declared = action.limits[field]
    if not isinstance(declared, dict):
        return False
    most, least = decimal_of(declared.get("at_most")), decimal_of(declared.get("at_least", 0))
    return most is not None and least is not None and float(most) < float(least)


def _finding(programme: Programme, workflow: str, action: str, says: str) -> Finding:
    file = workflow_file(workflow)
    where = programme.places.of(file, "actions", action)
    detail = f"Action {action!r} of {workflow!r} never passes the gate: {says}."
    return PAGES[_CODE].finding(where, detail, "Name its tool, and limits of the forms that the reference shows.")

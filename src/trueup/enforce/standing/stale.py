"""Why a yes to a held step would not count any more, told before somebody says it.

The gate asks the same once more when it releases a step; here it is only looked at, and nothing is recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.enforce.asking.approval import Stale
from trueup.enforce.autonomy.rung import Rungs, policy_in_force
from trueup.enforce.request import read_request
from trueup.enforce.standing.pins import Pins
from trueup.enforce.standing.switch import Switch
from trueup.kernel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trueup.enforce.approvals import Desk
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.policy import Policy

# What a yes still matters for: it can be said, or was said and not used.
_MATTERS = frozenset({"open", "escalated", "accepted", "edited"})


def as_they_stand(desk: Desk, approvals: Iterable[Approval]) -> list[Approval]:
    """Return approvals, each with why no yes to it counts any more; None there while one does."""
    policies: dict[str, Policy | None] = {}
    found = []
    for one in approvals:
        if one.state in _MATTERS and one.workflow not in policies:
            policies[one.workflow] = _policy(desk, one.workflow)
        found.append(replace(one, stale=_why(desk, one, policies[one.workflow])) if one.state in _MATTERS else one)
    return found


def _policy(desk: Desk, workflow: str) -> Policy | None:
    try:
        return policy_in_force(desk.programme, workflow, desk.ledger)
    except NotFoundError:
        return None


def _why(desk: Desk, asked: Approval, policy: Policy | None) -> Stale | None:
    if policy is None:
        return Stale("policy-changed", f"the workflow {asked.workflow!r} is not declared any more")
    stopped = Switch(desk.ledger).why_not(asked.workflow)
    if stopped is not None:
        return Stale("killed", stopped)
    if asked.policy != policy.version:
        return Stale("policy-changed", _what_changed(desk, asked, policy))
    body = desk.bodies.get(asked.digest)
    if body is None:
        return Stale("arguments-gone", "its arguments were erased or altered, so nobody can see what is accepted")
    definition = read_request(body).definition
    if definition is not None and Pins(desk.ledger, asked.workflow).of(asked.tool) != definition:
        return Stale("definition-changed", f"{asked.tool!r} is not the tool any more that was pinned when it was held")
    return None


def _what_changed(desk: Desk, asked: Approval, policy: Policy) -> str:
    """Say what is otherwise than when it was held, as far as that is known: the gravest of it."""
    if policy.broken is not None:
        return f"the policy cannot be used now: {policy.broken}"
    if asked.action not in policy.actions:
        return f"the action {asked.action!r} is not declared any more"
    rung = Rungs(desk.ledger, asked.workflow).now()
    if rung.at is not None and rung.at >= asked.requested_at and rung.cause:
        return f"the level of the workflow was changed since ({policy.level} now): {rung.because}"
    return "the files that the policy is made from were changed since it was held"

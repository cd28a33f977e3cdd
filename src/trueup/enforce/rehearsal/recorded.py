"""A verdict that stands in the ledger, with every rule that was considered: those that applied, and those that did not.

The entry holds the rules that applied, by their ids, and the version of the policy. Where the files still make that
version, at the level that was in force, all of its rules are known again, with what they say; else those ids alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.enforce.attempt import cut
from trueup.enforce.autonomy.rung import as_it_stands, rungs_over
from trueup.enforce.policy import compile_policy
from trueup.enforce.verdict import Considered, Decision, Verdict
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.programme import Programme
    from trueup.enforce.policy import Policy
    from trueup.ledger.log import Ledger

_GONE = "a rule of the policy as it was then"
_OWN = "said by the gate itself, not by a policy"


def recorded_verdict(programme: Programme, workflow: str, ledger: Ledger, index: int) -> dict[str, Any]:
    """Return a verdict of the ledger in its published form; `complete` tells whether every rule is known.

    Raises NotFoundError where there is no such entry, UsageError for one that is no verdict on the workflow.
    """
    item = ledger.entry(index)
    data: Mapping[str, Any] = item.entry.data
    if item.type != "action.judged" or data.get("workflow") != workflow:
        hint = "Verdicts are the entries `action.judged`; what came of one is named by its step."
        raise UsageError("not-a-verdict", f"Entry {index} is no verdict on {workflow!r} ({item.type}).", hint)
    policy = _policy_then(programme, workflow, ledger, index, str(data["policy"]))
    verdict = Verdict(Decision(data["verdict"]), str(data["decisive"]), _rules(data, policy), data.get("action"))
    return {
        **verdict.to_json(),
        "entry": index,
        "at": format_instant(item.entry.time),
        "step": data["step"],
        "policy": data["policy"],
        "complete": policy is not None,
    }


def _policy_then(programme: Programme, workflow: str, ledger: Ledger, index: int, version: str) -> Policy | None:
    """Return the policy of a verdict, as far as the files still make it."""
    if workflow not in programme.workflows:
        return None
    rung = next(rung for since, rung in reversed(rungs_over(ledger, workflow)) if since < index)
    found = compile_policy(as_it_stands(programme, workflow, rung), workflow)
    return found if found.version == version else None


def _rules(data: Mapping[str, Any], policy: Policy | None) -> tuple[Considered, ...]:
    applied = [str(rule) for rule in data["rules"]]
    found = [
        Considered(rule.id, rule.effect, rule.says, rule.source, cut(rule.id) in applied)
        for rule in (policy.rules if policy else ())
        if rule.action in {None, data.get("action")}
    ]
    known = {cut(rule.id) for rule in found}
    effect = "permit" if data["verdict"] == Decision.ALLOW else "forbid"
    # Without the policy nobody can say which way a rule went; the decisive one went as the verdict did.
    others = [(rule, effect if rule == data["decisive"] else "-") for rule in applied if rule not in known]
    says, source = (_OWN, "gate") if policy is not None else (_GONE, "-")
    return (*found, *(Considered(rule, way, says, source, applied=True) for rule, way in others))

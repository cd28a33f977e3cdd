"""The compiled policy of one workflow, and the one place that asks Cedar.

Two questions decide: may it go on as it is (allow), and if not, could a person's yes release it (hold)? Anything
but a clean answer is a denial: Cedar skips a `forbid` that errors and answers NoDecision to what it cannot read,
so a request is checked against the schema, and one diagnostic error, one exception or one unreadable file denies.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.declare import cedar
from trueup.declare.model.workflow import AutonomyLevel
from trueup.enforce.certainty.confidence import Needed, needed_confidence
from trueup.enforce.limits import limits_of
from trueup.enforce.request import UnfitRequestError, decimal_of, normalised
from trueup.enforce.rules import Rule, rules_of
from trueup.enforce.schema import context_of, entities_of, numeric, schema_of, vocabulary
from trueup.enforce.verdict import Considered, Decision, Verdict, refusal
from trueup.kernel.canonical import digest
from trueup.kernel.errors import NotFoundError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from trueup.declare.model.workflow import Action, Workflow
    from trueup.declare.programme import Programme
    from trueup.enforce.limits import Limit
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json

_NUMBERED = re.compile(r"policy(\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Cedar said to one question: allowed or not, which policies (by position), and what went wrong."""

    allowed: bool
    applied: frozenset[int]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a workflow, ready to judge. `version` changes whenever anything does that a verdict rests on.

    `broken` says why nothing can be judged, None when all is well.
    """

    workflow: str
    level: AutonomyLevel
    actions: Mapping[str, Action]
    rules: tuple[Rule, ...]
    version: str
    broken: str | None
    names: tuple[str, ...] = ()
    numeric: frozenset[str] = frozenset()
    ask: Callable[[list[dict[str, Any]]], list[Answer]] = field(default=lambda _: [], repr=False, compare=False)
    limits: tuple[Limit, ...] = ()
    confidence: Needed = None

    @property
    def counts(self) -> bool:
        """True when a policy of the programme's own may ask for `today`: then each like action may change its answer.

        The limit `per_day` asks for it too, and says the same as long as the call fits.
        """
        declared = {rule.source for rule in self.rules if rule.action is not None}
        own = [rule.text for rule in self.rules if rule.source not in declared]
        return any("today" in text or "\\" in text for text in own)

    def judge(
        self, request: Request, *, today: int = 0, approved: bool = False, fits: frozenset[str] | None = None
    ) -> Verdict:
        """Judge a request; never raises. `today` counts the like actions reserved before it this day (UTC).

        `fits` names the limits that it is within, by `Usage`; None asks as if nothing was used up yet. With
        `approved` a person has said yes, and the answer is allow or deny.
        """
        try:
            within = frozenset(limit.name for limit in self.limits) if fits is None else fits
            return self._judged(normalised(request), today, within, approved=approved)
        except UnfitRequestError as error:
            return refusal(error.reason, str(error))
        except Exception as error:  # noqa: BLE001 -- whatever goes wrong inside the gate, nothing passes
            return refusal("gate.error", f"the gate itself failed: {type(error).__name__}")

    def action_of(self, request: Request) -> str | None:
        """Return the declared action that a request is for; None when there is none, or more than one."""
        found = [
            key for key, action in self.actions.items() if action.tool == request.tool and request.action in {None, key}
        ]
        return found[0] if len(found) == 1 else None

    def _judged(self, request: Request, today: int, fits: frozenset[str], *, approved: bool) -> Verdict:
        if self.broken is not None:
            return refusal("policy.broken", self.broken, source="policies")
        key = self.action_of(request)
        if key is None:
            return self._unlisted(request)
        unfit = self._unfit(request)
        if unfit is not None:
            return refusal("request.not-a-number", unfit, action=key)
        answers = self.ask([self._question(request, key, today, fits, approved=approved)])
        if not approved and len(answers) == 1 and not answers[0].allowed:
            # What would a person's yes change? A question that is only asked where the answer was no.
            answers += self.ask([self._question(request, key, today, fits, approved=True)])
        if not answers or any(answer.errors for answer in answers):
            errors = [error for answer in answers for error in answer.errors]
            return refusal("policy.error", f"the policy cannot be evaluated: {'; '.join(errors[:2])}", action=key)
        return self._verdict(key, answers[0], answers[-1])

    def _verdict(self, key: str, plain: Answer, released: Answer) -> Verdict:
        """Put two answers together; only the pair (no, then yes) is a hold."""
        decision = Decision.ALLOW if plain.allowed else Decision.HOLD if released.allowed else Decision.DENY
        answer = released if decision is Decision.DENY else plain
        effect = "permit" if decision is Decision.ALLOW else "forbid"
        relevant = [(n, rule) for n, rule in enumerate(self.rules) if rule.action in {None, key}]
        decisive = [rule.id for n, rule in relevant if n in answer.applied and rule.effect == effect]
        # Cedar names the policies that determined its answer: with a forbid among them, no permit.
        applied = plain.applied | released.applied
        considered = tuple(
            Considered(rule.id, rule.effect, rule.says, rule.source, n in applied) for n, rule in relevant
        )
        if not decisive:
            return Verdict(Decision.DENY, "default", considered, key)
        return Verdict(decision, decisive[0], considered, key)

    def _question(
        self, request: Request, key: str, today: int, fits: frozenset[str] = frozenset(), *, approved: bool
    ) -> dict[str, Any]:
        context = context_of(
            request, self.names, workflow=self.workflow, level=self.level, today=today, approved=approved, fits=fits
        )
        return {
            "principal": {"type": "Workflow", "id": self.workflow},
            "action": {"type": "Action", "id": key},
            "resource": {"type": "Tool", "id": request.tool},
            "context": context,
        }

    def _unlisted(self, request: Request) -> Verdict:
        tools = sorted({action.tool for action in self.actions.values() if action.tool})
        if request.tool not in tools:
            close = did_you_mean(request.tool, tools) if request.tool.isascii() else ""
            return refusal("unlisted-tool", f"{self.workflow!r} declares no action with {request.tool!a}.{close}")
        if request.action is None:
            return refusal("several-actions", f"several actions use {request.tool!r}; name one as `action`")
        return refusal("unlisted-action", f"no action {request.action!a} of {self.workflow!r} uses this tool")

    def _unfit(self, request: Request) -> str | None:
        """Return which argument is no exact number though it has to be one, or is a number beyond Cedar's."""
        for name in self.names:
            if name not in request.arguments:
                continue
            value = request.arguments[name]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if (name in self.numeric or is_number) and decimal_of(value) is None:
                return f"the argument {name!r} is no number with at most four decimals"
        return None


def compile_policy(programme: Programme, workflow: str) -> Policy:
    """Compile what a workflow and the programme's own policies declare.

    What cannot be compiled is not raised: the policy is `broken`, and denies. Raises NotFoundError for a workflow
    that is not declared.
    """
    if workflow not in programme.workflows:
        known = sorted(programme.workflows)
        raise NotFoundError(
            "no-such-workflow",
            f"There is no workflow {workflow!r}.{did_you_mean(workflow, known)}",
            f"Declared are: {', '.join(known) or 'none'}.",
        )
    declared = programme.workflows[workflow]
    level = declared.autonomy.level if declared.autonomy else AutonomyLevel.SHADOW
    rules, broken, schema, ask = rules_of(workflow, declared), None, "", None
    try:
        schema = schema_of(programme, workflow)
        _require_readable(programme.root / "policies")
        rules += own_rules(cedar.policies(programme.root))
        _validate(rules, schema)
        ask = _asker(rules, schema, entities_of(programme, workflow, level))
    except Exception as error:  # noqa: BLE001 -- a policy that cannot be compiled denies, whatever the reason
        broken = str(error) or type(error).__name__
    if not declared.actions:
        broken = f"{workflow!r} declares no actions, so nothing is permitted"
    # Everything that a verdict or an approval rests on: the rules, what they may speak of, who approves, how long.
    basis = {
        "rules": [rule.text for rule in rules],
        "schema": schema,
        "level": level,
        "actions": declared.model_dump_json(include={"actions", "budget"}),
        "broken": broken,
        **_servers_of(programme, declared),
    }
    return Policy(
        workflow,
        level,
        declared.actions,
        tuple(rules),
        digest(basis),
        broken,
        vocabulary(programme),
        numeric(programme, workflow),
        ask or (lambda _: []),
        limits_of(declared),
        needed_confidence(declared.autonomy, None),
    )


def _servers_of(programme: Programme, declared: Workflow) -> dict[str, Json]:
    """Return how the servers are reached that the tools of a workflow name, where there are any: `files.read`."""
    named = {action.tool.partition(".")[0] for action in declared.actions.values() if action.tool}
    found = {name: one.model_dump_json() for name, one in programme.file.servers.items() if name in named}
    return {"servers": found} if found else {}


def _require_readable(folder: Path) -> None:
    """Raise when the folder cannot be listed, or holds a policy where none is looked for: it would be passed over."""
    if not folder.exists() and not folder.is_symlink():
        return
    for path in folder.iterdir():
        if path.suffix.lower() == ".cedar" and path.suffix != ".cedar":
            raise ValueError(f"policies/{path.name} is not read: its name has to end in .cedar")
        if path.is_dir() and any(path.rglob("*.cedar")):
            raise ValueError(f"policies/{path.name}/ holds policies, which are read from policies/ only")


def own_rules(files: Iterable[tuple[str, str | None]]) -> list[Rule]:
    """Return the policies of the programme's own files. Raises ValueError, naming the file that cannot be used."""
    import cedarpy

    found = []
    for file, text in files:
        if text is None:
            raise ValueError(f"{file} cannot be read as text")
        try:
            parsed = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        if parsed.get("templates"):
            raise ValueError(f"{file} holds a template, which applies to nothing")
        found += _listed(file, text, parsed["staticPolicies"])
    return found


def _listed(file: str, text: str, policies: Mapping[str, Any]) -> list[Rule]:
    """Make rules of the parsed policies of a file; its text goes with the first, so that nothing is rewritten."""
    rules = []
    for n in range(len(policies)):
        parsed = policies[f"policy{n}"]
        name = parsed.get("annotations", {}).get("id") or f"{n + 1}"
        says = parsed.get("annotations", {}).get("reason") or f"a policy in {file}"
        rules.append(Rule(f"{file}#{name}", parsed["effect"], says, file, text if n == 0 else ""))
    return rules


def _validate(rules: list[Rule], schema: str) -> None:
    import cedarpy

    result = cedarpy.validate_policies(_text(rules), schema)
    if result.validation_passed:
        return
    first = result.errors[0]
    number = _NUMBERED.fullmatch(first.policy_id)
    source = rules[int(number[1])].source if number and int(number[1]) < len(rules) else "a policy"
    raise ValueError(f"{source}: {_NUMBERED.sub(lambda match: _named(rules, int(match[1])), str(first.error))}")


def _named(rules: list[Rule], number: int) -> str:
    """Return the name by which people know the policy that Cedar knows by its number."""
    return rules[number].id if number < len(rules) else f"policy{number}"


def _asker(rules: list[Rule], schema: str, entities: str) -> Callable[[list[dict[str, Any]]], list[Answer]]:
    import cedarpy

    parsed = cedarpy.PolicySet.from_str(_text(rules))
    if len(parsed) != len(rules) or not rules:
        raise ValueError(f"{len(rules)} rules became {len(parsed)} policies")
    handle = cedarpy.Schema.from_json_str(schema)
    known = cedarpy.Entities.from_json_str(entities, handle)

    def ask(requests: list[dict[str, Any]]) -> list[Answer]:
        return [_answer(result) for result in cedarpy.is_authorized_batch(requests, parsed, known, handle)]

    return ask


def _answer(result: Any) -> Answer:
    import cedarpy

    decided = result.decision in {cedarpy.Decision.Allow, cedarpy.Decision.Deny}
    errors = tuple(result.diagnostics.errors) or (() if decided else ("no decision",))
    matches = [_NUMBERED.fullmatch(reason) for reason in result.diagnostics.reasons]
    if not all(matches):
        errors = (*errors, "a policy that nobody declared took part")
    applied = frozenset(int(match[1]) for match in matches if match)
    return Answer(result.decision is cedarpy.Decision.Allow and not errors, applied, errors)


def _text(rules: Iterable[Rule]) -> str:
    return "\n".join(rule.text for rule in rules)

"""The actions of a workflow as rules: each one sentence for people, and one Cedar policy that means the same.

What is declared becomes one `permit` for exactly one tool. Everything else restricts: a `forbid` with `unless` and
a guard for every attribute that may be missing, so that what is missing forbids and nothing is ever skipped.
`context.approved` is false until a person has said yes; what only that changes is a hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.declare.model.workflow import Action, Autonomy, AutonomyLevel, Impact, Workflow
from trueup.declare.programme import workflow_file
from trueup.enforce.certainty.confidence import Needed, raised
from trueup.enforce.limits import BUDGET, PER_DAY, WITHIN, Limit, costs_of, limits_of, unusable, whole
from trueup.enforce.request import decimal_of

# The last words of the ids of rules that hold what is uncertain: by them it is counted.
CONFIDENCE = "confidence"
SOURCES = "sources"
_BOUNDS = {"at_most": "lessThanOrEqual", "at_least": "greaterThanOrEqual"}
_WORDS = {"at_most": "at most", "at_least": "at least"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `action` is the declared action that it is about, None for rules about all."""

    id: str
    effect: str
    says: str
    source: str
    text: str
    action: str | None = None


def rules_of(name: str, workflow: Workflow) -> list[Rule]:
    """Return the rules that a workflow's file declares, in its order."""
    autonomy = workflow.autonomy or Autonomy()
    counted = limits_of(workflow)
    found = (_of_action(name, key, action, autonomy, counted) for key, action in workflow.actions.items())
    return [rule for rules in found for rule in rules]


def acts(action: Action) -> bool:
    """Tell whether an action changes the world or carries data out of it; an impact that nobody declared does."""
    return action.impact is not Impact.NONE or bool(action.egress)


def needs_person(action: Action, level: AutonomyLevel) -> str | None:
    """Return why a person has to say yes; None where nobody has to.

    Draft: never without a person. Approve: after a yes, but for `approval: never`. Act: alone, but for
    `approval: always`. What declares no approval asks always, unless it only reads; so does high impact that
    declares `never`, whatever else is said of it.
    """
    asked = action.approval or ("always" if acts(action) else "never")
    if asked == "never" and action.impact in {Impact.HIGH, None}:
        asked = "always"
    if asked == "always":
        return "a person decides each time (approval: always)"
    if acts(action) and level in {AutonomyLevel.SHADOW, AutonomyLevel.DRAFT}:
        return f"at the level {level} nothing is done without a person"
    if asked == "until-act" and level is not AutonomyLevel.ACT:
        return f"a person decides until the level act is reached (now: {level})"
    return None


def limited_fields(action: Action) -> set[str]:
    """Return the arguments whose value an action limits."""
    return {field for field in action.limits if field not in WITHIN and field != BUDGET}


def literal(text: str) -> str:
    """Write text as a Cedar string; everything beyond printable ASCII as its code point."""
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character.isascii() and character.isprintable() and character not in '"\\':
        return character
    return f"\\u{{{ord(character):x}}}"


class _Writer:
    """Writes the rules of one action."""

    def __init__(self, workflow: str, key: str, action: Action) -> None:
        self._id = f"{workflow}.{key}"
        self._key = key
        self._file = workflow_file(workflow)
        self._head = f"principal == Workflow::{literal(workflow)}, action == Action::{literal(key)}"
        self._tool = action.tool or ""

    def permit(self) -> Rule:
        says = f"{self._key!r} may call the tool {self._tool!r}"
        body = f"permit({self._head}, resource == Tool::{literal(self._tool)});"
        return self._rule(self._id, "permit", says, body)

    def forbid(self, name: str, says: str, unless: str | None) -> Rule:
        condition = f" unless {{ {unless} }}" if unless else ""
        return self._rule(f"{self._id}.{name}", "forbid", says, f"forbid({self._head}, resource){condition};")

    def _rule(self, rule_id: str, effect: str, says: str, body: str) -> Rule:
        return Rule(rule_id, effect, says, self._file, f"@id({literal(rule_id)})\n{body}\n", self._key)


def _of_action(name: str, key: str, action: Action, autonomy: Autonomy, counted: tuple[Limit, ...]) -> Iterator[Rule]:
    write, level = _Writer(name, key, action), autonomy.level
    if not action.tool:
        yield write.forbid("tool", f"{key!r} names no tool", None)
        return
    yield write.permit()
    if acts(action) and level is AutonomyLevel.SHADOW:
        yield write.forbid("autonomy", "at the level shadow nothing acts", None)
    yield from _limits(write, action)
    yield from _counted(write, key, action, counted)
    why = needs_person(action, level)
    if why is not None:
        yield write.forbid("approval", why, "context.approved")
    if acts(action):
        says = "arguments that come from content nobody vouches for are looked at by a person"
        yield write.forbid("untrusted", says, "context.approved || context.untrusted.isEmpty()")
        yield from _brought(write, autonomy)


def _brought(write: _Writer, autonomy: Autonomy) -> Iterator[Rule]:
    """Hold what the model is not sure enough of, or what rests on nothing, where the file asks for that."""
    if autonomy.confidence is not None:
        says, enough = _enough(autonomy.confidence)
        yield write.forbid(CONFIDENCE, says, f"context.approved{enough}")
    if autonomy.sources == "required":
        says = "an answer without a source is looked at by a person"
        yield write.forbid(SOURCES, says, "context.approved || !context.sources.isEmpty()")


def _enough(needed: Needed) -> tuple[str, str]:
    """Return what a rule about confidence says, and when something is sure enough."""
    if isinstance(needed, float):
        least = raised(needed)
        says = f"what the model is less than {needed * 100:g}% sure of, or says no confidence for, a person looks at"
        return says, f' || (context has confidence && context.confidence.greaterThanOrEqual(decimal("{least}")))'
    return "no confidence was shown to be enough yet (confidence: learned), so a person looks at everything", ""


def _limits(write: _Writer, action: Action) -> Iterator[Rule]:
    for name, declared in action.limits.items():
        why = unusable(name, declared, action)
        if why is not None:
            shown = json.dumps(declared, default=str)
            says = f"the limit {name}: {shown} {why}: it cannot be enforced, so nothing passes"
            yield write.forbid(f"limits.{name}", says, None)
        elif name not in WITHIN and name != BUDGET:
            yield from _of_field(write, name, declared)


def _counted(write: _Writer, key: str, action: Action, counted: tuple[Limit, ...]) -> Iterator[Rule]:
    """Forbid what does not fit into a window. The gate says what fits; Cedar has no sums."""
    for limit in counted:
        if limit.action not in {None, key}:
            continue
        if limit.action is None and costs_of(action) is None and acts(action):
            says = f"{key!r} declares no `costs`, so the workflow's budget cannot be kept and nothing passes"
            yield write.forbid(f"limits.{limit.name}", says, None)
        elif limit.name == PER_DAY and whole(limit.most) is not None:
            yield write.forbid("limits.per_day", limit.says, f"context.today < {limit.most}")
        else:
            fits = f"context.fits.contains({literal(limit.name)})"
            yield write.forbid(f"limits.{limit.name}", limit.says, fits)


def _of_field(write: _Writer, field: str, declared: Mapping[str, Any]) -> Iterator[Rule]:
    """Bound one argument. Where nothing else is declared it is at least 0: a negative amount is another action."""
    known = {name: str(decimal_of(value)) for name, value in declared.items() if name in _BOUNDS}
    known.setdefault("at_least", "0.0000")
    for name, bound in known.items():
        has = f"context.numbers has {literal(field)}"
        within = f'context.numbers[{literal(field)}].{_BOUNDS[name]}(decimal("{bound}"))'
        says = f"{field} is a number of {_WORDS[name]} {bound.rstrip('0').rstrip('.')}"
        yield write.forbid(f"limits.{field}.{name}", says, f"{has} && {within}")

"""What only compiling a policy shows, as findings: everything that would make the gate deny whatever is asked.

Each file is compiled by itself, so that a broken one hides nothing of the others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trueup.declare import cedar
from trueup.declare.check.registry import PAGES
from trueup.enforce.policy import compile_policy, own_rules
from trueup.enforce.rehearsal.reach import place, unreachable_policies
from trueup.enforce.schema import schema_of
from trueup.kernel.finding import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trueup.declare.programme import Programme
    from trueup.kernel.finding import Finding

_CODE = "GOV03"
_NUMBERED = re.compile(r"policy(\d+)")
_FOLDER = "policies"


def unusable_policies(programme: Programme, known: Iterable[Finding]) -> list[Finding]:
    """Return a finding for each file under `policies/` that stops a gate, and for each policy that can never apply.

    Files that one of `known` names are passed over.

    Nothing is compiled where the programme has no such folder.
    """
    if not (programme.root / _FOLDER).exists():
        return []
    named = {finding.where.file for finding in known if finding.code == _CODE}
    found: dict[str, Finding] = {}
    for name, workflow in sorted(programme.workflows.items()):
        if workflow.actions:
            for where, why in _problems(programme, name):
                if where.file not in named:
                    found.setdefault(where.file, _finding(where, why, name))
    # Asked only of what compiles: of the rest it has been said what is wrong.
    return [*found.values(), *unreachable_policies(programme, named | set(found))]


def _problems(programme: Programme, workflow: str) -> Iterator[tuple[Span, str]]:
    """Yield what is wrong with each file for a workflow, then what closes its gate beside that."""
    broken = compile_policy(programme, workflow).broken
    if broken is None:
        return
    files = cedar.policies(programme.root)
    found = [one for one in (_problem(programme, workflow, *item) for item in files) if one is not None]
    yield from found
    if _file_in(broken) not in {where.file for where, _ in found}:
        yield Span(_file_in(broken)), broken


def _problem(programme: Programme, workflow: str, file: str, text: str | None) -> tuple[Span, str] | None:
    """Return where a file cannot be used, and why; None where it can, or where the workflow itself is the reason."""
    import cedarpy

    try:
        rules = own_rules([(file, text)])
    except ValueError as error:
        return Span(file), str(error)
    try:
        schema = schema_of(programme, workflow)
    except ValueError:
        return None
    result = cedarpy.validate_policies("\n".join(rule.text for rule in rules), schema)
    if result.validation_passed:
        return None
    first = result.errors[0]
    number = _NUMBERED.fullmatch(first.policy_id)
    says = _NUMBERED.sub(
        lambda match: rules[int(match[1])].id if int(match[1]) < len(rules) else match[0], str(first.error)
    )
    where = place(file, text or "", int(number[1])) if number else Span(file)
    return where, f"{file}: {says}"


def _finding(where: Span, why: str, workflow: str) -> Finding:
    detail = f"{why}. The gate of {workflow!r} denies everything until it is mended."
    return PAGES[_CODE].finding(where, detail, _fix(detail))


def _fix(detail: str) -> str:
    if "optional attribute" in detail:
        return "Guard what may be missing: `context has numbers && context.numbers has FIELD && ...`."
    return "Correct the policy, or name what the workflow declares."


def _file_in(broken: str) -> str:
    """Return the file that a sentence begins with; the folder where it names none."""
    first = broken.split(": ", 1)[0].split(" ", 1)[0]
    return first if first.startswith(f"{_FOLDER}/") else _FOLDER

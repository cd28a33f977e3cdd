"""What only compiling a policy shows, as findings: everything that would make the gate deny whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.check.registry import PAGES
from trueup.enforce.policy import compile_policy
from trueup.enforce.rehearsal.reach import unreachable_policies
from trueup.kernel.finding import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trueup.declare.programme import Programme
    from trueup.kernel.finding import Finding

_CODE = "GOV03"


def unusable_policies(programme: Programme, known: Iterable[Finding]) -> list[Finding]:
    """Return a finding for each file under `policies/` that stops a gate, and for each policy that can never apply.

    Files that one of `known` names are passed over.

    Nothing is compiled where the programme has no such folder.
    """
    if not (programme.root / "policies").exists():
        return []
    named = {finding.where.file for finding in known if finding.code == _CODE}
    found: dict[str, Finding] = {}
    for name, workflow in sorted(programme.workflows.items()):
        broken = compile_policy(programme, name).broken if workflow.actions else None
        file = _file_in(broken or "")
        if broken is not None and file not in named:
            detail = f"{broken}. The gate of {name!r} denies everything until it is mended."
            page = PAGES[_CODE].finding(Span(file), detail, _fix(detail))
            found.setdefault(file, page)
    if found:
        return list(found.values())
    # Asked only of what compiles: the rest has been said.
    return list(unreachable_policies(programme, named))


def _fix(detail: str) -> str:
    if "optional attribute" in detail:
        return "Guard what may be missing: `context has numbers && context.numbers has FIELD && ...`."
    return "Correct the policy, or name what the workflow declares."


def _file_in(broken: str) -> str:
    """Return the file that a sentence begins with; the folder where it names none."""
    first = broken.split(": ", 1)[0].split(" ", 1)[0]
    return first if first.startswith("policies/") else "policies"

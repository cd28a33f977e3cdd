"""What an agent is told when its call did not simply run: in words for a model, and typed for a program.

All of these are results with `isError`: nothing was done, or nobody knows. `_meta["trueup/answer"]` carries `verdict`
and `state` and, where a person is asked, `approval`, `digest`, `expires_at` and `next`. It does not stand in
`structuredContent`, which belongs to the tool: some clients hold that against the tool's own schema, failed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp import types

from trueup.enforce.steps import State
from trueup.kernel.clock import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.gate import Outcome
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.errors import TrueupError

ANSWER = "trueup/answer"
# What an agent may say of its own answer beside the arguments of a call, in `_meta`.
CONFIDENCE = "trueup/confidence"
SOURCES = "trueup/sources"
_AGAIN = "After a yes, call the same tool with the same arguments once more: then it runs, once."


def brought(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what an agent says of its answer, as it says it: whether that can be used is the gate's to judge."""
    said = dict(meta or {})
    return {"confidence": said.get(CONFIDENCE), "sources": said.get(SOURCES, ())}


def told(text: str, **content: Any) -> types.CallToolResult:
    """Return a result that says why nothing was done."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], _meta={ANSWER: content}, is_error=True
    )


def denied(verdict: Verdict | None) -> types.CallToolResult:
    """Tell that policy says no, and by which rule."""
    says = [rule.says for rule in verdict.rules if rule.applied and rule.effect == "forbid"] if verdict else []
    decisive = verdict.decisive if verdict else "step"
    why = "; ".join(says) or "not permitted"
    text = f"Denied ({decisive}): {why}{'' if why.endswith(('.', '?')) else '.'} Nothing was done."
    return told(text, verdict="deny", state=str(State.DENIED), decisive=decisive, reasons=says)


def held(approval: Approval) -> types.CallToolResult:
    """Tell that a person is asked, until when, and how to go on."""
    until = format_instant(approval.expires_at)
    text = (
        f"Held: a person decides ({'; '.join(approval.reasons)}). Nothing was done. Approval {approval.id}, open until "
        f"{until}; then it is a no. {_AGAIN}"
    )
    return told(
        text,
        verdict="hold",
        state=str(State.HELD),
        approval=approval.id,
        digest=approval.digest,
        reasons=list(approval.reasons),
        expires_at=until,
        next=_AGAIN,
    )


def rejected(approval: Approval) -> types.CallToolResult:
    """Tell that a person said no; asking again before it would have expired changes nothing."""
    because = f": {approval.because}" if approval.because else ""
    text = f"Denied: a person said no to {approval.id}{because}. Nothing was done."
    return told(text, verdict="deny", state=str(State.DENIED), approval=approval.id, decisive="approval.rejected")


def unknown(step: str, why: str = "") -> types.CallToolResult:
    """Tell that nobody knows whether it happened; a person finds out, and it is not repeated."""
    text = (
        f"Unknown: the call was allowed, and nobody knows whether it took effect{f' ({why})' if why else ''}. It is "
        "not repeated. A person has to find out and settle it."
    )
    return told(text, verdict="allow", state=str(State.UNKNOWN), step=step)


def failed(step: str, why: str) -> types.CallToolResult:
    """Tell that the call could not be made."""
    return told(f"Failed: {why}. Nothing was done.", verdict="allow", state=str(State.FAILED), step=step)


def unkept(error: TrueupError) -> types.CallToolResult:
    """Tell that there is an answer, withheld since nobody could be told later where its words came from."""
    text = (
        f"The answer is withheld: where its words come from could not be recorded ({error.code}). What was called may "
        "have taken effect; do not call it again for the answer."
    )
    return told(text, verdict="allow", decisive=error.code, withheld=True)


def ended(outcome: Outcome, step: str) -> types.CallToolResult:
    """Tell the state of a step that had ended before."""
    if outcome.state is State.DENIED:
        return denied(outcome.verdict)
    if outcome.state is State.UNKNOWN:
        return unknown(step)
    return told(f"This step is {outcome.state} already.", verdict="allow", state=str(outcome.state), step=step)

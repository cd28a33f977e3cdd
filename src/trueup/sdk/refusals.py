"""What a governed call raises where it did not run: who stands in the way, and what can be done about it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trueup.kernel.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.enforce.steps import State
    from trueup.enforce.verdict import Verdict

_HINTS = {
    "request.not-canonical": "Pass texts, finite numbers (int or float), lists and objects of these.",
    "unlisted-tool": "If it may, declare it under `actions` of the workflow.",
}
AGAIN = "A no to a step stays. Where its reason is gone, ask under another step."
NO = "A person's no stays until the question would have expired; asking again changes nothing."


def _command(verb: str, root: Path, *more: str) -> str:
    return f"    {shlex.join(['trueup', 'approvals', verb, str(root), *more])}"


class DeniedError(NotPermittedError):
    """Policy, or a person, says no; nothing was done. `verdict` says by which rule, where one was asked."""

    def __init__(self, action: str, verdict: Verdict | None, because: str = "", hint: str = "") -> None:
        says = because or "; ".join(verdict.reasons if verdict else [])
        hint = _HINTS.get(verdict.decisive, "") if verdict else hint
        super().__init__("denied", f"{action!r} is denied: {says.rstrip('.')}.", hint)
        self.verdict = verdict


class HeldError(NotPermittedError):
    """A person has to say yes first; nothing was done. The same call goes on, once, after it."""

    def __init__(self, action: str, approval: str, root: Path) -> None:
        hint = f"See what is asked, then decide; after a yes the same call runs:\n{_command('show', root, approval)}"
        super().__init__("held", f"{action!r} waits for a person: {approval}.", hint)
        self.approval = approval


class UnknownOutcomeError(ConflictError):
    """It was allowed, and nobody knows whether it took effect; it is not repeated until a person has found out."""

    def __init__(self, action: str, step: str, root: Path) -> None:
        hint = f"Look where it acts, then say what you found:\n{_command('unknown', root)}"
        super().__init__("outcome-unknown", f"Nobody knows how {action!r} ended (step {step!r}).", hint)
        self.step = step


class DoneBeforeError(ConflictError):
    """The step was run before; its result is with whoever called it then."""

    def __init__(self, action: str, step: str, state: State) -> None:
        super().__init__("done-before", f"{action!r} is {state} already (step {step!r}).", "Give another call a step.")
        self.step = step

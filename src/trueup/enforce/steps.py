"""A step of a workflow as it stands in the ledger: which entries it has, and so what may still happen to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trueup.kernel.canonical import digest
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

LONGEST_STEP = 200


class State(StrEnum):
    """Where a step is.

    `unknown`: it was allowed, and nobody wrote down how it ended. It may have happened, and is never run again; a
    person finds out and settles it.
    """

    DONE = "done"
    FAILED = "failed"
    HELD = "held"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StepIds:
    """The ids of a step's entries, made from workflow and step: an entry can be there once."""

    root: str

    @classmethod
    def of(cls, workflow: str, step: str) -> StepIds:
        """Return the ids for a step of a workflow. Raises UsageError for a step that cannot be a key."""
        if not step.isprintable() or not 1 <= len(step) <= LONGEST_STEP:
            raise UsageError(
                "bad-step",
                f"{step[:LONGEST_STEP]!a} cannot be the key of a step.",
                f"A step is named by 1 to {LONGEST_STEP} printable characters, such as case and action.",
            )
        return cls(f"action/{workflow}/{digest(step).removeprefix('sha256:')[:32]}")

    @classmethod
    def of_intent(cls, intent: str) -> StepIds:
        """Return the ids of the step whose intent has an id."""
        return cls(intent.removesuffix("/intended"))

    @property
    def intended(self) -> str:
        """The intent."""
        return f"{self.root}/intended"

    @property
    def judged(self) -> str:
        """The first verdict."""
        return f"{self.root}/judged"

    @property
    def released(self) -> str:
        """The verdict after a person's yes; it uses the approval up."""
        return f"{self.root}/released"

    @property
    def finished(self) -> str:
        """The outcome."""
        return f"{self.root}/finished"

    @property
    def settled(self) -> str:
        """What a person found out about a step without an outcome."""
        return f"{self.root}/settled"

    @property
    def approval(self) -> str:
        """The short id by which people name the approval."""
        return "a-" + digest(self.root).removeprefix("sha256:")[:12]


def state_of(ledger: Ledger, ids: StepIds) -> State | None:
    """Return where a step is; None when it was intended at most, so that nothing can have run."""
    finished = ledger.find(ids.finished)
    if finished is not None:
        return State.DONE if finished.entry.data.get("ended") == "done" else State.FAILED
    settled = ledger.find(ids.settled)
    if settled is not None:
        return State.DONE if settled.entry.data.get("happened") is True else State.FAILED
    last: Recorded | None = ledger.find(ids.released) or ledger.find(ids.judged)
    if last is None:
        return None
    states = {"allow": State.UNKNOWN, "hold": State.HELD, "deny": State.DENIED}
    return states.get(str(last.entry.data.get("verdict")), State.UNKNOWN)

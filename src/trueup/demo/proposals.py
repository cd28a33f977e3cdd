"""What the assistant proposes passes through the gate: it is held, a person answers, and what was accepted runs.

The same calls as a program of yours would make; only the clock is simulated, and the person's answer is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trueup.demo.calendar import ADOPTED
from trueup.demo.simulation import seeded
from trueup.enforce.approvals import Ask
from trueup.enforce.policy import compile_policy
from trueup.enforce.request import Request
from trueup.enforce.router import TREATED
from trueup.enforce.steps import State
from trueup.sdk import governed
from trueup.workspace import approval_desk, opened, signer_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trueup.kernel.canonical import Json
    from trueup.kernel.progress import Progress
    from trueup.sdk import GovernedWorkflow

WORKFLOW, TOOL, REVIEWER = "payment-reminders", "mail.reminder.send", "receivables-lead"
# Of a thousand drafts so many are rejected, and so many sent with another text.
_REJECTED, _EDITED = 6, 7
_OUT_OF = 1000
_DRAFTED, _ANSWERED, _SENT = timedelta(minutes=5), timedelta(minutes=50), timedelta(minutes=51)


@dataclass
class SimulatedClock:
    """A clock that is set by hand."""

    at: datetime = ADOPTED

    def now(self) -> datetime:
        """Return the instant at which it was set."""
        return self.at


@dataclass(frozen=True, slots=True)
class Proposal:
    """One reminder: the case, when it falls due, and what a person will say to the draft."""

    case: str
    due: datetime
    answer: str

    @property
    def step(self) -> str:
        """The idempotency key: one reminder a case."""
        return f"{self.case}/reminder"

    def request(self, text: str = "Our invoice is overdue. Please tell us when you will pay.") -> Request:
        """Return what the assistant wants done."""
        return Request(TOOL, {"customer": f"customer of {self.case}", "text": text}, case=self.case)


@dataclass
class Sent:
    """What really went out, in place of a mail system."""

    texts: list[str] = field(default_factory=list)

    def send(self, arguments: Mapping[str, Json]) -> str:
        """Take a reminder as the gate hands it over."""
        self.texts.append(str(arguments["text"]))
        return "sent"


def pass_through(root: Path, progress: Progress, arrived: Sequence[tuple[str, datetime, str]], seed: int) -> int:
    """Take the treated cases among (case, start, arm) through the gate; return how many reminders went out."""
    rng = seeded(seed, len(arrived))
    draws = rng.integers(0, _OUT_OF, len(arrived)).tolist()
    proposals = [
        Proposal(case, due, _answer(draw))
        for (case, due, arm), draw in zip(arrived, draws, strict=True)
        if arm == TREATED
    ]
    clock, sent = SimulatedClock(), Sent()
    with governed(root, WORKFLOW, progress=progress, clock=clock) as gate:
        held = {proposal: _propose(gate, proposal, clock, sent) for proposal in proposals}
    _answer_all(root, progress, held)
    with governed(root, WORKFLOW, progress=progress, clock=clock) as gate:
        for proposal, approval in held.items():
            clock.at = proposal.due + _SENT
            gate.resume(approval, sent.send)
    return len(sent.texts)


def _answer(draw: int) -> str:
    return "reject" if draw < _REJECTED else "edit" if draw < _REJECTED + _EDITED else "accept"


def _propose(gate: GovernedWorkflow, proposal: Proposal, clock: SimulatedClock, sent: Sent) -> str:
    clock.at = proposal.due + _DRAFTED
    outcome = gate.call(proposal.request(), proposal.step, sent.send)
    assert outcome.state is State.HELD, "the workflow is at the level draft"
    assert outcome.approval is not None
    return outcome.approval


def _answer_all(root: Path, progress: Progress, held: Mapping[Proposal, str]) -> None:
    with opened(root, progress, write=True, workflow=WORKFLOW) as bench:
        desk, policy, sign = (
            approval_desk(bench),
            compile_policy(bench.programme, WORKFLOW),
            signer_for(bench, REVIEWER),
        )
        for proposal, approval in held.items():
            desk.decide(_said(proposal, approval), policy, proposal.due + _ANSWERED, sign)


def _said(proposal: Proposal, approval: str) -> Ask:
    if proposal.answer == "edit":
        other = proposal.request("Our invoice is overdue since last week. Please tell us when you will pay.").arguments
        return Ask(approval, "edit", REVIEWER, other, "the date was missing (simulated)")
    because = "already paid by cheque (simulated)" if proposal.answer == "reject" else None
    return Ask(approval, proposal.answer, REVIEWER, because=because)

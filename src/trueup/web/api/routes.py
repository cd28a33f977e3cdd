"""The addresses of the API: one table, from which the application and its reference page are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.declare.model.people import Right
from trueup.web.api import answers, blind
from trueup.web.api.answers import Answers
from trueup.web.api.calls import Member

PREFIX = "/api"


@dataclass(frozen=True, slots=True)
class Route:
    """One address. `command` answers the same in the terminal; of a `whole` body the bytes count, as they are."""

    method: str
    path: str
    right: Right
    command: str
    says: str
    answer: Answers
    takes: Mapping[str, Member] = field(default_factory=dict)
    whole: bool = False

    @property
    def dated(self) -> bool:
        """True where `?as_of=` moves the answer to an instant."""
        return self.command in {"approvals list", "approvals show", "autonomy reviews"}


_BECAUSE = {"because": Member("text", "the reason, for the record")}

ROUTES = (
    Route("GET", "/approvals", Right.SEE, "approvals list", "What waits for a person, oldest first.", answers.waiting),
    Route("GET", "/approvals/{approval}", Right.SEE, "approvals show", "One held step, whole.", answers.shown),
    Route(
        "POST",
        "/approvals/{approval}/accept",
        Right.DECIDE,
        "approvals accept",
        "Say yes, once, to exactly what is shown.",
        answers.deciding_to("accept"),
        _BECAUSE,
    ),
    Route(
        "POST",
        "/approvals/{approval}/edit",
        Right.DECIDE,
        "approvals edit",
        "Say yes with other arguments, which the policy has to permit.",
        answers.deciding_to("edit"),
        {"arguments": Member("object", "the arguments to run it with instead", required=True), **_BECAUSE},
    ),
    Route(
        "POST",
        "/approvals/{approval}/reject",
        Right.DECIDE,
        "approvals reject",
        "Say no.",
        answers.deciding_to("reject"),
        _BECAUSE,
    ),
    Route(
        "POST",
        "/approvals/{approval}/escalate",
        Right.DECIDE,
        "approvals escalate",
        "Hand it on to whom the workflow escalates.",
        answers.deciding_to("escalate"),
        _BECAUSE,
    ),
    Route(
        "GET",
        "/unknown",
        Right.SEE,
        "approvals unknown",
        "Allowed, and nobody knows whether it happened.",
        answers.unknown,
    ),
    Route(
        "POST",
        "/unknown/{step}/settle",
        Right.DECIDE,
        "approvals settle",
        "Say what became of such a step.",
        answers.settled,
        {
            "happened": Member("yes or no", "whether it took effect where it acts", required=True),
            "because": Member("text", "what was seen, for the record", required=True),
        },
    ),
    Route(
        "GET", "/reviews", Right.SEE, "autonomy reviews", "Cases to look at blind, by when they are due.", blind.reviews
    ),
    Route(
        "POST",
        "/reviews/{review}/label",
        Right.DECIDE,
        "autonomy label",
        "Label such a case, once: by the caller's own answer, or by right or wrong.",
        blind.labelled,
        {
            "arguments": Member("object", "the arguments that the caller would have given"),
            "wrong": Member("yes or no", "whether what was done is wrong, having looked at it"),
        },
    ),
    Route(
        "POST",
        "/workflows/{workflow}/assignments",
        Right.ASSIGN,
        "assign",
        "Draw the arm of a case before it starts: on record before the answer, and the same ever after.",
        answers.assigned,
        {
            "case": Member("text", "the case's id, as the log has it", required=True),
            "unit": Member("text", "the unit that the design draws by, where that is not the case"),
            "stratum": Member("text", "keeps the share within this stratum"),
        },
    ),
    Route(
        "POST",
        "/workflows/{workflow}/gate",
        Right.GATE,
        "gate",
        "What the gate would answer to the request in the body, and why. Nothing is recorded and nothing runs.",
        answers.judged,
        whole=True,
    ),
)

"""What each address answers: what the command of the same name answers, by the same way, in the caller's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from trueup.enforce.approvals import Ask
from trueup.enforce.request import Request, UnfitRequestError, normalised
from trueup.enforce.router import Arrival
from trueup.kernel.errors import NotFoundError, NotPermittedError, UsageError
from trueup.sdk import deciding

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.loop.workbench import Workbench
    from trueup.web.api.calls import Call
    from trueup.web.api.routers import Routers


@dataclass(frozen=True, slots=True)
class Office:
    """The programme that is asked about, and what stays open for it."""

    root: Path
    clock: Clock
    routers: Routers
    # A programme has one lock: whoever decides at the same moment waits, instead of being told to come again.
    deciding: Lock = field(default_factory=Lock)


Answers = Callable[[Office, "Call"], Mapping[str, Any]]


def waiting(office: Office, call: Call) -> Mapping[str, Any]:
    """Answer what waits for a person, of the workflows that the token is for."""
    found = deciding.waiting(office.root, call.as_of, clock=office.clock)
    passed = deciding.bypasses(office.root, call.as_of, clock=office.clock)
    return {
        "approvals": [one.to_json() for one in found if call.caller.concerns(one.workflow)],
        "bypasses": [one for one in passed if call.caller.concerns(one["workflow"])],
    }


def shown(office: Office, call: Call) -> Mapping[str, Any]:
    """Answer one held step."""
    name = _approval(office, call)
    return deciding.approval(office.root, name, call.as_of, clock=office.clock)


def deciding_to(decision: str) -> Answers:
    """Return what records one decision of a person on one held step."""

    def answer(office: Office, call: Call) -> Mapping[str, Any]:
        name = _approval(office, call)
        ask = Ask(name, decision, call.caller.name, arguments_of(call), call.text("because"))
        with office.deciding:
            return deciding.decided_json(deciding.decide(office.root, [ask], claims(call), clock=office.clock))

    return answer


def unknown(office: Office, call: Call) -> Mapping[str, Any]:
    """Answer the steps of which nobody knows whether they happened."""
    found = deciding.unknown(office.root, clock=office.clock)
    return {"steps": [step.to_json() for step in found if call.caller.concerns(step.workflow)]}


def settled(office: Office, call: Call) -> Mapping[str, Any]:
    """Record what a person found out about such a step."""
    name = call.path["step"]
    steps = deciding.unknown(office.root, clock=office.clock)
    if not any(step.id == name and call.caller.concerns(step.workflow) for step in steps):
        raise NotFoundError("no-such-step", f"There is no unknown step {name!a}.", "Ask for GET /api/unknown.")
    happened = bool(call.content["happened"])
    seen = deciding.Seen(name, happened, call.caller.name, str(call.content["because"]))
    with office.deciding:
        step, entry = deciding.settle(office.root, seen, claims(call), clock=office.clock)
    return deciding.settled_json(step, entry, happened=happened)


def assigned(office: Office, call: Call) -> Mapping[str, Any]:
    """Draw the arm of a case, or answer the one that was drawn."""
    workflow = call.path["workflow"]
    call.caller.require_workflow(workflow)
    arrival = Arrival(str(call.content["case"]), call.text("unit"), call.text("stratum"))
    return office.routers.assign(workflow, arrival).to_json()


def judged(office: Office, call: Call) -> Mapping[str, Any]:
    """Answer what the gate would; the body is the request, to the letter."""
    workflow = call.path["workflow"]
    call.caller.require_workflow(workflow)
    return deciding.judged(office.root, workflow, lambda: call.body, clock=office.clock).to_json()


def _approval(office: Office, call: Call) -> str:
    """Return the approval that a call is about. Raises NotFoundError, also where the token is for other workflows."""
    name = call.path["approval"]
    if not call.caller.concerns(deciding.workflow_about(office.root, name)):
        raise NotFoundError("no-such-approval", f"There is no approval {name!a}.", "Ask for GET /api/approvals.")
    return name


def arguments_of(call: Call) -> Mapping[str, Json] | None:
    """Return edited arguments, read as strictly as a request's."""
    given = call.content.get("arguments")
    if given is None:
        return None
    try:
        return normalised(Request("-", given)).arguments
    except UnfitRequestError as error:
        raise UsageError(
            "bad-arguments", f"These arguments cannot be used: {error}", "Send a plain JSON object."
        ) from None


def claims(call: Call) -> deciding.Signs:
    """Return what puts the caller's name under a decision: a claim, for whoever holds the token may be anybody."""
    name = call.caller.name

    def signs(bench: Workbench) -> deciding.Sign:
        if bench.programme.file.require_signatures:
            raise NotPermittedError(
                "signature-required",
                f"This programme takes signed decisions only, and {name!r} has shown a token.",
                "Decide where the private key is:\n    trueup approvals accept DIR ID --by WHO",
            )
        return lambda _: {"claimed": f"api:{name}"}

    return signs

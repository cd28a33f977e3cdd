"""Cases that were drawn for a blind review: listed without their answers, labelled in the caller's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import NotFoundError
from trueup.loop.autonomy.labels import Label
from trueup.sdk import reviewing
from trueup.web.api.answers import arguments_of, claims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.web.api.answers import Office
    from trueup.web.api.calls import Call


def reviews(office: Office, call: Call) -> Mapping[str, Any]:
    """Answer what somebody has to look at, of the workflows that the token is for."""
    found = reviewing.waiting(office.root, call.as_of, clock=office.clock)
    mine = [one for one in found if call.caller.concerns(one["workflow"])]
    return {"reviews": mine, "overdue": sum(one["overdue"] for one in mine)}


def labelled(office: Office, call: Call) -> Mapping[str, Any]:
    """Record the label of one case."""
    name = call.path["review"]
    if not any(one["id"] == name for one in reviews(office, call)["reviews"]):
        raise NotFoundError("no-such-review", f"No review {name!a} waits.", "Ask for GET /api/reviews.")
    wrong = call.content.get("wrong")
    said = Label(name, call.caller.name, office.clock.now(), wrong, arguments_of(call))
    with office.deciding:
        return reviewing.label(office.root, said, claims(call), clock=office.clock)

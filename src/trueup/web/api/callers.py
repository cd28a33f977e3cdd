"""Who calls: known by a bearer token alone, never by a cookie or a word in the address, and allowed little.

A token is compared by its digest, with all of them and in constant time. What a browser sends from a page of another
origin is refused before anything else is looked at.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.declare.model.people import Right
from trueup.kernel.clock import end_of_day
from trueup.kernel.errors import NotFoundError, NotPermittedError
from trueup.web.api.turned_away import TurnedAwayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.declare.model.people import Caller

# RFC 9110, 15.5.2
UNAUTHORISED = 401
_BEARER = b"Bearer "
_OWN_SITES = {"same-origin", "none"}


@dataclass(frozen=True, slots=True)
class Known:
    """A caller who has shown a token: `name` is the key under `callers`, and under `people` for a person."""

    name: str
    declared: Caller

    def require(self, right: Right) -> None:
        """Raise NotPermittedError unless the caller has a right."""
        if right not in self.declared.may:
            raise NotPermittedError(
                "not-a-right",
                f"The token of {self.name!r} is not for this.",
                f"It may {', '.join(self.declared.may)}. This takes {str(right)!r}, under `callers` in programme.yaml.",
            )

    def concerns(self, workflow: str) -> bool:
        """Tell whether the token is good for a workflow."""
        return not self.declared.workflows or workflow in self.declared.workflows

    def require_workflow(self, workflow: str) -> None:
        """Raise NotFoundError for a workflow that the token is not for: whether it exists is not said."""
        if not self.concerns(workflow):
            raise NotFoundError(
                "no-such-workflow",
                f"There is no workflow {workflow!a} for the token of {self.name!r}.",
                f"It is for: {', '.join(self.declared.workflows)}.",
            )


def known_by(header: list[bytes], callers: Mapping[str, Caller], digests: Mapping[str, bytes], now: datetime) -> Known:
    """Return who calls, by the values of the header `Authorization`. Raises TurnedAwayError."""
    shown = header[0] if len(header) == 1 else b"".join(header)
    if len(header) != 1 or not shown.startswith(_BEARER):
        raise _unknown("token.forged" if header else "token.missing", shown)
    digest = hashlib.sha256(shown.removeprefix(_BEARER)).digest()
    # Every digest is compared, whichever fits: how long it takes says nothing.
    fitting = [name for name, held in digests.items() if hmac.compare_digest(held, digest)]
    declared = callers.get(fitting[0]) if fitting else None
    if declared is None or (declared.until is not None and now >= end_of_day(declared.until)):
        raise _unknown("token.forged" if declared is None else "token.expired", shown)
    return Known(fitting[0], declared)


def _unknown(reason: str, shown: bytes) -> TurnedAwayError:
    """Answer alike whatever is wrong with a token."""
    error = NotPermittedError(
        "no-token", "The API wants a token that it knows.", "Send it as a header:\n    Authorization: Bearer TOKEN"
    )
    return TurnedAwayError(error, reason, shown, UNAUTHORISED)


def require_own_origin(headers: Mapping[str, str], port: int) -> None:
    """Raise TurnedAwayError for what a browser sends from a page of another origin."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = {f"http://127.0.0.1:{port}", f"http://localhost:{port}"}
    if (origin is None or origin in own) and (site is None or site in _OWN_SITES):
        return
    error = NotPermittedError(
        "foreign-origin", "The API answers no page of another origin.", "Call it from a program, not from a page."
    )
    raise TurnedAwayError(error, "origin.foreign", (origin or site or "").encode())

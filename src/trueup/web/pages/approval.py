"""A held step as its approver has to see it: where the link in a message leads. Deciding stays with the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.enforce.standing.screen import screen_of
from trueup.kernel.errors import NotFoundError
from trueup.sdk.deciding import workflow_about
from trueup.workspace import approval_desk

if TYPE_CHECKING:
    from trueup.web.site import Look, Site


def approval(site: Site, look: Look, name: str) -> dict[str, Any]:
    """Return one approval with its final arguments. Raises NotFoundError, also for one that was asked for later.

    A console's own instant may stand a while; who follows a link from a message sees the step as it is now.
    """
    now = look.given is None and site.fixed is None
    at = max(look.as_of, site.clock.now()) if now else look.as_of
    with site.bench(look, workflow=workflow_about(site.root, name)) as bench:
        desk = approval_desk(bench)
        if desk.one(name, at).requested_at > at:
            raise NotFoundError("no-such-approval", f"There is no approval {name!a} yet.", "Look from a later instant.")
        found = screen_of(desk, name, at)
        return {**found["approvals"][0], **found["beside"]}

"""Several approvals at once: alike, of no high impact, and named one by one by whoever says yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.model.workflow import Impact
from trueup.kernel.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from trueup.enforce.approvals import Ask, Decided, Desk, Sign
    from trueup.enforce.policy import Policy


def decide_alike(desk: Desk, asks: Sequence[Ask], policy: Policy, at: datetime, sign: Sign) -> list[Decided]:
    """Record one person's decisions on approvals that are alike; before the first, all are found to be decidable.

    All are on record, or none. Raises as `Desk.decide`; UsageError for several that are not the same action, or one of
    which is of high impact (these are looked at one by one); ConflictError for several one of which has expired.
    """
    found = [desk.decidable(ask, policy, at) for ask in asks]
    if len({(one.workflow, one.action, one.tool) for one in found}) > 1:
        raise UsageError("not-alike", "These approvals are about several actions.", "Decide on one action at a time.")
    if len(found) > 1 and any(one.impact == Impact.HIGH for one in found):
        raise UsageError(
            "one-by-one",
            f"{found[0].action!r} has a high impact: nobody accepts several at once.",
            "Name one approval.",
        )
    late = [one.id for one in found if one.state == "expired"]
    if len(found) > 1 and late:
        says = f"{', '.join(late)} expired, so nothing was decided."
        raise ConflictError("approval-expired", says, "Name the others alone.")
    return desk.decide_all(asks, policy, at, sign)

"""One request, answered as the gate would, with nothing recorded and nothing run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.enforce.request import UnfitRequestError, read_request
from trueup.enforce.usage import Usage
from trueup.enforce.verdict import Verdict, refusal

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.enforce.bodies import Bodies
    from trueup.enforce.policy import Policy
    from trueup.ledger.log import Ledger


def dry_run(policy: Policy, ledger: Ledger, data: bytes, at: datetime, bodies: Bodies | None = None) -> Verdict:
    """Judge a request as JSON as if it were made at an instant; records nothing, runs nothing, never raises for it.

    Without `bodies` sums that were reserved before cannot be read, and what they limit does not fit.
    """
    try:
        request = read_request(data)
    except UnfitRequestError as error:
        return refusal(error.reason, str(error))
    room = Usage(ledger, policy, bodies).room(request, policy.action_of(request), at, ahead=False)
    return policy.judge(request, today=room.today, fits=room.fits)

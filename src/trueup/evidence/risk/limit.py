"""How many can be wrong at most, given what reviewers found: valid at every look, not only at a planned one."""

from __future__ import annotations

from trueup.evidence.risk.thresholds import require_share
from trueup.evidence.shares import T_OPT, share_interval

# The search for the fewest cases gives up here: nobody waits for that many.
_MOST = 1_000_000


def wrong_at_most(wrong: int, reviewed: int, sure: float, t_opt: float = T_OPT) -> float:
    """Return the upper end of the anytime-valid Bernoulli sequence for the share of wrong outcomes; 1 without any.

    The two-sided sequence at 1 - sure, of which only the upper end is read: it may be looked at after every case. A
    fixed-sample bound that is looked at weekly passes in 13 to 20% of workflows whose true share is exactly the
    limit, at a nominal 5%. Raises ValueError for impossible counts.
    """
    require_share("sure", sure)
    interval = share_interval(wrong, reviewed, 1 - sure, t_opt)
    return interval.upper if interval.known else 1.0


def reviews_to_pass(limit: float, sure: float, wrong_share: float = 0.0, t_opt: float = T_OPT) -> int | None:
    """Return after how many reviewed cases the bound falls below the limit while a share is found wrong.

    None where it never does: the share is the limit or more, or so close that nobody could wait for it.
    """
    require_share("limit", limit)
    if not 0 <= wrong_share < limit:
        return None
    low, high = 0, 64
    while wrong_at_most(round(wrong_share * high), high, sure, t_opt) >= limit:
        low, high = high, 2 * high
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if wrong_at_most(round(wrong_share * middle), middle, sure, t_opt) >= limit:
            low = middle
        else:
            high = middle
    return high

"""What a pilot can see before it starts, and how long an open question will stay open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import optimize, special

from trueup.evidence.blocks import block_error
from trueup.evidence.moments import Moments, normal_quantile, require_level

if TYPE_CHECKING:
    from trueup.evidence.moments import Interval

POWER = 0.8
# A forecast beyond ten years is no forecast.
_HORIZON = 520


def smallest_detectable(sd1: float, n1: float, sd0: float, n0: float, alpha: float, power: float = POWER) -> float:
    """Return the difference of two arm means that the gate interval excludes zero for with that power.

    (z_{1-alpha/2} + z_power) sqrt(sd1^2/n1 + sd0^2/n0); infinite while an arm is empty.
    """
    require_level(alpha)
    if min(n1, n0) <= 0:
        return math.inf
    reach = normal_quantile(alpha / 2) + normal_quantile(1 - power)
    return reach * math.sqrt(sd1 * sd1 / n1 + sd0 * sd0 / n0)


def smallest_detectable_blocks(
    sd1: float, blocks1: int, sd0: float, blocks0: int, alpha: float, power: float = POWER
) -> float:
    """Return the difference of two means of blocks that `gates.block_contrast` excludes zero for with that power.

    (t_{1-alpha/2} + t_power) times its standard error, `sd` being the spread of block means; infinite below two
    blocks in an arm.
    """
    require_level(alpha)
    if min(blocks1, blocks0) < 2:
        return math.inf
    error, freedom = block_error(Moments(blocks1, 0.0, sd1 * sd1), Moments(blocks0, 0.0, sd0 * sd0))
    reach = float(special.stdtrit(freedom, 1 - alpha / 2) + special.stdtrit(freedom, power))
    return reach * math.sqrt(error)


def smallest_detectable_units(sd: float, units1: float, units0: float, alpha: float, power: float = POWER) -> float:
    """Return the difference of two means of units that `gates.unit_contrast` excludes zero for with that power.

    (t_{1-alpha/2} + t_power) sd sqrt(1/n1 + 1/n0), `sd` being the spread of units' means; infinite below two units in
    an arm.
    """
    require_level(alpha)
    if min(units1, units0) < 2:
        return math.inf
    freedom = units1 + units0 - 2
    reach = float(special.stdtrit(freedom, 1 - alpha / 2) + special.stdtrit(freedom, power))
    return reach * sd * math.sqrt(1 / units1 + 1 / units0)


def smallest_detectable_share(
    share: float, n1: float, n0: float, alpha: float, sign: int = 1, power: float = POWER
) -> float | None:
    """Return the change of a share (a positive number, in the direction of `sign`) that the gate finds with that power.

    Score test: z_{1-alpha/2} at the pooled share, z_power at the two shares (Fleiss, Levin and Paik 2003, section
    4.2). None when even a change to 0 or 1 would not be found.
    """
    require_level(alpha)
    if not 0 <= share <= 1:
        msg = f"{share} is not a share"
        raise ValueError(msg)
    room = 1 - share if sign > 0 else share
    if min(n1, n0) <= 0 or room <= 0:
        return None
    test, miss = normal_quantile(alpha / 2), normal_quantile(1 - power)

    def excess(change: float) -> float:
        moved = share + sign * change
        pooled = (n1 * moved + n0 * share) / (n1 + n0)
        null = math.sqrt(max(pooled * (1 - pooled), 0.0) * (1 / n1 + 1 / n0))
        true = math.sqrt(max(moved * (1 - moved), 0.0) / n1 + share * (1 - share) / n0)
        return change - test * null - miss * true

    if excess(room) < 0:
        return None
    # The excess may dip more than once; the last crossing from below is the smallest change that surely suffices.
    low = room
    while low > 1e-9 and excess(low) >= 0:
        low *= 0.95
    return float(optimize.brentq(excess, low, min(low / 0.95, room), xtol=1e-9)) if low > 1e-9 else 0.0


def weeks_to_decide(interval: Interval, bar: float, cases: float, per_week: float, floor: float = 0.0) -> int | None:
    """Return the further weeks until the interval, shrinking as it does, would leave `bar` on one side.

    The half-width towards the bar falls with the square root of the cases, down to `floor` (what a frozen baseline
    leaves at any volume). 0 when the bar is outside already; None when nothing is known, the estimate sits on the
    bar, no cases come, the floor is too high, or it would take more than ten years.
    """
    distance = abs(interval.estimate - bar)
    half = interval.estimate - interval.lower if interval.estimate > bar else interval.upper - interval.estimate
    if not math.isfinite(half) or math.isnan(distance):
        return None
    if half < distance:
        return 0
    if distance <= floor or cases <= 0 or per_week <= 0:
        return None
    needed = cases * (half * half - floor * floor) / (distance * distance - floor * floor)
    weeks = (needed - cases) / per_week
    return max(math.ceil(weeks), 1) if weeks <= _HORIZON else None

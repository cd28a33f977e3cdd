"""Designs that compare units: the spread of their differences, and what their order could show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence import power
from trueup.evidence.designs.rollout_power import smallest_by_order
from trueup.evidence.designs.stable import BASELINE_WEEKS, MATCHED_PART, stable_margin
from trueup.evidence.moments import Moments
from trueup.kernel.clock import start_of_day
from trueup.loop.pilots.past import differences
from trueup.loop.pilots.weeks import floor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.declare.model.registration import Registration
    from trueup.loop.pilots.past import Past

# Standard normal quantile of 80% power: how far beyond a margin a change has to lie to exceed it that often.
POWER_QUANTILE = 0.8416
# The larger of two such spreads, as the margin takes it, with which four in five exceed it: 1.25 to 1.17 by simulation
# of 4 to 12 weeks after 8.
LARGER = 1.2
_WEEK_SECONDS = 604_800


def by_margin(series: Sequence[float], floor: float, weeks: int) -> float | None:
    """Return the change on the scale that exceeds its margin with 80% power; None before a mature week."""
    recent = Moments.of(list(series)[-BASELINE_WEEKS:])
    if weeks < 1 or recent.n < BASELINE_WEEKS or recent.variance == 0:
        return None
    spread = math.sqrt(recent.variance)
    noise = spread * math.sqrt(1 / BASELINE_WEEKS + 1 / weeks)
    return stable_margin(LARGER * spread, weeks, floor) + POWER_QUANTILE * noise


def of_matched(past: Past, registration: Registration, weeks: int) -> float | None:
    """Return the smallest change that matched units show after so many weeks; None where they are never admitted."""
    floor = floor_of(past.kpi)
    if floor is None:
        return None
    treated, control = (tuple(map(str, registration.design.get(key, ()))) for key in ("treated", "control"))
    return by_margin(differences(past, treated, control), MATCHED_PART * floor, weeks)


def of_rollout(past: Past, registration: Registration, weeks: int, alpha: float) -> float | None:
    """Return the smallest effect that the drawn order shows after so many weeks; None where the past knows too little.

    `weeks` are mature weeks after the start; units launched later count as not yet launched.
    """
    if past.cases is None or not registration.rollout or weeks < 1:
        return None
    days = {launch.unit: launch.on for launch in registration.rollout}
    panel = past.weeks.panel(past.cases, past.transform, sorted(days), past.weeks.numbers_before(None))
    begins = past.weeks.starts.timestamp()
    after = [int((start_of_day(days[unit]).timestamp() - begins) // _WEEK_SECONDS) for unit in panel.units]
    before = len(past.weeks.numbers_before())
    launches = [before + week for week in after]
    seed = registration.order_seed or 0
    found = smallest_by_order(panel.means, launches, before + weeks, alpha, past.kpi.sign, seed)
    return found if math.isfinite(found) else None


def of_units(past: Past, share: float, weeks: int, alpha: float) -> float | None:
    """Return the smallest difference between drawn units on the scale, by how their means of so many weeks differ."""
    spread = spread_of_units(past, weeks)
    if spread is None:
        return None
    sd, units = spread
    found = power.smallest_detectable_units(sd, units * share, units * (1 - share), alpha)
    return found if math.isfinite(found) else None


def spread_of_units(past: Past, weeks: int) -> tuple[float, int] | None:
    """Return the deviation of units' means over the last so many baseline weeks, and how many units there are."""
    if past.cases is None or weeks < 1:
        return None
    recent = past.weeks.number(past.cases) >= past.weeks.number(past.cases).max(initial=0) - weeks + 1
    values, names = past.transform(past.cases.value)[recent], past.cases.unit.astype(str)[recent]
    units, place = np.unique(names, return_inverse=True)
    if len(units) < 2:
        return None
    means = np.bincount(place, weights=values) / np.bincount(place)
    return float(means.std(ddof=1)), len(units)

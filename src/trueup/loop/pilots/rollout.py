"""The order of a staggered rollout: drawn at the registration, from a seed that nobody picks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import numpy as np

from trueup.declare.model.registration import FrozenLaunch
from trueup.evidence.designs.staggered import LEAST_UNITS, launch_weeks, rollout_order
from trueup.kernel.canonical import Json, digest
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.loop.pilots.weeks import PilotWeeks
    from trueup.observe.tables import CaseVector


def units_of(vector: CaseVector) -> tuple[str, ...]:
    """Return the units that have a case in the baseline, by name; what has no unit is none."""
    return tuple(str(unit) for unit in np.unique(vector.unit.astype(str)) if unit != "(none)")


def drawn_rollout(
    vector: CaseVector, weeks: PilotWeeks, last: int, promise: Mapping[str, object]
) -> tuple[tuple[FrozenLaunch, ...], int]:
    """Return the launches in order with their days, and the seed that the order was drawn from.

    The seed is the digest of what is promised, the units and the newest data, so that registering the same again gives
    the same order, and another order takes another registration, which the ledger shows. Launches are spread over
    the weeks whose cases are mature by week `last`. Raises DataError for fewer than 6 units.
    """
    units = units_of(vector)
    if len(units) < LEAST_UNITS:
        raise DataError(
            "too-few-units",
            f"A staggered rollout needs {LEAST_UNITS} units; the baseline has {len(units)}: {', '.join(units)}.",
            "With fewer, no order can be told from chance. Draw arms by case, or name a finer unit.",
        )
    text = digest(cast("Json", {"promise": dict(promise), "units": list(units)}))
    seed = int(text.removeprefix("sha256:")[:12], 16)
    places = launch_weeks(len(units), max(last - weeks.delay, 1))
    order = rollout_order(units, seed)
    launches = tuple(
        FrozenLaunch(unit=unit, on=(weeks.starts + timedelta(weeks=week)).date())
        for unit, week in zip(order, places, strict=True)
    )
    return launches, seed

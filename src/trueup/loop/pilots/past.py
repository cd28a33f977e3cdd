"""What is known of a pilot's primary KPI before the start: all that may be asked before anything is spent on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trueup.evidence.designs.matched import weekly_differences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from trueup.declare.model.kpi import Kpi
    from trueup.evidence.designs.scales import Transform
    from trueup.loop.pilots.weeks import PilotWeeks
    from trueup.observe.tables import CaseVector


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the primary KPI before the start.

    `cases` are the baseline's (None for a KPI with one value a week), `settled` the means on the scale of all weeks
    that matured before the start, in order, `latest` the first day of the last of them.
    """

    name: str
    kpi: Kpi
    transform: Transform
    weeks: PilotWeeks
    cases: CaseVector | None
    settled: Sequence[float]
    latest: datetime | None
    cases_a_week: float


def differences(past: Past, treated: Sequence[str], control: Sequence[str]) -> list[float]:
    """Return treated less control for every baseline week on the scale; none for a KPI with one value a week."""
    if past.cases is None:
        return []
    numbers = past.weeks.numbers_before(None)
    panel = past.weeks.panel(past.cases, past.transform, sorted({*treated, *control}), numbers)
    chosen = np.array([unit in set(treated) for unit in panel.units], dtype=bool)
    gaps = weekly_differences(panel.means, panel.cases, chosen, panel.before)
    return [float(gap) for gap in gaps if math.isfinite(gap)]

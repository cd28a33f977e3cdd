"""What a pilot could see by each gate at the volume and spread of its baseline, before anything is spent on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trueup.decide.bars import contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.registration import FrozenPower
from trueup.declare.model.workflow import gate_week
from trueup.evidence import power
from trueup.evidence.designs.scales import PLAIN
from trueup.evidence.designs.stable import BASELINE_WEEKS, stable_margin
from trueup.evidence.moments import Moments
from trueup.loop.pilots.weeks import floor_of, frozen_transform

if TYPE_CHECKING:
    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import FrozenKpi, Registration
    from trueup.declare.model.workflow import Workflow

# Standard normal quantile of 80% power: how far beyond a margin a change has to lie to exceed it that often.
_POWER = 0.8416


def detectable(workflow: Workflow, registration: Registration) -> tuple[FrozenPower, ...]:
    """Return, per gate, the smallest effect that this volume and variance can show (80% power, gate level)."""
    frozen = registration.kpis[registration.primary]
    kpi = workflow.kpis[registration.primary]
    events = workflow.events
    delay = events.matures_after.days / 7 if events and events.matures_after else 0.0
    alpha = ALPHA / max(len(registration.gates), 1)
    worth = contrast_of(kpi.worth_having, kpi.sign)
    by_margin = registration.admission is not None and registration.admission.admitted
    transform = frozen_transform(frozen) if by_margin or kpi.scale == "log" else PLAIN
    base = frozen.log.mean if frozen.log and transform is not PLAIN else frozen.mean or 0.0
    control = transform.back(base)
    lift = abs(worth.threshold - (1 - worth.ratio) * control) if kpi.worth_having else None
    out = []
    for gate in sorted(registration.gates, key=gate_week):
        weeks = max(gate_week(gate) - delay, 0.0)
        if by_margin:
            smallest = _by_margin(registration, frozen, kpi, weeks)
        else:
            smallest = _smallest(registration, frozen, kpi, weeks, alpha)
        if smallest is not None and transform is not PLAIN:
            smallest = abs(transform.back(base + kpi.sign * smallest) - control)
        out.append(
            FrozenPower(
                gate=gate,
                kpi=registration.primary,
                smallest=known(smallest),
                unit=frozen.unit,
                worth_having=lift,
                decides=None if lift is None or smallest is None else smallest <= lift,
            )
        )
    return tuple(out)


def _by_margin(registration: Registration, frozen: FrozenKpi, kpi: Kpi, weeks: float) -> float | None:
    """Return the change on the scale that exceeds its margin with 80% power; None before four mature weeks."""
    admission = registration.admission
    if admission is None or int(weeks) < 1:
        return None
    series = [week.log_mean if week.log_mean is not None else week.mean for week in frozen.weeks]
    spread = math.sqrt(Moments.of([mean for mean in series[-BASELINE_WEEKS:] if mean is not None]).variance)
    floor = admission.floor if admission.floor is not None else floor_of(kpi) or 0.0
    noise = spread * math.sqrt(1 / BASELINE_WEEKS + 1 / int(weeks))
    return stable_margin(spread, int(weeks), floor) + _POWER * noise


def _smallest(registration: Registration, frozen: FrozenKpi, kpi: Kpi, weeks: float, alpha: float) -> float | None:
    cases = registration.cases_a_week * weeks
    if frozen.variance is None or frozen.mean is None or cases < 2:
        return None
    design = registration.design
    if design.get("assigned") == "staggered":
        # It hangs on how units differ week by week, which the frozen baseline does not hold.
        return None
    if design.get("assigned") == "random" and design.get("unit", "case") == "case":
        share = float(design.get("share") or 0.5)
        arms = cases * share, cases * (1 - share)
        if kpi.kind is KpiKind.SHARE:
            return power.smallest_detectable_share(frozen.mean, *arms, alpha, kpi.sign)
        on_log = frozen.log is not None and kpi.scale == "log"
        spread = (frozen.log.variance if frozen.log is not None and on_log else frozen.variance) ** 0.5
        return power.smallest_detectable(spread, arms[0], spread, arms[1], alpha)
    means = [week.log_mean if kpi.scale == "log" else week.mean for week in frozen.weeks]
    blocks = Moments.of([mean for mean in means if mean is not None])
    spread = blocks.variance**0.5
    return power.smallest_detectable_blocks(spread, int(weeks), spread, blocks.n, alpha)

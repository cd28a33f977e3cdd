"""What a pilot could see by each gate at the volume and spread of its baseline, before anything is spent on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.decide.bars import contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.decide.samples import frozen_sample
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.registration import FrozenPower
from trueup.declare.model.workflow import gate_week
from trueup.evidence import power
from trueup.evidence.designs.scales import PLAIN
from trueup.evidence.moments import Moments
from trueup.loop.pilots.comparisons import is_ratio_of_sums, is_weekly
from trueup.loop.pilots.sizes.units import by_margin, of_matched, of_rollout, of_units
from trueup.loop.pilots.weeks import floor_of, frozen_transform

if TYPE_CHECKING:
    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import FrozenKpi, Registration
    from trueup.declare.model.workflow import Workflow
    from trueup.loop.pilots.past import Past


def detectable(workflow: Workflow, registration: Registration, past: Past) -> tuple[FrozenPower, ...]:
    """Return, per gate, the smallest effect that this volume and variance can show (80% power, gate level)."""
    frozen = registration.kpis[registration.primary]
    kpi = workflow.kpis[registration.primary]
    events = workflow.events
    delay = events.matures_after.days / 7 if events and events.matures_after else 0.0
    alpha = ALPHA / max(len(registration.gates), 1)
    worth = contrast_of(kpi.worth_having, kpi.sign)
    transform = frozen_transform(frozen) if _on_scale(registration) or kpi.scale == "log" else PLAIN
    base = frozen.log.mean if frozen.log and transform is not PLAIN else frozen.mean or 0.0
    control = transform.back(base)
    lift = abs(worth.threshold - (1 - worth.ratio) * control) if kpi.worth_having else None
    out = []
    for gate in sorted(registration.gates, key=gate_week):
        weeks = max(gate_week(gate) - delay, 0.0)
        smallest = _by_design(registration, kpi, past, weeks, alpha)
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


def _on_scale(registration: Registration) -> bool:
    """Tell whether the design compares on the KPI's own scale: all but drawn arms and what was never admitted."""
    admitted = registration.admission is not None and registration.admission.admitted
    return admitted or registration.design.get("assigned") in {"matched", "staggered"}


def _drawn_by_case(registration: Registration) -> bool:
    design = registration.design
    return design.get("assigned") == "random" and design.get("unit", "case") == "case"


def _by_design(registration: Registration, kpi: Kpi, past: Past, weeks: float, alpha: float) -> float | None:
    """Return the smallest effect on the scale of the design; None where no number of its weeks would show one."""
    frozen, assigned = registration.kpis[registration.primary], registration.design.get("assigned")
    if frozen.variance == 0:
        # What never varied in the baseline has no known spread: "any change would show" would be a wrong number.
        return None
    if kpi.quantile is not None and not _drawn_by_case(registration):
        return None
    if assigned == "matched" and past.cases is not None:
        return of_matched(past, registration, int(weeks))
    if assigned == "staggered" and past.cases is not None:
        return of_rollout(past, registration, int(weeks), alpha)
    if registration.admission is not None and registration.admission.admitted:
        series = [week.log_mean if week.log_mean is not None else week.mean for week in frozen.weeks]
        floor = registration.admission.floor if registration.admission.floor is not None else floor_of(kpi) or 0.0
        return by_margin([mean for mean in series if mean is not None], floor, int(weeks))
    return _smallest(registration, frozen, kpi, past, weeks, alpha)


def _smallest(
    registration: Registration, frozen: FrozenKpi, kpi: Kpi, past: Past, weeks: float, alpha: float
) -> float | None:
    cases = registration.cases_a_week * weeks
    if frozen.variance is None or frozen.mean is None or cases < 2:
        return None
    design = registration.design
    share = float(design.get("share") or 0.5)
    if _drawn_by_case(registration) and not is_weekly(kpi):
        arms = cases * share, cases * (1 - share)
        if kpi.kind is KpiKind.SHARE:
            return power.smallest_detectable_share(frozen.mean, *arms, alpha, kpi.sign)
        on_log = frozen.log is not None and kpi.scale == "log"
        spread = (frozen.log.variance if frozen.log is not None and on_log else frozen.variance) ** 0.5
        return power.smallest_detectable(spread, arms[0], spread, arms[1], alpha)
    if design.get("assigned") == "random" and past.cases is not None and not kpi.paired:
        scale = past.transform if kpi.scale == "log" else PLAIN
        return of_units(replace(past, transform=scale), share, int(weeks), alpha)
    blocks = Moments.of(frozen_sample(frozen, log=kpi.scale == "log", ratio=is_ratio_of_sums(kpi)).blocks)
    spread = blocks.variance**0.5
    return power.smallest_detectable_blocks(spread, int(weeks), spread, blocks.n, alpha)

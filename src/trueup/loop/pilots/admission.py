"""Whether a pilot without a drawn control may say anything, asked of its own past before it starts."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from trueup.declare.model.registration import FrozenAdmission
from trueup.declare.model.workflow import gate_week
from trueup.evidence import power
from trueup.evidence.designs.matched import Trend, pre_trend
from trueup.evidence.designs.scales import Scale
from trueup.evidence.designs.stable import LAST_WEEK, MATCHED_PART, Admission, admit, promised_shift
from trueup.kernel.clock import start_of_day
from trueup.kernel.quantities import BarKind
from trueup.loop.pilots.past import Past, differences
from trueup.loop.pilots.weeks import floor_of

if TYPE_CHECKING:
    from trueup.declare.model.workflow import Workflow
    from trueup.declare.programme import Programme

_HORIZON = 104
_HOLDOUT = 0.2
_ALPHA = 0.05 / 3


def admission_of(programme: Programme, workflow: Workflow, past: Past) -> FrozenAdmission | None:
    """Return the decision for a design that compares weeks with weeks; None for the others."""
    pilot = workflow.pilot
    if pilot is None or pilot.design.assigned not in {"none", "matched"}:
        return None
    rule = "stable" if pilot.design.assigned == "none" else "matched"
    trend: Trend | None = None
    floor = floor_of(past.kpi)
    promised = promised_change(past)
    refused = _refused(programme, past, floor, promised)
    if floor is None or refused is not None:
        found = Admission(False, refused or "", math.inf, promised, floor or 0.0, None)  # noqa: FBT003 -- a refusal
    elif rule == "stable":
        found = admit(past.settled, promised, floor, past.weeks.delay, _last(workflow))
    else:
        series = differences(past, pilot.design.treated, pilot.design.control)
        trend = pre_trend(series[-8:])
        found = admit(series, promised, MATCHED_PART * floor, past.weeks.delay, _last(workflow))
    return FrozenAdmission(
        rule="stable" if rule == "stable" else "matched",
        scale=past.transform.scale.value,
        admitted=found.admitted,
        because=found.because,
        margin=_finite(found.margin),
        promised=_finite(found.promised),
        floor=found.floor,
        drift=found.drift,
        pre_trend=trend.per_week if trend else None,
        pre_trend_p=trend.p if trend else None,
        ways_out=() if found.admitted else tuple(ways_out(past, promised)),
    )


def _last(workflow: Workflow) -> int:
    gates = workflow.pilot.gates if workflow.pilot else {}
    return min(max(map(gate_week, gates), default=LAST_WEEK), LAST_WEEK)


def _refused(programme: Programme, past: Past, floor: float | None, promised: float) -> str | None:
    """Say why there is nothing to ask the past, or None."""
    if past.kpi.quantile is not None:
        return "what a tail does by itself between weeks is not known: it is judged where cases are drawn one by one"
    if floor is None:
        return "volume, cost and amounts follow demand and prices: before and after of them is never admitted"
    if math.isnan(promised):
        return "neither a target nor a smallest lift worth having is promised"
    if promised <= 0:
        return "what is promised is no improvement"
    limit = timedelta(weeks=past.weeks.delay + 2)
    if past.latest is not None and past.latest + limit < past.weeks.starts:
        return f"the baseline's last matured week begins on {past.latest:%Y-%m-%d}: too long before the start"
    others = _other_pilots(programme, past)
    if others:
        return f"another pilot changes the same process: {', '.join(others)}"
    return None


def _other_pilots(programme: Programme, past: Past) -> list[str]:
    """Name other pilots on the same events that start between this one's baseline and its last gate."""
    events = programme.workflows[past.name].events
    found = []
    for name, other in sorted(programme.workflows.items()):
        starts = other.pilot.starts if other.pilot else None
        if name == past.name or starts is None or other.events is None or events is None:
            continue
        near = start_of_day(past.weeks.first) <= start_of_day(starts) <= past.weeks.starts + timedelta(weeks=LAST_WEEK)
        if near and other.events.data == events.data and other.events.data is not None:
            found.append(name)
    return found


def promised_change(past: Past) -> float:
    """Return the promised effect on the scale, positive where it is an improvement; NaN where nothing is promised."""
    kpi = past.kpi
    bar = kpi.target or kpi.worth_having
    if bar is None or not len(past.settled):
        return math.nan
    base = float(np.mean(past.settled[-8:]))
    if bar.kind is not BarKind.RELATIVE:
        ratio, threshold = (0.0, bar.value) if bar.kind is BarKind.LEVEL else (1.0, bar.value)
        return kpi.sign * past.transform.worth(base, ratio, threshold)
    if past.transform.scale is Scale.PLAIN:
        return kpi.sign * bar.value * base
    if past.cases is None:
        return kpi.sign * past.transform.worth(base, 1 + bar.value, 0.0)
    return kpi.sign * promised_shift(past.cases.value, past.cases.capped, 1 + bar.value, past.transform)


def ways_out(past: Past, promised: float) -> list[str]:
    """Return what would make the pilot decide: the holdout with its weeks, the rollout, another KPI."""
    ways = []
    if past.cases is not None and len(past.cases) > 1 and promised > 0:
        weeks = weeks_with_holdout(past, promised)
        if weeks is None:
            ways.append("not even a 20% holdout would show it within two years: promise more, or choose another KPI")
        else:
            ways.append(f"draw the arms by case with a 20% holdout: decides what is promised in about {weeks} weeks")
    ways.append("launch unit by unit in a random order over at least 6 units (assigned: staggered)")
    if past.transform.scale is Scale.LOG:
        ways.append("measure effort per case instead of time: it drifts less")
    return ways


def weeks_with_holdout(past: Past, promised: float) -> int | None:
    """Return the weeks until a fifth held out shows what is promised at a gate (80% power); None beyond two years."""
    if past.cases is None or past.cases_a_week <= 0:
        return None
    spread = float(np.std(past.transform(past.cases.value), ddof=1))
    for weeks in range(1, _HORIZON + 1):
        cases = weeks * past.cases_a_week
        arms = (1 - _HOLDOUT) * cases, _HOLDOUT * cases
        if power.smallest_detectable(spread, arms[0], spread, arms[1], _ALPHA) <= promised:
            return weeks + past.weeks.delay
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

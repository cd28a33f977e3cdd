"""What would make a pilot decide that is too small for what is worth having: said before it starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trueup.decide.gate import ALPHA
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.workflow import gate_week
from trueup.evidence import power
from trueup.evidence.designs.scales import PLAIN, Scale
from trueup.loop.pilots.admission import promised_change, weeks_with_holdout
from trueup.loop.pilots.weeks import frozen_transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trueup.declare.model.registration import FrozenPower, Registration
    from trueup.loop.pilots.past import Past

_HORIZON = 104
_MOST_TIMES = 50
_HALF = 0.5


def ways_to_decide(past: Past, registration: Registration) -> list[dict[str, Any]]:
    """Return what would let the last gate tell what is worth having: `way`, and a sentence that `says` how much of it.

    Empty where it can, where nothing is said to be worth having, and for designs that are admitted or refused, which
    have ways of their own.
    """
    last = max(registration.detectable, key=lambda row: gate_week(row.gate), default=None)
    if last is None or last.worth_having is None or last.decides is not False:
        return []
    design = registration.design
    if design.get("assigned") == "random" and design.get("unit", "case") == "case":
        return [{"way": way, "says": says} for way, says in _of_cases(past, registration, last, last.worth_having)]
    if design.get("assigned") == "random":
        return [{"way": way, "says": says} for way, says in _of_units(registration, last, last.worth_having)]
    return [{"way": way, "says": says} for way, says in _by_drawing(past)]


def _of_cases(past: Past, registration: Registration, last: FrozenPower, worth: float) -> Iterator[tuple[str, str]]:
    week, volume = gate_week(last.gate), registration.cases_a_week
    share = float(registration.design.get("share") or _HALF)
    delay = past.weeks.matures.days / 7
    smallest = _smallest_of_cases(past, registration)

    def enough(cases_a_week: float, treated: float, weeks: float) -> bool:
        found = smallest(cases_a_week * max(weeks - delay, 0.0), treated)
        return found is not None and found <= worth

    times = next((k / 10 for k in range(10, 10 * _MOST_TIMES + 1) if enough(volume * k / 10, share, week)), None)
    if times is not None:
        yield "volume", f"{math.ceil(times * volume)} cases a week instead of {volume:.0f}"
    held = 1 - share
    more = [part / 100 for part in range(5, 51, 5) if part / 100 > held + 1e-9 and enough(volume, 1 - part / 100, week)]
    if more:
        yield "holdout", f"hold out {more[0]:.0%} instead of {held:.0%}"
    yield from _cleaner(past, registration, last, worth, enough_cases=volume * max(week - delay, 0.0), share=share)
    longer = next((weeks for weeks in range(week + 1, _HORIZON + 1) if enough(volume, share, weeks)), None)
    if longer is not None:
        yield "longer", f"a last gate at week {longer} instead of {week}"


def _smallest_of_cases(past: Past, registration: Registration) -> Callable[[float, float], float | None]:
    """Return the smallest effect in the KPI's unit as a function of cases and the treated share."""
    frozen = registration.kpis[registration.primary]
    alpha = ALPHA / max(len(registration.gates), 1)
    on_log = past.kpi.scale == "log" and frozen.log is not None
    transform = frozen_transform(frozen) if on_log else PLAIN
    spread = math.sqrt((frozen.log.variance if frozen.log and on_log else frozen.variance) or 0.0)
    base = frozen.log.mean if frozen.log and on_log else frozen.mean or 0.0

    def smallest(cases: float, treated: float) -> float | None:
        arms = cases * treated, cases * (1 - treated)
        if past.kpi.kind is KpiKind.SHARE:
            return power.smallest_detectable_share(min(max(base, 0.0), 1.0), *arms, alpha, past.kpi.sign)
        found = power.smallest_detectable(spread, arms[0], spread, arms[1], alpha)
        if not math.isfinite(found) or transform is PLAIN:
            return found
        return abs(transform.back(base + past.kpi.sign * found) - transform.back(base))

    return smallest


def _cleaner(
    past: Past, registration: Registration, last: FrozenPower, worth: float, *, enough_cases: float, share: float
) -> Iterator[tuple[str, str]]:
    """Say what a KPI whose cases differ less would have to be like; of durations, whether geometric means would do."""
    frozen = registration.kpis[registration.primary]
    if past.kpi.kind is KpiKind.SHARE or not frozen.variance or not last.smallest or past.kpi.scale == "log":
        return
    alpha = ALPHA / max(len(registration.gates), 1)
    if frozen.log is not None and Scale(frozen.log.scale) is Scale.LOG and frozen.mean and worth < frozen.mean:
        spread = math.sqrt(frozen.log.variance)
        found = power.smallest_detectable(spread, enough_cases * share, spread, enough_cases * (1 - share), alpha)
        if found <= abs(math.log1p(past.kpi.sign * worth / frozen.mean)):
            yield "kpi", "compare geometric means, which long times move less: `scale: log` on the KPI"
            return
    now = math.sqrt(frozen.variance)
    needed = now * worth / last.smallest
    yield "kpi", f"a KPI whose cases have a deviation of {needed:.3g} {frozen.unit} or less, instead of {now:.3g}"


def _of_units(registration: Registration, last: FrozenPower, worth: float) -> Iterator[tuple[str, str]]:
    if last.smallest and worth > 0:
        times = (last.smallest / worth) ** 2
        yield "units", f"about {times:.1f} times as many units, as different from each other as these"
    if float(registration.design.get("share") or _HALF) != _HALF:
        yield "holdout", "treat half of the units: no other share shows less"
    yield "design", "draw arms by case (`unit: case`), where a case can be treated without its unit"


def _by_drawing(past: Past) -> Iterator[tuple[str, str]]:
    promised = promised_change(past)
    weeks = weeks_with_holdout(past, promised) if promised > 0 else None
    if weeks is not None:
        yield "design", f"draw arms by case with a 20% holdout: decides what is promised in about {weeks} weeks"
    if past.kpi.scale is None and past.transform.scale is Scale.LOG:
        yield "kpi", "measure effort per case instead of time: it differs less from week to week"

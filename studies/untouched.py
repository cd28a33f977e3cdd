"""One pilot of a process that nobody touched, as its design compares it after each of twelve weeks.

Cases mature at once. What may not speak is left out as the product leaves it out: too few cases, a series that was not
admitted before the launch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from studies.worlds import Cases, Floats, Kind, draw
from trueup.decide.adjustment import Known
from trueup.decide.comparison import Analysis, Basis, Comparison, Sample
from trueup.decide.designs import MatchedUnits, Panel, RolloutOrder, StableWeeks
from trueup.evidence.adjust.ratios import linearised
from trueup.evidence.designs.scales import Scale
from trueup.evidence.designs.stable import BASELINE_WEEKS, LEAST_BLOCKS, MATCHED_PART, StableSeries, admit
from trueup.evidence.designs.stable import promised_shift as shift_of
from trueup.evidence.designs.staggered import launch_weeks
from trueup.evidence.moments import Moments
from trueup.loop.pilots.weeks import EFFORT_FLOOR, SHARE_FLOOR, TIME_FLOOR

WEEKS = 12
ROLLOUT_UNITS, ROLLOUT_WEEKS = 6, 9
MATCHED_UNITS, TREATED_UNITS = 6, 2
# What was promised: a fall of 30%, of a share ten points.
RATIO, POINTS = 0.7, 0.1
_NOTHING = np.array([], dtype=np.float64)
_NO_WEEKS = np.array([], dtype=np.str_)

# A pilot as its comparisons after 1 to 12 weeks; none where it was not admitted.
Pilot = Sequence[Comparison]
Design = Callable[[Kind, int, bool, np.random.Generator], Pilot]


def _compared(
    kind: Kind,
    basis: Basis,
    treated: Sample,
    control: Sample,
    *,
    analysis: Analysis | None = None,
    known: Known | None = None,
) -> Comparison:
    weekly = analysis is not None
    return Comparison(
        "kpi",
        "",
        kind.share,
        basis,
        frozen=basis in {Basis.BLOCKS, Basis.STABLE},
        treated=treated,
        control=control,
        cap=kind.cap,
        transform=kind.weekly if weekly else kind.scale,
        analysis=analysis,
        quantile=kind.quantile,
        paired=kind.paired,
        known=known,
    )


def _sample(kind: Kind, cases: Floats, under: Floats | None, blocks: Floats = _NOTHING) -> Sample:
    events = int(np.count_nonzero(cases))
    if under is None:
        values = kind.scale(cases)
        return Sample(Moments.of(values), events, blocks, values, quantile=kind.quantile)
    values = linearised(cases, under)
    return Sample(Moments.of(values), events, blocks, values, pairs=np.column_stack([cases, under]))


def drawn_by_case(holdout: float) -> Design:
    """Return the design that holds a share of the cases out."""

    def pilot(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
        cases = draw(kind, per_week, shaken, WEEKS, rng)
        treated = rng.random(len(cases.week)) >= holdout
        ends = np.searchsorted(cases.week, np.arange(WEEKS), side="right")
        arms = [_arm(kind, cases, chosen) for chosen in (treated, ~treated)]
        grown = [np.searchsorted(cases.week[chosen], np.arange(WEEKS), side="right") for chosen in (treated, ~treated)]
        return [
            _compared(
                kind,
                Basis.CASES,
                *(arm(int(seen[week])) for arm, seen in zip(arms, grown, strict=True)),
                known=_known(cases, treated, int(ends[week]), 1 - holdout),
            )
            for week in range(WEEKS)
        ]

    return pilot


def _arm(kind: Kind, cases: Cases, chosen: NDArray[np.bool_]) -> Callable[[int], Sample]:
    values, under = cases.value[chosen], None if cases.under is None else cases.under[chosen]
    return lambda seen: _sample(kind, values[:seen], None if under is None else under[:seen])


def _known(cases: Cases, treated: NDArray[np.bool_], seen: int, share: float) -> Known | None:
    if cases.known is None:
        return None
    return Known(
        cases.value[:seen],
        treated[:seen].astype(np.float64),
        _NO_WEEKS,
        ("known",),
        cases.known[:seen, None],
        share=share,
        decides=True,
    )


def drawn_by_unit(units: int, held_out: int) -> Design:
    """Return the design that holds some of the units out, for good."""

    def pilot(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
        cases = draw(kind, per_week, shaken, WEEKS, rng, units)
        control = rng.permutation(units) < held_out
        found = []
        for seen in np.searchsorted(cases.week, np.arange(WEEKS), side="right"):
            unit, values = cases.unit[:seen], cases.value[:seen]
            n, total = (np.bincount(unit, weights=one, minlength=units) for one in (None, values))
            arms = [
                _sample(kind, values[chosen[unit]], None, (total / np.maximum(n, 1))[chosen & (n > 0)])
                for chosen in (~control, control)
            ]
            found.append(_compared(kind, Basis.UNITS, *arms))
        return found

    return pilot


def before_after(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
    """Compare weeks with eight weeks before: nothing is asked of the past, and nothing may say go."""
    cases = draw(kind, per_week, shaken, BASELINE_WEEKS + WEEKS, rng)
    early = cases.week < BASELINE_WEEKS
    control = _weekly(kind, cases, 0, BASELINE_WEEKS, early)
    return [
        _compared(
            kind,
            Basis.BLOCKS,
            _weekly(kind, cases, BASELINE_WEEKS, seen, ~early & (cases.week < seen)),
            control,
        )
        for seen in range(BASELINE_WEEKS + 1, BASELINE_WEEKS + WEEKS + 1)
    ]


def _weekly(kind: Kind, cases: Cases, first: int, end: int, chosen: NDArray[np.bool_]) -> Sample:
    week = cases.week[chosen] - first
    under = None if cases.under is None else cases.under[chosen]
    values = cases.value[chosen] if kind.paired else kind.scale(cases.value[chosen])
    total = np.bincount(week, weights=values, minlength=end - first)
    n = np.bincount(week, weights=under, minlength=end - first)
    blocks = linearised(total, n) if kind.paired else (total / np.maximum(n, 1))[n > 0]
    return _sample(kind, cases.value[chosen], under, blocks)


def stable(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
    """Compare weeks with eight weeks before where the series was admitted for the promise; else no pilot."""
    cases = draw(kind, per_week, shaken, BASELINE_WEEKS + WEEKS, rng)
    means = _panel(kind, cases, 1).means[0]
    before, after = means[:BASELINE_WEEKS], means[BASELINE_WEEKS:]
    known = tuple(before[np.isfinite(before)].tolist())
    if not admit(known, promised(kind, cases), floor(kind), 0).admitted:
        return []
    weeks = tuple(f"{week:02d}" for week in range(WEEKS))
    found = []
    for seen in range(1, WEEKS + 1):
        inside = (cases.week >= BASELINE_WEEKS) & (cases.week < BASELINE_WEEKS + seen)
        late = after[:seen][np.isfinite(after[:seen])]
        analysis = StableWeeks(StableSeries(known, tuple(late.tolist()), floor(kind)), weeks[:seen])
        arms = (_counted(cases, inside, late), _counted(cases, cases.week < BASELINE_WEEKS))
        found.append(_compared(kind, Basis.STABLE, *arms, analysis=analysis))
    return found


def matched(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
    """Compare two units with four others, where their difference was admitted for the promise; else no pilot."""
    cases = draw(kind, per_week, shaken, BASELINE_WEEKS + WEEKS, rng, MATCHED_UNITS)
    panel, half = _panel(kind, cases, MATCHED_UNITS), MATCHED_PART * floor(kind)
    treated = frozenset(panel.units[:TREATED_UNITS])
    past = MatchedUnits(panel, treated, half).series.before
    if not admit(past, promised(kind, cases), half, 0).admitted:
        return []
    return [
        _compared(kind, Basis.MATCHED, *arms, analysis=MatchedUnits(_until(panel, seen), treated, half))
        for seen, arms in _sides(cases, lambda cases, _: cases.unit < TREATED_UNITS)
    ]


def staggered(kind: Kind, per_week: int, shaken: bool, rng: np.random.Generator) -> Pilot:
    """Launch six units in random order over nine weeks."""
    cases = draw(kind, per_week, shaken, BASELINE_WEEKS + WEEKS, rng, ROLLOUT_UNITS)
    panel = _panel(kind, cases, ROLLOUT_UNITS)
    places = launch_weeks(ROLLOUT_UNITS, ROLLOUT_WEEKS)
    starts = np.array([BASELINE_WEEKS + places[place] for place in rng.permutation(ROLLOUT_UNITS)])
    launches = {unit: panel.weeks[start] for unit, start in zip(panel.units, starts, strict=True)}
    found = []
    for seen, arms in _sides(cases, lambda cases, _: cases.week >= starts[cases.unit]):
        part = _until(panel, seen)
        begun = {unit: week for unit, week in launches.items() if week in part.weeks}
        found.append(_compared(kind, Basis.ORDER, *arms, analysis=RolloutOrder(part, begun, 1)))
    return found


def _sides(
    cases: Cases, treated: Callable[[Cases, int], NDArray[np.bool_]]
) -> Sequence[tuple[int, tuple[Sample, Sample]]]:
    found = []
    for seen in range(1, WEEKS + 1):
        inside = (cases.week >= BASELINE_WEEKS) & (cases.week < BASELINE_WEEKS + seen)
        chosen = treated(cases, seen)
        found.append((seen, (_counted(cases, inside & chosen), _counted(cases, inside & ~chosen))))
    return found


def _counted(cases: Cases, chosen: NDArray[np.bool_], blocks: Floats = _NOTHING) -> Sample:
    """Return a sample that serves for counting: the design's own analysis decides."""
    values = cases.value[chosen]
    return Sample(Moments.of(values), int(np.count_nonzero(values)), blocks)


def _panel(kind: Kind, cases: Cases, units: int) -> Panel:
    weeks = BASELINE_WEEKS + WEEKS
    cell = cases.unit * weeks + cases.week
    n = np.bincount(cell, minlength=units * weeks).astype(np.float64)
    total = np.bincount(cell, weights=kind.weekly(cases.value), minlength=units * weeks)
    means = np.where(n > 0, total / np.maximum(n, 1), np.nan).reshape(units, weeks)
    names, labels = (tuple(f"{place:02d}" for place in range(number)) for number in (units, weeks))
    return Panel(names, labels, means, n.reshape(units, weeks), BASELINE_WEEKS)


def _until(panel: Panel, seen: int) -> Panel:
    end = panel.before + seen
    return Panel(panel.units, panel.weeks[:end], panel.means[:, :end], panel.cases[:, :end], panel.before)


def promised(kind: Kind, cases: Cases) -> float:
    """Return the effect that was promised, on the scale of weeks, as registration does it."""
    if kind.share:
        return POINTS
    values = cases.value[cases.week < BASELINE_WEEKS]
    capped = values >= kind.cap if kind.cap is not None else np.zeros(len(values), dtype=bool)
    return abs(shift_of(values, capped, RATIO, kind.weekly))


def floor(kind: Kind) -> float:
    """Return what an untouched KPI of this kind does anyway, as the product has it."""
    if kind.share:
        return SHARE_FLOOR
    return TIME_FLOOR if kind.weekly.scale is Scale.LOG else EFFORT_FLOOR


DESIGNS: dict[str, Design] = {
    "A, 20% held out": drawn_by_case(0.2),
    "A, 10% held out": drawn_by_case(0.1),
    "A, 50% held out": drawn_by_case(0.5),
    "A, 6 of 12 units": drawn_by_unit(12, 6),
    "A, 4 of 20 units": drawn_by_unit(20, 4),
    "A-": staggered,
    "B": matched,
    "C": stable,
    "D": before_after,
}
# Weeks after which a design has a gate that may say go; C only then, and with so many weeks.
GATES = (4, 8, 12)
STABLE_GATES = tuple(gate for gate in GATES if gate >= 2 * LEAST_BLOCKS)

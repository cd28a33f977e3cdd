"""Weeks until a gate decides: ours at three looks and watched weekly, beside a planned test with one look or three.

Ours is what the product computes (`evidence.gates`, `evidence.sequences`) on simulated cases. The other tests are given
more than anybody has: the variance, and the effect for which their length is chosen so that they have our power.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._group_sequential import ALPHA, bounds, drift_for, expected_share, falling, flat
from bench.report import Report
from trueup.evidence import gates, sequences
from trueup.evidence.moments import Interval, Moments, normal_quantile

PILOTS, WEEKS, GATES = 2000, 12, (4, 8, 12)
PER_WEEK, HOLDOUT = 100, 0.2
EFFECTS = (0.0, 0.15, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Found:
    """In how many pilots something was claimed by week 12, and the mean weeks until then (12 without a claim)."""

    power: float
    weeks: float
    error: float

    @classmethod
    def of(cls, weeks: list[int | None]) -> Found:
        """Summarise the weeks of the first claims."""
        lasted = np.array([WEEKS if week is None else week for week in weeks], dtype=float)
        claimed = sum(week is not None for week in weeks) / len(weeks)
        return cls(claimed, float(lasted.mean()), float(lasted.std(ddof=1) / math.sqrt(len(weeks))))


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; pilots are simulated
    """Simulate pilots with effects of several sizes, and put the other tests beside each."""
    for effect in EFFECTS:
        report.say(f"{PILOTS:,} pilots with an effect of {effect:g} standard deviations")
        gate, watched = simulated(effect)
        _row(report, f"{effect:g} SD, gates 4/8/12", gate, effect)
        _row(report, f"{effect:g} SD, watched weekly", watched, effect)


def simulated(effect: float, pilots: int = PILOTS, seed: int = 20) -> tuple[Found, Found]:
    """Return what the gates and the watched sequence make of normal cases, a holdout of 20%, 100 cases a week."""
    chance = np.random.default_rng(seed)
    held = round(PER_WEEK * HOLDOUT)
    by_gate: list[int | None] = []
    by_sequence: list[int | None] = []
    for _ in range(pilots):
        treated = _sums(chance.normal(effect, 1.0, (WEEKS, PER_WEEK - held)))
        control = _sums(chance.normal(0.0, 1.0, (WEEKS, held)))
        arms = [(_moments(treated, week), _moments(control, week)) for week in range(1, WEEKS + 1)]
        looks = (gates.mean_contrast(*arms[week - 1], ALPHA / len(GATES)) for week in GATES)
        by_gate.append(_first(looks, GATES))
        daily = (sequences.concurrent_means(*arm, ALPHA) for arm in arms)
        by_sequence.append(_first(daily, range(1, WEEKS + 1)))
    return Found.of(by_gate), Found.of(by_sequence)


def _row(report: Report, name: str, ours: Found, effect: float) -> None:
    note = f"claims {ours.power:.3f}, n {PILOTS:,}, MC error {ours.error:.2f} weeks"
    if effect == 0 or not 0.06 < ours.power < 0.995:
        report.row(name, ours.weeks, float(WEEKS), unit="weeks", note=f"{note}; peer: one look at week 12")
        return
    a_week = effect * math.sqrt(PER_WEEK * HOLDOUT * (1 - HOLDOUT))
    fixed = ((normal_quantile(ALPHA / 2) + normal_quantile(1 - ours.power)) / a_week) ** 2
    report.row(name, ours.weeks, fixed, unit="weeks", note=f"{note}; peer: one look, length planned for this effect")
    for title, shape in (("O'Brien-Fleming", falling), ("Pocock", flat)):
        limits = bounds(shape, len(GATES))
        drift = drift_for(limits, ours.power)
        length = (drift / a_week) ** 2
        peer = length * expected_share(limits, drift)
        report.row("", ours.weeks, peer, unit="weeks", note=f"peer: {title}, three looks in {length:.1f} weeks")


def _first(intervals: Iterable[Interval], weeks: Iterable[int]) -> int | None:
    for interval, week in zip(intervals, weeks, strict=True):
        if interval.lower > 0 or interval.upper < 0:
            return week
    return None


def _sums(values: np.ndarray) -> np.ndarray:
    """Count, sum and sum of squares by the end of each week."""
    counts = np.full(len(values), values.shape[1])
    return np.column_stack([counts, values.sum(axis=1), (values**2).sum(axis=1)]).cumsum(axis=0)


def _moments(sums: np.ndarray, week: int) -> Moments:
    n, total, squares = sums[week - 1].tolist()
    return Moments.from_sums(int(n), total, squares)

"""What stands beside matched units: when it takes a claim back, and how many false goes are left."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trueup.decide.bars import Contrast, Side
from trueup.decide.beside import (
    FEW_UNITS,
    DesignChecks,
    NegativeControl,
    Placebo,
    Synthetic,
    level_after,
    negative_control,
    placebo_of,
    synthetic_of,
)
from trueup.decide.comparison import Basis, Comparison, Sample
from trueup.decide.designs import MatchedUnits, Panel
from trueup.decide.level import Level
from trueup.evidence.designs.matched import weekly_differences
from trueup.evidence.designs.stable import admit
from trueup.evidence.moments import Interval, Moments

WEEKS = (4, 8, 12)
DELAY = 2


class First:
    """A weigher that takes the first control unit alone."""

    def weights(self, series: np.ndarray, controls: np.ndarray) -> np.ndarray:
        assert len(series) == len(controls)
        first: np.ndarray = np.eye(controls.shape[1])[0]
        return first


def matched(means: np.ndarray, treated: int, before: int = 8) -> MatchedUnits:
    units = tuple(f"unit {at}" for at in range(len(means)))
    weeks = tuple(f"week {at}" for at in range(means.shape[1]))
    cases = np.where(np.isfinite(means), 10.0, 0.0)
    return MatchedUnits(Panel(units, weeks, means, cases, before), frozenset(units[:treated]), 0.1)


def compared(analysis: MatchedUnits, n: int = 100) -> Comparison:
    sample = Sample(Moments(n, 0.0, 1.0), n, np.array([], dtype=np.float64))
    return Comparison("t", "days", False, Basis.MATCHED, False, sample, sample, analysis=analysis)


def test_a_check_takes_the_claim_of_units_back_that_nobody_drew_and_of_no_others() -> None:
    moved = NegativeControl("other", "days", Interval(1.0, 0.5, 1.5), moved=True)
    for weak in (DesignChecks(placebo=Placebo(1, 19)), DesignChecks(controls=(moved,))):
        assert weak.weakened() is not None
        assert [level_after(level, weak) for level in Level] == [
            Level.RANDOMISED,
            Level.ATTESTED,
            Level.STAGGERED,
            Level.BEFORE_AFTER,
            Level.BEFORE_AFTER,
            Level.BEFORE_AFTER,
            Level.ASSERTED,
        ]
    fine = DesignChecks(placebo=Placebo(1, 20), controls=(NegativeControl("o", "d", moved.interval, moved=False),))
    assert fine.weakened() is None
    assert level_after(Level.MATCHED, fine) is Level.MATCHED
    assert "1 of 20 groups of untouched units" in str(fine.says("days"))
    assert DesignChecks().says("days") is None


def test_what_disagrees_is_said_and_changes_nothing() -> None:
    other = Synthetic(estimate=-0.4, weights={"a": 1.0}, fit=0.1, as_large=0, groups=3)
    checks = DesignChecks(synthetic=other, trend=0.01)
    assert [note[:20] for note in checks.notes(-1.0)] == ["a synthetic control ", "the difference was m"]
    assert len(DesignChecks(synthetic=other).notes(-0.5)) == 0
    assert checks.weakened() is None
    assert DesignChecks(synthetic="not installed").to_json("days")["synthetic_unknown"] == "not installed"


def test_placebos_are_counted_and_fewer_than_five_are_none() -> None:
    rng = np.random.default_rng(1)
    panel = 0.05 * rng.standard_normal((8, 16))
    panel[:2, 8:] -= 1.0
    found = placebo_of(matched(panel, 2))
    assert found == Placebo(0, 15)
    assert found.to_json() == {"as_large": 0, "groups": 15, "share": 1 / 16, "ordinary": False}
    panel[2, 8:] -= 2.5
    again = placebo_of(matched(panel, 2))
    assert again is not None
    assert again.ordinary
    assert placebo_of(matched(panel[:5], 2)) is None


def test_a_synthetic_control_follows_movements_and_needs_whole_series_of_few_units() -> None:
    rng = np.random.default_rng(2)
    walk = np.cumsum(rng.standard_normal(18))
    others = np.cumsum(rng.standard_normal((3, 18)), axis=1)
    panel = np.vstack([walk + 5.0 + 0.01 * rng.standard_normal(18), walk, others])
    panel[0, 8:] -= 1.0
    found = synthetic_of(compared(matched(panel, 1)), matched(panel, 1), First())
    assert found is not None
    assert found.estimate == pytest.approx(-1.0, abs=0.02)
    assert found.weights == {"unit 1": 1.0, "unit 2": 0.0, "unit 3": 0.0, "unit 4": 0.0}
    assert (found.as_large, found.groups) == (0, 4)
    gap = panel.copy()
    gap[0, 3] = math.nan
    assert synthetic_of(compared(matched(gap, 1)), matched(gap, 1), First()) is None
    many = np.vstack([panel[:1], rng.standard_normal((FEW_UNITS + 1, 18))])
    assert synthetic_of(compared(matched(many, 1)), matched(many, 1), First()) is None
    assert synthetic_of(compared(matched(panel[:2], 1)), matched(panel[:2], 1), First()) is None
    assert synthetic_of(compared(matched(panel[:, :8], 1)), matched(panel[:, :8], 1), First()) is None


def test_a_negative_control_moves_in_either_direction_and_not_on_too_few_cases() -> None:
    for change in (2.0, -2.0, 0.0):
        panel = 0.05 * np.random.default_rng(3).standard_normal((6, 16))
        panel[:2, 8:] += change
        found = negative_control(compared(matched(panel, 2)), 0.05 / 3)
        assert found.moved == (change != 0)
        assert not negative_control(compared(matched(panel, 2), n=20), 0.05 / 3).moved


def untouched(rng: np.random.Generator, units: int, phi: float) -> np.ndarray:
    """Return weekly means of units that differ for good, drift a little on their own and share the weeks' shocks."""
    weeks = 8 + DELAY + 12
    noise = rng.standard_normal((units + 1, weeks))
    for week in range(1, weeks):
        noise[:, week] = phi * noise[:, week - 1] + math.sqrt(1 - phi**2) * noise[:, week]
    drift = 0.01 * np.cumsum(rng.standard_normal((units, weeks)), axis=1)
    return rng.standard_normal((units, 1)) + 0.1 * noise[:-1] + 0.2 * noise[-1:] + drift


def goes(pilots: int, effect: float, seed: int) -> tuple[float, float, float]:
    """Return how many pilots are admitted, and of them how many say go at one of three gates, without and with checks.

    A KPI compared on logarithms, 30% promised, two treated units of four to ten, bar at nought.
    """
    rng = np.random.default_rng(seed)
    admitted = plain = checked = 0
    for _ in range(pilots):
        panel = untouched(rng, int(rng.integers(4, 11)), float(rng.choice([0.0, 0.4, 0.6])))
        treated = np.arange(len(panel)) < 2
        gaps = weekly_differences(panel, np.full(panel.shape, 10.0), treated, 8)[:8]
        if not admit(gaps, 0.36, 0.1, DELAY).admitted:
            continue
        admitted += 1
        launched = np.hstack([panel[:, :8], panel[:, 8 + DELAY :]])
        launched[:2, 8:] -= effect
        looks = [matched(launched[:, : 8 + week - DELAY], 2) for week in WEEKS]
        claimed = [look for look in looks if compared(look).side(Contrast(1.0, 0.0, -1), 0.05 / 3) is Side.GOOD]
        plain += bool(claimed)
        checked += any(not (placebo := placebo_of(look)) or not placebo.ordinary for look in claimed)
    return admitted / pilots, plain / admitted, checked / admitted


def test_untouched_units_seldom_say_go_and_touched_ones_do() -> None:
    admitted, plain, checked = goes(200, 0.0, seed=4)
    assert admitted > 0.3
    assert checked <= plain <= 0.05
    _, plain, checked = goes(60, 0.36, seed=5)
    assert checked > 0.4


@pytest.mark.long
def test_many_matched_pilots_keep_the_promise() -> None:
    admitted, plain, checked = goes(5000, 0.0, seed=6)
    _, power, left = goes(2000, 0.36, seed=7)
    print(f"admitted {admitted:.2f}; false go {plain:.4f}, with placebo {checked:.4f}; power {power:.2f}, {left:.2f}")
    assert checked <= plain <= 0.05

"""Units that were randomised are what is counted: they differ for good, and their cases say nothing new about that."""

from __future__ import annotations

import numpy as np
from scipy import stats

from trueup.evidence.gates import block_contrast, unit_contrast

ALPHA = 0.05 / 3


def false_claims(seed: int, pilots: int, units: int) -> int:
    """Return in how many untouched pilots one of three gates claims a change; units differ for good."""
    chance = np.random.default_rng(seed)
    claimed = 0
    for _ in range(pilots):
        persistent = chance.normal(0, 0.3, 2 * units)
        cases = persistent[:, None] + chance.normal(0, 1, (2 * units, 12))
        means = np.cumsum(cases, axis=1) / np.arange(1, 13)
        looks = (unit_contrast(means[:units, week], means[units:, week], ALPHA) for week in (3, 7, 11))
        claimed += any(look.lower > 0 or look.upper < 0 for look in looks)
    return claimed


def test_three_gates_over_lasting_differences_keep_the_level() -> None:
    for units in (3, 10):
        claimed = false_claims(11, 800, units)
        assert stats.binom.sf(claimed - 1, 800, 0.05) > 1e-3


def test_weekly_blocks_of_the_same_units_would_not() -> None:
    chance = np.random.default_rng(5)
    claimed = 0
    for _ in range(400):
        persistent = chance.normal(0, 0.6, 8)
        blocks = persistent[:, None] + chance.normal(0, 0.3, (8, 12))
        interval = block_contrast(blocks[:4].ravel(), blocks[4:].ravel(), 0.05)
        claimed += interval.lower > 0 or interval.upper < 0
    assert claimed / 400 > 0.2


def test_nothing_is_known_from_one_unit() -> None:
    assert not unit_contrast([1.0], [2.0, 3.0], 0.05).known

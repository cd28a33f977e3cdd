"""Whether recent answers were right as often as the model was sure, by the labels of those that were reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.comparison import LEAST_CASES
from trueup.decide.numbers import interval_json
from trueup.evidence.health.calibration import calibration
from trueup.loop.health.drift import as_numbers
from trueup.loop.health.seen import NotKnown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.evidence.health.calibration import Bin, Calibration
    from trueup.loop.health.seen import Cases


def reliability(cases: Cases, alpha: float) -> dict[str, Any]:
    """Return the published form of the calibration of recent answers, or why it is unknown."""
    found = _calibrated(cases, alpha)
    if isinstance(found, NotKnown):
        return {"unknown": found.to_json()}
    return {
        "reviewed": found.n,
        "accuracy": interval_json(found.accuracy),
        "mean_confidence": found.confidence,
        "expected_calibration_error": found.error,
        "expected_if_calibrated": found.by_chance,
        "state": "off" if found.off else "not-shown-off",
        "bins": [_bin(one) for one in found.bins],
        "unknown": None,
    }


def _calibrated(cases: Cases, alpha: float) -> Calibration | NotKnown:
    health = cases.health
    columns: list[Sequence[str | None]] = []
    for name, key in ((health.confidence, "confidence"), (health.answer, "answer"), (health.label, "label")):
        column = cases.column(name, f"health.{key}")
        if isinstance(column, NotKnown):
            return column
        columns.append(column)
    recent = [row for row, later in zip(zip(*columns, strict=True), cases.later, strict=True) if later]
    whole = [row for row in recent if None not in row]
    if len(whole) < LEAST_CASES:
        return NotKnown("too-few-labels", f"{len(whole)} recent cases have all three, {LEAST_CASES} are needed")
    numbers = as_numbers([sure for sure, _, _ in whole])
    if numbers is None or not ((numbers >= 0) & (numbers <= 1)).all():
        return NotKnown("bad-confidence", f"{health.confidence!r} holds values that are not between 0 and 1")
    right = np.array([answer == label for _, answer, label in whole], dtype=np.bool_)
    found = calibration(numbers, right, alpha)
    assert found is not None, "there are cases"
    return found


def _bin(one: Bin) -> dict[str, Any]:
    return {
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "confidence": one.confidence,
        "right": interval_json(one.accuracy),
        "off": one.off,
    }

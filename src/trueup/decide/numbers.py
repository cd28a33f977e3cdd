"""Numbers on their way out: what is not finite is not known, and not known is null."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.evidence.moments import Interval


def known(value: float | None) -> float | None:
    """Return the number, or None where it is nan or infinite."""
    return None if value is None or not math.isfinite(value) else float(value)


def interval_json(interval: Interval) -> dict[str, float | None]:
    """Return estimate, lower and upper, each None where it is not known."""
    return {"estimate": known(interval.estimate), "lower": known(interval.lower), "upper": known(interval.upper)}

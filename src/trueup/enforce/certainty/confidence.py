"""How sure a model has to be before what it asks for is done without a person.

The file says that a confidence is needed: a share, or `learned`, the threshold that was chosen on reviewed outcomes and
stands in the ledger. Of a share and a chosen threshold the higher one holds. While `learned` has no threshold yet, no
confidence is enough.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.declare.model.workflow import Autonomy

CHOSEN = "threshold.chosen"
LEARNED = "learned"
# As exact as Cedar's decimals.
_STEP = Decimal("0.0001")

Needed = float | str | None


def needed_confidence(autonomy: Autonomy | None, chosen: float | None) -> Needed:
    """Return the confidence from which on something may be done alone.

    None where none is asked for; `learned` where one is, and no threshold was chosen for what acts now.
    """
    declared = autonomy.confidence if autonomy else None
    if declared is None or chosen is None:
        return declared
    return chosen if isinstance(declared, str) else max(declared, chosen)


def confident(confidence: float | None, needed: Needed) -> bool:
    """Tell whether a confidence is enough, exactly as the policy decides it."""
    if needed is None:
        return True
    if confidence is None or isinstance(needed, str):
        return False
    return Decimal(floored(confidence)) >= Decimal(raised(needed))


def floored(confidence: float) -> str:
    """Write a confidence as a Cedar decimal, never higher than it is."""
    return f"{Decimal(repr(confidence)).quantize(_STEP, ROUND_FLOOR):.4f}"


def raised(threshold: float) -> str:
    """Write a threshold as a Cedar decimal, never lower than it is."""
    return f"{Decimal(repr(threshold)).quantize(_STEP, ROUND_CEILING):.4f}"


def chosen_at(value: object) -> float | None:
    """Read a chosen threshold from an entry; None for whatever is none: then no confidence is enough."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1 else None

"""Other limits, as a person writes them into an address: amounts, person-days, a number of pilots. Saved as nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError
from trueup.kernel.quantities import parse_person_days

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMITS = {"budget": "an amount", "engineering": "person-days", "change": "person-days", "parallel_pilots": "a number"}
_MOST = 1e15


def asked_limits(query: Mapping[str, str]) -> dict[str, float]:
    """Return the limits that an address gives. Raises UsageError for one that is none."""
    return {name: _limit(name, query[name].strip()) for name in LIMITS if query.get(name, "").strip()}


def _limit(name: str, text: str) -> float:
    plain = text.replace(",", "").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    try:
        value = parse_person_days(plain) if plain.endswith("pd") and name in {"engineering", "change"} else float(plain)
    except ValueError:
        value = math.nan
    whole = name != "parallel_pilots" or value == math.floor(value) if math.isfinite(value) else False
    if not (whole and 0 <= value <= _MOST):
        raise UsageError(
            "bad-limit",
            f"{text!r} is not {LIMITS[name]} for {name}.",
            "Write a number that is not negative, such as 120000; leave the field empty for the declared limit.",
        )
    return value

"""A belief against its measurement: it holds, it is false, or it is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.declare.model.data import Assumption


@dataclass(frozen=True, slots=True)
class AssumptionVerdict:
    """What was measured of an assumption. `holds` is None where nothing could be measured."""

    holds: bool | None
    measured: float | None
    bound: float
    direction: str
    because: str


def judge_assumption(assumption: Assumption, measured: float | None, *, reason: str = "") -> AssumptionVerdict:
    """Hold a measured value against the bound; `reason` says why nothing was measured.

    Raises ValueError when no bound is declared.
    """
    bound, direction = _bound(assumption)
    if measured is None:
        return AssumptionVerdict(None, None, bound, direction, reason or "not measured")
    holds = measured >= bound if direction == "at least" else measured <= bound
    because = f"{measured:.4g} measured, {direction} {bound:.4g} assumed"
    return AssumptionVerdict(holds, measured, bound, direction, because)


def _bound(assumption: Assumption) -> tuple[float, str]:
    if assumption.at_least is not None:
        return assumption.at_least.value, "at least"
    if assumption.at_most is not None:
        return assumption.at_most.value, "at most"
    msg = "the assumption declares no bound"
    raise ValueError(msg)

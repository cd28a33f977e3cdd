"""A guardrail is held, crossed or open: three states, because absence of harm has to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trueup.decide.bars import Side, contrast_of

if TYPE_CHECKING:
    from trueup.decide.comparison import Comparison
    from trueup.evidence.moments import Interval
    from trueup.kernel.quantities import Bar


class GuardrailState(StrEnum):
    """Held: the whole interval lies within the margin. Crossed: beyond it. Open: neither."""

    HELD = "held"
    CROSSED = "crossed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class GuardrailReading:
    """The state of one guardrail, with the difference (treated - control) that it rests on."""

    kpi: str
    unit: str
    state: GuardrailState
    margin: str
    interval: Interval
    watched: Interval
    n: int


def judge_guardrail(
    comparison: Comparison, margin: Bar, sign: int, *, alpha: float, watch: Comparison, watch_alpha: float
) -> GuardrailReading:
    """Judge a guardrail: held and open by the gate interval, crossed by it or by the watched sequence."""
    contrast = contrast_of(margin, sign)
    at_gate = contrast.side(comparison.at_gate(alpha, contrast.ratio))
    in_between = contrast.side(watch.watched(watch_alpha, contrast.ratio))
    if Side.BAD in (at_gate, in_between):
        state = GuardrailState.CROSSED
    elif at_gate is Side.GOOD and comparison.too_few() is None:
        state = GuardrailState.HELD
    else:
        state = GuardrailState.OPEN
    return GuardrailReading(
        kpi=comparison.kpi,
        unit=comparison.unit,
        state=state,
        margin=margin.text,
        interval=comparison.at_gate(alpha),
        watched=watch.watched(watch_alpha),
        n=comparison.treated.n + (0 if comparison.frozen else comparison.control.n),
    )

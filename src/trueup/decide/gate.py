"""One gate, one verdict: go, hold, stop, or unknown with its reason.

The steps of `judge` are numbered as in the reference page on gates. What cannot be known is settled first, what
is not yet known second; only then do intervals speak. Nothing here reads a file or a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from trueup.decide.bars import Contrast, Side, contrast_of
from trueup.decide.comparison import NOTHING_KNOWN
from trueup.decide.guardrail import GuardrailReading, GuardrailState
from trueup.decide.level import Level, needed_for_go

if TYPE_CHECKING:
    from trueup.decide.comparison import Comparison
    from trueup.evidence.moments import Interval
    from trueup.kernel.quantities import Bar

# The declared gates share this two-sided error rate; the watched sequence has it to itself.
ALPHA = 0.05
CHECKLIST = (
    "owners-confirmed",
    "edge-cases-rehearsed",
    "reversal-rehearsed",
    "high-impact-logs-verified",
    "users-trained",
    "review-cadence-kept",
)


class Outcome(StrEnum):
    """What a gate says."""

    GO = "go"
    HOLD = "hold"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why nothing can be said: a code, a sentence, and the cases that show it."""

    code: str
    because: str
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateQuestion:
    """Everything that one gate is judged on.

    `comparison` holds the primary KPI at the due instant, `watch` the same at the as-of; `unknown` is what the
    loop found to make an answer impossible; `next_speaking` names the next gate with enough mature cases;
    `missing_checklist` the pre-expansion items without evidence (asked at the scale gate only).
    """

    workflow: str
    gate: str
    week: int
    scale: bool
    last: bool
    gates: int
    level: Level
    sign: int
    worth_having: Bar | None
    target: Bar | None
    comparison: Comparison | None
    guardrails: tuple[GuardrailReading, ...] = ()
    unknown: Unknown | None = None
    next_speaking: str | None = None
    missing_checklist: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def alpha(self) -> float:
        """The two-sided level of this gate: the programme's alpha split over the declared gates."""
        return ALPHA / max(self.gates, 1)


@dataclass(frozen=True, slots=True)
class BarTest:
    """The declared bar, the contrast that tests it, and where its interval lies."""

    text: str
    contrast: Contrast
    interval: Interval
    side: Side


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The outcome with its code and sentence. `waivable` names what a sponsor may accept by name to make it a go."""

    outcome: Outcome
    code: str
    because: str
    interval: Interval = NOTHING_KNOWN
    bar: BarTest | None = None
    target: BarTest | None = None
    waivable: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def judge(question: GateQuestion) -> GateVerdict:
    """Judge a gate at its due instant."""
    # 1. What cannot be computed is unknown, never coerced.
    if question.unknown is not None or question.comparison is None:
        reason = question.unknown or Unknown("no-baseline", "nothing was registered to compare with")
        return GateVerdict(Outcome.UNKNOWN, reason.code, reason.because, cases=reason.cases, notes=question.notes)
    interval = question.comparison.at_gate(question.alpha)
    bar = _test(question, question.worth_having)
    found = _decide(question, question.comparison, bar)
    target = _test(question, question.target) if question.target is not None else None
    return GateVerdict(
        found.outcome, found.code, found.because, interval, bar, target, found.waivable, notes=question.notes
    )


def _test(question: GateQuestion, bar: Bar | None) -> BarTest:
    contrast = contrast_of(bar, question.sign)
    comparison = question.comparison
    interval = NOTHING_KNOWN if comparison is None else comparison.at_gate(question.alpha, contrast.ratio)
    side = Side.ACROSS if comparison is None else comparison.side(contrast, question.alpha)
    return BarTest(bar.text if bar else "any improvement", contrast, interval, side)


@dataclass(frozen=True, slots=True)
class _Found:
    outcome: Outcome
    code: str
    because: str
    waivable: tuple[str, ...] = ()


def _decide(question: GateQuestion, comparison: Comparison, bar: BarTest) -> _Found:
    # 2. A crossed guardrail stops, at any level and in any week: acting on it is safe.
    crossed = [reading.kpi for reading in question.guardrails if reading.state is GuardrailState.CROSSED]
    if crossed:
        return _Found(Outcome.STOP, "guardrail-crossed", f"guardrail {', '.join(crossed)} crossed")
    # 3. Too few mature cases: hold, and say which gate can speak.
    few = comparison.too_few()
    if few is not None:
        return _not_mature(question, few)
    # 4. The interval against the smallest lift worth having.
    if bar.side is Side.BAD:
        weeks = f"after {question.week} weeks the whole interval is short of {bar.text}, the smallest lift worth having"
        return _Found(Outcome.STOP, "short-of-bar", weeks)
    if bar.side is Side.GOOD:
        return _cleared(question, bar)
    return _hold(question, "undecided", f"not enough yet to tell whether {bar.text} is reached")


def _not_mature(question: GateQuestion, few: str) -> _Found:
    later = f"; {question.next_speaking} can speak" if question.next_speaking else "; no later gate can speak either"
    return _hold(question, "not-mature", few + later)


def _hold(question: GateQuestion, code: str, because: str) -> _Found:
    if question.last:
        return _Found(Outcome.HOLD, "pause-or-pivot", f"{because}; this was the last gate: pause it, or change it")
    return _Found(Outcome.HOLD, code, because)


def _cleared(question: GateQuestion, bar: BarTest) -> _Found:
    # 5. Scaling needs the target within reach, not only a lift worth having.
    if question.scale and question.target is not None and _test(question, question.target).side is Side.BAD:
        return _hold(
            question, "target-out-of-reach", f"clears {bar.text}, but the target {question.target} is ruled out"
        )
    # 6. A design too weak for `go` may only hold, however good it looks.
    needed = needed_for_go(question.week, scale=question.scale)
    if not question.level.at_least(needed):
        because = (
            f"clears {bar.text}, but {question.level.design_word} (level {question.level}) may not say go here; "
            f"level {needed} or stronger may"
        )
        return _Found(Outcome.HOLD, "design-too-weak", because, ("design", *_scale_items(question)))
    # 7. Scaling needs every guardrail held and the pre-expansion checklist, or the sponsor's name on each.
    if question.scale:
        return _scale(question, bar)
    if not question.level.at_least(Level.MATCHED):
        because = f"the change exceeds {bar.text} and what this series does by itself; provisional: the cause is open"
        return _Found(Outcome.GO, "clears-bar", because)
    return _Found(Outcome.GO, "clears-bar", _clears(question, bar))


def _clears(question: GateQuestion, bar: BarTest) -> str:
    analysis = question.comparison.analysis if question.comparison else None
    if analysis is not None and analysis.by_margin:
        return f"the change exceeds {bar.text} and what the difference does by itself"
    return f"the whole interval clears {bar.text}"


def _open_guardrails(question: GateQuestion) -> tuple[str, ...]:
    return tuple(reading.kpi for reading in question.guardrails if reading.state is GuardrailState.OPEN)


def _scale_items(question: GateQuestion) -> tuple[str, ...]:
    return (*_open_guardrails(question), *question.missing_checklist) if question.scale else ()


def _scale(question: GateQuestion, bar: BarTest) -> _Found:
    still_open = _open_guardrails(question)
    if still_open:
        because = f"clears {bar.text}, but guardrail {', '.join(still_open)} is not yet shown to be held"
        return _Found(Outcome.HOLD, "guardrail-open", because, _scale_items(question))
    if question.missing_checklist:
        because = f"clears {bar.text}, but the pre-expansion checklist lacks {', '.join(question.missing_checklist)}"
        return _Found(Outcome.HOLD, "checklist-open", because, question.missing_checklist)
    return _Found(Outcome.GO, "clears-bar", f"{_clears(question, bar)}, and the target is within reach")

"""What the evidence does to a workflow's autonomy: one rung up, as it is, or down.

Up takes a bound on the share of wrong outcomes below what is allowed, stable cycles, and for `act` the
pre-expansion checklist. Down takes one alarm. Nothing goes beyond `may_reach`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trueup.declare.model.workflow import AutonomyLevel
from trueup.evidence.risk.limit import reviews_to_pass, wrong_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS = tuple(AutonomyLevel)


class Move(StrEnum):
    """Where a workflow's autonomy goes."""

    UP = "up"
    STAY = "stay"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class AutonomyEvidence:
    """What is known of a workflow at its present rung.

    `declared` is the level in the file, `in_force` the lower of it and the ledger's; `fell_because` says why they
    differ. `reviewed` and `wrong` count outcomes of this rung. `cycles` counts stable cycles up to those asked for, and
    `unstable` says what stands against the next one. `missing` are the checklist's items without evidence. `alarm` is
    what a watch said, None while both are quiet.
    """

    declared: AutonomyLevel
    in_force: AutonomyLevel
    reviewed: int = 0
    wrong: int = 0
    cycles: int = 0
    unstable: str | None = None
    missing: Sequence[str] = ()
    alarm: str | None = None
    fell_because: str | None = None


@dataclass(frozen=True, slots=True)
class AutonomyTerms:
    """What the file promises and permits: the highest level, the limit, how sure, and how many stable cycles first."""

    may_reach: AutonomyLevel
    limit: float | None
    sure: float = 0.95
    stable_cycles: int = 0


@dataclass(frozen=True, slots=True)
class AutonomyVerdict:
    """The move, its ends, the numbers it rests on and the reason in words.

    `bound` is the upper end of the share of wrong outcomes, at `sure`, at every look; None without reviewed outcomes.
    `waivable` are checklist items that stand between this and a move up.
    """

    move: Move
    old: AutonomyLevel
    new: AutonomyLevel
    code: str
    because: str
    bound: float | None = None
    waivable: tuple[str, ...] = ()


def judge_autonomy(evidence: AutonomyEvidence, terms: AutonomyTerms) -> AutonomyVerdict:
    """Judge the evidence of a rung. Nothing here writes; a fall that was made already is proposed to the file."""
    bound = _bound(evidence, terms)
    old = evidence.declared
    if evidence.in_force is not old:
        because = evidence.fell_because or "the ledger sets a lower level"
        return AutonomyVerdict(Move.DOWN, old, evidence.in_force, "taken-back", because, bound)
    if evidence.alarm is not None and old in {AutonomyLevel.APPROVE, AutonomyLevel.ACT}:
        return AutonomyVerdict(Move.DOWN, old, _next(old, -1), "alarm", evidence.alarm, bound)
    return _up(evidence, terms, bound)


def _up(evidence: AutonomyEvidence, terms: AutonomyTerms, bound: float | None) -> AutonomyVerdict:
    old, new = evidence.declared, _next(evidence.declared, 1)

    def stay(code: str, because: str) -> AutonomyVerdict:
        return AutonomyVerdict(Move.STAY, old, old, code, because, bound)

    if _LEVELS.index(old) >= _LEVELS.index(terms.may_reach):
        return stay("highest", f"{old} is the highest level that it may reach")
    if terms.limit is None:
        return stay("no-limit", "no `wrong_at_most` is declared, so nothing can be shown")
    if bound is None or bound >= terms.limit:
        return stay("not-shown", _not_yet(evidence, terms, bound))
    if evidence.cycles < terms.stable_cycles:
        why = f": {evidence.unstable}" if evidence.unstable else ""
        return stay("not-stable", f"{evidence.cycles} of {terms.stable_cycles} stable cycles{why}")
    because = _found(evidence, terms) + (f"; {_cycles(evidence.cycles)}" if terms.stable_cycles else "")
    open_items = tuple(evidence.missing) if new is AutonomyLevel.ACT else ()
    if open_items:
        waits = f"{because}; the checklist lacks {', '.join(open_items)}"
        return AutonomyVerdict(Move.STAY, old, new, "checklist", waits, bound, open_items)
    return AutonomyVerdict(Move.UP, old, new, "shown", because, bound)


def _bound(evidence: AutonomyEvidence, terms: AutonomyTerms) -> float | None:
    if evidence.reviewed == 0:
        return None
    return wrong_at_most(evidence.wrong, evidence.reviewed, terms.sure)


def _next(level: AutonomyLevel, step: int) -> AutonomyLevel:
    return _LEVELS[min(max(_LEVELS.index(level) + step, 0), len(_LEVELS) - 1)]


def _found(evidence: AutonomyEvidence, terms: AutonomyTerms) -> str:
    share = evidence.wrong / evidence.reviewed
    limit = f"at most {_percent(terms.limit or 0)} allowed ({_percent(terms.sure)} sure)"
    return f"{share:.1%} wrong of {evidence.reviewed:,} reviewed, {limit}"


def _not_yet(evidence: AutonomyEvidence, terms: AutonomyTerms, bound: float | None) -> str:
    if bound is None or terms.limit is None:
        return "no outcome was reviewed at this level yet"
    share = evidence.wrong / evidence.reviewed
    needed = reviews_to_pass(terms.limit, terms.sure, share)
    ahead = f"about {needed:,} reviewed would show it at this share" if needed else "the share itself is not below it"
    return f"{_found(evidence, terms)}; it can only be said that at most {bound:.1%} are; {ahead}"


def _cycles(cycles: int) -> str:
    return f"{cycles} stable cycle{'s' * (cycles != 1)}"


def _percent(share: float) -> str:
    return f"{share * 100:g}%"

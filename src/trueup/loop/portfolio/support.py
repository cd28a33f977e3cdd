"""A gate beside the portfolio: what all pilots together say of it, and what follows where they do not support a go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.decide.gate import Outcome
from trueup.loop.portfolio.family import vetoes, view_json, view_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.decide.gate import GateVerdict
    from trueup.decide.portfolio import Member, PortfolioView
    from trueup.loop.gates import JudgedGate
    from trueup.loop.workbench import Workbench

ITEM = "portfolio"
CODE = "portfolio-veto"


def supported_gate(bench: Workbench, judged: JudgedGate, members: Sequence[Member]) -> JudgedGate:
    """Return the gate with the portfolio's view beside it; its go held where the programme says so."""
    view = view_of(members, judged)
    if view is None:
        return judged
    seen = replace(judged, portfolio=view_json(bench, view))
    return seen if view.within_cycle or not vetoes(bench) else replace(seen, verdict=_held(judged.verdict, view))


def _held(verdict: GateVerdict, view: PortfolioView) -> GateVerdict:
    """Hold a go; what else could become one by waivers needs this one, too."""
    if verdict.outcome is Outcome.GO:
        because = f"{verdict.because}, but the portfolio holds it: {view.because}"
        return replace(verdict, outcome=Outcome.HOLD, code=CODE, because=because, waivable=(ITEM,))
    return replace(verdict, waivable=(*verdict.waivable, ITEM)) if verdict.waivable else verdict

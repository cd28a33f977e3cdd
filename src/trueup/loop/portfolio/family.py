"""Which pilots belong together, and what each has gathered so far.

A family is what was registered in one strategy cycle. The ledger says what was: a pilot that is given up, or whose
file is gone, was one of those that could have said go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.bars import contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.level import Level
from trueup.decide.portfolio import Member, PortfolioView, e_value_of, portfolio_view
from trueup.declare.model.workflow import gate_week
from trueup.kernel.clock import format_instant, parse_instant, start_of_day
from trueup.kernel.errors import DataError
from trueup.kernel.quantities import Bar
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.level import registered_level
from trueup.loop.pilots.validity import moved_promise, unrecorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.decide.comparison import Comparison
    from trueup.ledger.entry import Recorded
    from trueup.loop.gates import JudgedGate
    from trueup.loop.workbench import Workbench

VETOES = "vetoes"
_GO = "go"


def members_of(bench: Workbench, as_of: datetime, judged: Sequence[JudgedGate]) -> list[Member]:
    """Return every registered pilot with its newest e-value, in order; nothing is asked while no gate waits."""
    if not judged:
        return []
    waiting = {one.workflow: one for one in sorted(judged, key=lambda one: gate_week(one.gate))}
    signed = _signed(bench, as_of)
    return [
        _member(bench, name, cycle_of(bench, since), as_of, waiting.get(name), signed.get(name))
        for name, since in registered(bench, as_of)
    ]


def view_of(members: Sequence[Member], judged: JudgedGate) -> PortfolioView | None:
    """Return the portfolio's view of one gate that waits; None of what is not known, or not registered."""
    now = next((one for one in members if one.workflow == judged.workflow), None)
    if now is None or judged.question.unknown is not None:
        return None
    # Of several gates that wait each stands with what had been gathered by then.
    own = at_gate(judged, now.cycle)
    return portfolio_view([own if one is now else one for one in members], judged.workflow, ALPHA)


def at_gate(judged: JudgedGate, cycle: int) -> Member:
    """Return a pilot with what it had gathered when its gate was due."""
    question = judged.question
    value = (
        None
        if question.unknown
        else _gathered(question.comparison, question.level, question.worth_having, question.sign)
    )
    if value is None:
        return Member(judged.workflow, cycle, None)
    return Member(judged.workflow, cycle, value, "gate", format_instant(judged.due))


def _gathered(comparison: Comparison | None, level: Level, worth: Bar | None, sign: int) -> float | None:
    """Return an e-value; None below level C: what a process does by itself would count as gathered."""
    if comparison is None or comparison.before_after or not level.at_least(Level.STABLE):
        return None
    return e_value_of(comparison, contrast_of(worth, sign))


def registered(bench: Workbench, as_of: datetime) -> list[tuple[str, datetime]]:
    """Return every workflow that was ever registered, with the instant of the first time, in that order."""
    first: dict[str, datetime] = {}
    for item in bench.ledger.entries("baseline.registered"):
        if item.entry.time <= as_of:
            first.setdefault(str(item.entry.data.get("workflow")), item.entry.time)
    return sorted(first.items(), key=lambda pair: (pair[1], pair[0]))


def cycle_of(bench: Workbench, at: datetime) -> int:
    """Return the number of the strategy cycle that an instant lies in: `reviews.strategy` long, from `adopted` on.

    Where one of them is not declared, there is one cycle.
    """
    file = bench.programme.file
    length = file.reviews.strategy.delta() if file.reviews and file.reviews.strategy else None
    if length is None or file.adopted is None or not length:
        return 0
    return (at - start_of_day(file.adopted)) // length


def _member(
    bench: Workbench, name: str, cycle: int, as_of: datetime, waiting: JudgedGate | None, signed: Recorded | None
) -> Member:
    """Return a pilot with its newest e-value: at the gate that waits, kept from a signed go, or as it is now."""
    if waiting is not None:
        return at_gate(waiting, cycle)
    if signed is not None:
        kept = signed.entry.data.get("e_value") if signed.entry.data.get("outcome") == _GO else None
        on = str(signed.entry.data.get("as_of"))
        return Member(name, cycle, float(kept) if isinstance(kept, int | float) else None, "signed", on, signed.index)
    now = _watched(bench, name, as_of)
    return Member(name, cycle, None) if now is None else Member(name, cycle, now, "watched", format_instant(as_of))


def _signed(bench: Workbench, as_of: datetime) -> dict[str, Recorded]:
    """Return the newest go or stop of every workflow that was signed in a review that looked from `as_of` or before."""
    return {
        str(item.entry.data.get("subject")): item
        for item in bench.ledger.entries("change.decided")
        if item.entry.data.get("kind") == "gate"
        and item.entry.data.get("decision") == "applied"
        and item.entry.data.get("outcome") in {_GO, "stop"}
        and parse_instant(str(item.entry.data.get("as_of"))) <= as_of
    }


def _watched(bench: Workbench, name: str, as_of: datetime) -> float | None:
    """Return what a running pilot without a gate that waits has gathered; None where it cannot be known."""
    workflow, registration = bench.programme.workflows.get(name), bench.programme.registrations.get(name)
    pilot = workflow.pilot if workflow else None
    if workflow is None or registration is None or pilot is None or pilot.ended is not None:
        return None
    if pilot.starts is None or start_of_day(pilot.starts) >= as_of or registration.primary not in workflow.kpis:
        return None
    view = PilotView(name, workflow, registration, bench.observations.observer())
    try:
        if unrecorded(bench, name) or moved_promise(view):
            return None
        comparison = view.compare(registration.primary, as_of)
    except DataError:
        return None
    worth = Bar.parse(registration.worth_having) if registration.worth_having else None
    return _gathered(comparison, registered_level(registration), worth, workflow.kpis[registration.primary].sign)


def view_json(bench: Workbench, view: PortfolioView) -> Mapping[str, object]:
    """Return the published form, with every pilot of the cycle that the view rests on."""
    return {
        "cycle": view.member.cycle,
        "pilots": len(view.family),
        "e_value": view.member.e_value,
        "needed": view.needed_within,
        "supported": view.within_cycle,
        "needed_across": view.needed_across,
        "supported_across": view.across_cycles,
        "vetoes": vetoes(bench),
        "because": view.because,
        "members": [
            {
                "workflow": one.workflow,
                "e_value": one.e_value,
                "from": one.from_,
                "on": one.on,
                "entry": one.entry,
            }
            for one in sorted(view.family, key=lambda one: (-one.counted, one.workflow))
        ],
    }


def vetoes(bench: Workbench) -> bool:
    """Tell whether the programme lets the portfolio hold back a single gate; otherwise it warns."""
    reviews = bench.programme.file.reviews
    return reviews is not None and reviews.portfolio == VETOES

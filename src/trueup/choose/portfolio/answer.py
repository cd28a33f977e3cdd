"""The ranked portfolio as it is published: the model that people's text and programs' JSON are both made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.portfolio.ranking import ASSUMED_DISCOUNT, ASSUMED_YEARS, Question, Ranked, rank, unknowns
from trueup.choose.portfolio.reasons import Reasons, percentiles
from trueup.declare.model.programme import Limits

if TYPE_CHECKING:
    from trueup.declare.programme import Programme


def ranking(programme: Programme, question: Question) -> dict[str, Any]:
    """Rank a programme and return what `rank` answers. Raises what `rank` raises."""
    return published(programme, rank(programme, question))


def published(programme: Programme, ranked: Ranked) -> dict[str, Any]:
    """Return the published form: use cases in their rank, the selection, its gap, and every limit with what is used."""
    limits = programme.file.limits or Limits()
    selection, reasons = ranked.selection, Reasons(programme, ranked)
    return {
        "as_of": ranked.question.on.isoformat(),
        "currency": programme.file.currency,
        "use_cases": [_use_case(reasons, at, place) for place, at in enumerate(ranked.order(), 1)],
        "gap": round(selection.gap, 6),
        "timed_out": selection.timed_out,
        "expected_net": round(selection.objective, 2),
        "bound": round(selection.bound, 2),
        "budget": limits.budget,
        "limits": _limits(ranked),
        "horizon": {"years": ranked.money.years, "declared": limits.horizon is not None},
        "discount": {"rate": ranked.money.discount, "declared": limits.discount is not None},
        "seed": ranked.question.seed,
        "draws": ranked.draws,
        "notes": list(_notes(ranked, limits)),
    }


def _use_case(reasons: Reasons, at: int, place: int) -> dict[str, Any]:
    ranked = reasons.ranked
    problem, worth, drawn = ranked.problem, ranked.worths[at], ranked.drawn[at]
    case = reasons.programme.use_cases[worth.name]
    swing = reasons.swing(at)
    rows = dict(zip(problem.rows, problem.limits.tolist(), strict=True))
    return {
        "id": worth.name,
        "name": case.use_case,
        "rank": place,
        "stage": str(case.stage),
        "objective": case.objective,
        "owner": case.owner,
        "value": percentiles(drawn.value),
        "cost": percentiles(drawn.cost),
        "committed": percentiles(drawn.committed),
        "success": round(worth.success.expected, 4),
        "success_factors": dict(worth.success.factors),
        "false_assumptions": dict(worth.success.effects),
        "expected_net": None if worth.net is None else round(worth.net, 2),
        "uses": {name: None if amount is None else round(amount, 2) for name, amount in worth.uses.items()},
        "unknown": [*unknowns(worth, rows), *(f"feasibility.{name}" for name in worth.success.unknown)],
        "p_funded": round(ranked.p_funded(at), 3),
        "selected": bool(ranked.selection.chosen[at]),
        "because": reasons.because(at, swing),
        "would_change": None if swing is None else swing.to_json(),
    }


def _limits(ranked: Ranked) -> dict[str, Any]:
    problem, chosen = ranked.problem, ranked.selection.chosen
    found: dict[str, Any] = {}
    for row, name in enumerate(problem.rows):
        unknown = [
            worth.name
            for at, worth in enumerate(ranked.worths)
            if chosen[at] and name in worth.uses and worth.uses[name] is None
        ]
        used = float(problem.uses[row] @ chosen)
        found[name] = {"limit": float(problem.limits[row]), "used": round(used, 2), "unknown": unknown}
    return found


def _notes(ranked: Ranked, limits: Limits) -> list[str]:
    notes = []
    if limits.horizon is None:
        notes.append(f"limits.horizon is not declared: {ASSUMED_YEARS:g} years are assumed")
    if limits.discount is None:
        notes.append(f"limits.discount is not declared: {ASSUMED_DISCOUNT:.0%} a year is assumed")
    if not ranked.problem.rows:
        notes.append("no limit is declared: everything that earns its cost fits")
    if ranked.draws < ranked.question.draws:
        notes.append(f"{ranked.draws} draws instead of {ranked.question.draws}: there are many use cases")
    if ranked.selection.timed_out:
        notes.append("the search ended at its time limit: another run may find another set within the gap")
    return notes

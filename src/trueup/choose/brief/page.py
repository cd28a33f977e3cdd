"""What the page says, as data: objectives, route, portfolio, plan, beliefs, and the decision that is asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.choose.amounts import amount, between, middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.data import Assumption
    from trueup.declare.programme import Programme

# What one A4 page holds; what is left out is counted on the page.
_OBJECTIVES, _USE_CASES, _DUES, _RISKS, _ASKS = 4, 8, 3, 4, 4
_SENTENCE, _REASON, _NAME = 105, 76, 40
_RUNNING = ("pilot", "production")
_KINDS = {"gate": 0, "blocker": 1, "step": 2, "phase": 3}


@dataclass(frozen=True, slots=True)
class Sources:
    """What the page is made from. `ranking` is None where no portfolio is possible, and `impossible` says why."""

    programme: Programme
    assessment: Mapping[str, Any]
    ranking: Mapping[str, Any] | None
    impossible: str | None
    roadmap: Mapping[str, Any]


def page(sources: Sources) -> dict[str, Any]:
    """Return the page. Every text is short, nothing is marked up, and nothing is left out silently."""
    programme, ranking = sources.programme, sources.ranking
    cases = ranking["use_cases"] if ranking else []
    risks = list(_risks(sources))
    return {
        "title": short(programme.file.programme, _REASON),
        "as_of": sources.roadmap["as_of"],
        "sponsor": _name(programme, programme.file.sponsor),
        "currency": programme.file.currency,
        "objectives": _some(list(_objectives(programme)), _OBJECTIVES),
        "route": _route(sources.assessment),
        "operating_model": _model(sources.assessment, programme),
        "portfolio": _some([_row(case) for case in cases], _USE_CASES),
        "limits": [_limit(name, row) for name, row in (ranking["limits"] if ranking else {}).items()],
        "confidence": _confidence(ranking, sources.impossible),
        "horizons": {days: _some(_dues(rows), _DUES) for days, rows in sources.roadmap["horizons"].items()},
        "risks": _some(risks, _RISKS),
        "decision": _some(list(_asks(sources)), _ASKS),
    }


def _some(rows: list[Any], most: int) -> dict[str, Any]:
    """Return the first rows, and how many more there are."""
    return {"rows": rows[:most], "more": max(len(rows) - most, 0)}


def short(text: str, most: int = _SENTENCE) -> str:
    """Return a text on one line, cut where the page has no room for it; long words are cut too."""
    words = " ".join(text.split())
    if len(words) <= most:
        return words
    kept = textwrap.shorten(words, most, placeholder=" ...")
    return kept if kept.strip(" .") else f"{words[: most - 4]} ..."


def _name(programme: Programme, who: str | None) -> str:
    if who is None:
        return "nobody is named"
    person = programme.file.people.get(who)
    return short(person.name, _NAME) if person else who


def _objectives(programme: Programme) -> Iterator[dict[str, str]]:
    for name, objective in programme.file.objectives.items():
        targets = [f"{target.reach or 'no target'} by {target.by or 'no date'}" for target in objective.targets[:2]]
        yield {
            "id": name,
            "outcome": short(objective.outcome or "no outcome is stated", _REASON),
            "kpi": objective.kpi or "no KPI",
            "targets": ", ".join(targets) or "no target",
            "owner": _name(programme, objective.owner),
        }


def _route(assessment: Mapping[str, Any]) -> str:
    low, high = assessment["range"]
    score = f"readiness {low} of 10" if low == high else f"readiness {low} to {high} of 10"
    if assessment["route"] is None:
        return f"Not settled: {' or '.join(assessment['routes'])} ({score}, {len(assessment['unanswered'])} open)"
    return f"{assessment['route']} ({score}): {assessment['meaning']}"


def _model(assessment: Mapping[str, Any], programme: Programme) -> str:
    model = assessment["operating_model"]
    rights = {right["decision"]: right["who"] for right in assessment["decision_rights"]}
    stop = ", ".join(_name(programme, who) for who in rights["stop a use case"]) or "nobody is named"
    said = model["declared"] or "not declared"
    advised = "" if model["fits"] in {True, None} else f" (recommended: {model['recommended'] or 'not settled'})"
    return f"{said}{advised}; may stop a use case: {stop}"


def _row(case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rank": case["rank"],
        "id": case["id"],
        "name": short(case["name"], _NAME),
        "stage": case["stage"],
        "value": between(case["value"]),
        "cost": middle(case["cost"]),
        "success": f"{case['success']:.2f}",
        "p_funded": f"{case['p_funded']:.2f}",
        "decision": _decision(case),
        "because": short(case["because"][0], _REASON) if case["because"] else "",
    }


def _decision(case: Mapping[str, Any]) -> str:
    if case["stage"] in _RUNNING:
        return "keep"
    return "fund" if case["selected"] else "not now"


def _limit(name: str, row: Mapping[str, Any]) -> str:
    unknown = f" (not known for {len(row['unknown'])})" if row["unknown"] else ""
    return f"{name.replace('_', ' ')} {amount(row['used'])} of {amount(row['limit'])}{unknown}"


def _confidence(ranking: Mapping[str, Any] | None, impossible: str | None) -> str:
    if ranking is None:
        return short(impossible or "There is no ranking.")
    gap = "proven best" if ranking["gap"] == 0 else f"within {ranking['gap']:.2%} of the best"
    return f"Expected net value {amount(ranking['expected_net'])}, {gap}; {ranking['draws']} draws"


def _dues(rows: list[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what falls due, what stops others first, back in the order of days."""
    first = sorted(rows, key=lambda row: _KINDS[row["kind"]])
    kept = sorted(first[:_DUES], key=lambda row: row["due"]) + first[_DUES:]
    return [
        {
            "due": row["due"] + (" (overdue)" if row["overdue"] else ""),
            "what": short(row["what"], _REASON),
            "owner": row["owner"] or "nobody is named",
        }
        for row in kept
    ]


def _risks(sources: Sources) -> Iterator[str]:
    for blocker in sources.assessment["blockers"]:
        yield short(f"BLOCKER: {blocker['factor'].replace('_', ' ')} is 0; {blocker['because']}")
    for name, assumption in sources.programme.file.assumptions.items():
        yield short(f"{name}: {assumption.says or 'not said in words'}. {_state(assumption)}")
    for name, case in sorted(sources.programme.use_cases.items()):
        if case.risk is not None and case.risk.eu_ai_act in {"high", "prohibited"}:
            yield f"{name} is of {case.risk.eu_ai_act} risk under the EU AI Act"
    for row in sources.ranking["use_cases"] if sources.ranking else ():
        if row["would_change"] is not None:
            yield short(f"{row['id']} hangs on {row['would_change']['input']}")


def _state(assumption: Assumption) -> str:
    bound = assumption.at_least or assumption.at_most
    said = "" if bound is None else f" ({'at least' if assumption.at_least else 'at most'} {bound.text})"
    found = assumption.found
    if found is None:
        return f"Not yet found true or false{said}"
    return f"{'Holds' if found.holds else 'FALSE'}: {found.value:.4g} measured on {found.on}{said}"


def _asks(sources: Sources) -> Iterator[str]:
    """Yield what the sponsor is asked to decide, what stops everything first."""
    for blocker in sources.assessment["blockers"]:
        yield short(f"Remove the blocker: {blocker['because']}.")
    if sources.impossible is not None:
        yield short(sources.impossible)
    cases = sources.ranking["use_cases"] if sources.ranking else []
    funded = [case for case in cases if case["selected"] and case["stage"] not in _RUNNING]
    if funded:
        cost = sum(case["uses"]["budget"] or 0 for case in funded)
        names = short(", ".join(case["id"] for case in funded), _REASON)
        yield f"Fund {names}: {amount(cost)} {sources.programme.file.currency or ''}".rstrip() + " of the budget."
    elif sources.ranking is not None:
        yield "No new use case is put forward: none earns its cost within the limits."
    late = [row for rows in sources.roadmap["horizons"].values() for row in rows if row["overdue"]]
    if late:
        yield short(f"Decide what is overdue: {'; '.join(row['what'] for row in late)}.")
    running = [case["id"] for case in cases if case["stage"] == "pilot"]
    if running:
        yield short(f"Keep to the gates of {', '.join(running)}: go, hold or stop on the due day.")
    if sources.assessment["unanswered"]:
        names = ", ".join(name.replace("_", " ") for name in sources.assessment["unanswered"])
        yield short(f"Answer what is open in the assessment: {names}.")

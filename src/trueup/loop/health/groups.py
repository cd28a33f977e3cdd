"""Whether the model treats the declared groups alike: rates of each group, and the largest differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.comparison import LEAST_CASES
from trueup.decide.numbers import interval_json, known
from trueup.evidence.health.groups import Confusion, Counted, confusion, equalized_odds, largest_difference
from trueup.evidence.moments import Interval
from trueup.loop.health.seen import NotKnown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trueup.evidence.health.groups import Apart
    from trueup.loop.health.seen import Cases

# Beyond so many groups every pair would have next to nothing of the level.
MOST_GROUPS = 20


@dataclass(frozen=True, slots=True)
class _Case:
    """One recent case: its group, and what is known of its answer, label and escalation (None: not known)."""

    group: str
    selected: bool | None
    wanted: bool | None
    wrong: bool | None
    escalated: bool | None


def groups(cases: Cases, alpha: float) -> dict[str, Any]:
    """Return the published form of the rates of every group, or why they are unknown.

    The level is shared by what is asked: selection, error, escalation, and odds (which two rates share again).
    """
    declared = cases.workflow.groups
    column = cases.column(declared.field if declared else None, "groups.field", first=True)
    if isinstance(column, NotKnown):
        return {"unknown": column.to_json()}
    found = list(_cases(cases, column))
    names = sorted({case.group for case in found})
    if len(names) > MOST_GROUPS:
        several = NotKnown("too-many-groups", f"{len(names)} groups; at most {MOST_GROUPS} are compared")
        return {"unknown": several.to_json()}
    asked = _lacking(cases)
    level = alpha / max(sum(why is None for why in asked.values()), 1)
    rates = [
        _rates(name, {group: _counted(found, group, name) for group in names}, level, asked[name])
        for name in ("selection", "error", "escalation")
    ]
    return {
        "field": declared.field if declared else None,
        "without_group": int(cases.later.sum()) - len(found),
        "rates": [*rates, *_odds(found, names, level, asked["odds"])],
        **_summary(rates[0], found, names, level, asked["odds"]),
        "unknown": None,
    }


def _cases(cases: Cases, column: Sequence[str | None]) -> Iterator[_Case]:
    health = cases.health
    answers, labels = (cases.column(name, "") for name in (health.answer, health.label))
    chosen = set(health.selected)
    for place in np.flatnonzero(cases.later).tolist():
        group = column[place]
        if group is None:
            continue
        answer = None if isinstance(answers, NotKnown) else answers[place]
        label = None if isinstance(labels, NotKnown) else labels[place]
        yield _Case(
            group=group,
            selected=None if answer is None or not chosen else answer in chosen,
            wanted=None if label is None or not chosen else label in chosen,
            wrong=None if answer is None or label is None else answer != label,
            escalated=bool(cases.fields.escalated[place]) if health.escalated else None,
        )


def _lacking(cases: Cases) -> dict[str, NotKnown | None]:
    """Return why each question cannot be asked, None where it can."""
    health = cases.health
    answer, label = (
        column if isinstance(column, NotKnown) else None
        for column in (cases.column(health.answer, "health.answer"), cases.column(health.label, "health.label"))
    )
    selected = None if health.selected else NotKnown("not-declared", "no `health.selected` is declared")
    escalated = None if health.escalated else NotKnown("not-declared", "no `health.escalated` is declared")
    return {
        "selection": answer or selected,
        "error": answer or label,
        "escalation": escalated,
        "odds": answer or label or selected,
    }


def _counted(found: Sequence[_Case], group: str, name: str) -> Counted:
    attribute = {"selection": "selected", "error": "wrong", "escalation": "escalated"}[name]
    values = [getattr(case, attribute) for case in found if case.group == group]
    return Counted(sum(value is not None for value in values), sum(value is True for value in values))


def _tables(found: Sequence[_Case], names: Sequence[str]) -> dict[str, Confusion]:
    tables = {}
    for name in names:
        pairs = [(one.selected, one.wanted) for one in found if one.group == name]
        judged = [(selected, wanted) for selected, wanted in pairs if selected is not None and wanted is not None]
        tables[name] = confusion([one for one, _ in judged], [one for _, one in judged])
    return tables


def _odds(found: Sequence[_Case], names: Sequence[str], level: float, why: NotKnown | None) -> list[dict[str, Any]]:
    tables = _tables(found, names)
    wrongly = {name: table.false_positive_rate for name, table in tables.items()}
    missed = {name: table.false_negative_rate for name, table in tables.items()}
    return [_rates("false_positive", wrongly, level / 2, why), _rates("false_negative", missed, level / 2, why)]


def _rates(name: str, counted: Mapping[str, Counted], level: float, why: NotKnown | None) -> dict[str, Any]:
    """Return one rate of every group; only groups of 30 cases are compared with each other."""
    enough = {group: one for group, one in counted.items() if one.n >= LEAST_CASES}
    apart = None if why else largest_difference(enough, level)
    if why is None and apart is None:
        why = NotKnown("too-few-cases", f"fewer than two groups have {LEAST_CASES} cases")
    return {
        "rate": name,
        "groups": [_group(group, one, level, small=group not in enough) for group, one in counted.items() if one.n],
        **_apart(apart),
        "level": 1 - level,
        "unknown": why.to_json() if why else None,
    }


def _apart(apart: Apart | None) -> dict[str, Any]:
    if apart is None:
        return {"difference": None, "ratio": None, "high": None, "low": None}
    difference = interval_json(apart.difference)
    return {"difference": difference, "ratio": known(apart.ratio), "high": apart.high, "low": apart.low}


def _group(name: str, one: Counted, level: float, *, small: bool) -> dict[str, Any]:
    return {"group": name, "n": one.n, "having": one.having, **interval_json(one.interval(level)), "small": small}


def _summary(
    selection: Mapping[str, Any], found: Sequence[_Case], names: Sequence[str], level: float, why: NotKnown | None
) -> dict[str, Any]:
    """Return the figures by the names that fairlearn gives them."""
    enough = {
        name: table
        for name, table in _tables(found, names).items()
        if min(table.false_positive_rate.n, table.true_positive_rate.n) >= LEAST_CASES
    }
    both = [] if why else [one.difference for one in equalized_odds(enough, level) if one is not None]
    worst = None
    if both:
        ends = ((one.estimate, one.lower, one.upper) for one in both)
        worst = interval_json(Interval(*(max(values) for values in zip(*ends, strict=True))))
    return {
        "demographic_parity_difference": selection["difference"],
        "demographic_parity_ratio": selection["ratio"],
        "equalized_odds_difference": worst,
    }

"""One row a case: the facts of its follow-up window, collected in one pass over the events where that is exact.

The window of a case, [start, start + matures_after), is only known once its start is. A first occurrence needs no
second look: the earliest time overall lies in the window, or nothing in the window matches. A last occurrence and
a count are already right for the cases whose matching events all lie in the window; an attribute, for the cases
where it never changes. Only the others are read again, joined with their starts. Nothing here depends on an
as-of: the facts of a case are those of its whole window, and who asks keeps to the cases that are mature by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import ibis

from trueup.kernel.errors import DataError
from trueup.observe.cases.source import ATTRIBUTE
from trueup.observe.cases.values import surely

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import ibis.expr.types as ir

    from trueup.observe.cases.needs import Fact, Names, Needs
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine

# Beyond it nothing was measured, and squares of it could not be summed.
_LARGEST = 1e100
_FEW = 8


@dataclass(frozen=True, slots=True)
class Arms:
    """The column that holds the arm of a case, and which of its values mean which arm."""

    column: str
    treated: tuple[str, ...]
    control: tuple[str, ...]


def facts_of(engine: Engine, source: EventSource, needs: Needs, arms: Arms | None) -> ir.Table:
    """Return a kept table, one row a case.

    `case`, `start`, `due` (start + matures_after); `fact_i`: times (null: not in the window) or counts;
    `value_j`: attributes, and `seen_j`, the time from which they have a value; with arms `treated_at` and
    `control_at`, when a value of the arm is first seen in the window.
    Raises DataError `missing-column`, `no-case`, `bad-time`.
    """
    events = _events(source, needs, arms)
    first = engine.keep(_first_pass(events, source.window, needs, arms))
    _require_complete(engine, first)
    doubtful = [*_late(first, needs), *_changing(first, needs)]
    if not doubtful or not _any(engine, first.filter(reduce(or_, doubtful))):
        return _in_window(first, needs, arms)
    first = first.mutate(again=reduce(or_, doubtful))
    rest = first.filter(first["again"]).select("case", "due")
    second = engine.keep(_second_pass(events, rest, needs))
    if needs.attributes:
        second = engine.keep(_attribute_values(events, second, needs))
    return engine.keep(_in_window(_merged(first, second, needs), needs, arms))


def _events(source: EventSource, needs: Needs, arms: Arms | None) -> ir.Table:
    """The columns that are needed, numbers read as numbers; the arm as two flags."""
    names = [attribute.name for attribute in needs.attributes] + ([arms.column] if arms else [])
    events = source.events(names)
    for attribute, number in needs.attributes.items():
        if attribute.numeric:
            events = events.mutate(**{f"{ATTRIBUTE}{number}": _finite(events[f"{ATTRIBUTE}{number}"])})
    return events.rename(arm=f"{ATTRIBUTE}{len(needs.attributes)}") if arms else events


def _finite(text: ir.StringColumn) -> ir.FloatingColumn:
    """A number, or null for text that is none: also for NaN, infinities and what no mean survives."""
    number = text.try_cast("float64")
    return number.between(-_LARGEST, _LARGEST).ifelse(number, None)


def _first_pass(events: ir.Table, window: int, needs: Needs, arms: Arms | None) -> ir.Table:
    """Per case, over all its events."""
    columns = {"start": events["at"].min(), "without_time": _count(events, events["at"].isnull())}
    for (fact, names), number in needs.facts.items():
        columns[f"fact_{number}"] = _fact(events, fact, names)
        if fact == "count":
            columns[f"last_{number}"] = _fact(events, "last", names)
    for number in needs.attributes.values():
        value = events[f"{ATTRIBUTE}{number}"]
        columns[f"seen_{number}"] = events["at"].min(where=value.notnull())
        columns[f"value_{number}"] = value.min()
        columns[f"highest_{number}"] = value.max()
    if arms:
        columns["treated_at"] = events["at"].min(where=events["arm"].isin(arms.treated))
        columns["control_at"] = events["at"].min(where=events["arm"].isin(arms.control))
    cases = events.group_by("case").aggregate(**columns)
    return cases.mutate(due=cases["start"] + ibis.interval(seconds=window))


def _fact(events: ir.Table, fact: Fact, names: Names) -> ir.Value:
    matching = _one_of(events["activity"], names)
    if fact == "count":
        return _count(events, matching)
    return events["at"].min(where=matching) if fact == "first" else events["at"].max(where=matching)


def _one_of(activity: ir.StringColumn, names: Names) -> ir.BooleanValue:
    """Equalities for a few names (a sixth less time for the whole pass than a list), else a list."""
    if not 0 < len(names) <= _FEW:
        return activity.isin(tuple(sorted(names)))
    return reduce(or_, (activity == name for name in sorted(names)))


def _count(events: ir.Table, where: ir.BooleanColumn) -> ir.IntegerScalar:
    return events.count(where=where)


def _require_complete(engine: Engine, cases: ir.Table) -> None:
    """Refuse events without a case or a time: to leave them out would be to lose them silently."""
    found = engine.fetch(
        cases.aggregate(
            nameless=cases.count(where=cases["case"].isnull()), timeless=cases["without_time"].sum().fill_null(0)
        )
    ).to_pylist()[0]
    if found["nameless"] or found["timeless"]:
        what = "events without a case id" if found["nameless"] else f"{found['timeless']} events without a time"
        raise DataError(
            "no-case" if found["nameless"] else "bad-time",
            f"The log holds {what}.",
            "Correct the log, or name other columns under `events`. Nothing of it was used.",
        )


def _late(first: ir.Table, needs: Needs) -> Iterator[ir.BooleanColumn]:
    """Cases whose last occurrences or counts reach beyond their window."""
    for (fact, _), number in needs.facts.items():
        if fact != "first":
            last = first[f"last_{number}" if fact == "count" else f"fact_{number}"]
            yield surely(last >= first["due"])


def _changing(first: ir.Table, needs: Needs) -> Iterator[ir.BooleanColumn]:
    """Cases in which an attribute has more than one value."""
    for number in needs.attributes.values():
        yield surely(first[f"value_{number}"] != first[f"highest_{number}"])


def _any(engine: Engine, cases: ir.Table) -> bool:
    return bool(engine.fetch(cases.limit(1).select("case")).num_rows)


def _second_pass(events: ir.Table, rest: ir.Table, needs: Needs) -> ir.Table:
    """Per case, over the events in its window: last occurrences, counts, and when attributes were last given."""
    again = {number: (fact, names) for (fact, names), number in needs.facts.items() if fact != "first"}
    if not needs.attributes:
        # Other activities say nothing, and most events need not be joined.
        events = events.filter(_one_of(events["activity"], frozenset().union(*(names for _, names in again.values()))))
    inside = events.join(rest, "case").filter(lambda event: event["at"] < event["due"])
    columns = {f"again_{number}": _fact(inside, fact, names) for number, (fact, names) in again.items()}
    for attribute, number in needs.attributes.items():
        at = inside["at"]
        given = inside[f"{ATTRIBUTE}{number}"].notnull()
        columns[f"point_{number}"] = at.min(where=given) if attribute.which == "first" else at.max(where=given)
    return inside.group_by("case").aggregate(**columns)


def _attribute_values(events: ir.Table, second: ir.Table, needs: Needs) -> ir.Table:
    """The value at the moment found; of several at that moment the lowest (first) or highest (last)."""
    at_point = events.join(second, "case")
    columns: dict[str, ir.Value] = {name: at_point[name].max() for name in second.columns if name.startswith("again_")}
    for attribute, number in needs.attributes.items():
        value = at_point[f"{ATTRIBUTE}{number}"]
        here = at_point["at"] == at_point[f"point_{number}"]
        columns[f"chosen_{number}"] = value.min(where=here) if attribute.which == "first" else value.max(where=here)
    return at_point.group_by("case").aggregate(**columns)


def _merged(first: ir.Table, second: ir.Table, needs: Needs) -> ir.Table:
    """The first pass, corrected by the second for the cases that were read again."""
    both = first.left_join(second, "case")
    corrected = {}
    for (fact, _), number in needs.facts.items():
        if fact != "first":
            # A case without a row in the second pass has nothing that matches in its window.
            found = both[f"again_{number}"].fill_null(0) if fact == "count" else both[f"again_{number}"]
            corrected[f"fact_{number}"] = both["again"].ifelse(found, both[f"fact_{number}"])
    for number in needs.attributes.values():
        corrected[f"value_{number}"] = both["again"].ifelse(both[f"chosen_{number}"], both[f"value_{number}"])
    return both.mutate(**corrected).select(*first.columns)


def _in_window(cases: ir.Table, needs: Needs, arms: Arms | None) -> ir.Table:
    """Nothing that first happened after the window remains."""

    def inside(name: str) -> ir.Value:
        return (cases[name] < cases["due"]).ifelse(cases[name], None)

    columns: Mapping[str, ir.Value] = {
        "case": cases["case"],
        "start": cases["start"],
        "due": cases["due"],
        **{
            f"fact_{number}": cases[f"fact_{number}"] if fact == "count" else inside(f"fact_{number}")
            for (fact, _), number in needs.facts.items()
        },
        **{f"seen_{number}": inside(f"seen_{number}") for number in needs.attributes.values()},
        **{
            f"value_{number}": inside(f"seen_{number}").isnull().ifelse(None, cases[f"value_{number}"])
            for number in needs.attributes.values()
        },
        **({"treated_at": inside("treated_at"), "control_at": inside("control_at")} if arms else {}),
    }
    return cases.select(**columns)

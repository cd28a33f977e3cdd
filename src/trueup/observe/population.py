"""The cases of a workflow in a window of starts: how many, in which arms, of which mix. No KPI is looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trueup.observe.cases.arms import instant
from trueup.observe.cases.values import flag
from trueup.observe.tables import Arm, Population

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    import ibis.expr.types as ir

    from trueup.observe.weeks import CaseTable

ACTIVITY = "activity"
_NAMED = 20


def population_of(
    table: CaseTable, events: Callable[[], ir.Table], *, since: datetime, until: datetime, as_of: datetime
) -> Population:
    """Return the cases that started in [since, until) as they stood at an instant.

    The mix is that of mature cases, which all had the same follow-up: by declared segment, else (no segment is
    declared) the events of their windows by activity.
    """
    cases = table.at(as_of)
    cases = cases.filter((cases["start"] >= instant(since)) & (cases["start"] < instant(until)))
    counts = cases.group_by("week", "arm").aggregate(n=cases.count(), mature=flag(cases["mature"]).sum())
    weeks: Counter[date] = Counter()
    by_arm: Counter[str] = Counter()
    immature: Counter[str] = Counter()
    for row in table.engine.fetch(counts).to_pylist():
        weeks[row["week"]] += row["n"]
        by_arm[row["arm"]] += row["mature"]
        immature[row["arm"]] += row["n"] - row["mature"]
    mature = cases.filter(cases["mature"])
    return Population(
        by_arm=dict(sorted(by_arm.items())),
        immature=dict(sorted(immature.items())),
        both=_named(table, cases, Arm.BOTH) if Arm.BOTH in by_arm else (),
        unassigned=_named(table, cases, Arm.UNASSIGNED) if Arm.UNASSIGNED in by_arm else (),
        weeks=dict(sorted(weeks.items())),
        mix=_segment_mix(table, mature) if table.segments else _activity_mix(table, mature, events()),
    )


def _named(table: CaseTable, cases: ir.Table, arm: Arm) -> tuple[str, ...]:
    chosen = cases.filter(cases["arm"] == str(arm)).select("case").order_by("case").limit(_NAMED)
    return tuple(table.engine.fetch(chosen)["case"].to_pylist())


def _segment_mix(table: CaseTable, mature: ir.Table) -> dict[tuple[str, str | None], int]:
    mix: dict[tuple[str, str | None], int] = {}
    for segment in table.segments:
        counts = mature.group_by(value=mature[segment.value]).aggregate(n=mature.count())
        rows = table.engine.fetch(counts).to_pylist()
        for row in sorted(rows, key=lambda row: (row["value"] is not None, row["value"] or "")):
            mix[segment.name, row["value"]] = row["n"]
    return mix


def _activity_mix(table: CaseTable, mature: ir.Table, events: ir.Table) -> dict[tuple[str, str | None], int]:
    inside = events.join(mature.select("case", "due"), "case")
    inside = inside.filter(inside["at"] < inside["due"])
    rows = table.engine.fetch(inside.group_by("activity").aggregate(n=inside.count())).to_pylist()
    return {(ACTIVITY, row["activity"]): row["n"] for row in sorted(rows, key=lambda row: row["activity"] or "")}

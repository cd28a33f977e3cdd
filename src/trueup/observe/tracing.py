"""One case opened: the events that a KPI saw, and what each was to it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from trueup.declare.model.kpi import KpiKind
from trueup.kernel.clock import format_instant
from trueup.observe.cases.arms import instant
from trueup.observe.cases.needs import fields_of, from_actuals
from trueup.observe.cases.patterns import matches
from trueup.observe.tables import TracedCase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.model.kpi import Kpi, Share
    from trueup.observe.cases.needs import Measure
    from trueup.observe.cases.source import EventSource
    from trueup.observe.weeks import CaseTable


def traced(
    table: CaseTable, number: int, source: EventSource, complete: Sequence[str], cases: Sequence[str], as_of: datetime
) -> list[TracedCase]:
    """Return the cases named that had started by an instant, in the order asked for.

    Each event carries `at`, `activity`, where there is a field its `value`, and `counts_as`: the parts of the KPI
    whose pattern it matches (`from`, `to`, `with`, `without`, `of`, `before`, `completed`). A case that is not
    mature has no value yet.
    """
    measure = table.measures[number]
    started = table.at(as_of)
    chosen = started.filter(started["case"].isin(tuple(cases)))
    rows = {
        row["case"]: row
        for row in table.engine.fetch(
            chosen.select("case", "arm", "mature", value=f"kpi_{number}", capped=f"capped_{number}")
        ).to_pylist()
    }
    events = _events(table, measure, source, complete, chosen, as_of)
    return [
        TracedCase(
            case=case,
            arm=rows[case]["arm"],
            value=_value(measure, rows[case]),
            capped=bool(rows[case]["capped"]) and rows[case]["mature"],
            events=events.get(case, []),
        )
        for case in cases
        if case in rows
    ]


def _value(measure: Measure, row: Mapping[str, Any]) -> float | None:
    if not row["mature"] or row["value"] is None or from_actuals(measure.kpi):
        return None
    return float(row["value"]) / measure.scale


def _events(
    table: CaseTable, measure: Measure, source: EventSource, complete: Sequence[str], chosen: Any, as_of: datetime
) -> dict[str, list[dict[str, Any]]]:
    """The visible events in the windows of the cases, in order of time, then of activity."""
    fields = fields_of(measure.kpi)
    seen = source.with_states(fields).filter(lambda event: event["at"] <= instant(as_of))
    inside = seen.join(chosen.select("case", "due"), "case").filter(lambda event: event["at"] < event["due"])
    seen_columns = inside.drop("due")
    # By every column: events of one instant come in one order on every engine.
    ordered = seen_columns.order_by("case", "at", "activity", *seen_columns.columns[3:])
    rows = table.engine.fetch(ordered).to_pylist()
    parts = _parts(measure.kpi, complete)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        seen_by_kpi = row["activity"] if _counts(measure.kpi, source, row) else None
        event = {
            "at": format_instant(row["at"].replace(tzinfo=UTC)),
            "activity": row["activity"],
            "counts_as": [part for part, patterns in parts.items() if _matches(patterns, seen_by_kpi)],
        }
        if len(fields) == 1:
            event["value"] = row["attribute_0"]
        elif fields:
            event["values"] = {name: row[f"attribute_{place}"] for place, name in enumerate(fields)}
        found.setdefault(row["case"], []).append(event)
    return found


def _counts(kpi: Kpi, source: EventSource, row: Mapping[str, Any]) -> bool:
    """Only completions count where the log tells; starts as well for service times, and alone for waiting."""
    if source.lifecycle is None:
        return True
    starts, completes = source.lifecycle.starts, source.lifecycle.completes
    states = starts if kpi.waiting is not None else completes
    return row["state"] in ((*starts, *completes) if kpi.service is not None else states)


def _matches(patterns: Sequence[str], activity: str | None) -> bool:
    return activity is not None and any(matches(pattern, activity) for pattern in patterns)


def _parts(kpi: Kpi, complete: Sequence[str]) -> dict[str, Sequence[str]]:
    """The parts of a KPI that look at activities, with their patterns."""
    if kpi.duration is not None:
        return {"from": [kpi.duration.start.pattern], "to": [kpi.duration.to.pattern]}
    if kpi.waiting is not None:
        return {"before": kpi.waiting.before}
    if kpi.service is not None:
        return {"of": kpi.service.of}
    if kpi.share is not None:
        return _parts_of_share(kpi.share)
    if kpi.count is not None:
        return {"of": kpi.count.of}
    if kpi.kind is KpiKind.THROUGHPUT and kpi.throughput is not None and kpi.throughput.of:
        return {"of": kpi.throughput.of}
    return {"completed": complete}


def _parts_of_share(share: Share) -> dict[str, Sequence[str]]:
    if share.agree is not None:
        return {}
    if share.start is not None and share.to is not None:
        return {"from": [share.start.pattern], "to": [share.to.pattern]}
    return {"with": share.having} if share.having is not None else {"without": share.without or ()}

"""Who did what: how often each actor of a workflow caused the events that match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.observe.cases.arms import instant
from trueup.observe.cases.patterns import matching
from trueup.observe.cases.source import ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine


def acting(
    engine: Engine, source: EventSource, actor: str, patterns: Sequence[str], since: datetime, until: datetime
) -> dict[str, int]:
    """Return the number of matching events in [since, until) by actor; events that name none are left out.

    Raises DataError `missing-column`.
    """
    events = source.events([actor])
    events = events.filter((events["at"] >= instant(since)) & (events["at"] < instant(until)))
    named = events.filter(events[f"{ATTRIBUTE}0"].notnull())
    counts = named.group_by("activity", who=named[f"{ATTRIBUTE}0"]).aggregate(n=named.count())
    rows = engine.fetch(counts).to_pylist()
    names = matching(patterns, tuple(sorted({row["activity"] for row in rows if row["activity"] is not None})))
    found: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row["who"]):
        if row["activity"] in names:
            found[row["who"]] = found.get(row["who"], 0) + int(row["n"])
    return found

"""How cases pass from step to step, and how long each passage takes: the edges of a map of the process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import ibis

from trueup.observe.cases.values import epoch_seconds, flag

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine


@dataclass(frozen=True, slots=True)
class Passage:
    """From one step to the next in the windows of mature cases: how often, and the seconds between them in all.

    `before` is None for the first step of a case. `place` is the sum over passages of the position of `after` in
    its case, counted from 0.
    """

    before: str | None
    after: str
    n: int
    seconds: int
    place: int

    def to_json(self) -> dict[str, Any]:
        """Return the passage as JSON."""
        return asdict(self)


def passages(engine: Engine, mature: ir.Table, source: EventSource) -> list[Passage]:
    """Return every passage in the windows of cases (`case`, `due`), the most frequent first.

    Events at one instant are taken in the order of their activities' names, so that every engine agrees. Where a
    lifecycle is declared a step is its completion.
    """
    seen = source.events().join(mature.select("case", "due"), "case")
    seen = seen.filter((seen["at"] < seen["due"]) & seen["activity"].notnull())
    ordered = ibis.window(group_by=seen["case"], order_by=[seen["at"], seen["activity"]])
    steps = seen.mutate(
        before=seen["activity"].lag().over(ordered),
        since=seen["at"].lag().over(ordered),
        place=ibis.row_number().over(ordered).cast("int64"),
    )
    waited = epoch_seconds(steps["at"]) - epoch_seconds(ibis.coalesce(steps["since"], steps["at"]))
    steps = steps.mutate(seconds=waited)
    found = steps.group_by("before", after="activity").aggregate(
        n=flag(steps["at"].notnull()).sum(),
        seconds=steps["seconds"].sum().cast("int64"),
        place=steps["place"].sum().cast("int64"),
    )
    rows = [Passage(**row) for row in engine.fetch(found).to_pylist()]
    return sorted(rows, key=lambda one: (-one.n, one.before or "", one.after))

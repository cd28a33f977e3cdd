"""What single cases were about: the value of one field of the log, for cases that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.observe.cases.arms import instant
from trueup.observe.cases.source import source_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.observe.engine import Engine


def topics_of(
    programme: Programme, engine: Engine, workflow: str, cases: Collection[str], field: str, as_of: datetime
) -> dict[str, str]:
    """Return the first value that each case has in a field by an instant; cases without one are not there.

    Raises DataError as the observer does, `missing-column` among them.
    """
    if not cases:
        return {}
    rows = source_of(programme, engine, workflow).events([field])
    chosen = rows.filter(rows["case"].isin(sorted(cases)) & (rows["at"] <= instant(as_of)))
    found = engine.fetch(chosen.select("case", "at", topic=chosen["attribute_0"])).to_pylist()
    # Sorted here, the value too: engines order text differently, and two events may share an instant.
    told = sorted((row["at"], row["topic"], row["case"]) for row in found if row["topic"] is not None)
    first: dict[str, str] = {}
    for _, topic, case in told:
        first.setdefault(case, topic)
    return first

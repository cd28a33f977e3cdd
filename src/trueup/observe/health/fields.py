"""The fields of the cases of two windows, one value a case: what the health of a model is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np

from trueup.kernel.errors import DataError
from trueup.observe.cases.arms import instant
from trueup.observe.cases.facts import facts_of
from trueup.observe.cases.needs import Attribute, Needs
from trueup.observe.cases.source import source_of
from trueup.observe.cases.values import epoch_seconds, flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from trueup.declare.programme import Programme
    from trueup.observe.cases.source import EventSource
    from trueup.observe.engine import Engine


@dataclass(frozen=True, slots=True)
class Days:
    """The instants from `since` up to, and without, `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CaseFields:
    """Mature cases in order of (start, case id): their ids as `case`, `started` in epoch seconds.

    `first` and `last` hold the text of each field that was asked for so (None: no value). `escalated` tells which
    cases showed one of the activities that were asked for. `lacking` says of the fields that the log does not have why.
    """

    case: Sequence[str]
    started: NDArray[np.int64]
    first: Mapping[str, Sequence[str | None]]
    last: Mapping[str, Sequence[str | None]]
    escalated: NDArray[np.bool_]
    lacking: Mapping[str, DataError]

    def within(self, days: Days) -> NDArray[np.bool_]:
        """Tell which cases started in these days."""
        return (self.started >= int(days.since.timestamp())) & (self.started < int(days.until.timestamp()))


def case_fields(
    programme: Programme,
    engine: Engine,
    workflow: str,
    *,
    first: Sequence[str],
    last: Sequence[str],
    patterns: Sequence[str],
    days: Sequence[Days],
    as_of: datetime,
) -> CaseFields:
    """Return the fields of the cases that started in any of these days and are mature at `as_of`.

    Of the fields in `first` the first value within the case's follow-up counts, of those in `last` the last one.
    Raises DataError as the observer does, but not for a field that the log lacks.
    """
    source = source_of(programme, engine, workflow)
    names = engine.fetch(source.events().select("activity").distinct())["activity"].to_pylist()
    needs = Needs(tuple(sorted(name for name in names if name is not None)))
    lacking: dict[str, DataError] = {}
    firsts = _asked(source, needs, [Attribute(name, "first") for name in first], lacking)
    lasts = _asked(source, needs, [Attribute(name, "last") for name in last], lacking)
    handed = needs.fact("first", patterns)
    cases = facts_of(engine, source, needs, None)
    inside = ibis.or_(
        *((cases["start"] >= instant(each.since)) & (cases["start"] < instant(each.until)) for each in days)
    )
    chosen = cases.filter(inside & (cases["due"] <= instant(as_of)))
    rows = engine.fetch(
        chosen.select(
            case="case",
            started=epoch_seconds(chosen["start"]),
            escalated=flag(chosen[handed].notnull()),
            **{column: chosen[column] for column in (*firsts.values(), *lasts.values())},
        )
    )
    # Sorted here: engines order text differently.
    table = {name: rows[name].to_pylist() for name in rows.column_names}
    order = sorted(range(rows.num_rows), key=lambda row: (table["started"][row], table["case"][row]))
    return CaseFields(
        case=[table["case"][row] for row in order],
        started=np.array([table["started"][row] for row in order], dtype=np.int64),
        first={name: [table[column][row] for row in order] for name, column in firsts.items()},
        last={name: [table[column][row] for row in order] for name, column in lasts.items()},
        escalated=np.array([table["escalated"][row] != 0 for row in order], dtype=np.bool_),
        lacking=lacking,
    )


def _asked(
    source: EventSource, needs: Needs, attributes: Sequence[Attribute], lacking: dict[str, DataError]
) -> dict[str, str]:
    """Ask for each field and return the column of each that the log has; `lacking` gains why it has not the others."""
    columns: dict[str, str] = {}
    for attribute in attributes:
        try:
            source.column(attribute.name)
        except DataError as error:
            lacking[attribute.name] = error
        else:
            columns[attribute.name] = needs.attribute(attribute)
    return columns

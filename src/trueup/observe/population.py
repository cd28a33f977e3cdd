"""The cases of a workflow in a window of starts: how many, in which arms, of which mix. No KPI is looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.observe.cases.arms import arms_column, instant
from trueup.observe.cases.values import flag, surely
from trueup.observe.held import Words, counted, mixed, named, numbers
from trueup.observe.tables import Arm, Population

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

    from trueup.observe.engine import Engine
    from trueup.observe.held import At, Held
    from trueup.observe.weeks import CaseTable

ACTIVITY = "activity"
_NAMED = 20
_SHOWN = (Arm.TREATED.value, Arm.CONTROL.value)


def population_of(
    table: CaseTable, events: Callable[[], ir.Table], *, since: datetime, until: datetime, as_of: datetime
) -> Population:
    """Return the cases that started in [since, until) as they stood at an instant.

    The mix is that of mature cases, which all had the same follow-up: by declared segment, else (no segment is
    declared) the events of their windows by activity.
    """
    asked = (
        _Held(table, table.held, table.held.between(since, until, as_of))
        if table.held
        else _Asked(table, since, until, as_of, events)
    )
    weeks: Counter[date] = Counter()
    by_arm: Counter[str] = Counter()
    immature: Counter[str] = Counter()
    for row in asked.counts():
        weeks[row["week"]] += row["n"]
        by_arm[row["arm"]] += row["mature"]
        immature[row["arm"]] += row["n"] - row["mature"]
    return Population(
        by_arm=dict(sorted(by_arm.items())),
        immature=dict(sorted(immature.items())),
        both=asked.named(Arm.BOTH) if Arm.BOTH in by_arm else (),
        unassigned=asked.named(Arm.UNASSIGNED) if Arm.UNASSIGNED in by_arm else (),
        late=asked.late() if arms_column(table.pilot) is not None else (),
        weeks=dict(sorted(weeks.items())),
        mix=_segment_mix(table, asked) if table.segments else _activity_mix(asked),
    )


@dataclass(frozen=True, slots=True)
class Steps:
    """How often which activity occurs in the window of which case: one element each, cases by their place."""

    case: NDArray[np.int64]
    activity: Words
    n: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pa.Table, held: Held) -> Steps:
        """Read the rows of `steps_in`."""
        places = {case: place for place, case in enumerate(held.case.tolist())}
        cases = np.array([places[case] for case in rows["case"].to_pylist()], dtype=np.int64)
        return cls(cases, Words.of(rows["activity"]), numbers(rows["n"], np.int64))

    def among(self, chosen: NDArray[np.bool_]) -> dict[str | None, int]:
        """Return how often each activity occurs in the cases chosen; of a place each whether it is."""
        weights = np.where(chosen[self.case], self.n, 0)
        counts = np.bincount(self.activity.place + 1, weights=weights, minlength=len(self.activity.values) + 1)
        return {value: int(n) for value, n in zip((None, *self.activity.values), counts, strict=True) if n}


def steps_in(engine: Engine, events: ir.Table, cases: ir.Table) -> pa.Table:
    """Return `case`, `activity` and `n`: how often an activity occurs in the window of a case."""
    inside = events.join(cases.select("case", "due"), "case")
    inside = inside.filter(inside["at"] < inside["due"])
    return engine.fetch(inside.group_by("case", "activity").aggregate(n=inside.count().cast("int64")))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The cases of the window where they lie in the engine."""

    table: CaseTable
    since: datetime
    until: datetime
    as_of: datetime
    events: Callable[[], ir.Table]

    def cases(self) -> ir.Table:
        return _window(self.table, self.since, self.until, self.as_of)

    def counts(self) -> list[dict[str, Any]]:
        cases = self.cases()
        counts = cases.group_by("week", "arm").aggregate(n=cases.count(), mature=flag(cases["mature"]).sum())
        rows: list[dict[str, Any]] = self.table.engine.fetch(counts).to_pylist()
        return rows

    def named(self, arm: Arm) -> tuple[str, ...]:
        cases = self.cases()
        chosen = cases.filter(cases["arm"] == str(arm)).select("case").order_by("case").limit(_NAMED)
        return tuple(self.table.engine.fetch(chosen)["case"].to_pylist())

    def late(self) -> tuple[str, ...]:
        cases = self.cases()
        after = [(cases["arm"] == arm) & surely(cases[f"{arm}_at"] > cases["start"]) for arm in _SHOWN]
        chosen = cases.filter(after[0] | after[1]).select("case").order_by("case").limit(_NAMED)
        return tuple(self.table.engine.fetch(chosen)["case"].to_pylist())

    def mix(self, column: str) -> dict[str | None, int]:
        cases = self.cases()
        mature = cases.filter(cases["mature"])
        counts = mature.group_by(value=mature[column]).aggregate(n=mature.count())
        return {row["value"]: row["n"] for row in self.table.engine.fetch(counts).to_pylist()}

    def activities(self) -> dict[str | None, int]:
        cases, events = self.cases(), self.events()
        mature = cases.filter(cases["mature"])
        inside = events.join(mature.select("case", "due"), "case")
        inside = inside.filter(inside["at"] < inside["due"])
        rows = self.table.engine.fetch(inside.group_by("activity").aggregate(n=inside.count())).to_pylist()
        return {row["activity"]: row["n"] for row in rows}


@dataclass(frozen=True, slots=True)
class _Held:
    """The cases of the window where they are held in memory."""

    table: CaseTable
    held: Held
    at: At

    def counts(self) -> list[dict[str, Any]]:
        return counted(self.held, self.at)

    def named(self, arm: Arm) -> tuple[str, ...]:
        return named(self.held, self.at, arm, _NAMED)

    def mix(self, column: str) -> dict[str | None, int]:
        return mixed(self.held, self.at, column)

    def late(self) -> tuple[str, ...]:
        shown = [self.at.of(arm) & self._after(f"{arm}_at") for arm in _SHOWN]
        return tuple(sorted(self.held.case[self.at.place[shown[0] | shown[1]]].tolist())[:_NAMED])

    def _after(self, column: str) -> NDArray[np.bool_]:
        place = self.at.place
        after: NDArray[np.bool_] = self.held.times[column][place] > self.held.start[place]
        return after

    def activities(self) -> dict[str | None, int]:
        chosen = np.zeros(self.held.case.shape, dtype=bool)
        chosen[self.at.place[self.at.mature]] = True
        return Steps.of(self.table.steps(), self.held).among(chosen)


def _window(table: CaseTable, since: datetime, until: datetime, as_of: datetime) -> ir.Table:
    cases = table.at(as_of)
    return cases.filter((cases["start"] >= instant(since)) & (cases["start"] < instant(until)))


def _segment_mix(table: CaseTable, asked: _Asked | _Held) -> dict[tuple[str, str | None], int]:
    mix: dict[tuple[str, str | None], int] = {}
    for segment in table.segments:
        found = asked.mix(segment.value)
        for value in sorted(found, key=lambda value: (value is not None, value or "")):
            mix[segment.name, value] = found[value]
    return mix


def _activity_mix(asked: _Asked | _Held) -> dict[tuple[str, str | None], int]:
    found = asked.activities()
    return {(ACTIVITY, activity): found[activity] for activity in sorted(found, key=lambda activity: activity or "")}

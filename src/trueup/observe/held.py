"""The cases of a workflow held in memory: what a small log is answered from, without asking its engine again.

An engine needs as long to understand a question as to answer it for a hundred thousand cases. So the table of cases is
fetched once, and every question about it is a sum over columns. The figures are those of the engine to the last digit:
whole numbers are added exactly, all others are handed on one by one.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from trueup.kernel.clock import start_of_day
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    from numpy.typing import NDArray

    from trueup.declare.model.workflow import Pilot
    from trueup.observe.cases.needs import Measure
    from trueup.observe.engine import Engine
    from trueup.observe.tables import Segment

# More cases than this stay in the engine: it adds them up faster than they could be brought here.
MOST_HELD = 100_000
# Sums of products of two such values over as many cases are exact in 64-bit floating point (below 2**53).
_LARGEST = 2**31
_HALF = 16
_LOW = 2**_HALF - 1
_DAY = 86_400_000_000
_SECOND = 1_000_000
# 1970-01-01 was a Thursday: three days after a Monday.
_FROM_MONDAY = 3
_EPOCH = date(1970, 1, 1)
# The columns of a case table that questions are about; the others are what its values were made from.
_ASKED = re.compile(r"case|start|due|assigned|(treated|control)_at|(kpi|capped|under|seen|value)_\d+")
_NEVER = np.iinfo(np.int64).max

_Number = TypeVar("_Number", bound=np.generic)
_Fractions = dict[tuple[int, date, str, str | None], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Words:
    """A column of text: for each case the place of its value among those that occur, -1 where it has none."""

    place: NDArray[np.int64]
    values: tuple[str, ...]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Words:
        """Read a column of text."""
        coded = column.combine_chunks().dictionary_encode()
        place = numbers(pa.chunked_array([coded.indices.cast(pa.int64()).fill_null(-1)]), np.int64)
        return cls(place, tuple(coded.dictionary.to_pylist()))

    def text(self, otherwise: str) -> NDArray[np.object_]:
        """Return the values themselves, and what is given where there is none."""
        return np.array([*self.values, otherwise], dtype=object)[self.place]


@dataclass(frozen=True, slots=True)
class Values:
    """A measure of every case: its unscaled value where it is `known`, and whether it was cut at the window.

    `under`: what a ratio of sums is divided by.
    """

    value: NDArray[Any]
    known: NDArray[np.bool_]
    capped: NDArray[np.int64]
    under: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class At:
    """The held cases as seen from an instant: the places of those that have started, each with its arm and maturity.

    `arm` is the place of the arm in `arms`.
    """

    place: NDArray[np.int64]
    arm: NDArray[np.int64]
    arms: tuple[str, ...]
    mature: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> At:
        """Return some of the cases."""
        return At(self.place[chosen], self.arm[chosen], self.arms, self.mature[chosen])

    def of(self, arm: str) -> NDArray[np.bool_]:
        """Tell of each case whether it is of an arm."""
        return np.isin(self.arm, [place for place, name in enumerate(self.arms) if name == arm])

    def named(self) -> NDArray[np.object_]:
        """Return the arms in words."""
        return np.array(self.arms, dtype=object)[self.arm]


@dataclass(frozen=True)
class Held:
    """The columns of a case table: times in microseconds since 1970 (the largest number where there is none).

    `words` are its columns of text, `figures` its columns of numbers (NaN where there is none).
    """

    case: NDArray[np.object_]
    start: NDArray[np.int64]
    due: NDArray[np.int64]
    times: Mapping[str, NDArray[np.int64]]
    words: Mapping[str, Words]
    figures: Mapping[str, NDArray[np.float64]]
    values: Sequence[Values]
    pilot: Pilot | None
    _names: dict[str, NDArray[np.bytes_]] = field(default_factory=dict, init=False, repr=False)

    @property
    def names(self) -> NDArray[np.bytes_]:
        """The SHA-256 of every case id, by which ties are ordered."""
        if "sha256" not in self._names:
            self._names["sha256"] = names_of(self.case)
        return self._names["sha256"]

    @property
    def week(self) -> NDArray[np.int64]:
        """The Monday of each case's start, in days since 1970."""
        days = self.start // _DAY
        return days - (days + _FROM_MONDAY) % 7

    def values_of(self, names: Sequence[str]) -> dict[str, int]:
        """Return how many different values columns of text have."""
        return {name: len(self.words[name].values) for name in names}

    def at(self, as_of: datetime) -> At:
        """Return the cases that have started by an instant."""
        until = micros(as_of)
        started = np.flatnonzero(self.start <= until)
        arm, arms = self._arms(until)
        return At(started, arm[started], arms, self.due[started] <= until)

    def between(self, since: datetime, until: datetime, as_of: datetime) -> At:
        """Return the cases that started in [since, until), as they stood at an instant."""
        at = self.at(as_of)
        start = self.start[at.place]
        return at.where((start >= micros(since)) & (start < micros(until)))

    def _arms(self, until: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the arm of every case, as `arm_of` has it, and the words of the arms."""
        pilot = self.pilot
        drawn = self.words["assigned"]
        arms = (*(str(arm) for arm in Arm), *drawn.values)
        place = {name: number for number, name in reversed(list(enumerate(arms)))}
        if pilot is None or pilot.starts is None:
            return np.full(self.start.shape, place[Arm.ALL]), arms
        if pilot.design.assigned == "none":
            inside = np.full(self.start.shape, place[Arm.TREATED])
        elif pilot.design.column is not None:
            treated, control = self.times["treated_at"] <= until, self.times["control_at"] <= until
            seen = [treated & control, treated, control]
            inside = np.select(seen, [place[Arm.BOTH], place[Arm.TREATED], place[Arm.CONTROL]], place[Arm.UNASSIGNED])
        else:
            own = np.array([*(place[name] for name in drawn.values), place[Arm.UNASSIGNED]])
            inside = own[drawn.place]
        before = self.start < micros(start_of_day(pilot.starts))
        found = np.where(before, place[Arm.BEFORE], inside)
        if pilot.baseline is not None:
            begins, ends = micros(pilot.baseline.begins), micros(pilot.baseline.ends)
            found = np.where(before & (self.start >= begins) & (self.start < ends), place[Arm.BASELINE], found)
        return found, arms


def rows_of(engine: Engine, cases: ir.Table, most: int = MOST_HELD) -> pa.Table | None:
    """Fetch the columns of a case table that questions are about; None where there are more than `most` cases."""
    rows = engine.fetch(cases.aggregate(n=cases.count()))["n"].to_pylist()[0] if most else 0
    if rows > most or not most:
        return None
    return engine.fetch(cases.select(*filter(_ASKED.fullmatch, cases.columns)))


def held_of(columns: pa.Table, measures: Sequence[Measure], pilot: Pilot | None) -> Held | None:
    """Return the cases of fetched columns; None where a value is too large to be added here."""
    values = [_values(columns, number, measure) for number, measure in enumerate(measures)]
    whole = [one.value for one, measure in zip(values, measures, strict=True) if measure.whole]
    if any(np.any(np.abs(value) >= _LARGEST) for value in whole):
        return None
    times = [name for name in columns.column_names if name.startswith("seen_") or name in {"treated_at", "control_at"}]
    texts = [name for name in columns.column_names if name.startswith("value_")]
    words = [name for name in ("assigned", *texts) if pa.types.is_string(columns[name].type)]
    figures = [name for name in texts if name not in words]
    return Held(
        case=objects(columns["case"]),
        start=_times(columns["start"]),
        due=_times(columns["due"]),
        times={name: _times(columns[name]) for name in times},
        words={name: Words.of(columns[name]) for name in words},
        figures={name: _floats(columns[name], math.nan) for name in figures},
        values=values,
        pilot=pilot,
    )


def weekly(
    cases: Held, measures: Sequence[Measure], as_of: datetime, chosen: Sequence[int], segment: Segment | None
) -> tuple[list[dict[str, Any]], _Fractions]:
    """Return the sums of every (week, arm, value of the segment), and the single values of KPIs that are not whole."""
    at = cases.at(as_of)
    value, texts = _segmented(cases, at, segment, micros(as_of))
    keys, cell = np.unique((cases.week[at.place] * len(at.arms) + at.arm) * len(texts) + value, return_inverse=True)
    size = len(keys)
    rows = [_cell(key, at.arms, texts) for key in keys.tolist()]
    sums = {"immature": np.bincount(cell[~at.mature], minlength=size)}
    for number in chosen:
        sums |= _sums(cases.values[number], measures[number], number, at, cell, size)
    for name, column in sums.items():
        for row, total in zip(rows, column.tolist(), strict=True):
            row[name] = int(total)
    return rows, _fractions(cases, measures, chosen, at, cell, rows)


def cells_of(cases: Held, at: At, segment: Segment | None, as_of: datetime) -> list[tuple[date, str, str | None]]:
    """Return the week, arm and value of a segment of every case, as `weekly` groups them."""
    value, texts = _segmented(cases, at, segment, micros(as_of))
    weeks = cases.week[at.place].tolist()
    places = zip(weeks, at.arm.tolist(), value.tolist(), strict=True)
    return [(_EPOCH + timedelta(days=week), at.arms[arm], texts[text]) for week, arm, text in places]


def _cell(key: int, arms: Sequence[str], texts: Sequence[str | None]) -> dict[str, Any]:
    """Take a key apart: week, arm and value of the segment."""
    key, text = divmod(key, len(texts))
    day, arm = divmod(key, len(arms))
    return {"week": _EPOCH + timedelta(days=day), "arm": arms[arm], "segment": texts[text]}


def _segmented(
    cases: Held, at: At, segment: Segment | None, until: int
) -> tuple[NDArray[np.int64], tuple[str | None, ...]]:
    """Return of each case the place of its value, as far as it is visible; the last place is that of none."""
    if segment is None:
        return np.zeros(at.place.shape, dtype=np.int64), (None,)
    words = cases.words[segment.value]
    visible = cases.times[segment.seen][at.place] <= until
    place = words.place[at.place]
    none = len(words.values)
    return np.where(visible & (place >= 0), place, none), (*words.values, None)


def _sums(
    values: Values, measure: Measure, number: int, at: At, cell: NDArray[np.int64], size: int
) -> dict[str, NDArray[Any]]:
    value, known = values.value[at.place], values.known[at.place]
    counted = at.mature & known
    here, own = cell[counted], value[counted]

    def total(weights: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(here, weights=weights, minlength=size)

    columns: dict[str, NDArray[Any]] = {
        f"n_{number}": np.bincount(here, minlength=size),
        f"capped_{number}": total(values.capped[at.place][counted]),
        f"events_{number}": np.bincount(here[own != 0], minlength=size),
        f"without_{number}": np.bincount(cell[at.mature & ~known], minlength=size),
    }
    if measure.whole:
        high, low = own >> _HALF, own & _LOW
        columns |= {
            f"total_{number}": total(own),
            f"high_{number}": total(high * high),
            f"cross_{number}": total(high * low),
            f"low_{number}": total(low * low),
        }
    return columns


def _fractions(
    cases: Held,
    measures: Sequence[Measure],
    chosen: Sequence[int],
    at: At,
    cell: NDArray[np.int64],
    rows: Sequence[Mapping[str, Any]],
) -> _Fractions:
    found: _Fractions = defaultdict(list)
    keys = [(row["week"], row["arm"], row["segment"]) for row in rows]
    for number in chosen:
        if measures[number].whole:
            continue
        values = cases.values[number]
        counted = at.mature & values.known[at.place]
        single = values.value[at.place][counted]
        under = np.ones(single.shape) if values.under is None else values.under[at.place][counted]
        for key, value, by in zip(cell[counted].tolist(), single.tolist(), under.tolist(), strict=True):
            found[(number, *keys[key])].append((value, by))
    return found


def counted(cases: Held, at: At) -> list[dict[str, Any]]:
    """Return how many of the cases there are by week and arm (`n`), and how many of them are mature."""
    keys, cell = np.unique(cases.week[at.place] * len(at.arms) + at.arm, return_inverse=True)
    every = np.bincount(cell, minlength=len(keys)).tolist()
    mature = np.bincount(cell[at.mature], minlength=len(keys)).tolist()
    return [
        {**_cell(key, at.arms, (None,)), "n": n, "mature": grown}
        for key, n, grown in zip(keys.tolist(), every, mature, strict=True)
    ]


def named(cases: Held, at: At, arm: str, most: int) -> tuple[str, ...]:
    """Return the first ids, in order, of the cases of an arm."""
    return tuple(sorted(cases.case[at.place[at.of(arm)]].tolist())[:most])


def mixed(cases: Held, at: At, column: str) -> dict[str | None, int]:
    """Return how many mature cases have each value of a column of text; None stands for those that have none."""
    words = cases.words[column]
    counts = np.bincount(words.place[at.place[at.mature]] + 1, minlength=len(words.values) + 1).tolist()
    return {value: n for value, n in zip((None, *words.values), counts, strict=True) if n}


def vector(
    cases: Held, number: int, unit: str | None, since: datetime, until: datetime, mature_by: datetime
) -> tuple[At, dict[str, NDArray[Any]]]:
    """Return the mature cases that started in [since, until), with the columns of a case vector."""
    at = cases.between(since, until, mature_by)
    at = at.where(at.mature)
    place, values = at.place, cases.values[number]
    case = cases.case[place]
    whole = cases.words[unit] if unit else None
    return at, {
        "case": case,
        "names": cases.names[place],
        "started": seconds(cases.start[place]),
        "matured": seconds(cases.due[place]),
        "arm": at.named(),
        "unit": case if whole is None else Words(whole.place[place], whole.values).text("(none)"),
        "value": values.value[place].astype(np.float64),
        "known": values.known[place],
        "capped": values.capped[place] != 0,
    }


def micros(at: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return (naive - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 -- both are naive UTC


def seconds(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whole seconds since 1970, truncated."""
    return times // _SECOND


def names_of(cases: NDArray[np.object_]) -> NDArray[np.bytes_]:
    """Return the SHA-256 of case ids, by which ties are ordered."""
    return np.array([hashlib.sha256(str(one).encode()).digest() for one in cases], dtype="S32")


def objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Return a column of anything as Python has it."""
    return np.array(column.to_pylist(), dtype=object)


def numbers(column: pa.ChunkedArray, kind: type[_Number]) -> NDArray[_Number]:
    """Return numbers without nulls. By DLPack: pyarrow's own conversion imports pandas."""
    return np.concatenate([np.array([], dtype=kind), *(np.from_dlpack(chunk) for chunk in column.chunks)])


def _times(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return numbers(column.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(int(_NEVER)), np.int64)


def _values(columns: pa.Table, number: int, measure: Measure) -> Values:
    column = columns[f"kpi_{number}"]
    known = numbers(column.is_valid().cast(pa.int8()), np.int8) != 0
    if measure.whole:
        value: NDArray[Any] = numbers(column.cast(pa.int64()).fill_null(0), np.int64)
    else:
        value = numbers(column.cast(pa.float64()).fill_null(0.0), np.float64)
    capped = numbers(columns[f"capped_{number}"].cast(pa.int64()).fill_null(0), np.int64)
    return Values(value, known, capped, None if measure.under is None else _floats(columns[f"under_{number}"], 0.0))


def _floats(column: pa.ChunkedArray, otherwise: float) -> NDArray[np.float64]:
    return numbers(column.cast(pa.float64()).fill_null(otherwise), np.float64)

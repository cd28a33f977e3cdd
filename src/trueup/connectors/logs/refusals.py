"""Why a column of times is refused: how many values, which ones, and the way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from trueup.connectors.logs.arrays import filled
from trueup.kernel.errors import DataError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trueup.connectors.logs.formats.source import Source

_EXAMPLES = 3
_COLUMNS = 12


@dataclass
class Tally:
    """How many values were of a kind, and the first few of them."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, chosen: pa.Array, text: pa.Array, start: int) -> None:
        """Count the rows that `chosen` is true for; `start` is the number of the first row."""
        chosen = filled(chosen, by=False)
        count = pc.sum(chosen).as_py() or 0
        if not count:
            return
        self.count += count
        if len(self.examples) < _EXAMPLES:
            rows = pc.indices_nonzero(chosen)[: _EXAMPLES - len(self.examples)].to_pylist()
            self.examples += [(start + row, text[row].as_py()) for row in rows]


@dataclass(frozen=True, slots=True)
class Refusals:
    """Words the refusals of one column."""

    column: str
    source: Source

    def bad(self, tally: Tally, *, swapped: bool) -> DataError:
        """Refuse values that are no time."""
        hint = "Write times as 2018-01-31T10:00:00Z, or list texts that mean no value under `missing`."
        if swapped:
            hint = "The numbers say the other order: correct `dates` (day-first or month-first) in the data."
        elif any(text.strip().lstrip("-").replace(".", "", 1).isdigit() for _, text in tally.examples):
            hint = "Numbers (seconds since 1970, days of a spreadsheet) are not read; export times as text."
        return DataError(
            "bad-time",
            f"{self.column!r}: {_count(tally, 'value')} no time between 1900 and 2200: {self._examples(tally)}.",
            hint,
        )

    def absent(self, tally: Tally) -> DataError:
        """Refuse events without a time."""
        return DataError(
            "bad-time",
            f"{self.column!r}: {_count(tally, 'event')} without a time: {self._examples(tally)}.",
            "An event without a time has no place in its case: give it one, or take it out of the file.",
        )

    def mixed_forms(self, forms: Mapping[str, Tally]) -> DataError:
        """Refuse a column that is written in several forms."""
        kinds = "; ".join(
            f"{tally.count} as {form!r} ({self._examples(tally, 1)})" for form, tally in sorted(forms.items())
        )
        return DataError(
            "mixed-dates",
            f"{self.column!r} is written in {len(forms)} forms: {kinds}.",
            "Write all values of a column in one form; 2018-01-31T10:00:00Z cannot be misread.",
        )

    def mixed_orders(self, day_first: Tally, month_first: Tally) -> DataError:
        """Refuse a column in which some dates begin with the day and some with the month."""
        return DataError(
            "mixed-dates",
            f"{self.column!r} mixes two orders: {day_first.count} dates begin with the day "
            f"({self._examples(day_first, 1)}), {month_first.count} with the month ({self._examples(month_first, 1)}).",
            "Nobody can tell what the other dates mean: export the file again with dates in one form.",
        )

    def ambiguous(self, tally: Tally) -> DataError:
        """Refuse dates that could be read either way."""
        return DataError(
            "ambiguous-dates",
            f"{self.column!r}: all {tally.count} dates could begin with the day or with the month: "
            f"{self._examples(tally)}.",
            "Say which: `dates: day-first` or `dates: month-first` in the data.",
        )

    def mixed_zones(self, zoned: Tally, unzoned: Tally) -> DataError:
        """Refuse a column in which only some times carry a zone."""
        return DataError(
            "mixed-zones",
            f"{self.column!r}: {zoned.count} times carry a zone ({self._examples(zoned, 1)}), {unzoned.count} do not "
            f"({self._examples(unzoned, 1)}).",
            "Export the file with a zone on every time, or on none.",
        )

    def no_zone(self, tally: Tally) -> DataError:
        """Refuse local times of nobody knows where."""
        return DataError(
            "no-zone",
            f"{self.column!r}: {_count(tally, 'time')} without a zone, and none is declared: {self._examples(tally)}.",
            "Write `zone: UTC`, or the zone they were recorded in (`zone: Europe/London`), in the data.",
        )

    def _examples(self, tally: Tally, most: int = _EXAMPLES) -> str:
        chosen = tally.examples[:most]
        places = self.source.places([row for row, _ in chosen])
        return ", ".join(f"{text!r} in {place}" for (_, text), place in zip(chosen, places, strict=True))


def missing_column(name: str, columns: Sequence[str]) -> DataError:
    """Refuse a log without a column that is declared."""
    listed = ", ".join(repr(column) for column in columns[:_COLUMNS]) + (" ..." if len(columns) > _COLUMNS else "")
    return DataError(
        "missing-column",
        f"The log has no column {name!r}.{did_you_mean(name, columns)}",
        f"It has {listed}. If these are values, the file lacks its header.",
    )


def empty_cases(name: str, tally: Tally, source: Source, *, activity: bool) -> DataError:
    """Refuse events that belong to no case, or that say nothing about what happened."""
    places = ", ".join(source.places([row for row, _ in tally.examples]))
    return DataError(
        "empty-activity" if activity else "empty-case",
        f"{name!r}: {_count(tally, 'event')} without {'an activity' if activity else 'a case'}: {places}.",
        "Give each event one, or take these events out of the file. The text 'NA' would count as one.",
    )


def _count(tally: Tally, noun: str) -> str:
    return f"1 {noun} is" if tally.count == 1 else f"{tally.count} {noun}s are"

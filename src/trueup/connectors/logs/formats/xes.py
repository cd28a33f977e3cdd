"""XES (IEEE 1849) as columns: attributes of a trace become `case:KEY`, those of an event keep their KEY."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from trueup.connectors.logs.arrays import texts
from trueup.connectors.logs.formats.header import distinct
from trueup.connectors.logs.formats.opening import Opening
from trueup.connectors.logs.formats.xml_reading import Reading, Rows
from trueup.kernel.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trueup.kernel.progress import Progress

# So many events are looked at before the columns are laid out; a key that comes later costs a second reading.
_SAMPLE = 4096


class Xes:
    """An XES log (also compressed). The defaults that `global` declares are not values.

    Raises DataError: `not-a-log`, `truncated`, `bad-encoding`, `empty-case`, and what `Opening` raises.
    """

    complete = False

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._trace_keys: dict[str, None] = {}
        self._event_keys: dict[str, None] = {}
        self._dates: frozenset[str] = frozenset()
        self._passed_over: tuple[str, ...] = ()
        reading = Reading(name, _SAMPLE)
        with Opening(path) as opening:
            next(reading.run(opening, silent), None)
        self._learn(reading)

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys met so far: those of traces first, each in the order of appearance."""
        return distinct(self._names())[0]

    @property
    def instants(self) -> frozenset[str]:
        """The columns any of whose values so far was written as `date`."""
        return frozenset(
            column for name, column in zip(self._names(), self.columns, strict=True) if name in self._dates
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Renamed columns, and what the last complete reading passed over."""
        return (*distinct(self._names())[1], *self._passed_over)

    def batches(self, progress: Progress) -> Iterator[pa.RecordBatch]:
        """Yield the events in order, one row each; null where an event or its trace lacks the attribute."""
        reading = Reading(self._name)
        with Opening(self._path) as opening:
            for rows in reading.run(opening, progress):
                self._learn(reading)
                yield self._batch(rows)
        self._passed_over = reading.notes

    def places(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Name events by their number in the file, counted from 1."""
        return tuple(f"event {row + 1}" for row in rows)

    def _names(self) -> list[str]:
        return [*(f"case:{key}" for key in self._trace_keys), *self._event_keys]

    def _learn(self, reading: Reading) -> None:
        self._trace_keys.update(dict.fromkeys(reading.trace_keys))
        self._event_keys.update(dict.fromkeys(reading.event_keys))
        self._dates = frozenset(reading.dates)

    def _batch(self, rows: Rows) -> pa.RecordBatch:
        of_traces = [texts([trace.get(key) for trace, _ in rows]) for key in self._trace_keys]
        of_events = [texts([event.get(key) for _, event in rows]) for key in self._event_keys]
        return pa.RecordBatch.from_arrays([*of_traces, *of_events], names=list(self.columns))

"""From a source to one Parquet file, checked on the way; read again where later rows change what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from trueup.connectors.logs.arrays import filled, integers, texts
from trueup.connectors.logs.cache import cannot_write
from trueup.connectors.logs.ending import Ending
from trueup.connectors.logs.instants import InstantColumn
from trueup.connectors.logs.refusals import Tally, empty_cases, missing_column
from trueup.connectors.logs.repeats import Repeats
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trueup.connectors.logs.formats.source import Source
    from trueup.connectors.logs.forms import Order
    from trueup.connectors.logs.spec import LogSpec
    from trueup.kernel.progress import Progress

ROW = "_row"
_GROUP_ROWS = 131_072
_GROUP_BYTES = 1 << 27
# Columns that appear late, an order of day and month that shows late, dates that turn out to be text: one each.
_READINGS = 5


@dataclass
class Known:
    """What a reading takes for granted, because an earlier one has shown it."""

    columns: tuple[str, ...]
    orders: dict[str, Order]
    texts: set[str]


class Pass:
    """One reading of a source under what is known."""

    def __init__(self, source: Source, spec: LogSpec, known: Known) -> None:
        self._source = source
        self._spec = spec
        self._known = known
        self._times = {
            name: InstantColumn(name, spec, order=known.orders.get(name), required=self._required(name))
            for name in known.columns
            if name in spec.times or (name in source.instants and name not in known.texts)
        }
        self._missing = texts(spec.missing)
        self._empty = {name: Tally() for name in (spec.case, spec.activity) if name is not None}
        self.repeats = Repeats()
        self.ending = Ending()
        self.rows = 0

    @property
    def _compares(self) -> bool:
        """Whether rows are compared: those of an event log are; a table without cases may repeat itself."""
        return self._spec.duplicates == "drop" or (self._spec.duplicates == "refuse" and self._spec.case is not None)

    @property
    def schema(self) -> pa.Schema:
        """The schema of what is written."""
        fields = [
            pa.field(name, pa.timestamp("us") if name in self._times else pa.string()) for name in self._known.columns
        ]
        return pa.schema([*fields, pa.field(ROW, pa.int64())])

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Check the next rows and bring them into the form in which they are kept."""
        start = self.rows
        self.rows += batch.num_rows
        raw = [self._column(batch, name) for name in self._known.columns]
        if self._compares:
            self.repeats.add([pc.cast(column, pa.string()) for column in raw])
        named = zip(self._known.columns, raw, strict=True)
        out = {name: self._kept(name, column, start) for name, column in named}
        self._watch_ending(out)
        numbers = integers(range(start, self.rows))
        return pa.RecordBatch.from_arrays([*out.values(), numbers], schema=self.schema)

    def settle(self) -> bool:
        """Return whether the reading stands; otherwise `known` has been corrected for the next.

        Raises DataError for everything that speaks against the log.
        """
        if not self.rows:
            raise DataError("data-empty", "The log holds no event.", "Export it again; check the filter of the export.")
        for name in self._spec.named:
            if name not in self._source.columns:
                raise missing_column(name, self._source.columns)
        if self._source.columns != self._known.columns:
            self._known.columns = self._source.columns
            return False
        for name, tally in self._empty.items():
            if tally.count:
                raise empty_cases(name, tally, self._source, activity=name == self._spec.activity)
        stands = [self._settled(name, column) for name, column in self._times.items()]
        return all(stands)

    def notes(self) -> tuple[str, ...]:
        """What one should know of how the columns were read."""
        shifted = [note for column in self._times.values() for note in column.notes]
        found_out: dict[str, list[str]] = {}
        for name, column in self._times.items():
            if column.evidence is not None:
                found_out.setdefault(column.order, []).append(f"{name} ({column.evidence!r})")
        orders = [f"Dates are read {order}, as values show: {', '.join(names)}." for order, names in found_out.items()]
        return (*orders, *shifted)

    def _settled(self, name: str, column: InstantColumn) -> bool:
        try:
            order = column.settle(self._source)
        except DataError:
            if name in self._spec.times:
                raise
            # Nobody asked for this column as a time; as text nothing of it is lost.
            self._known.texts.add(name)
            return False
        if order is not None:
            self._known.orders[name] = order
        return order is None

    def _required(self, name: str) -> bool:
        return self._spec.case is not None and bool(self._spec.times) and name == self._spec.times[0]

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        position = batch.schema.get_field_index(name)
        return batch.column(position) if position >= 0 else pa.nulls(batch.num_rows, pa.string())

    def _kept(self, name: str, column: pa.Array, start: int) -> pa.Array:
        if name in self._times:
            return self._times[name].read(column, start)
        text = pc.cast(column, pa.string())
        if name in self._empty:
            blank = filled(pc.equal(pc.utf8_trim_whitespace(text), ""), by=True)
            self._empty[name].add(blank, text, start)
            return text
        absent = pc.is_in(text, value_set=self._missing)
        return pc.if_else(absent, pa.scalar(None, pa.string()), text)

    def _watch_ending(self, out: dict[str, pa.Array]) -> None:
        case, activity = self._spec.case, self._spec.activity
        if case in out and activity in out and self._spec.times and self._spec.times[0] in out:
            self.ending.add(out[case], out[activity], out[self._spec.times[0]])


def build(source: Source, spec: LogSpec, target: Path, progress: Progress) -> Pass:
    """Write a source to `target` and return the reading that stands.

    Raises DataError as described in the reference of data; StorageError when the file cannot be written.
    """
    for name in spec.named:
        if source.complete and name not in source.columns:
            raise missing_column(name, source.columns)
    known = Known(source.columns, {}, set())
    for _ in range(_READINGS + len(source.columns)):
        reading = Pass(source, spec, known)
        write(target, reading.schema, _converted(source, reading, progress))
        if reading.settle():
            return reading
    raise DataError("not-a-log", "The log reads differently each time.", "Make sure that nothing writes to it.")


def check_in_place(source: Source, spec: LogSpec, progress: Progress) -> Pass:
    """Check a typed source without keeping anything, and return the reading. Raises DataError as `build` does."""
    reading = Pass(source, spec, Known(source.columns, {}, set()))
    for _ in _converted(source, reading, progress):
        pass
    reading.settle()
    return reading


def write(target: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write batches in groups of rows that an engine reads well. Raises StorageError when the disk refuses."""
    try:
        writer = pq.ParquetWriter(target, schema, compression="zstd", write_page_checksum=True)
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    try:
        with writer:
            for table in _groups(batches):
                writer.write_table(table)
    except OSError as error:
        raise cannot_write(target.parent, error) from error


def _converted(source: Source, reading: Pass, progress: Progress) -> Iterator[pa.RecordBatch]:
    for batch in source.batches(progress):
        yield reading.convert(batch)


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= _GROUP_ROWS or sum(b.nbytes for b in held) >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)

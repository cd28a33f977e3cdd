"""Delimited text: comma, semicolon, tab or bar; every record has as many fields as the header."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as arrow_csv

from trueup.connectors.logs.formats.header import Head, distinct, read_head
from trueup.connectors.logs.formats.opening import CUT_HINT, Opening
from trueup.connectors.logs.formats.text import Text
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from trueup.kernel.progress import Progress

_BLOCK = 1 << 22
# One record of this follows the last byte of the file. It comes back as a row unless a quotation mark is still open.
_END = "\x1eend"


class Delimited:
    """A CSV file (also compressed), all of whose columns are text.

    Raises DataError: `data-empty`, `ragged-rows`, `open-quote`, `truncated`, `not-a-log`, and what `Opening` and
    `Text` raise.
    """

    complete = True
    instants: frozenset[str] = frozenset()

    def __init__(self, path: Path, name: str, wanted: Sequence[str]) -> None:
        self._path = path
        self._name = name
        with Opening(path) as opening:
            self._head = read_head(Text(opening, silent), wanted, name)
        self.columns, self._renamed = distinct(self._head.names)
        self._ending: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Renamed columns, and an end that may be a cut."""
        return (*self._renamed, *self._ending)

    def batches(self, progress: Progress) -> Iterator[pa.RecordBatch]:
        """Yield the records after the header, in order."""
        with Opening(self._path) as opening:
            text = _Ended(Text(opening, progress), self._head)
            ragged: list[int] = []
            try:
                yield from _without_end(self._records(text, ragged), self._unclosed)
            except pa.ArrowInvalid as error:
                raise self._misread(str(error)) from None
            if ragged:
                raise self._ragged(text.ended_line)
        self._ending = () if text.ended_line else (f"{self._name} ends without a line break: it may have been cut.",)

    def places(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Name the lines on which the records begin."""
        wanted = set(rows)
        found: dict[int, int] = {}
        with suppress(_OverlongError):
            for row, (line, _) in enumerate(self._raw_records()):
                if row in wanted:
                    found[row] = line
                    if len(found) == len(wanted):
                        break
        return tuple(f"line {found[row]}" if row in found else f"record {row + 1}" for row in rows)

    def _records(self, text: _Ended, ragged: list[int]) -> Iterator[pa.RecordBatch]:
        def skip(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row.actual_columns)
            return "skip"

        return iter(
            arrow_csv.open_csv(
                text,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=_BLOCK, column_names=list(self.columns)
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._head.delimiter, newlines_in_values=True, invalid_row_handler=skip
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self.columns, pa.string()), null_values=[], strings_can_be_null=False
                ),
            )
        )

    def _raw_records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, fields) as the standard library reads them: slow, and only for saying where something is."""
        with Opening(self._path) as opening:
            text = Text(opening, silent)
            text.take(self._head.size)
            lines = io.TextIOWrapper(io.BufferedReader(text), encoding="utf-8", newline="")
            reader = csv.reader(lines, delimiter=self._head.delimiter)
            line = self._head.lines + 1
            try:
                for record in reader:
                    if record:
                        yield line, record
                    line = self._head.lines + reader.line_num + 1
            except csv.Error:
                raise _OverlongError(line) from None

    def _ragged(self, ended_line: bool) -> DataError:
        expected = len(self.columns)
        bad: list[tuple[int, int]] = []
        total = last = 0
        try:
            for last, record in self._raw_records():
                if len(record) != expected:
                    total += 1
                    bad = [*bad, (last, len(record))][:3]
        except _OverlongError:
            return self._unclosed()
        if total == 1 and bad[0] == (last, bad[0][1]) and bad[0][1] < expected and not ended_line:
            return DataError(
                "truncated",
                f"{self._name} ends in the middle of a record: line {last} has {bad[0][1]} of {expected} fields.",
                CUT_HINT,
            )
        examples = ", ".join(f"line {line} has {count}" for line, count in bad)
        return DataError(
            "ragged-rows",
            f"{self._name}: {max(total, 1)} records have another number of fields than the header's {expected}"
            f"{': ' + examples if examples else ''}.",
            "Quote fields that contain the separator, or export the file again.",
        )

    def _unclosed(self) -> DataError:
        """Say where a quotation mark was opened that nothing closes."""
        opened, breaks = 1, 0
        try:
            for line, record in self._raw_records():
                opened, breaks = line, sum(field.count("\n") for field in record)
        except _OverlongError as error:
            opened, breaks = error.line, 2
        if breaks == 0:
            return DataError("truncated", f"{self._name} ends inside a quoted field on line {opened}.", CUT_HINT)
        return DataError(
            "open-quote",
            f"{self._name}: a quotation mark opened on or after line {opened} is never closed.",
            "Double the quotation marks inside quoted fields, or export the file again; it may also have been cut.",
        )

    def _misread(self, problem: str) -> DataError:
        if "straddling" in problem:
            return self._unclosed()
        return DataError("not-a-log", f"{self._name} cannot be read as CSV: {problem}.", "Export the file again.")


class _OverlongError(Exception):
    """A field is longer than the standard library takes: most likely a quotation mark was left open."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Ended(io.RawIOBase):
    """The records of a file, without the header, followed by the record that marks the end."""

    def __init__(self, text: Text, head: Head) -> None:
        super().__init__()
        self._text = text
        self._text.take(head.size)
        self._end: bytes | None = head.delimiter.join([_END] * len(head.names)).encode() + b"\n"

    def readable(self) -> bool:
        """Return True: this is a stream for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; empty only after the mark."""
        data = self._text.read(size)
        if data or self._end is None:
            return data
        mark, self._end = self._end, None
        return mark if self._text.ended_line else b"\n" + mark

    @property
    def ended_line(self) -> bool:
        """True where the file itself ends with a line break."""
        return self._text.ended_line


def _without_end(batches: Iterator[pa.RecordBatch], unclosed: Callable[[], DataError]) -> Iterator[pa.RecordBatch]:
    """Pass on everything but the mark; where the mark does not come, a quoted field has swallowed it."""
    held: pa.RecordBatch | None = None
    for batch in batches:
        if batch.num_rows:
            if held is not None:
                yield held
            held = batch
    if held is None or any(column[-1].as_py() != _END for column in held.columns):
        raise unclosed()
    yield held.slice(0, held.num_rows - 1)

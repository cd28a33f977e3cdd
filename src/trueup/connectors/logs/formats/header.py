"""The first record of a delimited file: what separates the fields, and what they are called."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.connectors.logs.formats.text import Text

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST = 1 << 20
_SAMPLE = 50


@dataclass(frozen=True, slots=True)
class Head:
    """The header: its names, what separates them, and how many bytes and lines lie before the first record."""

    names: tuple[str, ...]
    delimiter: str
    size: int
    lines: int


def read_head(text: Text, wanted: Sequence[str], name: str) -> Head:
    """Read the header. `wanted` are names that should be in it: they settle what the separator is.

    Raises DataError: `data-empty`, `not-a-log`.
    """
    content = text.take(_LONGEST)
    whole = len(content) < _LONGEST
    lines = io.StringIO(content.decode("utf-8", "ignore"), newline="").readlines()
    skipped = _skipped(lines)
    if skipped == len(lines):
        raise DataError("data-empty", f"{name} is empty.", "Export the log again; it should hold at least one event.")
    delimiter = _declared(lines[:skipped]) or _sniffed(lines[skipped:], wanted)
    names, used = _first_record(lines[skipped:], delimiter)
    if skipped + used == len(lines) and not whole:
        raise DataError("not-a-log", f"{name} has no header within its first megabyte.", "Export the log as CSV.")
    taken = lines[: skipped + used]
    return Head(names, delimiter, sum(len(line.encode()) for line in taken), len(taken))


def _skipped(lines: Sequence[str]) -> int:
    """Count the lines before the header: empty ones, and the `sep=;` that spreadsheets write."""
    count = 0
    while count < len(lines) and (not lines[count].strip("\r\n") or _declared(lines[count : count + 1])):
        count += 1
    return count


def _declared(lines: Sequence[str]) -> str | None:
    for line in lines:
        bare = line.strip("\r\n")
        if bare.startswith("sep=") and len(bare) == len("sep=") + 1:
            return bare[-1]
    return None


def _sniffed(lines: Sequence[str], wanted: Sequence[str]) -> str:
    """Return the separator that yields the most of the wanted names, then the most consistent table."""
    return max(_DELIMITERS, key=lambda delimiter: _fitness(lines, delimiter, wanted))


def _fitness(lines: Sequence[str], delimiter: str, wanted: Sequence[str]) -> tuple[int, int, int]:
    records = _records(lines, delimiter)
    if not records:
        return (0, 0, 0)
    width = len(records[0])
    alike = sum(len(record) == width for record in records[1:])
    return (len(set(wanted) & set(records[0])), alike if width > 1 else 0, width)


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    out: list[list[str]] = []
    try:
        for record in csv.reader(iter(lines), delimiter=delimiter):
            if record:
                out.append(record)
            if len(out) > _SAMPLE:
                break
    except csv.Error:
        return out
    return out


def _first_record(lines: Sequence[str], delimiter: str) -> tuple[tuple[str, ...], int]:
    reader = csv.reader(iter(lines), delimiter=delimiter)
    try:
        record = next(reader)
    except csv.Error:
        return (), len(lines)
    return tuple(record), reader.line_num


def distinct(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names of which no two are equal, and a note for each that had to change.

    The second `category` becomes `category.1`; a nameless third column `column 3`; `_row` is kept for row numbers.
    """
    out: list[str] = []
    notes: list[str] = []
    reserved = {*names, "_row"}
    for position, name in enumerate(names, 1):
        unique = name if name.strip() else f"column {position}"
        count = 0
        while unique in out or unique == "_row" or (unique != name and unique in reserved):
            count += 1
            unique = f"{name}.{count}"
        if unique != name:
            notes.append(f"The {_nth(position)} column, {name!r}, is called {unique!r} here.")
        out.append(unique)
    return tuple(out), tuple(notes)


def _nth(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"

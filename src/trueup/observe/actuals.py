"""Actuals: money spent and hours worked, as they come from finance and people systems. No record means unknown."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias, TypeVar

from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import DataError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trueup.declare.model.data import EffortSource, SpendSource
    from trueup.declare.programme import Programme

ActualKind = Literal["spend", "effort"]
Record = TypeVar("Record")
Lines: TypeAlias = "Iterator[tuple[int, list[str]]]"


@dataclass(frozen=True, slots=True)
class ActualRecord:
    """One line: when it is about, whose it is, of which kind, and how much (money, or hours)."""

    at: datetime
    use_case: str
    kind: str | None
    amount: float


@dataclass
class Actuals:
    """Recorded spend and effort. A file is read when the first question about it is asked.

    `readers` map spend and effort to what reads their records; one that is absent is not declared.
    """

    readers: Mapping[ActualKind, Callable[[], Sequence[ActualRecord]]] = field(default_factory=dict)
    _read: dict[ActualKind, Sequence[ActualRecord]] = field(default_factory=dict, init=False, repr=False)

    def total(
        self,
        kind_of: ActualKind,
        use_case: str,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> float | None:
        """Return the sum of what is recorded about [since, until), None when there is no such record.

        `as_of` is inclusive: what is about that instant is known then. A record that carries only a date is about
        00:00Z of that day. Raises DataError for a file that is missing or has a line that cannot be read.
        """
        found = [
            record.amount
            for record in self.records(kind_of)
            if record.use_case == use_case
            and (kind is None or record.kind == kind)
            and (since is None or record.at >= since)
            and (until is None or record.at < until)
            and (as_of is None or record.at <= as_of)
        ]
        return math.fsum(found) if found else None

    def records(self, kind_of: ActualKind) -> Sequence[ActualRecord]:
        """Return every record of spend or effort, in the order of the file. Raises as `total`."""
        if kind_of not in self._read:
            reader = self.readers.get(kind_of)
            self._read[kind_of] = reader() if reader else ()
        return self._read[kind_of]

    def strangers(self, known: Iterable[str]) -> tuple[str, ...]:
        """Return the use cases that records name and the programme does not declare, sorted."""
        named = {record.use_case for kind_of in self.readers for record in self.records(kind_of)}
        return tuple(sorted(named - set(known)))


def read_actuals(
    programme: Programme, recorded: Callable[[ActualKind], Sequence[ActualRecord]] = lambda _: ()
) -> Actuals:
    """Return the actuals of the files that a programme declares, and those `recorded` by hand. Nothing is read yet."""
    declared = programme.file.actuals
    spend, effort = (declared.spend, declared.effort) if declared else (None, None)

    def spent() -> Sequence[ActualRecord]:
        file = read_records(programme.root / spend.source, spend, spend.amount) if spend else ()
        return [*file, *recorded("spend")]

    def worked() -> Sequence[ActualRecord]:
        file = read_records(programme.root / effort.source, effort, effort.hours) if effort else ()
        return [*file, *recorded("effort")]

    return Actuals({"spend": spent, "effort": worked})


def read_records(path: Path, columns: SpendSource | EffortSource, amount: str) -> list[ActualRecord]:
    """Read a csv file of actuals, all of it or nothing. Raises as `read_csv`."""
    return read_csv(path, lambda names, lines: _records(path.name, names, lines, columns, amount))


def read_csv(path: Path, parse: Callable[[Sequence[str], Lines], Iterator[Record]]) -> list[Record]:
    """Read a csv file, all of it or nothing: `parse` makes records of its column names and numbered lines.

    A file that is not there (yet) holds no record. Raises DataError `data-not-found` (for one that cannot be
    opened), `bad-encoding`, `missing-column`, or `bad-actuals` with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            delimiter = ";" if ";" in header and "," not in header else ","
            names = next(csv.reader([header], delimiter=delimiter), [])
            return list(parse(names, _lines(stream, path.name, delimiter, len(names))))
    except FileNotFoundError:
        # What finance has not sent yet is unknown, as every missing actual is; nothing else waits for it.
        return []
    except OSError as error:
        raise DataError(
            "data-not-found", f"{path.name} cannot be read: {error.strerror}.", "Make it readable."
        ) from error
    except UnicodeDecodeError:
        raise DataError(
            "bad-encoding", f"{path.name} is not UTF-8 text.", "Save it as UTF-8 csv; nothing of it was used."
        ) from None
    except csv.Error as error:
        raise refused(path.name, None, f"is no csv: {error}") from error


def _lines(stream: TextIO, name: str, delimiter: str, columns: int) -> Lines:
    lines = csv.reader(stream, delimiter=delimiter, strict=True)
    for cells in lines:
        line = lines.line_num + 1
        if cells and len(cells) != columns:
            raise refused(name, line, f"has {len(cells)} fields, the header {columns}")
        if cells:
            yield line, cells


def _records(
    name: str, names: Sequence[str], lines: Lines, columns: SpendSource | EffortSource, amount: str
) -> Iterator[ActualRecord]:
    at, use_case, value = (place(names, column, name) for column in (columns.at, columns.use_case, amount))
    kind = names.index(columns.kind) if columns.kind in names else None
    for line, cells in lines:
        if not cells[use_case].strip():
            raise refused(name, line, "names no use case")
        yield ActualRecord(
            at=instant_in(cells[at].strip(), name, line),
            use_case=cells[use_case].strip(),
            kind=None if kind is None else cells[kind].strip(),
            amount=_amount(cells[value].strip(), name, line),
        )


def place(names: Sequence[str], column: str, file: str) -> int:
    """Return where a column stands. Raises DataError `missing-column`."""
    if column not in names:
        raise DataError(
            "missing-column",
            f"{file} has no column {column!r}.{did_you_mean(column, names)}",
            f"Its columns are: {', '.join(names) or 'none'}. Name the right one under `actuals` in programme.yaml.",
        )
    return names.index(column)


def instant_in(text: str, file: str, line: int) -> datetime:
    """Return a date (00:00Z) or an instant (UTC without a zone). Raises DataError `bad-actuals`."""
    try:
        if len(text) == len("2018-03-03"):
            return start_of_day(date.fromisoformat(text))
        read = datetime.fromisoformat(text)
    except ValueError:
        raise refused(file, line, f"has {text!r} where a date such as 2018-03-03 belongs") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _amount(text: str, file: str, line: int) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount):
        raise refused(file, line, f"has {text!r} where a number such as 1250.50 belongs")
    return amount


def refused(file: str, line: int | None, what: str) -> DataError:
    """Return the refusal of a file, with the line where there is one."""
    where = f"{file}, line {line}," if line else file
    return DataError("bad-actuals", f"{where} {what}.", "Correct the file; nothing of it was used.")

"""Parquet: typed logs are used where they lie; the others are read like any table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from trueup.connectors.logs.formats.header import distinct
from trueup.connectors.logs.formats.opening import CUT_HINT, unreadable
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trueup.connectors.logs.spec import LogSpec
    from trueup.kernel.progress import Progress

_MAGIC = b"PAR1"


class Columnar:
    """A Parquet file, as text except for its timestamps.

    Raises DataError: `truncated`, `damaged`, `not-a-log`.
    """

    complete = True

    def __init__(self, path: Path) -> None:
        self._path = path
        schema = self._schema()
        flat = [(position, field) for position, field in enumerate(schema) if not pa.types.is_nested(field.type)]
        self._positions = [position for position, _ in flat]
        self.columns, renamed = distinct([field.name for _, field in flat])
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        passed = (f"{path.name}: nested columns are not read: {', '.join(nested[:5])}.",) if nested else ()
        self.notes = (*renamed, *passed)
        self.types = dict(zip(self.columns, (field.type for _, field in flat), strict=True))
        self.instants = frozenset(name for name, kind in self.types.items() if pa.types.is_timestamp(kind))

    def batches(self, progress: Progress) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order."""
        try:
            with pq.ParquetFile(self._path) as file:
                done, total = 0, file.metadata.num_rows
                for batch in file.iter_batches():
                    done += batch.num_rows
                    progress(f"reading {self._path.name}", done, total)
                    columns = [_as_text(batch.column(position)) for position in self._positions]
                    yield pa.RecordBatch.from_arrays(columns, names=list(self.columns))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self._path, error) from error

    def places(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Name rows, counted from 1."""
        return tuple(f"row {row + 1}" for row in rows)

    def fits(self, spec: LogSpec) -> bool:
        """Tell whether the file may be used in place: typed times that need no zone, text in the named columns."""
        if self.notes or spec.duplicates == "drop" or not all(column in self.types for column in spec.named):
            return False
        if not all(_is_instant(self.types[column], spec.zone) for column in spec.times):
            return False
        return all(_is_text(self.types[column]) for column in (spec.case, spec.activity) if column is not None)

    def _schema(self) -> pa.Schema:
        try:
            with self._path.open("rb") as stream:
                stream.seek(0, 2)
                size = stream.tell()
                stream.seek(max(size - len(_MAGIC), 0))
                whole = size >= 12 and stream.read() == _MAGIC
            if not whole:
                raise DataError("truncated", f"{self._path.name} is a Parquet file without its end.", CUT_HINT)
            return pq.read_schema(self._path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self._path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    if isinstance(error, OSError) and error.errno is not None:
        return unreadable(path.name, error)
    first = str(error).splitlines()[0] if str(error) else "it does not decode"
    return DataError("damaged", f"{path.name} is not a sound Parquet file: {first}.", CUT_HINT)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            "bad-encoding", f"A column of the type {column.type} cannot be read as text.", "Write the column as text."
        ) from None


def _is_instant(kind: pa.DataType, zone: str | None) -> bool:
    return bool(pa.types.is_timestamp(kind) and (kind.tz is not None or (zone or "").upper() == "UTC"))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

"""Events that equal another one in every column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from trueup.connectors.logs.arrays import filled, flags, integers

if TYPE_CHECKING:
    from pathlib import Path


class Repeats:
    """Remembers eight bytes of each row while the rows pass, and names those that may have come before.

    A row is hashed as text (Python's keyed string hash, 64 bits); equal hashes are compared in full afterwards.
    """

    def __init__(self) -> None:
        self._hashes: list[pa.Array] = []

    def add(self, columns: list[pa.Array]) -> None:
        """Take the rows of a batch; all columns are text."""
        known = [filled(column, by="\0") for column in columns]
        lines = known[0] if len(known) == 1 else pc.binary_join_element_wise(*known, "\x1f")
        self._hashes.append(integers(map(hash, lines.to_pylist())))

    def suspects(self) -> pa.Array:
        """Return the numbers of the rows whose hash occurs more than once, ascending (int64)."""
        hashes = pa.concat_arrays(self._hashes) if self._hashes else integers([])
        order = pc.array_sort_indices(hashes)
        ordered = hashes.take(order)
        same = pc.equal(ordered[1:], ordered[:-1])
        no = flags(1, value=False)
        either = pc.or_(pa.concat_arrays([no, same]), pa.concat_arrays([same, no])) if len(hashes) else same
        rows = pc.cast(order.filter(either), pa.int64())
        return rows.take(pc.array_sort_indices(rows))


def repeated(path: Path, suspects: pa.Array) -> list[list[int]]:
    """Return groups of equal rows among the suspects of a normalised file, each ascending, by first row."""
    found = _rows(path, suspects)
    keys = [f"c{position}" for position in range(found.num_columns - 1)]
    renamed = found.rename_columns([*keys, "_row"])
    groups = renamed.group_by(keys, use_threads=False).aggregate([("_row", "list")])
    listed: list[list[int]] = groups.column("_row_list").to_pylist()
    return sorted(sorted(rows) for rows in listed if len(rows) > 1)


def _rows(path: Path, wanted: pa.Array) -> pa.Table:
    with pq.ParquetFile(path) as file:
        chosen = [batch.filter(pc.is_in(batch.column("_row"), value_set=wanted)) for batch in file.iter_batches()]
        return pa.Table.from_batches(chosen, file.schema_arrow)

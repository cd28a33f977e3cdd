"""Events that lie in two parts of one log. Eight bytes of each row are kept beside its part, and compared."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from trueup.connectors.logs.arrays import filled
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from trueup.connectors.logs.cache import LogCache
    from trueup.connectors.logs.spec import LogSpec, NormalisedLog

_ROW = "_row"
_EXAMPLES = 3


def require_no_repeats(folder: str, logs: Mapping[str, NormalisedLog], kept: LogCache, spec: LogSpec) -> None:
    """Refuse events that equal one of another part in every column. Raises DataError `duplicate-events`."""
    names = list(logs)
    hashes = [_hashes(log, kept, spec) for log in logs.values()]
    part = pa.concat_arrays([pa.array([at] * len(one), pa.int32()) for at, one in enumerate(hashes)])
    row = pa.concat_arrays([pa.array(range(len(one)), pa.int64()) for one in hashes])
    every = pa.table({"hash": pa.concat_arrays(hashes), "part": part, "row": row})
    counted = every.group_by("hash").aggregate([("part", "count")])
    twice = counted.filter(pc.greater(counted["part_count"], 1))["hash"].combine_chunks()
    if not len(twice):
        return
    # Equal hashes may be of different rows: compared in full.
    seen: dict[bytes, tuple[str, int]] = {}
    found: list[str] = []
    suspects = every.filter(pc.is_in(every["hash"], value_set=twice))
    for place, name in enumerate(names):
        wanted = suspects.filter(pc.equal(suspects["part"], place))["row"].to_pylist()
        lines = _lines_at(logs[name].path, set(wanted))
        found += [
            f"{name} row {at + 1} = {seen[line][0]} row {seen[line][1] + 1}" for at, line in lines if line in seen
        ]
        seen |= {line: (name, at) for at, line in lines}
    if found:
        raise DataError(
            "duplicate-events",
            f"{len(found)} events of {folder} lie in two of its files: {'; '.join(found[:_EXAMPLES])}.",
            "Take them out of one of the files; or write `duplicates: keep` in the data, if they happened twice.",
        )


def _hashes(log: NormalisedLog, kept: LogCache, spec: LogSpec) -> pa.Array:
    """The hash of every row of a part, in order: as it was kept beside the part, or computed and kept."""
    path = kept.beside(log, spec)
    known = kept.recall(path)
    if known is not None and len(known) == 8 * log.rows:
        return pa.Array.from_buffers(pa.int64(), log.rows, [None, pa.py_buffer(known)])
    found = b"".join(blake2b(line, digest_size=8).digest() for line in _lines(log.path))
    kept.remember(path, found)
    return pa.Array.from_buffers(pa.int64(), len(found) // 8, [None, pa.py_buffer(found)])


def _lines(path: Path) -> Iterator[bytes]:
    with pq.ParquetFile(path) as file:
        columns = sorted(name for name in file.schema_arrow.names if name != _ROW)
        for batch in file.iter_batches(columns=columns):
            texts = [filled(pc.cast(batch.column(name), pa.string()), by="\0") for name in columns]
            lines = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "\x1f")
            yield from (line.encode("utf-8", "surrogatepass") for line in lines.to_pylist())


def _lines_at(path: Path, rows: set[int]) -> list[tuple[int, bytes]]:
    return [(at, line) for at, line in enumerate(_lines(path)) if at in rows] if rows else []

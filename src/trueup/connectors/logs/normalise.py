"""A log in any of the usual formats goes in; one checked Parquet file with instants in UTC comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from trueup.connectors.logs.arrays import integers
from trueup.connectors.logs.building import ROW, build, check_in_place, write
from trueup.connectors.logs.cache import LogCache, cannot_write
from trueup.connectors.logs.digests import fingerprint
from trueup.connectors.logs.formats.columnar import Columnar
from trueup.connectors.logs.formats.delimited import Delimited
from trueup.connectors.logs.formats.opening import CUT_HINT, look, unreadable
from trueup.connectors.logs.formats.xes import Xes
from trueup.connectors.logs.repeats import repeated
from trueup.connectors.logs.spec import LogSpec, NormalisedLog
from trueup.connectors.logs.zones import check_zone
from trueup.kernel.errors import DataError
from trueup.kernel.progress import called

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.connectors.logs.building import Pass
    from trueup.connectors.logs.formats.opening import Found
    from trueup.connectors.logs.formats.source import Source
    from trueup.kernel.canonical import Json
    from trueup.kernel.progress import Progress

__all__ = ["LogSpec", "NormalisedLog", "normalised"]

_EXAMPLES = 3


def normalised(path: Path, spec: LogSpec, cache: Path, progress: Progress) -> NormalisedLog:
    """Return a log in the form that is measured: see the reference of data for formats, refusals and zones.

    The file returned has every column of the source under its own name as text (null where the text is one of
    `spec.missing`; never in the case and activity columns), the columns in `spec.times`, and those that an XES log
    declares as dates, as timestamp[us] in UTC, and `_row`, the number of the row in the source from 0.
    A Parquet source whose times are typed is checked and returned as it lies (no `_row`; its own types and nulls).
    Nothing is returned of a log that is not read whole.
    `cache` may be deleted at any time.

    Raises DataError for what speaks against the log, StorageError when `cache` cannot be written.
    """
    check_zone(spec.zone, path.name)
    kept = LogCache(cache)
    before = _stat(path)
    digest = kept.digests.of(path, progress)
    name = kept.name(path, digest, spec)
    found = kept.get(name, path, progress)
    if found is None:
        _read(path, spec, kept, progress, digest=digest, name=name)
        if _stat(path) != before:
            raise DataError("changed-while-read", f"{path.name} changed while it was read.", "Run the command again.")
        found = kept.get(name, path, progress)
    if found is None:
        raise cannot_write(cache, OSError("what was written does not read back"))
    return found


def _read(path: Path, spec: LogSpec, kept: LogCache, progress: Progress, *, digest: str, name: str) -> None:
    inside = look(path)
    source = _source(path, inside, spec)
    about: dict[str, Json] = {"digest": digest, "columns": list(source.columns)}
    if isinstance(source, Columnar) and source.fits(spec):
        checked = check_in_place(source, spec, progress)
        # Where two rows look alike they are compared in full, and put into words, on the way through a copy.
        if not len(checked.repeats.suspects()):
            kept.approve(name, {**about, "rows": checked.rows, "notes": []})
            return
    with kept.building() as target:
        reading = build(source, spec, target, progress)
        cut = _refuse_cut(inside, spec, reading)
        dropped = _without_repeats(target, spec, reading, source)
        notes = [*inside.notes, *source.notes, *reading.notes(), *cut, *_said_dropped(dropped)]
        columns = list(source.columns)
        about = {"digest": digest, "rows": reading.rows - dropped, "columns": columns, "notes": notes}
        kept.put(target, name, about, called(f"sealing what was read of {path.name}", progress))


def _source(path: Path, inside: Found, spec: LogSpec) -> Source:
    if inside.format == "parquet":
        return Columnar(path)
    return Xes(path, inside.name) if inside.format == "xes" else Delimited(path, inside.name, spec.named)


def _refuse_cut(inside: Found, spec: LogSpec, reading: Pass) -> list[str]:
    """Refuse a table that ends in the middle of its last case; return what to note where that is accepted."""
    cut = reading.ending.cut() if inside.format == "csv" else None
    if cut is None:
        return []
    said = (
        f"{inside.name} looks cut off after {reading.rows} events: its last case, {cut.case!r}, stops at "
        f"{cut.stops_at!r}, while the log goes on for long after that and nearly all of the other {cut.others} cases "
        f"end with {cut.end_at!r}."
    )
    if spec.truncated == "accept":
        return [said]
    raise DataError("truncated", said, f"{CUT_HINT} If it is whole, write `truncated: accept` in the data.")


def _without_repeats(target: Path, spec: LogSpec, reading: Pass, source: Source) -> int:
    """Refuse repeated events, or take all but the first of each out of the file; return how many were taken out."""
    suspects = reading.repeats.suspects()
    groups = repeated(target, suspects) if len(suspects) else []
    if not groups:
        return 0
    extra = [row for group in groups for row in group[1:]]
    if spec.duplicates == "drop":
        _drop(target, reading.schema, integers(extra))
        return len(extra)
    examples = "; ".join(" = ".join(source.places(group[:2])) for group in groups[:_EXAMPLES])
    raise DataError(
        "duplicate-events",
        f"{len(extra)} events equal an earlier one in every column: {examples}.",
        "If they are copies, write `duplicates: drop` in the data; if they happened twice, `duplicates: keep`.",
    )


def _drop(target: Path, schema: pa.Schema, rows: pa.Array) -> None:
    copy = target.with_suffix(".dropped.partial")
    try:
        with pq.ParquetFile(target) as file:
            chosen = (
                batch.filter(pc.invert(pc.is_in(batch.column(ROW), value_set=rows))) for batch in file.iter_batches()
            )
            write(copy, schema, chosen)
        copy.replace(target)
    finally:
        copy.unlink(missing_ok=True)


def _said_dropped(dropped: int) -> list[str]:
    return [f"{dropped} events were left out: each equals an earlier one in every column."] if dropped else []


def _stat(path: Path) -> list[int]:
    try:
        return fingerprint(path.stat())
    except OSError as error:
        raise unreadable(path.name, error) from error

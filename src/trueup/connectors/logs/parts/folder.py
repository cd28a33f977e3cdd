"""A folder of Parquet files is one log: a file that was added is read, the others are known by their digests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import parquet as pq

from trueup.connectors.logs.cache import LogCache
from trueup.connectors.logs.formats.opening import unreadable
from trueup.connectors.logs.normalise import normalised
from trueup.connectors.logs.parts.across import require_no_repeats
from trueup.connectors.logs.spec import NormalisedLog
from trueup.kernel.canonical import digest
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from trueup.connectors.logs.spec import LogSpec
    from trueup.kernel.progress import Progress

_MOST_PARTS = 10_000


def folder_log(folder: Path, spec: LogSpec, cache: Path, progress: Progress) -> NormalisedLog:
    """Return the log whose parts are the Parquet files in a folder and below it, as `normalised` does of a file.

    Names that begin with a dot or an underscore are passed over. The digest is that of the parts' names and digests.
    Raises as `normalised`, and DataError: `data-empty` without a part, `not-a-log` for other files and for folders
    named like `year=2025` (what such a name says is in no row), `columns-differ`, `duplicate-events` for an event that
    lies in two parts.
    """
    paths = _parts(folder)
    logs = {}
    for number, (name, path) in enumerate(paths.items()):
        progress(f"reading {folder.name}", number, len(paths))
        logs[name] = normalised(path, spec, cache, progress)
    whole = digest([[name, log.digest] for name, log in logs.items()])
    kept = LogCache(cache)
    checked = kept.checked(folder, whole, spec)
    if not checked.exists():
        _require_alike(folder, {name: log.path for name, log in logs.items()})
        if spec.duplicates != "keep" and spec.case is not None:
            require_no_repeats(folder.name, logs, kept, spec)
        kept.note(checked, json.dumps(list(logs)))
    notes = [f"{name}: {note}" for name, log in logs.items() for note in log.notes]
    parts = tuple(log.path for log in logs.values())
    columns = next(iter(logs.values())).columns
    return NormalisedLog(folder, whole, sum(log.rows for log in logs.values()), columns, tuple(notes), parts)


def _parts(folder: Path) -> dict[str, Path]:
    """The files of a folder by their names in it, in order."""
    found: dict[str, Path] = {}
    for where, folders, files in os.walk(folder, onerror=_refused):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        named = next((name for name in folders if "=" in name), None)
        if named is not None:
            raise DataError(
                "not-a-log",
                f"{folder.name} has the folder {named!r}: what its name says stands in no row.",
                "Write that column into the files, and name the folders without `=`.",
            )
        for name in files:
            if not name.startswith((".", "_")):
                path = Path(where, name)
                found[path.relative_to(folder).as_posix()] = path
    other = next((name for name in sorted(found) if not name.endswith(".parquet")), None)
    if other is not None:
        raise DataError(
            "not-a-log",
            f"{folder.name} holds {other!r}, which is no Parquet file.",
            "A folder is read when it holds Parquet files only; name one file as the source, or move the others away.",
        )
    if not found:
        raise DataError("data-empty", f"{folder.name} holds no Parquet file.", "Put the parts of the log there.")
    if len(found) > _MOST_PARTS:
        raise DataError(
            "not-a-log", f"{folder.name} holds {len(found):,} files; {_MOST_PARTS:,} are read.", "Write larger ones."
        )
    return dict(sorted(found.items()))


def _refused(error: OSError) -> None:
    raise unreadable(Path(str(error.filename)).name, error)


def _require_alike(folder: Path, paths: dict[str, Path]) -> None:
    """Every part has the columns of the first, of the same types, whatever their order."""
    kinds = {name: {field.name: str(field.type) for field in pq.read_schema(path)} for name, path in paths.items()}
    (first, expected), *rest = kinds.items()
    for name, found in rest:
        differing = next((key for key in sorted(found | expected) if found.get(key) != expected.get(key)), None)
        if differing is not None:
            mine, other = (kind.get(differing, "not there") for kind in (expected, found))
            raise DataError(
                "columns-differ",
                f"In {folder.name} the column {differing!r} is {mine} in {first}, and {other} in {name}.",
                "Write all parts with the same columns of the same types.",
            )

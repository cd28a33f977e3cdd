"""The declared sources as they are read: each when it is first asked for, by the settings that the files give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.connectors.logs.cache import LogCache
from trueup.connectors.logs.spec import LogSpec
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from trueup.connectors.logs.spec import NormalisedLog
    from trueup.declare.programme import Programme
    from trueup.kernel.progress import Progress


class LogPaths(Mapping[str, Path | tuple[Path, ...]]):
    """Where each data source's events lie; a source is read when it is first asked for."""

    def __init__(self, programme: Programme, progress: Progress, cache: Path) -> None:
        self._programme = programme
        self._progress = progress
        self._cache = cache
        self._opened: dict[str, NormalisedLog] = {}

    def __getitem__(self, name: str) -> Path | tuple[Path, ...]:
        """Return the Parquet file of the source's events, or the parts of a folder. Raises DataError as `log`."""
        log = self.log(name)
        return log.parts or log.path

    def __iter__(self) -> Iterator[str]:
        return iter(self._programme.file.data)

    def __len__(self) -> int:
        return len(self._programme.file.data)

    def log(self, name: str) -> NormalisedLog:
        """Read a source, or find it read already. Raises DataError when it cannot be read as declared."""
        if name not in self._opened:
            self._opened[name] = self._read(name)
        return self._opened[name]

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a source's bytes."""
        return self.log(name).digest

    def content(self, name: str) -> str:
        """Return what stands for a source as it is read: its bytes, its name and how it is declared to be read."""
        log = self.log(name)
        path = self._programme.root / str(self._programme.file.data[name].source)
        return LogCache(self._cache).name(path, log.digest, log_spec(self._programme, name))

    def digests(self) -> dict[str, str]:
        """Return the digests of the sources that were asked for."""
        return {name: log.digest for name, log in sorted(self._opened.items())}

    def _read(self, name: str) -> NormalisedLog:
        from trueup.connectors.logs.normalise import normalised
        from trueup.connectors.logs.parts.folder import folder_log

        declared = self._programme.file.data.get(name)
        if declared is None or not isinstance(declared.source, str):
            raise DataError(
                "data-not-declared",
                f"The data source {name!r} names no file.",
                f"Write `source:` under data.{name} in programme.yaml.",
            )
        self._progress(f"reading {declared.source}")
        path = self._programme.root / declared.source
        read = folder_log if path.is_dir() else normalised
        return read(path, log_spec(self._programme, name), self._cache, self._progress)


def log_spec(programme: Programme, name: str) -> LogSpec:
    """Return how a data source is to be read: its own settings, and the columns that workflows take from it."""
    declared = programme.file.data[name]
    readers = [
        workflow.events
        for _, workflow in sorted(programme.workflows.items())
        if workflow.events is not None and workflow.events.data == name
    ]
    times = dict.fromkeys(events.at for events in readers if events.at is not None)
    return LogSpec(
        times=tuple(times),
        zone=declared.zone,
        dates=declared.dates,
        missing=declared.missing,
        case=next((events.case for events in readers if events.case), None),
        activity=next((events.activity for events in readers if events.activity), None),
        duplicates=declared.duplicates,
        truncated=declared.truncated,
    )

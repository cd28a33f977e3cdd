"""Where normalised logs are kept between commands. It is only a cache: deleting it loses nothing."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.connectors.logs.digests import FileDigests
from trueup.connectors.logs.spec import NormalisedLog
from trueup.kernel.canonical import canonical, digest
from trueup.kernel.errors import DataError, StorageError
from trueup.kernel.files import sync_folder, write_durably
from trueup.kernel.progress import called

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.connectors.logs.spec import LogSpec
    from trueup.kernel.canonical import Json
    from trueup.kernel.progress import Progress

# Part of every name: a change of what is written must not meet files of before.
_VERSION = 1
_ABANDONED_NS = 3_600 * 1_000_000_000


class LogCache:
    """Normalised logs in a folder, each under a name made from the source's bytes, its name and the specification."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.digests = FileDigests(folder / "digests")

    def name(self, source: Path, source_digest: str, spec: LogSpec) -> str:
        """Return the name under which a log read in this way is kept: it stands for the content of the source."""
        asked = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(spec).items()}
        key = digest({"version": _VERSION, "digest": source_digest, "name": source.name, "spec": asked})
        return f"{key.removeprefix('sha256:')[:32]}.parquet"

    def get(self, name: str, source: Path, progress: Progress) -> NormalisedLog | None:
        """Return the log kept under a name; None where there is none, or it is not what was put there."""
        path = self._folder / name
        try:
            about = json.loads(self._about(path).read_bytes())
            if about["sealed"] is None:
                path = source
            elif self.digests.of(path, called(f"checking what was read of {source.name}", progress)) != about["sealed"]:
                return None
            return NormalisedLog(path, about["digest"], about["rows"], tuple(about["columns"]), tuple(about["notes"]))
        except (OSError, ValueError, KeyError, TypeError, DataError):
            return None

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Yield the path of a file to write; whatever is left of it afterwards is removed.

        Raises StorageError where nothing can be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, text = tempfile.mkstemp(suffix=".partial", prefix=".", dir=self._folder)
            os.close(descriptor)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        path = Path(text)
        self._sweep(path)
        try:
            yield path
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def approve(self, name: str, about: dict[str, Json]) -> None:
        """Remember that a source was checked and may be used where it lies. Raises StorageError."""
        write_durably(self._about(self._folder / name), canonical({**about, "sealed": None}))

    def put(self, built: Path, name: str, about: dict[str, Json], progress: Progress) -> None:
        """Keep a built file under a name, with its `digest`, `rows`, `columns` and `notes`.

        All of the file is on disk before the name is, and what is said about it comes last.

        Raises StorageError; what was kept before is then still there.
        """
        path = self._folder / name
        try:
            with built.open("rb") as stream:
                os.fsync(stream.fileno())
            sealed = self.digests.of(built, progress)
            self._about(path).unlink(missing_ok=True)
            built.replace(path)
            sync_folder(self._folder)
        except (OSError, DataError) as error:
            raise cannot_write(self._folder, error) from error
        write_durably(self._about(path), canonical({**about, "sealed": sealed}))

    def checked(self, folder: Path, whole: str, spec: LogSpec) -> Path:
        """Return the file whose presence says that the parts of a folder were compared with each other."""
        return self._folder / Path(self.name(folder, whole, spec)).with_suffix(".checked")

    def note(self, path: Path, text: str) -> None:
        """Write what was found out. Raises StorageError."""
        write_durably(path, text.encode())

    def beside(self, log: NormalisedLog, spec: LogSpec) -> Path:
        """Return where more may be kept about a log that was read."""
        return self._folder / Path(self.name(log.path, log.digest, spec)).with_suffix(".rows")

    def remember(self, path: Path, content: bytes) -> None:
        """Keep bytes under their SHA-256. Raises StorageError."""
        write_durably(path, sha256(content).digest() + content)

    def recall(self, path: Path) -> bytes | None:
        """Return bytes that were kept whole, or None."""
        try:
            found = path.read_bytes()
        except OSError:
            return None
        return found[32:] if sha256(found[32:]).digest() == found[:32] else None

    def _about(self, path: Path) -> Path:
        return path.with_suffix(".json")

    def _sweep(self, newest: Path) -> None:
        """Remove what a killed command left an hour or more ago, by the clock of the file system."""
        with suppress(OSError):
            now = newest.stat().st_mtime_ns
            for path in self._folder.glob(".*.partial"):
                if now - path.stat().st_mtime_ns > _ABANDONED_NS:
                    path.unlink(missing_ok=True)


def cannot_write(folder: Path, error: Exception) -> StorageError:
    """Put a full disk or a read-only folder into words."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StorageError(
        "cannot-write",
        f"A readable copy of the log could not be kept in {folder.name}: {reason}.",
        "Nothing was changed. Make room, or make the folder writable, and run the command again.",
    )

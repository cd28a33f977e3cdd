"""Files are replaced whole or not at all."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that after a crash it holds either what it held before or all of `content`.

    Raises StorageError (a full disk, a read-only folder) with the old file intact.
    """
    # One for each who writes: two that write the same file at once must not cut off what the other has begun.
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StorageError(
            "cannot-write",
            f"{path.name} could not be written: {error.strerror or error}.",
            "Nothing was changed. Make room, or make the folder writable, and run the command again.",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the operating system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Where answers about logs are kept between commands: only a cache, whose damage is noticed and computed away."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.connectors.logs.declared import LogPaths

# Of one subject: the state before the last change, for who goes back and forth between two, and one more.
_STATES = 3
# What decides which figures come out: the rooms that read and compute, and the libraries that they ask.
_ROOMS = ("kernel", "declare/model", "observe", "backends", "connectors/logs")
_LIBRARIES = ("duckdb", "ibis-framework", "numpy", "pyarrow", "holidays")


class KeptAnswers:
    """Answers in a folder; see `Answers`. Each file begins with the SHA-256 of the rest: a damaged one is none.

    A folder that cannot be written keeps nothing and stops nobody.
    """

    def __init__(self, folder: Path, logs: LogPaths, version: str) -> None:
        self._folder = folder
        self._logs = logs
        self._version = version

    def content(self, data: str) -> str | None:
        """Return the digest of a log as it is read. Raises DataError."""
        return self._logs.content(data)

    def get(self, subject: str, name: str) -> bytes | None:
        """Return an answer that was kept whole."""
        try:
            found = (self._folder / self._name(subject, name)).read_bytes()
        except OSError:
            return None
        seal, answer = found[:32], found[32:]
        return answer if hashlib.sha256(answer).digest() == seal else None

    def put(self, subject: str, name: str, answer: bytes) -> None:
        """Keep an answer in place of the oldest to the same subject."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, built = tempfile.mkstemp(suffix=".partial", prefix=".", dir=self._folder)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(hashlib.sha256(answer).digest() + answer)
            Path(built).replace(self._folder / self._name(subject, name))
            self._forget(subject)

    def _forget(self, subject: str) -> None:
        kept = sorted(self._folder.glob(f"{_short(subject)}-*"), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-_STATES]:
            path.unlink(missing_ok=True)

    def _name(self, subject: str, name: str) -> str:
        return f"{_short(subject)}-{_short(self._version + name)}"


@cache
def version_of_answers() -> str:
    """Return the digest of all code that an answer depends on, and of the versions of its libraries."""
    state = hashlib.sha256()
    package = Path(__file__).parents[2]
    for room in _ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            state.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    for library in _LIBRARIES:
        state.update(f"{library} {metadata.version(library)}\n".encode())
    return state.hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

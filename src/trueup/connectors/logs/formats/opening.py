"""From a path to the bytes of one log: compression and archives are peeled off as a stream, never unpacked to disk."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Literal, Self, TypeVar, cast

from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from trueup.kernel.progress import Progress

Format = Literal["csv", "xes", "parquet"]
T = TypeVar("T")

_LAYERS = 4
_LOGS = (".csv", ".tsv", ".txt", ".xes", ".xml", ".parquet", ".gz", ".zip")
CUT_HINT = "Fetch the file again from where it came from; compare its size with the original."


@dataclass(frozen=True, slots=True)
class Found:
    """What lies inside a file: its format, the name of the innermost file, and what was passed over."""

    format: Format
    name: str
    notes: tuple[str, ...]


class Opening:
    """The decompressed bytes of a log, as a readable stream.

    Reading raises DataError (`truncated`, `damaged`, `data-unreadable`) where the file does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self.notes: list[str] = []
        self.name = path.name
        self.packed = False
        try:
            self._raw = self._stack.enter_context(_guarded(path.name, lambda: path.open("rb")))
            self._stream, self.format = self._peel(self._raw)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; empty at the end."""
        return _guarded(self.name, lambda: self._stream.read(size))

    def report(self, progress: Progress) -> None:
        """Tell how far into the file on disk the reading is."""
        progress(f"reading {self._path.name}", self._raw.tell(), self._path.stat().st_size)

    def _peel(self, raw: IO[bytes]) -> tuple[IO[bytes], Format]:
        stream = raw
        for _ in range(_LAYERS):
            head = _guarded(self.name, partial(_peek, stream))
            if head.startswith(b"\x1f\x8b"):
                opened = gzip.GzipFile(fileobj=stream, mode="rb")
                stream = io.BufferedReader(self._stack.enter_context(opened))
            elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                stream = io.BufferedReader(cast("io.RawIOBase", self._member(stream)))
            else:
                return stream, _format_of(head, self.name)
            self.packed = True
        raise DataError("not-a-log", f"{self.name} is packed more than {_LAYERS} times over.", "Unpack it once.")

    def _member(self, stream: IO[bytes]) -> IO[bytes]:
        archive = _guarded(self.name, lambda: zipfile.ZipFile(stream))
        self._stack.callback(archive.close)
        member = self._only_member(archive)
        if member.flag_bits & 1:
            raise DataError(
                "not-a-log", f"{self.name} is encrypted.", "Unpack it with its password and name the file inside."
            )
        opened = _guarded(self.name, lambda: archive.open(member))
        self.name = member.filename.rsplit("/", 1)[-1]
        return self._stack.enter_context(opened)

    def _only_member(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if any(member.filename == "[Content_Types].xml" for member in files):
            raise DataError("not-a-log", f"{self.name} is an office document.", "Save the sheet as CSV and name that.")
        logs = [member for member in files if _may_be_log(member.filename)]
        if not logs:
            raise DataError("data-empty", f"{self.name} holds no log.", "It should hold one CSV or XES file.")
        if len(logs) > 1:
            names = ", ".join(repr(member.filename) for member in logs[:5])
            raise DataError(
                "several-files-in-zip",
                f"{self.name} holds {len(logs)} files that could be the log: {names}.",
                "Unpack it and name the one that is meant as the source.",
            )
        passed = [member.filename for member in files if member is not logs[0] and "__MACOSX" not in member.filename]
        if passed:
            self.notes.append(f"{self.name}: not read, because no log: {', '.join(passed[:5])}.")
        return logs[0]


def look(path: Path) -> Found:
    """Say what a file holds.

    Raises DataError: `data-not-found`, `data-unreadable`, `not-a-log`, `data-empty`, `several-files-in-zip`,
    `truncated`, `damaged`.
    """
    with Opening(path) as opening:
        if opening.format == "parquet" and opening.packed:
            raise DataError("not-a-log", f"{path.name} holds a packed Parquet file.", "Unpack it and name the file.")
        return Found(opening.format, opening.name, tuple(opening.notes))


def _peek(stream: IO[bytes]) -> bytes:
    return cast("io.BufferedReader", stream).peek(4096)[:4096]


def _may_be_log(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return not name.startswith("__MACOSX/") and not base.startswith(".") and base.lower().endswith(_LOGS)


def _format_of(head: bytes, name: str) -> Format:
    if not head:
        raise DataError("data-empty", f"{name} is empty.", "Export the log again; it should hold at least one event.")
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") or _is_utf16_markup(head):
        return "xes"
    if name.lower().endswith((".json", ".jsonl", ".ndjson")):
        raise DataError("not-a-log", f"{name} is JSON.", "Logs are read from CSV, Parquet and XES; export it as one.")
    return "csv"


def _is_utf16_markup(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe<\x00", b"\xfe\xff\x00<"))


def _guarded(name: str, act: Callable[[], T]) -> T:
    """Run a reading step; what the compression or the disk objects to becomes a DataError."""
    try:
        return act()
    except EOFError:
        raise DataError("truncated", f"{name} ends in the middle of its compressed data.", CUT_HINT) from None
    except zipfile.BadZipFile as error:
        if "not a zip" in str(error) or "central directory" in str(error):
            raise DataError("truncated", f"{name} is a zip archive without its end.", CUT_HINT) from None
        raise DataError("damaged", f"{name} does not unpack: {error}.", CUT_HINT) from None
    except (zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise DataError("damaged", f"{name} does not unpack: {error}.", CUT_HINT) from None
    except (NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError("not-a-log", f"{name} cannot be unpacked: {error}.", "Unpack it with its own tool.") from None
    except OSError as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: OSError) -> DataError:
    """Put an operating system's refusal to let a file be read into words."""
    if isinstance(error, FileNotFoundError):
        return DataError(
            "data-not-found", f"There is no file {name}.", "Put it there, or correct `source` in the data."
        )
    if isinstance(error, IsADirectoryError):
        return DataError("not-a-log", f"{name} is a folder.", "Name one file in it as the source.")
    return DataError(
        "data-unreadable",
        f"{name} cannot be read: {error.strerror or error}.",
        "Let the user who runs this command read the file.",
    )

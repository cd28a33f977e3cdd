"""Bytes that are known to be text: the encoding is checked while the stream passes, and offences get a line number."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from trueup.connectors.logs.formats.opening import Opening
    from trueup.kernel.progress import Progress

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Text(io.RawIOBase):
    """The content of an opening as UTF-8 without a byte-order mark; UTF-16 with a mark is converted.

    Raises DataError: `bad-encoding` (neither), `not-a-log` (binary).
    """

    def __init__(self, opening: Opening, progress: Progress) -> None:
        super().__init__()
        self._opening = opening
        self._progress = progress
        self._lines = 1
        self._ready = b""
        self._last = b""
        head = opening.read(4096)
        mark = next((mark for mark in _UTF16 if head.startswith(mark)), None)
        self._encoding = _UTF16[mark] if mark else "utf-8"
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._finished = False
        self._ready = self._screened(head.removeprefix(mark or codecs.BOM_UTF8))

    def readable(self) -> bool:
        """Return True: this is a stream for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes of UTF-8; empty only at the end."""
        wanted = 1 << 20 if size < 0 else size
        while not self._ready and not self._finished:
            # Two bytes of UTF-16 become at most three of UTF-8: half the size always fits.
            raw = self._opening.read(max(wanted // 2, 2))
            self._opening.report(self._progress)
            self._ready = self._screened(raw)
        out, self._ready = self._ready[:wanted], self._ready[wanted:]
        self._last = out[-1:] or self._last
        return out

    def take(self, size: int) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        missing = size
        while missing and (part := self.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer, as buffered readers ask for it."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    @property
    def ended_line(self) -> bool:
        """True where the last byte read ends a line."""
        return self._last in (b"\n", b"\r")

    def _screened(self, raw: bytes) -> bytes:
        if not raw:
            self._finished = True
        text = self._checked(lambda: self._decoder.decode(raw, final=not raw))
        if "\0" in text:
            line = self._lines + text[: text.index("\0")].count("\n")
            raise DataError(
                "not-a-log",
                f"{self._opening.name} is not text: line {line} holds a zero byte.",
                "Export the log as CSV in UTF-8, as Parquet or as XES.",
            )
        self._lines += text.count("\n")
        return raw if self._encoding == "utf-8" else text.encode()

    def _checked(self, decode: Callable[[], str]) -> str:
        try:
            return decode()
        except UnicodeDecodeError as error:
            line = self._lines + bytes(error.object[: error.start]).count(b"\n")
            raise DataError(
                "bad-encoding",
                f"{self._opening.name} is not UTF-8: line {line} holds the byte 0x{error.object[error.start]:02x}.",
                "Export it as UTF-8, or convert it:\n\n"
                f"    iconv -f WINDOWS-1252 -t UTF-8 {self._opening.name} > utf8-{self._opening.name}",
            ) from None

"""Bytes -> text: a declared file is read whole, or it is a finding; nothing is read that cannot be one."""

from __future__ import annotations

import itertools
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trueup.declare.reading.problems import problem
from trueup.kernel.canonical import digest_bytes
from trueup.kernel.finding import Finding, Span

# A thousand pages of YAML; beyond it a file is data, not a declaration.
LARGEST_BYTES = 4_000_000
_TODO = re.compile(r"(?:^|\s)(?P<mark># ?TODO)\b:?(?P<what>.{0,120})")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a declared file (without a byte order mark), and the SHA-256 of its bytes."""

    file: str
    text: str
    digest: str


def read_source(root: Path, file: str) -> Source | Finding:
    """Read one file, relative to the programme's folder. Whatever stands in the way is returned as FILE01.

    A file's size is looked at before its content, so that a huge one costs nothing.
    """
    path = root / file
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket or a device"
            return _unreadable(file, f"{file} is {what}, not a file.", "Put a YAML file there, or remove it.")
        if status.st_size > LARGEST_BYTES:
            return _too_large(file, status.st_size)
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        return _unreadable(file, f"{file} cannot be opened: {error.strerror or error}.", "Make the file readable.")
    return _too_large(file, len(content)) if len(content) > LARGEST_BYTES else decoded(file, content)


def decoded(file: str, content: bytes) -> Source | Finding:
    """Read bytes as UTF-8 text, or say at which byte and line they are not."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unreadable(file, "The file is UTF-16 text; declared files are UTF-8.", "Save it as UTF-8.")
    zero = content.find(b"\0")
    if zero >= 0:
        detail = f"Byte {zero + 1} is zero, so this is a binary file and not YAML."
        return _unreadable(file, detail, "Write YAML there, or move the file elsewhere.", _at(content, zero))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        detail = f"Byte {error.start + 1} (0x{byte:02x}) is not UTF-8; it may come from an older Windows encoding."
        return _unreadable(file, detail, "Save the file as UTF-8.", _at(content, error.start))
    return Source(file, text.removeprefix(_BYTE_ORDER_MARK), digest_bytes(content))


def open_questions(source: Source) -> Iterator[Finding]:
    """Yield what comments with TODO say is still to be answered; of a file full of them, the first hundred."""
    return itertools.islice(_open_questions(source), 100)


def _open_questions(source: Source) -> Iterator[Finding]:
    if "TODO" not in source.text:
        return
    for number, line in enumerate(source.text.split("\n"), start=1):
        match = _TODO.search(line)
        if match is not None:
            where = Span(source.file, number, match.start("mark") + 1)
            detail = f"Still open: {match['what'].strip() or 'the comment does not say what'}."
            yield problem("FILE03", where, detail, "Write the value, and delete the comment.")


def _at(content: bytes, offset: int) -> tuple[int, int]:
    before = content[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", errors="replace"))
    return before.count(b"\n") + 1, column + 1


def _too_large(file: str, size: int) -> Finding:
    detail = f"The file has {size:,} bytes; a declared file has at most {LARGEST_BYTES:,}, so it was not read."
    return _unreadable(file, detail, "Keep data in its own file, and name that file under `data` in programme.yaml.")


def _unreadable(file: str, detail: str, fix: str, at: tuple[int, int] = (1, 1)) -> Finding:
    return problem("FILE01", Span(file, *at), detail, fix)

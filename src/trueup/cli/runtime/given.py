"""What a command is given as a file, or on standard input: read as strictly as a request."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.kernel.canonical import Json

_STANDARD_INPUT = Path("-")


def arguments(file: Path) -> Mapping[str, Json]:
    """Read the arguments of an action; UsageError for what a request could not hold."""
    from trueup.enforce.request import UnfitRequestError, read_arguments

    try:
        return read_arguments(content(file))
    except UnfitRequestError as error:
        raise UsageError("bad-arguments", f"{file.name} cannot be used: {error}", "Write a JSON object.") from None


def content(file: Path) -> bytes:
    """Read a file, or standard input for `-`; only as much of it as tells that it is too large."""
    from trueup.enforce.request import LARGEST_REQUEST

    if file == _STANDARD_INPUT:
        return sys.stdin.buffer.read(LARGEST_REQUEST + 1)
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST_REQUEST + 1)
    except OSError as error:
        raise UsageError("cannot-read", f"{str(file)!r} cannot be read: {error.strerror}.", "Name a file.") from None

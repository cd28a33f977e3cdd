"""Progress on stderr for anything that takes over two seconds; silent where nobody watches."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trueup.kernel.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.kernel.progress import Progress

_QUIET_SECONDS = 2.0


@contextmanager
def progress_on_stderr() -> Iterator[Progress]:
    """Yield a reporter that draws one line on stderr once two seconds have passed, and clears it at the end."""
    started = time.monotonic()
    interactive = sys.stderr.isatty()
    shown: list[str] = []

    def report(label: str, done: float = 0.0, total: float | None = None) -> None:
        if time.monotonic() - started < _QUIET_SECONDS:
            return
        share = f" {100 * done / total:3.0f}%" if total else ""
        label = visible(label)
        line = f"{label}{share}"
        if interactive:
            sys.stderr.write(f"\r\x1b[2K{line[:78]}")
            sys.stderr.flush()
            shown.append(line)
        elif not shown or shown[-1] != label:
            sys.stderr.write(f"{label} ...\n")
            shown.append(label)

    try:
        yield report
    finally:
        if interactive and shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

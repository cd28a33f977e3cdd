"""A problem in declared files or in the programme's state: collected, never raised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error stops, a warning will hurt, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a declared file. `file` is relative to the programme, `line` and `col` count from 1."""

    file: str
    line: int = 1
    col: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One located problem.

    `summary` is constant for a code, so that readers learn it; names and values stand in `detail`.
    `fix` says what to do next. `waived` carries the reason of a waiver that is in force.
    """

    code: str
    severity: Severity
    summary: str
    detail: str
    fix: str
    where: Span
    waived: str | None = None

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order in which findings are shown: by place, then by code."""
        return (self.where.file, self.where.line, self.where.col, self.code, self.detail)

    def with_waiver(self, because: str) -> Finding:
        """Return the same finding, marked as waived for the reason given."""
        return replace(self, waived=because)

    def to_json(self) -> dict[str, object]:
        """Return the published form: flat, with `file`, `line`, `col`."""
        out: dict[str, object] = {
            "code": self.code,
            "severity": str(self.severity),
            "summary": self.summary,
            "detail": self.detail,
            "fix": self.fix,
            "file": self.where.file,
            "line": self.where.line,
            "col": self.where.col,
        }
        if self.waived is not None:
            out["waived"] = self.waived
        return out

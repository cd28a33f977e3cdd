"""An operation that failed: one small tree, each leaf with its exit code and HTTP status."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.kernel.finding import Finding


class Exit(IntEnum):
    """Exit codes of the command line (the contract)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    HELD = 4
    CHANGES = 5
    LEDGER_BROKEN = 6


class TrueupError(Exception):
    """An operation that failed.

    `code` is a stable word for programs, `message` one sentence for people, `hint` what to do next
    (a command to copy stands alone on an indented line).
    """

    kind: ClassVar[str] = "failed"
    exit_code: ClassVar[Exit] = Exit.FAILED
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.findings = tuple(findings)

    def to_json(self) -> dict[str, object]:
        """Return the `error` member of the envelope."""
        out: dict[str, object] = {
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }
        if self.findings:
            out["findings"] = [finding.to_json() for finding in self.findings]
        return out


class UsageError(TrueupError):
    """The command was called in a way that cannot mean anything."""

    kind = "usage"
    exit_code = Exit.USAGE
    http_status = 400


class NotFoundError(TrueupError):
    """Something that was named does not exist: a programme, a workflow, a review, an entry."""

    kind = "not-found"
    exit_code = Exit.FAILED
    http_status = 404


class DeclarationError(TrueupError):
    """The declared files that the command needs carry findings of severity error."""

    kind = "findings"
    exit_code = Exit.FINDINGS
    http_status = 422


class DataError(TrueupError):
    """A data file cannot be read as declared; nothing of it was used."""

    kind = "data"
    exit_code = Exit.FAILED
    http_status = 422


class ConflictError(TrueupError):
    """The request meets a state in which it is refused: done already, stale, registered before."""

    kind = "conflict"
    exit_code = Exit.FAILED
    http_status = 409


class NotPermittedError(TrueupError):
    """The named person may not do this."""

    kind = "not-permitted"
    exit_code = Exit.HELD
    http_status = 403


class StorageError(TrueupError):
    """The disk, the database or git refused; what was there before is still there."""

    kind = "storage"
    exit_code = Exit.FAILED
    http_status = 503


class LedgerBrokenError(TrueupError):
    """The ledger is missing, damaged or another programme's."""

    kind = "ledger"
    exit_code = Exit.LEDGER_BROKEN
    http_status = 500

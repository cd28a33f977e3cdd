"""What does not come in at all: the answer to it, and what the record is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.kernel.errors import TrueupError


class TurnedAwayError(Exception):
    """A call that nobody is known for, or that has not one plain meaning.

    `error` is what is answered, with `status`; `reason` is the word for the record and `content` what its digest is of.
    """

    def __init__(self, error: TrueupError, reason: str, content: bytes, status: int | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.reason = reason
        self.content = content
        self.status = status or error.http_status

"""What was computed from events may be kept between commands, under the digest of everything that it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from trueup.kernel.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Sequence


class Answers(Protocol):
    """A place for answers, which may lose any of them at any time.

    Guaranteed: what is returned is, byte by byte, what was put under the same name by the same version of this
    programme. Not guaranteed: that anything is returned, or that anything was written.
    """

    def content(self, data: str) -> str | None:
        """Return the digest of a source as it is read; None where its answers are not to be kept.

        Raises DataError for a source that cannot be read as declared.
        """
        ...

    def get(self, subject: str, name: str) -> bytes | None:
        """Return the answer of a name to a subject, or None."""
        ...

    def put(self, subject: str, name: str, answer: bytes) -> None:
        """Keep an answer; of one subject only some of the newest stay."""
        ...


class NoAnswers:
    """Keeps nothing."""

    def content(self, data: str) -> str | None:
        """Return None: no source has anything kept."""
        del data
        return None

    def get(self, subject: str, name: str) -> bytes | None:
        """Return None."""
        del subject, name
        return None

    def put(self, subject: str, name: str, answer: bytes) -> None:
        """Forget it."""


def named(content: str, asked: Sequence[str]) -> str:
    """Return the name of an answer: the digest of the source's content and of all that was asked of it."""
    return digest([content, *asked]).removeprefix("sha256:")

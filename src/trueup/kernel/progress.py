"""How long work tells that it is alive; who shows it is not its business."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then with what is being done, and how far it is; `total` is None when it is not known."""

    def __call__(self, label: str, done: float = 0.0, total: float | None = None) -> None:
        """Report progress."""
        ...


def silent(label: str, done: float = 0.0, total: float | None = None) -> None:
    """Report to nobody."""


def called(name: str, progress: Progress) -> Progress:
    """Return what reports the same work under another name: one for people, where a file has one for programs."""

    def report(label: str, done: float = 0.0, total: float | None = None) -> None:
        del label
        progress(name, done, total)

    return report

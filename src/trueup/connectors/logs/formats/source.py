"""What every format offers to the normaliser: batches of text, and names for places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from trueup.kernel.progress import Progress


class Source(Protocol):
    """A log in one of the formats, read from its start as often as asked."""

    @property
    def complete(self) -> bool:
        """Whether `columns` cannot grow."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; may grow while `batches` runs, where a format declares none."""
        ...

    @property
    def instants(self) -> frozenset[str]:
        """The columns that the format itself declares to hold instants."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last complete reading came across."""
        ...

    def batches(self, progress: Progress) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, as strings (or instants, where the format is typed).

        Raises DataError for anything that is not whole and well formed.
        """
        ...

    def places(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Name rows (counted from 0) as a person would look them up: `line 17`, `event 4`."""
        ...

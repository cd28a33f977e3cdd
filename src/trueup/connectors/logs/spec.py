"""What is asked of a log file, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogSpec:
    """How a log is to be read.

    `times` are the columns that hold instants, the instant of the event itself first. `zone` is the IANA zone of
    times that carry none, `dates` settles dates that could be read either way, `missing` are the texts that mean
    "no value" (never in the columns `case` and `activity`). `duplicates` says what happens to events that equal
    another in every column; `truncated` whether a table that ends in the middle of its last case is refused.
    """

    times: tuple[str, ...] = ()
    zone: str | None = None
    dates: Literal["day-first", "month-first"] | None = None
    missing: tuple[str, ...] = ("", "?")
    case: str | None = None
    activity: str | None = None
    duplicates: Literal["refuse", "drop", "keep"] = "refuse"
    truncated: Literal["refuse", "accept"] = "refuse"

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that the log must have."""
        columns = (self.case, self.activity, *self.times)
        return tuple(dict.fromkeys(column for column in columns if column is not None))


@dataclass(frozen=True, slots=True)
class NormalisedLog:
    """A log that may be used.

    `path` is a Parquet file, `digest` is `sha256:` and the hex digest of the bytes of the source. `columns` are in
    the order of the source, without `_row`. `notes` are sentences about what was read in a way that one should know.
    Where the source is a folder, that is the `path`, and `parts` are its Parquet files.
    """

    path: Path
    digest: str
    rows: int
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    parts: tuple[Path, ...] = ()

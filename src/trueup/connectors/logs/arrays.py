"""The few Arrow columns that are made here rather than read."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable


def texts(values: Iterable[str | None]) -> pa.Array:
    """Return an array of strings, null for None."""
    return pa.array(list(values), pa.string())


def integers(values: Iterable[int]) -> pa.Array:
    """Return an array of int64."""
    packed = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(packed), [None, pa.py_buffer(packed)])


def flags(count: int, *, value: bool) -> pa.Array:
    """Return `count` times the same truth value."""
    return pa.repeat(pa.scalar(value), count)


def filled(column: pa.Array, *, by: object) -> pa.Array:
    """Return a column with a value in place of its nulls."""
    return pc.coalesce(column, pa.scalar(by, column.type))

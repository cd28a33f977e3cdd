"""What observe asks of a database: the raw events as a table, and the rows of an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


class Tables(Protocol):
    """Where columns can be looked up by the name of a source."""

    def table(self, data: str) -> ir.Table:
        """Return the events of a declared data source, every source column under its own name.

        Raises DataError `data-not-found` for a source without a file.
        """
        ...


class Engine(Tables, Protocol):
    """A database that computes Ibis expressions over the declared data.

    Guaranteed: times are naive and in UTC, to the microsecond; text compares by code point and case counts;
    the columns of a source keep their names; nothing is fetched from a network; the sources are never written.

    Not guaranteed: any order of rows (whoever needs one sorts), the order in which floating-point numbers are
    added (sums that must be repeatable are sums of integers, or are made outside), how fractions beyond 10^15 or
    below 0.001 are spelt as text, that a kept table outlives the engine.
    """

    def load(self, rows: pa.Table) -> ir.Table:
        """Bring a small table of rows into the database and return it as one that can be read."""
        ...

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once and return it as one that can be read again without computing it again."""
        ...

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows."""
        ...

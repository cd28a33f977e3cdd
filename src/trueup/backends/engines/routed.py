"""Several engines behind one: each question goes to the database in which its events lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.operations as ops

from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import ibis.expr.types as ir
    import pyarrow as pa

    from trueup.observe.engine import Engine


class RoutedEngine:
    """An Engine over others. `engine_of` tells the engine of a declared source; it is asked when it is needed.

    No two engines may give a table the same name. What is loaded goes to the engine of the first question that it
    is part of. Raises StorageError `several-engines` for a question over tables of two of them.
    """

    def __init__(self, engine_of: Callable[[str], Engine]) -> None:
        self._engine_of = engine_of
        self._owners: dict[str, Engine] = {}
        self._waiting: dict[str, pa.Table] = {}
        self._loaded: dict[tuple[str, int], ir.Table] = {}

    def table(self, data: str) -> ir.Table:
        """Return the events of a source; see Engine."""
        engine = self._engine_of(data)
        return self._owned(engine.table(data), engine)

    def load(self, rows: pa.Table) -> ir.Table:
        """Hold rows until it is known which database they are asked about in; see Engine."""
        name = f"waiting_{len(self._waiting)}"
        self._waiting[name] = rows
        return ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=name)

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute a table once; see Engine."""
        engine, placed = self._placed(expr)
        return self._owned(engine.keep(placed), engine)

    def fetch(self, expr: ir.Table) -> pa.Table:
        """Compute a table and return its rows; see Engine."""
        engine, placed = self._placed(expr)
        return engine.fetch(placed)

    def _owned(self, table: ir.Table, engine: Engine) -> ir.Table:
        self._owners.update({node.name: engine for node in _tables(table)})
        return table

    def _placed(self, expr: ir.Table) -> tuple[Engine, ir.Table]:
        """Return the engine of an expression, and the expression with its loaded tables in that engine."""
        found = list(_tables(expr))
        engines = {id(engine): engine for node in found if (engine := self._owners.get(node.name)) is not None}
        if len(engines) != 1:
            raise StorageError(
                "several-engines",
                f"One question needs {len(engines)} databases, and none answers for another.",
                "Give the workflow its events in one database.",
            )
        (engine,) = engines.values()
        places = {node: self._in(engine, node.name).op() for node in found if node.name in self._waiting}
        return engine, expr.op().replace(places).to_expr() if places else expr

    def _in(self, engine: Engine, name: str) -> ir.Table:
        key = (name, id(engine))
        if key not in self._loaded:
            self._loaded[key] = engine.load(self._waiting[name])
        return self._loaded[key]


def _tables(expr: ir.Table) -> Iterator[ops.UnboundTable]:
    yield from expr.op().find(ops.UnboundTable)

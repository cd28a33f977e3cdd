"""Spark's SQL for our expressions, where Ibis's would mean something else than on DuckDB."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from trueup.backends.engines.numbers import FINITE, INFINITE

_WHOLE = 1_000_000_000_000_000


class Dialect(PySparkCompiler):
    """As Ibis compiles for Spark, with counts of nothing that are 0, and numbers read as everywhere else."""

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: ARG002, N802 -- ibis's names
        """Count rows; Ibis sums booleans, and the sum of none is null."""
        return self.f.count(sge.Star()) if where is None else self.f.anon.count_if(where)

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: dt.DataType) -> Any:  # noqa: N802 -- ibis's name
        """Write fractions as doubles: Spark takes their digits for a decimal."""
        if dtype.is_floating():
            return self.cast(repr(float(value)), dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_Field(self, op: Any, *, rel: Any, name: str) -> Any:  # noqa: N802 -- ibis's name
        """Read a column as it is; Ibis would ask its own connection to Spark whether NaN is null."""
        return super(PySparkCompiler, self).visit_Field(op, rel=rel, name=name)

    def visit_TryCast(self, op: Any, *, arg: Any, to: dt.DataType) -> Any:  # noqa: N802 -- ibis's name
        """Read text as a number or null."""
        if not (op.arg.dtype.is_string() and to.is_floating()):
            return super().visit_TryCast(op, arg=arg, to=to)
        is_number = self.f.anon.regexp_like(arg, f"(?:{_exact(FINITE)})|(?:{_exact(INFINITE)})")
        digits = self.if_(is_number, self.f.replace(arg, "_", ""), sge.Null())
        return sge.TryCast(this=digits, to=self.type_mapper.from_ibis(to), safe=True)

    def visit_Cast(self, op: Any, *, arg: Any, to: dt.DataType) -> Any:  # noqa: N802 -- ibis's name
        """Write anything as text, whole floats as DuckDB writes them."""
        plain = super().visit_Cast(op, arg=arg, to=to)
        if not (to.is_string() and op.arg.dtype.is_floating()):
            return plain
        digits = self.f.concat(self.cast(self.cast(arg, dt.int64), dt.string), ".0")
        return self.if_(sge.and_(arg.eq(self.f.anon.rint(arg)), self.f.abs(arg) < _WHOLE), digits, plain)

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:  # noqa: N802 -- ibis's name
        """Search; the end of the text is its end, and not what stands before a last line break."""
        text = getattr(op.pattern, "value", None)
        if isinstance(text, str):
            return self.f.anon.regexp_like(arg, _exact(text))
        return super().visit_RegexSearch(op, arg=arg, pattern=pattern)


def _exact(pattern: str) -> str:
    return pattern.removesuffix("$") + r"\z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


_DIALECT = Dialect()


def sql_of(expr: ir.Table) -> str:
    """Return the statement that computes an expression."""
    return str(_DIALECT.to_sqlglot(expr.unbind()).sql(dialect=_DIALECT.dialect))

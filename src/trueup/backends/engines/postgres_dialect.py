"""PostgreSQL's SQL for our expressions, where Ibis has none or where it would mean something else than on DuckDB."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler

from trueup.backends.engines.numbers import FINITE, INFINITE, PLAIN

# Numbers beyond these are infinite or zero; PostgreSQL refuses to read them as float8.
_LARGEST = "1.79769313486231580793e308"
_SMALLEST = "2.4703282292062328e-324"
# Exponents with more digits are refused even as numeric.
_READABLE = "[eE][+-]?[0-9_]{5,}"
_WHOLE = 1_000_000_000_000_000


class Dialect(PostgresCompiler):
    """As Ibis compiles for PostgreSQL, with text that compares by code point and casts that never fail."""

    def visit_TryCast(self, op: Any, *, arg: Any, to: dt.DataType) -> Any:  # noqa: N802 -- ibis's name
        """Read text as a number or null; PostgreSQL 15 has no cast that yields null."""
        if not (op.arg.dtype.is_string() and to.is_floating()):
            return self.visit_Cast(op, arg=arg, to=to)
        return _number(self, arg)

    def visit_Cast(self, op: Any, *, arg: Any, to: dt.DataType) -> Any:  # noqa: N802 -- ibis's name
        """Write anything as text that compares by code point, whole floats as DuckDB writes them."""
        plain = super().visit_Cast(op, arg=arg, to=to)
        if not to.is_string():
            return plain
        if op.arg.dtype.is_floating():
            digits = self.f.concat(self.cast(self.cast(arg, dt.int64), dt.string), ".0")
            plain = self.if_(sge.and_(arg.eq(self.f.floor(arg)), self.f.abs(arg) < _WHOLE), digits, plain)
        return sge.Collate(this=sge.paren(plain), expression=sge.to_identifier("C", quoted=True))

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:  # noqa: ARG002, N802 -- ibis's names
        """Search; a full stop stands for no line break, as elsewhere."""
        return sge.RegexpLike(this=arg, expression=self.f.concat("(?p)", pattern))


def _number(compiler: Dialect, text: Any) -> Any:
    """The number a text stands for; beyond what a double holds infinite or zero, null where it is none."""
    f, cast = compiler.f, compiler.cast
    double = dt.float64
    exact = cast(f.replace(f.btrim(text, " \t\n\v\f\r"), "_", ""), dt.Decimal())
    huge = compiler.if_(exact < 0, cast("-Infinity", double), cast("Infinity", double))

    def is_like(pattern: str) -> Any:
        return sge.RegexpLike(this=text, expression=sge.convert(pattern))

    return sge.Case(
        ifs=[
            sge.If(this=is_like(PLAIN), true=cast(text, double)),
            sge.If(
                this=sge.and_(is_like(FINITE), sge.Not(this=is_like(_READABLE))),
                true=sge.Case(
                    ifs=[
                        sge.If(this=f.abs(exact) >= sge.Literal.number(_LARGEST), true=huge),
                        sge.If(this=f.abs(exact) < sge.Literal.number(_SMALLEST), true=cast(sge.convert(0), double)),
                    ],
                    default=cast(exact, double),
                ),
            ),
            sge.If(this=is_like(INFINITE), true=cast(f.btrim(text, " \t\n\v\f\r"), double)),
        ]
    )


_DIALECT = Dialect()


def sql_of(expr: ir.Table) -> str:
    """Return the statement that computes an expression."""
    return str(_DIALECT.to_sqlglot(expr.unbind()).sql(dialect=_DIALECT.dialect))

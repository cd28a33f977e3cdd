"""Whether the declared data are there and are as expected: a profile of each field, with examples of what is not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import ibis

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import DataError, NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.ledger.records import FieldProfile, Profile
from trueup.observe.cases.arms import instant
from trueup.observe.cases.source import as_text, given, resolved
from trueup.observe.cases.values import flag, surely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir

    from trueup.declare.model.data import DataSource, Expectation
    from trueup.declare.programme import Programme
    from trueup.observe.engine import Engine

_EXAMPLES = 5
_TRUTHS = ("true", "false", "yes", "no", "1", "0")
# Look-around, back references, options, boundaries and classes of letters exist in some engines only, or differ; an
# expectation must mean the same on all.
_UNPORTABLE = re.compile(r"\(\?(?!:)|\\[1-9bBAzZpPmMyY]")
# A day that the calendar has (2024-02-29, also 2024/2/9), with or without a time and a zone. As a pattern, because
# engines read different texts as dates, and some of them fail at a text that is none.
_LONG = "(0?[13578]|1[02])[-/](0?[1-9]|[12][0-9]|3[01])"
_SHORT = "(0?[469]|11)[-/](0?[1-9]|[12][0-9]|30)"
_FEBRUARY = "0?2[-/](0?[1-9]|1[0-9]|2[0-8])"
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)[-/]0?2[-/]29"
_TIME = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
_ZONE = "( ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)| [A-Z][A-Za-z_]+/[A-Za-z_/]+)?"
_DATE = f"^([0-9]{{4}}[-/]({_LONG}|{_SHORT}|{_FEBRUARY})|{_LEAP})([T ]{_TIME}{_ZONE})?$"


@dataclass(frozen=True, slots=True)
class Reader:
    """How a workflow reads a data source: its case and its time."""

    case: str
    at: str


def reader_of(programme: Programme, data: str) -> Reader | None:
    """Return how the first workflow (by id) that names case and time reads a source; None when none does."""
    for _, workflow in sorted(programme.workflows.items()):
        events = workflow.events
        if events is not None and events.data == data and events.case and events.at:
            return Reader(events.case, events.at)
    return None


def described(programme: Programme, data: str) -> DataSource:
    """Return a declared source. Raises NotFoundError."""
    source = programme.file.data.get(data)
    if source is None:
        raise NotFoundError(
            "no-such-data",
            f"There are no data {data!r}.{did_you_mean(data, programme.file.data)}",
            f"Declared are: {', '.join(sorted(programme.file.data)) or 'none'}.",
        )
    return source


@dataclass(frozen=True, slots=True)
class Profiler:
    """Profiles one source as it was visible at an instant."""

    engine: Engine
    data: str
    source: DataSource
    reader: Reader | None
    as_of: datetime

    def profile(self, joint: Sequence[tuple[str, ...]], digest: str) -> Profile:
        """Return how the fields asked for together are filled; without any, all that are declared. See `Profile`.

        One record is a case where a workflow reads the source, else a row. A field is present in a case when a
        visible event carries a value of it, valid when none of these values breaks its expectation.
        Raises DataError `missing-column`, `bad-pattern`.
        """
        names = self._names(joint)
        records = self.engine.keep(self._records(names))
        counts = self.engine.fetch(records.aggregate(**self._counts(records, names, joint))).to_pylist()[0]
        return Profile(
            data=self.data,
            per="case" if self.reader else "row",
            records=counts["records"],
            fields={
                name: FieldProfile(
                    name=name,
                    records=counts["records"],
                    present=have,
                    valid=valid,
                    # A search for examples costs as much as all counts together: only where there is one to find.
                    examples_missing=self._missing(records, number) if have < counts["records"] else (),
                    examples_invalid=self._invalid(records, number) if valid < have else (),
                )
                for number, (name, have, valid) in enumerate(self._found(counts, names))
            },
            digest=digest,
            newest=newest(self.engine, self.data, self.reader, self.as_of, self.source.fields),
            joint={fields: int(counts[f"joint_{number}"] or 0) for number, fields in enumerate(joint)},
            joint_valid={fields: int(counts[f"joint_valid_{number}"] or 0) for number, fields in enumerate(joint)},
        )

    @staticmethod
    def _found(counts: Mapping[str, int | None], names: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """Yield each field with how many records have a value of it, and how many of them only as expected."""
        for number, name in enumerate(names):
            yield name, int(counts[f"present_{number}"] or 0), int(counts[f"valid_{number}"] or 0)

    def _names(self, joint: Sequence[tuple[str, ...]]) -> list[str]:
        """The fields asked for, so that a column that lacks stops no other question; else all that are declared."""
        asked = [name for fields in joint for name in fields]
        labels = [self.source.labels.field] if self.source.labels else []
        return list(dict.fromkeys(asked or [*self.source.fields, *self.source.expects, *labels]))

    def _records(self, names: Sequence[str]) -> ir.Table:
        """One row a record: its name, and for each field whether it is `present`, `wrong`, and a wrong value."""
        rows = visible(self.engine, self.data, self.reader, self.as_of, self.source.fields)
        columns = {"record": self._record(rows)}
        for number, name in enumerate(names):
            column = rows[resolved(self.data, name, self.source.fields, rows.columns)]
            value = given(column, self.source.missing)
            wrong = value.notnull() & ~_as_expected(value, self.source.expects.get(name))
            columns |= {
                f"present_{number}": flag(value.notnull()),
                f"wrong_{number}": flag(wrong),
                f"example_{number}": wrong.ifelse(value, None),
            }
        flags = rows.select(**columns)
        if self.reader is None:
            return flags
        return flags.group_by("record").aggregate(
            **{name: flags[name].max() for name in flags.columns if name != "record"}
        )

    def _record(self, rows: ir.Table) -> ir.StringValue:
        if self.reader is not None:
            return as_text(rows[resolved(self.data, self.reader.case, self.source.fields, rows.columns)])
        if "_row" in rows.columns:
            return ibis.literal("row ") + (rows["_row"] + 1).cast("string")
        return ibis.literal("a row")

    def _counts(self, records: ir.Table, names: Sequence[str], joint: Sequence[tuple[str, ...]]) -> dict[str, ir.Value]:
        present = {name: records[f"present_{number}"] == 1 for number, name in enumerate(names)}
        valid = {name: present[name] & (records[f"wrong_{number}"] == 0) for number, name in enumerate(names)}
        counts: dict[str, ir.Value] = {"records": records.count()}
        for number, name in enumerate(names):
            counts[f"present_{number}"] = flag(present[name]).sum()
            counts[f"valid_{number}"] = flag(valid[name]).sum()
        for number, fields in enumerate(joint):
            counts[f"joint_{number}"] = flag(_all(present[name] for name in fields)).sum()
            counts[f"joint_valid_{number}"] = flag(_all(valid[name] for name in fields)).sum()
        return counts

    def _missing(self, records: ir.Table, number: int) -> tuple[str, ...]:
        without = records.filter(records[f"present_{number}"] == 0).select(example="record")
        return self._examples(without)

    def _invalid(self, records: ir.Table, number: int) -> tuple[str, ...]:
        wrong = records.filter(records[f"wrong_{number}"] == 1).select(example=f"example_{number}")
        return self._examples(wrong)

    def _examples(self, table: ir.Table) -> tuple[str, ...]:
        rows = self.engine.fetch(table.distinct().order_by("example").limit(_EXAMPLES))
        return tuple(str(value) for value in rows["example"].to_pylist())


def visible(engine: Engine, data: str, reader: Reader | None, as_of: datetime, aliases: Mapping[str, str]) -> ir.Table:
    """Return the rows of a source that are about instants up to `as_of`; all where no workflow says when they were."""
    rows = engine.table(data)
    if reader is None:
        return rows
    at = rows[resolved(data, reader.at, aliases, rows.columns)]
    return rows.filter(at <= instant(as_of)) if at.type().is_timestamp() else rows


def newest(engine: Engine, data: str, reader: Reader | None, as_of: datetime, aliases: Mapping[str, str]) -> str | None:
    """Return the ISO instant of the newest event up to `as_of`; None without events or times."""
    if reader is None:
        return None
    rows = visible(engine, data, reader, as_of, aliases)
    at = rows[resolved(data, reader.at, aliases, rows.columns)]
    if not at.type().is_timestamp():
        return None
    latest = engine.fetch(rows.aggregate(newest=at.max()))["newest"].to_pylist()[0]
    return None if latest is None else format_instant(latest.replace(tzinfo=UTC))


def duplicates(engine: Engine, data: str) -> int:
    """Return how many rows of a source repeat another row in every column but the row's own number."""
    rows = engine.table(data)
    rows = rows.drop("_row") if "_row" in rows.columns else rows
    counts = engine.fetch(rows.aggregate(rows=rows.count())).to_pylist()[0]
    distinct = rows.distinct()
    return int(counts["rows"]) - int(engine.fetch(distinct.aggregate(rows=distinct.count())).to_pylist()[0]["rows"])


def _all(conditions: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    out = ibis.literal(value=True)
    for condition in conditions:
        out &= condition
    return out


def _as_expected(value: ir.StringColumn, expected: Expectation | None) -> ir.BooleanValue:
    """Tell whether a value that is given is as its expectation says; null counts as no."""
    if expected is None:
        return ibis.literal(value=True)
    number = value.try_cast("float64")
    tests = [test(value) for test in _TYPES.get(expected.type or "text", ())]
    if expected.min is not None:
        tests.append(number >= float(expected.min))
    if expected.max is not None:
        tests.append(number <= float(expected.max))
    if expected.matches is not None:
        tests.append(value.re_search(f"^(?:{_portable(expected.matches)})$"))
    if expected.one_of is not None:
        tests.append(value.isin(tuple(_spelt(item) for item in expected.one_of)))
    return _all(surely(test) for test in tests)


_TYPES: dict[str, tuple[Callable[[ir.StringColumn], ir.BooleanColumn], ...]] = {
    "number": (lambda value: value.try_cast("float64").between(-1.7976931348623157e308, 1.7976931348623157e308),),
    "date": (lambda value: value.re_search(_DATE),),
    "boolean": (lambda value: value.lower().isin(_TRUTHS),),
}


def _portable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _bad_pattern(pattern, str(error)) from None
    if _UNPORTABLE.search(pattern):
        raise _bad_pattern(
            pattern, "engines differ in look-around, back references, options, \\b and \\p; write it without them"
        )
    return pattern


def _bad_pattern(pattern: str, why: str) -> DataError:
    return DataError("bad-pattern", f"The expectation {pattern!r} cannot be used: {why}.", "Correct `matches`.")


def _spelt(item: object) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)

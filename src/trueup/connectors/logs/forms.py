"""The forms in which people write instants, as patterns over whole columns, and the arithmetic that makes instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from trueup.connectors.logs.arrays import filled

if TYPE_CHECKING:
    Order = Literal["day-first", "month-first"]

MICROSECONDS = 1_000_000
_DAY = 86_400 * MICROSECONDS
FIRST_YEAR, LAST_YEAR = 1900, 2200

_CLOCK = (
    r"(?:(?:T|t| +|, *)(?P<h>\d{1,2})(?::(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r" *(?P<half>[AaPp][Mm])?)?"
)
_ZONE = r" *(?P<z>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<zh>\d{2}):?(?P<zm>\d{2})?)?"
_YEAR_FIRST = rf"^ *(?P<a>\d{{4}})(?P<p>[-/.])(?P<b>\d{{1,2}})(?P<q>[-/.])(?P<c>\d{{1,2}}){_CLOCK}{_ZONE} *$"
_YEAR_LAST = rf"^ *(?P<a>\d{{1,2}})(?P<p>[-/.])(?P<b>\d{{1,2}})(?P<q>[-/.])(?P<c>\d{{4}}){_CLOCK}{_ZONE} *$"


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a column of dates: arrays of one length, null where the text has no known form.

    `form` names the form for people (`2018-01-31 10:00`, `31/1/2018`), `year_first` tells the two families apart;
    `first`, `second` are the two numbers beside the year; `clock` is microseconds since midnight, `offset`
    microseconds east of UTC, null where no zone is written.
    """

    form: pa.Array
    year_first: pa.Array
    year: pa.Array
    first: pa.Array
    second: pa.Array
    clock: pa.Array
    offset: pa.Array


def parts(text: pa.Array) -> Parts:
    """Take a column of text apart. Ranges of months and days are not checked here; those of the clock are."""
    leading = pc.extract_regex(text, _YEAR_FIRST)
    trailing = pc.extract_regex(text, _YEAR_LAST)
    year_first = pc.is_valid(leading)
    known = pc.or_(year_first, pc.is_valid(trailing))

    def group(name: str) -> pa.Array:
        return pc.if_else(year_first, pc.struct_field(leading, name), pc.struct_field(trailing, name))

    ends = _integer(group("c"))
    starts = _integer(group("a"))
    middle = _integer(group("b"))
    clock = _clock(group)
    offset, well_zoned = _offset(group)
    usable = pc.and_(known, pc.and_(pc.equal(group("p"), group("q")), pc.and_(pc.is_valid(clock), well_zoned)))
    usable = filled(usable, by=False)
    return Parts(
        form=_where(usable, _form(group, year_first)),
        year_first=_where(usable, year_first),
        year=_where(usable, pc.if_else(year_first, starts, ends)),
        first=_where(usable, pc.if_else(year_first, middle, starts)),
        second=_where(usable, pc.if_else(year_first, ends, middle)),
        clock=_where(usable, clock),
        offset=_where(usable, offset),
    )


def instants(found: Parts, order: Order) -> pa.Array:
    """Put components together: timestamp[us], UTC where a zone was written, local time where none was.

    Null where there is no such day, or its year lies outside 1900 to 2200. Day numbers are those of the proleptic
    Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
    """
    month_comes_first = pc.or_(found.year_first, pa.scalar(order == "month-first"))
    month = pc.if_else(month_comes_first, found.first, found.second)
    day = pc.if_else(month_comes_first, found.second, found.first)
    in_range = pc.and_(
        pc.and_(_between(found.year, FIRST_YEAR, LAST_YEAR), _between(month, 1, 12)), _between(day, 1, 31)
    )
    days = _days(found.year, month, day)
    # The thirty-first of February becomes a day of March on the way, which is how it is found out.
    exists = pc.equal(pc.day(pc.cast(pc.cast(days, pa.int32()), pa.date32())), day)
    local = pc.add(pc.multiply(days, _DAY), found.clock)
    utc = pc.subtract(local, filled(found.offset, by=0))
    return pc.cast(_where(pc.and_(in_range, exists), utc), pa.timestamp("us"))


def _days(year: pa.Array, month: pa.Array, day: pa.Array) -> pa.Array:
    """Return days since 1970-01-01 for positive years."""
    late = pc.greater(month, 2)
    shifted = pc.subtract(year, pc.if_else(late, 0, 1))
    era = pc.divide(shifted, 400)
    year_of_era = pc.subtract(shifted, pc.multiply(era, 400))
    month_from_march = pc.add(month, pc.if_else(late, -3, 9))
    day_of_year = pc.subtract(pc.add(pc.divide(pc.add(pc.multiply(month_from_march, 153), 2), 5), day), 1)
    leaps = pc.subtract(pc.divide(year_of_era, 4), pc.divide(year_of_era, 100))
    day_of_era = pc.add(pc.add(pc.multiply(year_of_era, 365), leaps), day_of_year)
    return pc.subtract(pc.add(pc.multiply(era, 146_097), day_of_era), 719_468)


def _clock(group: Any) -> pa.Array:
    """Return microseconds since midnight; null where the clock shows no such time."""
    hour = filled(_integer(group("h")), by=0)
    minute = filled(_integer(group("mi")), by=0)
    second = filled(_integer(group("s")), by=0)
    fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(group("f"), 6, "0"), 0, 6)
    half = pc.utf8_lower(group("half"))
    halved = pc.not_equal(half, "")
    legal = pc.if_else(halved, _between(hour, 1, 12), _between(hour, 0, 23))
    legal = pc.and_(legal, pc.and_(_between(minute, 0, 59), _between(second, 0, 59)))
    noonless = pc.if_else(pc.equal(hour, 12), 0, hour)
    hour = pc.if_else(halved, pc.add(noonless, pc.if_else(pc.equal(half, "pm"), 12, 0)), hour)
    seconds = pc.add(pc.multiply(pc.add(pc.multiply(hour, 60), minute), 60), second)
    return _where(legal, pc.add(pc.multiply(seconds, MICROSECONDS), _integer(fraction)))


def _offset(group: Any) -> tuple[pa.Array, pa.Array]:
    """Return microseconds east of UTC (null without a zone), and whether what is written can be an offset."""
    hours = filled(_integer(group("zh")), by=0)
    minutes = filled(_integer(group("zm")), by=0)
    size = pc.multiply(pc.add(pc.multiply(hours, 60), minutes), 60 * MICROSECONDS)
    signed = pc.if_else(pc.equal(group("sign"), "-"), pc.negate(size), size)
    possible = pc.and_(_between(hours, 0, 18), _between(minutes, 0, 59))
    return _where(pc.not_equal(group("z"), ""), signed), possible


def _form(group: Any, year_first: pa.Array) -> pa.Array:
    separator = group("p")
    leading = pc.binary_join_element_wise("2018", separator, "01", separator, "31", "")
    trailing = pc.binary_join_element_wise("31", separator, "1", separator, "2018", "")
    clock = pc.if_else(pc.equal(group("h"), ""), "", " 10:00")
    return pc.binary_join_element_wise(pc.if_else(year_first, leading, trailing), clock, "")


def _integer(text: pa.Array) -> pa.Array:
    return pc.cast(_where(pc.not_equal(text, ""), text), pa.int64())


def _between(values: pa.Array, low: int, high: int) -> pa.Array:
    return pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    """Keep values where the condition is true; null elsewhere."""
    return pc.if_else(filled(condition, by=False), values, pa.scalar(None, values.type))

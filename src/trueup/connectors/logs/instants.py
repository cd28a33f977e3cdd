"""A column of text becomes a column of instants; one order of day and month holds for all of it, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from trueup.connectors.logs.arrays import filled, texts
from trueup.connectors.logs.forms import FIRST_YEAR, LAST_YEAR, Parts, instants, parts
from trueup.connectors.logs.refusals import Refusals, Tally
from trueup.connectors.logs.zones import to_utc

if TYPE_CHECKING:
    from trueup.connectors.logs.formats.source import Source
    from trueup.connectors.logs.forms import Order
    from trueup.connectors.logs.spec import LogSpec

_ISO = "2018-01-31 10:00"
_CLOCK_MARK = " 10:00"
# The shortest ISO text with a clock, and the same with a zone: shorter ones are taken apart to see what they are.
_LOCAL_LENGTH, _ZONED_LENGTH = 16, 17


class InstantColumn:
    """Reads one column, batch after batch, and keeps the evidence that decides how it was to be read."""

    def __init__(self, name: str, spec: LogSpec, *, order: Order | None, required: bool) -> None:
        self._name = name
        self._spec = spec
        self._required = required
        self._applied: Order | None = spec.dates or order
        self._shifted = 0
        self.forms: dict[str, Tally] = {}
        self.bad = Tally()
        self.absent = Tally()
        self.zoned = Tally()
        self.unzoned = Tally()
        self.year_last = Tally()
        self.first_large = Tally()
        self.second_large = Tally()
        self._missing = texts(spec.missing)

    @property
    def order(self) -> Order:
        """The order of day and month that is applied: what was declared, else what the values so far say."""
        if self._spec.dates is not None:
            return self._spec.dates
        return "month-first" if self.second_large.count and not self.first_large.count else "day-first"

    def read(self, column: pa.Array, start: int) -> pa.Array:
        """Return timestamp[us] in UTC for a batch whose first row is number `start`; null where there is no value."""
        if pa.types.is_timestamp(column.type):
            return self._typed(column, start)
        text = pc.cast(column, pa.string())
        absent = pc.or_(pc.is_null(text), pc.is_in(text, value_set=self._missing))
        absent = filled(absent, by=True)
        if self._required:
            self.absent.add(absent, text, start)
        present = pc.if_else(absent, pa.scalar(None, pa.string()), text)
        out = self._iso(present, start)
        return self._any_form(present, start) if out is None else out

    def settle(self, source: Source) -> Order | None:
        """Return None when the readings stand, or the order with which the column has to be read again.

        Raises DataError: `bad-time`, `mixed-dates`, `mixed-zones`, `no-zone`, `ambiguous-dates`.
        """
        words = Refusals(self._name, source)
        self._refuse_mixtures(words)
        if self._applied is not None and self._applied != self.order:
            return self.order
        if self.bad.count:
            raise words.bad(self.bad, swapped=self._declared_wrongly())
        if self.absent.count:
            raise words.absent(self.absent)
        if self.year_last.count and not self._decisive:
            raise words.ambiguous(self.year_last)
        if self.unzoned.count and self._spec.zone is None:
            raise words.no_zone(self.unzoned)
        return None

    def _refuse_mixtures(self, words: Refusals) -> None:
        if len(self.forms) > 1:
            raise words.mixed_forms(self.forms)
        if self.first_large.count and self.second_large.count:
            raise words.mixed_orders(self.first_large, self.second_large)
        if self.zoned.count and self.unzoned.count:
            raise words.mixed_zones(self.zoned, self.unzoned)

    @property
    def _decisive(self) -> bool:
        return self._spec.dates is not None or bool(self.first_large.count or self.second_large.count)

    @property
    def evidence(self) -> str | None:
        """The first value that says in which order day and month stand; None where nothing had to be found out."""
        if self._spec.dates is not None or not self.year_last.count:
            return None
        return (self.second_large if self.order == "month-first" else self.first_large).examples[0][1]

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know of how the column was read."""
        said = f"{self._name}: {self._shifted} times lie in the hour that {self._spec.zone} skips in spring"
        return (f"{said}; they are read as the end of it.",) if self._shifted else ()

    def _declared_wrongly(self) -> bool:
        large = self.first_large if self._spec.dates == "month-first" else self.second_large
        return self._spec.dates is not None and large.count > 0

    def _iso(self, text: pa.Array, start: int) -> pa.Array | None:
        """Read a batch that is ISO 8601 with clocks throughout, which is fast; None where it is not."""
        shortest = pc.min(pc.utf8_length(text)).as_py()
        if shortest is None:
            return pc.cast(text, pa.timestamp("us"))
        for zone, length in (("UTC", _ZONED_LENGTH), (None, _LOCAL_LENGTH)):
            if shortest < length:
                continue
            try:
                read = pc.cast(text, pa.timestamp("us", zone))
            except pa.ArrowInvalid:
                continue
            return self._uniform(pc.cast(read, pa.timestamp("us")), text, start, zoned=zone is not None)
        return None

    def _uniform(self, read: pa.Array, text: pa.Array, start: int, *, zoned: bool) -> pa.Array:
        """Tally values of one form, all with a zone or all without."""
        valid = pc.is_valid(read)
        self.forms.setdefault(_ISO, Tally()).add(valid, text, start)
        (self.zoned if zoned else self.unzoned).add(valid, text, start)
        self.bad.add(pc.invert(_in_years(read)), text, start)
        return read if zoned else self._localised(read)

    def _typed(self, column: pa.Array, start: int) -> pa.Array:
        text = pc.cast(column, pa.string())
        if self._required:
            self.absent.add(pc.is_null(column), text, start)
        read = pc.cast(pc.cast(column, pa.timestamp("us", column.type.tz), safe=False), pa.timestamp("us"))
        return self._uniform(read, text, start, zoned=column.type.tz is not None)

    def _any_form(self, text: pa.Array, start: int) -> pa.Array:
        found = parts(text)
        known = pc.is_valid(found.form)
        for form in pc.unique(found.form).drop_null().to_pylist():
            self.forms.setdefault(form, Tally()).add(pc.equal(found.form, form), text, start)
        self._weigh_order(found, text, start)
        has_zone = pc.is_valid(found.offset)
        has_clock = pc.ends_with(found.form, _CLOCK_MARK)
        self.zoned.add(pc.and_(known, has_zone), text, start)
        self.unzoned.add(pc.and_(has_clock, pc.invert(has_zone)), text, start)
        self._applied = self._applied or self.order
        read = instants(found, self._applied)
        self.bad.add(pc.and_(pc.is_valid(text), pc.is_null(read)), text, start)
        return pc.if_else(has_zone, read, self._localised(read))

    def _weigh_order(self, found: Parts, text: pa.Array, start: int) -> None:
        year_last = pc.invert(found.year_first)
        self.year_last.add(year_last, text, start)
        # With dots the day comes first wherever dots are written, so they settle it as a large number would.
        dotted = pc.match_substring(found.form, ".")
        self.first_large.add(pc.and_(year_last, pc.or_(pc.greater(found.first, 12), dotted)), text, start)
        self.second_large.add(pc.and_(year_last, pc.greater(found.second, 12)), text, start)

    def _localised(self, read: pa.Array) -> pa.Array:
        if self._spec.zone is None:
            return read
        utc, skipped = to_utc(read, self._spec.zone)
        self._shifted += skipped
        return utc


def _in_years(read: pa.Array) -> pa.Array:
    year = pc.year(read)
    return pc.and_(pc.greater_equal(year, FIRST_YEAR), pc.less_equal(year, LAST_YEAR))

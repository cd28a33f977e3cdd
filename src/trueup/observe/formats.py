"""Whether a field is written in one way: spellings that differ in case or space only, dates, decimals, units.

Works on distinct values with their counts; what is found is named with an example of each style.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from trueup.observe.cases.source import given, resolved
from trueup.observe.profiles import described, reader_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.observe.engine import Engine

# A style that fewer records than this use is a slip, not a second way of writing.
LEAST_SHARE = 0.01
# Names and free text have more values than this; their commonest values tell how they are written.
MOST_VALUES = 5000
_DATES = {
    "year-month-day": re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:\D.*)?"),
    "day/month/year with slashes": re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}(?:\D.*)?"),
    "day.month.year with dots": re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}(?:\D.*)?"),
}
_DECIMALS = {
    "decimal point": re.compile(r"-?\d+(?:,\d{3})*\.\d+"),
    "decimal comma": re.compile(r"-?\d+(?:\.\d{3})*,\d{1,2}"),
}
_UNIT = re.compile(r"-?\d+(?:[.,]\d+)?\s?([A-Za-z%€£$]{1,6})")


@dataclass(frozen=True, slots=True)
class Mixture:
    """A field that is written in several ways: in what they differ, and an example of each way."""

    field: str
    what: str
    examples: tuple[str, ...]
    share: float


def mixtures(field: str, counts: Mapping[str, int]) -> list[Mixture]:
    """Return how the values of a field differ in style; `counts` are its values with how often each occurs."""
    total = sum(counts.values())
    if not total:
        return []
    found = [_spellings(field, counts, total)]
    found += [_styles(field, what, _by_style(counts, styles), total) for what, styles in _STYLES.items()]
    found.append(_styles(field, "units", _by_unit(counts), total))
    return [mixture for mixture in found if mixture is not None and mixture.share >= LEAST_SHARE]


_STYLES = {"forms of date": _DATES, "decimal signs": _DECIMALS}


def _spellings(field: str, counts: Mapping[str, int], total: int) -> Mixture | None:
    """Find values that are one word but for case and space."""
    same: dict[str, Counter[str]] = defaultdict(Counter)
    for value, count in counts.items():
        same[" ".join(value.split()).casefold()][value] += count
    several = [spelt for spelt in same.values() if len(spelt) > 1]
    if not several:
        return None
    rarer = sum(spelt.total() - max(spelt.values()) for spelt in several)
    worst = max(several, key=lambda spelt: spelt.total() - max(spelt.values()))
    return Mixture(field, "spellings", tuple(value for value, _ in worst.most_common(3)), rarer / total)


def _by_style(counts: Mapping[str, int], styles: Mapping[str, re.Pattern[str]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for value, count in counts.items():
        for name, pattern in styles.items():
            if pattern.fullmatch(value.strip()):
                found[name][value] += count
    return found


def _by_unit(counts: Mapping[str, int]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for value, count in counts.items():
        match = _UNIT.fullmatch(value.strip())
        if match:
            found[match[1]][value] += count
    return found


def _styles(field: str, what: str, found: Mapping[str, Counter[str]], total: int) -> Mixture | None:
    if len(found) < 2:
        return None
    ordered = sorted(found.values(), key=lambda values: -values.total())
    rarer = sum(values.total() for values in ordered[1:])
    return Mixture(field, what, tuple(values.most_common(1)[0][0] for values in ordered[:3]), rarer / total)


@dataclass(frozen=True, slots=True)
class Writing:
    """How one field of text is written: `n` values that were looked at, and in what they differ."""

    field: str
    n: int
    mixtures: tuple[Mixture, ...]

    @property
    def rarer(self) -> float:
        """The share of values that are not written in the commonest way, by the worst difference."""
        return max((mixture.share for mixture in self.mixtures), default=0.0)


def writings(engine: Engine, programme: Programme, data: str, as_of: datetime) -> list[Writing]:
    """Return how each declared field that holds text is written, by an instant.

    Raises NotFoundError for data that are not declared, DataError as the engine.
    """
    source = described(programme, data)
    rows = visible(engine, data, reader_of(programme, data), as_of, source.fields)
    found: list[Writing] = []
    for name in dict.fromkeys([*source.fields, *source.expects]):
        column = resolved(data, name, source.fields, rows.columns)
        if rows[column].type().is_string():
            values = rows.select(value=given(rows[column], source.missing)).filter(ibis._.value.notnull())
            counts = _counted(engine, values)
            found.append(Writing(name, sum(counts.values()), tuple(mixtures(name, counts))))
    return found


def _counted(engine: Engine, values: ibis.Table) -> dict[str, int]:
    counts = values.group_by("value").aggregate(n=values.count())
    rows: Sequence[Mapping[str, object]] = engine.fetch(
        counts.order_by([counts.n.desc(), counts.value]).limit(MOST_VALUES)
    ).to_pylist()
    return {str(row["value"]): int(str(row["n"])) for row in rows}

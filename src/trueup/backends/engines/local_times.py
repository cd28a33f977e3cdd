"""Local times become instants alike on every engine: the offsets come from here, never from a database's own rules.

As in log files: an hour that comes twice is read as its first, a time in the hour that is skipped as its end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    import ibis.expr.types as ir

_STEP = timedelta(days=7)
_MARGIN = timedelta(days=2)


def to_utc(local: ir.TimestampColumn, zone: ZoneInfo, first: datetime, last: datetime) -> ir.TimestampColumn:
    """Return the naive UTC of naive local times between `first` and `last`."""
    branches: list[tuple[ir.BooleanValue, ir.Value]] = []
    offset = _offset(zone, _aware(first - _MARGIN))
    for change in _changes(zone, _aware(first - _MARGIN), _aware(last + _MARGIN)):
        following = _offset(zone, change)
        naive = change.replace(tzinfo=None)
        branches.append((local < _stamp(naive + offset), _less(local, offset)))
        if following > offset:
            branches.append((local < _stamp(naive + following), _stamp(naive)))
        offset = following
    rest = _less(local, offset)
    return ibis.cases(*branches, else_=rest) if branches else rest


def _changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants at which the offset changes: one between two weeks that differ, found by halving."""
    low = since
    while low < until:
        high = low + _STEP
        if _offset(zone, low) != _offset(zone, high):
            yield _change(zone, low, high)
        low = high


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC, microsecond=0)


def _less(local: ir.TimestampColumn, offset: timedelta) -> ir.TimestampColumn:
    return local - ibis.interval(seconds=int(offset.total_seconds()))


def _stamp(at: datetime) -> ir.TimestampScalar:
    return ibis.literal(at, "timestamp")

"""Instants are UTC, written as ISO 8601; weeks are ISO weeks that begin on Monday 00:00Z."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol

from trueup.kernel.errors import UsageError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WEEK = timedelta(days=7)


class Clock(Protocol):
    """Where the present comes from. Made once, in `workspace`; everything else is handed one."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


def parse_instant(text: str) -> datetime:
    """Read `2018-03-03` (00:00Z) or an ISO 8601 instant; one without a zone is UTC.

    Raises UsageError when the text is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return start_of_day(date.fromisoformat(text))
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            "bad-instant",
            f"{text!r} is not a date or an instant.",
            "Write it as 2018-03-03 or 2018-03-03T14:00:00Z.",
        ) from None


@lru_cache(maxsize=64)
def format_instant(instant: datetime) -> str:
    """Write an instant as `2018-03-03T00:00:00Z`, with microseconds only where there are any."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def start_of_day(day: date) -> datetime:
    """Return 00:00Z of a calendar day."""
    return datetime.combine(day, time(), tzinfo=UTC)


def end_of_day(day: date) -> datetime:
    """Return the first instant after a calendar day, for windows whose `to` is inclusive."""
    return start_of_day(day) + timedelta(days=1)


def week_of(instant: datetime) -> date:
    """Return the Monday of the ISO week (UTC) that holds the instant."""
    day = instant.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())

"""The dates of the simulated twelve weeks; every one of them is a Monday 00:00Z unless it says otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

WEEKS = 12
ADOPTED = datetime(2026, 1, 5, tzinfo=UTC)
LOG_BEGINS = datetime(2025, 10, 6, tzinfo=UTC)
PROPOSED_AFTER_WEEK = 11
# When each pilot's first case may be treated, as the files declare it.
STARTS = {
    "invoice-match": date(2026, 1, 27),
    "expense-approval": date(2026, 1, 29),
    "claims-letters": date(2026, 2, 2),
    "ticket-triage": date(2026, 3, 2),
}


def review_instant(week: int) -> datetime:
    """Return the Monday 00:00Z on which the programme is reviewed after `week` weeks, 1 to 12."""
    return ADOPTED + timedelta(weeks=week)


def registered_before(workflow: str) -> datetime:
    """Return the last Monday 00:00Z on or before the day before the pilot starts: its baseline is locked then."""
    eve = STARTS[workflow] - timedelta(days=1)
    monday = eve - timedelta(days=eve.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=UTC)


LOG_ENDS = review_instant(WEEKS)

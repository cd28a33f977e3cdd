"""The dates of the simulated weeks; every one of them is a Monday 00:00Z unless it says otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from trueup.kernel.clock import start_of_day

WEEKS = 15
ADOPTED = datetime(2025, 12, 15, tzinfo=UTC)
LOG_BEGINS = datetime(2025, 10, 6, tzinfo=UTC)
REMINDERS_BEGIN = datetime(2025, 9, 15, tzinfo=UTC)
PROPOSED_AFTER_WEEK = 14
# From this week on the assistant's drafts of the first workflow pass through Trueup's gate.
GOVERNED_FROM_WEEK = 14
# After this review the first workflow's pilot ends; what its scale gate asks for is on record by then.
CHECKED_AFTER_WEEK = 13
# When each pilot's first case may be treated, as the files declare it.
STARTS = {
    "payment-reminders": date(2025, 12, 23),
    "invoice-match": date(2026, 1, 27),
    "expense-approval": date(2026, 1, 29),
    "claims-letters": date(2026, 2, 2),
    "ticket-triage": date(2026, 3, 2),
}


def review_instant(week: int) -> datetime:
    """Return the Monday 00:00Z on which the programme is reviewed after `week` weeks, from 1 on."""
    return ADOPTED + timedelta(weeks=week)


def registered_before(workflow: str) -> datetime:
    """Return the last Monday 00:00Z on or before the day before the pilot starts: its baseline is locked then."""
    eve = STARTS[workflow] - timedelta(days=1)
    monday = eve - timedelta(days=eve.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=UTC)


LOG_ENDS = review_instant(WEEKS)


def week_begins(workflow: str, week: int) -> datetime:
    """Return the instant at which the pilot's cases of a week (counted from 1) begin to arrive."""
    monday = review_instant(week - 1)
    return max(monday, start_of_day(STARTS[workflow]))

"""The twelve weeks of a pilot: clarity, pilot, optimisation, scale decision. Weeks count from its start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the template. Week 1 begins on the pilot's start; weeks -1 and 0 lie before it."""

    number: int
    phase: str
    what: str


TEMPLATE = (
    Week(-1, "clarity", "name an owner for every workstream; agree on KPIs, bars, guardrails and what ends the pilot"),
    Week(0, "clarity", "measure the data, and lock the baseline before anything starts"),
    Week(1, "clarity", "start: draw arms before cases begin, train the first users"),
    Week(2, "clarity", "hold the first events against the definitions; no verdicts yet"),
    Week(3, "pilot", "run as declared; weekly checkpoint: what moved, blockers, frictions"),
    Week(4, "pilot", "first gate: go, hold or stop"),
    Week(5, "pilot", "act on the gate; change the implementation, not the bar"),
    Week(6, "pilot", "check adoption and exceptions, not only the primary KPI"),
    Week(7, "optimisation", "mend what the edits and rejections point at"),
    Week(8, "optimisation", "second gate: flat by now means pivot or stop"),
    Week(9, "optimisation", "raise autonomy only as far as the measured error rate allows"),
    Week(10, "scale decision", "work through the pre-expansion checklist: owners, edge cases, reversal, training"),
    Week(11, "scale decision", "rehearse handover and operation as the scale plan says"),
    Week(12, "scale decision", "decide: scale, pivot or stop; nothing stays a pilot"),
)
# The gates of a pilot that declares none yet: name, week, whether it is the scale decision.
GATES = (("week-4", 4, False), ("week-8", 8, False), ("week-12", 12, True))


def phases() -> dict[str, tuple[int, int]]:
    """Return the first and the last week of every phase."""
    found: dict[str, tuple[int, int]] = {}
    for week in TEMPLATE:
        first, _ = found.get(week.phase, (week.number, week.number))
        found[week.phase] = (first, week.number)
    return found

"""Pilots: what was promised is locked and stays as it was, is looked at every week, and ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trueup.decide.bars import Side, contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.declare.model.workflow import gate_week
from trueup.declare.programme import PROGRAMME_FILE, registration_file, workflow_file
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import DataError
from trueup.kernel.quantities import Period
from trueup.loop.beside.downstream import downstream_of
from trueup.loop.findings.seen import days
from trueup.loop.findings.tallies import LOOKED, LOOKS
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.level import registered_level
from trueup.loop.pilots.promise import moved
from trueup.loop.pilots.validity import unrecorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from trueup.decide.displacement import Displaced
    from trueup.declare.model.workflow import Pilot
    from trueup.loop.findings.seen import Found, Seen

FLAT_AFTER = timedelta(weeks=6)
# Where in a workflow's file stands what a registration calls by these words.
_PLACES = {
    "starts": ("pilot", "starts"),
    "matures_after": ("events", "matures_after"),
    "population": ("events",),
    "design": ("pilot", "design"),
    "primary": ("pilot", "primary"),
    "guardrails": ("pilot", "guardrails"),
    "gates": ("pilot", "gates"),
    "kpis": ("kpis",),
}


def unlocked(seen: Seen) -> Iterator[Found]:
    """KPI01: a pilot whose registration is not the one that the ledger knows."""
    for name, _workflow, _pilot, _starts in seen.running():
        if name not in seen.bench.programme.registrations:
            continue
        problem = unrecorded(seen.bench, name)
        if problem is not None:
            fix = "Bring the registered file back from git, or register again with --replace and the reason."
            where = seen.place(registration_file(name))
            yield seen.found("KPI01", name, where, f"{problem.because[0].upper()}{problem.because[1:]}.", fix)


def flat(seen: Seen) -> Iterator[Found]:
    """KPI05: after six weeks the interval of the primary KPI holds zero and rules the lift worth having out."""
    for name, workflow, _pilot, starts in seen.running():
        registration = seen.bench.programme.registrations.get(name)
        kpi = workflow.kpis.get(registration.primary) if registration else None
        if registration is None or kpi is None or kpi.worth_having is None or seen.as_of < starts + FLAT_AFTER:
            continue
        if moved(workflow, registration):
            continue
        view = PilotView(name, workflow, registration, seen.bench.observations.observer())
        try:
            compared = view.compare(registration.primary, seen.as_of)
        except DataError:
            continue
        plain, contrast = compared.at_gate(ALPHA), contrast_of(kpi.worth_having, kpi.sign)
        short = contrast.side(compared.at_gate(ALPHA, contrast.ratio)) is Side.BAD
        if compared.too_few() is None and short and plain.lower <= 0 <= plain.upper:
            weeks = days(seen.as_of - starts) // 7
            detail = (
                f"{name}.{registration.primary} has moved by {plain.estimate:+.3g} {compared.unit} "
                f"[{_bound(plain.lower)}, {_bound(plain.upper)}] in {weeks} weeks; {kpi.worth_having} is ruled out."
            )
            fix = "Read adoption first. Used and flat: pivot to another use case. Not used: repair the work around it."
            yield seen.found("KPI05", name, seen.place(workflow_file(name), "pilot", "primary"), detail, fix)


def purgatory(seen: Seen) -> Iterator[Found]:
    """GATE02: past the last gate, and that gate has no decision."""
    for name, _workflow, pilot, _starts in seen.running():
        last = _last_gate(pilot)
        due = pilot.due(last) if last else None
        if last is None or due is None or last in pilot.decided or due >= seen.as_of:
            continue
        ago = days(seen.as_of - due)
        detail = f"{last}, the last gate of {name!r}, was due on {due:%Y-%m-%d} ({ago} days ago) and is not decided."
        where = seen.place(workflow_file(name), "pilot", "gates", last)
        yield seen.found("GATE02", name, where, detail, f"Decide it:\n    trueup review {seen.bench.root}", last)


def moved_bar(seen: Seen) -> Iterator[Found]:
    """GATE04: what was registered says something else in the files now."""
    for name, workflow, _pilot, _starts in seen.running():
        registration = seen.bench.programme.registrations.get(name)
        changed = moved(workflow, registration) if registration else []
        if changed:
            detail = f"{', '.join(changed)} of {name!r} changed after the registration."
            path = _PLACES.get(changed[0], ("pilot", "primary"))
            fix = "Write again what was registered, or register anew, on the record: baseline --replace --because WHY."
            yield seen.found(
                "GATE04", name, seen.place(workflow_file(name), *path), detail, fix, ",".join(sorted(changed))
            )


def missed_checkpoint(seen: Seen) -> Iterator[Found]:
    """GATE05: longer than the declared cadence since the last review was applied, while a pilot runs."""
    reviews = seen.bench.programme.file.reviews
    cadence = reviews.checkpoint if reviews else None
    begun = min((starts for *_, starts in seen.running()), default=None)
    if not seen.whole or cadence is None or begun is None:
        return
    length = cadence.delta() if isinstance(cadence, Period) else timedelta(weeks=1)
    since = max(begun, seen.last_review) if seen.last_review else begun
    if seen.as_of - since <= length:
        return
    detail = f"The last checkpoint is {_last(seen.last_review, begun)}; one is promised every {days(length)} days."
    fix = f"Look, and apply also where there is nothing to decide:\n    trueup review {seen.bench.root}"
    where = seen.place(PROGRAMME_FILE, "reviews", "checkpoint")
    yield seen.found("GATE05", "checkpoint", where, detail, fix, format_instant(since))


def _last(review: datetime | None, begun: datetime) -> str:
    if review is None:
        return f"none since the first pilot began on {begun:%Y-%m-%d}"
    return f"that of {review:%Y-%m-%d}"


def _last_gate(pilot: Pilot) -> str | None:
    return max(pilot.gates, key=gate_week, default=None)


def _bound(value: float) -> str:
    there = known(value)
    return "unknown" if there is None else f"{there:+.3g}"


def displaced_gain(seen: Seen) -> Iterator[Found]:
    """KPI11: the primary KPI gained, and something downstream surely lost too much of it."""
    for name, workflow, _pilot, _starts in seen.running():
        registration = seen.bench.programme.registrations.get(name)
        if registration is None or registration.primary not in workflow.kpis or moved(workflow, registration):
            continue
        view = PilotView(name, workflow, registration, seen.bench.observations.observer())
        try:
            primary = view.compare(registration.primary, seen.as_of)
        except DataError:
            continue
        level = registered_level(registration)
        for one in downstream_of(view, primary, level, seen.as_of, LOOKED) if primary.treated.n else ():
            if one.eaten:
                yield _eaten(seen, name, one, registration.downstream or ())


def _eaten(seen: Seen, name: str, one: Displaced, named: Sequence[str]) -> Found:
    down = one.downstream
    interval = down.interval
    ends = f"[{_bound(interval.lower)}, {_bound(interval.upper)}]" if interval else ""
    figures = f"{interval.estimate:+.3g} {down.unit} {ends}" if interval else ""
    part = "the two are no amounts of one kind" if one.part is None else f"that is {one.part:.0%} of the gain a week"
    design = "compared by arm" if down.workflow == name else "compared with its own weeks before"
    detail = f"While {name!r} gained, {down.workflow}.{down.kpi} got worse, {figures}: {part} ({design}; {LOOKS})."
    fix = "Weigh it before the next gate: a guardrail, a wider workflow, or stop. See first what else happened there."
    path = ("pilot", "downstream") if named else ("pilot", "primary")
    where = seen.place(workflow_file(name), *path)
    return seen.found("KPI11", name, where, detail, fix, f"{down.workflow}.{down.kpi}")


RULES = (unlocked, flat, purgatory, moved_bar, missed_checkpoint, displaced_gain)

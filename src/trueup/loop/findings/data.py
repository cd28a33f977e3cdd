"""Data: as complete, valid, fresh and uniform as the strategy believes, within the hours that it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.check.subject import DEAD
from trueup.declare.measures import ActualsMeasure, DataMeasure, parse_measure
from trueup.declare.programme import PROGRAMME_FILE, use_case_file
from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import DataError, LedgerBrokenError
from trueup.loop.facts.readiness import assessed, declared_feasibility, nearest
from trueup.loop.findings.seen import days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.data import DataSource
    from trueup.kernel.finding import Span
    from trueup.ledger.records import Profile
    from trueup.loop.facts.readiness import Against
    from trueup.loop.findings.seen import Found, Seen
    from trueup.observe.actuals import ActualKind

# Of the values that are given, at least this share has to be as the source's expectations say.
LEAST_VALID = 0.95
HOURS_A_DAY = 8.0
_NAMED = 3
_STRANGE = "Correct the names in the file, or declare what they name: nothing counts these lines."
# Refusals of readers that say that one field is written in two ways.
_MIXED = frozenset({"mixed-zones", "mixed-dates", "ambiguous-dates"})


def unready(seen: Seen) -> Iterator[Found]:
    """DATA01: a source that cannot be read, is stale, has too few labels or values that are not as expected."""
    if seen.whole:
        yield from _actuals(seen)
    for name, profile in seen.profiles.items():
        source = seen.bench.programme.file.data[name]
        if isinstance(profile, DataError):
            if profile.code not in _MIXED:
                yield _refused(seen, "DATA01", name, profile)
            continue
        for key, part, detail in _shortfalls(seen, name, source, profile):
            where = seen.place(PROGRAMME_FILE, "data", name, *part)
            yield seen.found("DATA01", name, where, detail, "Repair it at its source, or let the plan follow.", key)
    yield from _believed(seen)
    yield from _declared(seen)


def _refused(seen: Seen, code: str, name: str, error: DataError) -> Found:
    where = seen.place(PROGRAMME_FILE, "data", name, "source")
    return seen.found(code, name, where, error.message, error.hint or "Repair the data, or their reading.", error.code)


def _actuals(seen: Seen) -> Iterator[Found]:
    """Yield files of actuals that cannot be read, or that name use cases which nobody declares."""
    where = seen.place(PROGRAMME_FILE, "actuals", "people", "source")
    try:
        people = seen.bench.observations.people()
    except DataError as error:
        yield seen.found("DATA01", "actuals.people", where, error.message, error.hint, error.code)
    else:
        unknown = [one.workflow for one in people if one.workflow not in seen.bench.programme.workflows]
        if unknown:
            named = ", ".join(sorted(set(unknown))[:_NAMED])
            detail = (
                f"The people file names workflows that nobody declares: {named}. Lines that count nowhere: "
                f"{len(unknown)}."
            )
            yield seen.found("DATA01", "actuals.people", where, detail, _STRANGE, "strangers")
    known, actuals = set(seen.bench.programme.use_cases), seen.bench.observations.actuals()
    sources: tuple[ActualKind, ...] = ("spend", "effort")
    for kind in sources:
        where = seen.place(PROGRAMME_FILE, "actuals", kind, "source")
        try:
            strange = [record for record in actuals.records(kind) if record.use_case not in known]
        except DataError as error:
            yield seen.found("DATA01", f"actuals.{kind}", where, error.message, error.hint, error.code)
            continue
        if strange:
            named = ", ".join(sorted({record.use_case for record in strange})[:_NAMED])
            total = sum(record.amount for record in strange)
            detail = (
                f"The actuals of {kind} name use cases that nobody declares: {named}. Lines that count "
                f"nowhere: {len(strange)}, {total:,.10g} in all."
            )
            yield seen.found("DATA01", f"actuals.{kind}", where, detail, _STRANGE, "strangers")


def _shortfalls(
    seen: Seen, name: str, source: DataSource, profile: Profile
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield what falls short, where it is declared, and in words."""
    if source.volume and profile.records < source.volume.needed:
        detail = f"{name!r} has {profile.records} of the {source.volume.needed} {profile.per}s that are needed."
        yield "volume", ("volume", "needed"), detail
    if source.fresh_within and profile.newest:
        age = seen.as_of - parse_instant(profile.newest)
        if age > source.fresh_within.delta():
            detail = f"The newest event of {name!r} is {days(age)} days old; {source.fresh_within} is declared."
            yield "fresh", ("fresh_within",), detail
    if source.labels:
        labelled = profile.fields[source.labels.field].present
        if labelled < source.labels.needed:
            detail = f"{name!r} has {labelled} of the {source.labels.needed} labels that are needed."
            yield "labels", ("labels", "needed"), detail
    for field in source.expects:
        one = profile.fields[field]
        if one.present and one.valid / one.present < LEAST_VALID:
            some = f" (such as {one.examples_invalid[0]!r})" if one.examples_invalid else ""
            detail = f"{one.valid / one.present:.1%} of the values of {field!r} in {name!r} are as expected{some}."
            yield f"expects {field}", ("expects", field), detail


def _believed(seen: Seen) -> Iterator[Found]:
    """Yield assumptions about data that are measured below their bound and not yet signed as false."""
    for name, measured in seen.measured.items():
        assumption = seen.bench.programme.file.assumptions[name]
        at_least = assumption.at_least
        believed = assumption.found is None or assumption.found.holds
        if at_least is None or measured.value is None or not believed or measured.value >= at_least.value:
            continue
        if isinstance(parse_measure(assumption.measure or ""), DataMeasure):
            detail = f"{assumption.measure} = {measured.value:.3g}, at least {at_least.value:g} assumed ({name})."
            where = seen.place(PROGRAMME_FILE, "assumptions", name, "at_least")
            yield seen.found(
                "DATA01", name, where, detail, "Repair the fields at their source, or sign it.", "believed"
            )


def _declared(seen: Seen) -> Iterator[Found]:
    """Yield declared scores, of the assessment and of use cases, that the measurement is too low for."""
    programme, observations = seen.bench.programme, seen.bench.observations
    answers = assessed(programme, observations, seen.as_of) if seen.whole else {}
    for factor, against in answers.items():
        if against.holds is False:
            where = seen.place(PROGRAMME_FILE, "assessment", factor, "score")
            yield _too_low(seen, against, where, f"assessment {factor}")
    living = [name for name, use_case in seen.use_cases.items() if use_case.stage not in DEAD]
    for name, against in declared_feasibility(programme, living, observations, seen.as_of).items():
        if against.holds is False:
            where = seen.place(use_case_file(name), "feasibility", "data")
            yield _too_low(seen, against, where, f"feasibility {name}")


def _too_low(seen: Seen, against: Against, where: Span, key: str) -> Found:
    score = against.measured.score
    detail = (
        f"Readiness of data.{against.data} is declared as {against.declared} of 2 and measured at "
        f"{score or 0:.2f} of 1, which is nearer to {nearest(score or 0)}: {against.measured.because}."
    )
    fix = "Write the score that was measured, or repair the data; `trueup measure DIR --data` shows every part."
    return seen.found("DATA01", against.data, where, detail, fix, f"declared {key}")


def not_normalised(seen: Seen) -> Iterator[Found]:
    """DATA02: declared fields that are written in several ways."""
    for name, profile in seen.profiles.items():
        if isinstance(profile, DataError):
            if profile.code in _MIXED:
                yield _refused(seen, "DATA02", name, profile)
            continue
        for mixture in seen.bench.observations.observer().mixtures(name, seen.as_of):
            shown = " and ".join(repr(example) for example in mixture.examples)
            detail = f"The field {mixture.field!r} of {name!r} mixes {mixture.what}: {shown}."
            where = seen.place(PROGRAMME_FILE, "data", name, "fields", mixture.field)
            fix = "Normalise it at the source; until then declare how it is to be read."
            yield seen.found("DATA02", name, where, detail, fix, f"{mixture.field} {mixture.what}")


def over_budget(seen: Seen) -> Iterator[Found]:
    """DATA03: recorded hours above what an assumption or the use case's own effort allows."""
    for name, measured in seen.measured.items():
        assumption = seen.bench.programme.file.assumptions[name]
        limit = assumption.at_most
        if limit is None or measured.value is None or measured.value <= limit.value:
            continue
        measure = parse_measure(assumption.measure or "")
        if isinstance(measure, ActualsMeasure) and measure.what == "effort":
            detail = f"{measured.value:g} hours are recorded, at most {limit.value:g} assumed ({name})."
            where = seen.place(PROGRAMME_FILE, "assumptions", name, "at_most")
            yield seen.found("DATA03", name, where, detail, "Raise the budget openly, or ask for less.")
    yield from _own_effort(seen)


def _own_effort(seen: Seen) -> Iterator[Found]:
    for name, use_case in seen.use_cases.items():
        for kind in ("engineering", "change"):
            budget = getattr(use_case.effort, kind, None)
            hours = _hours(seen, name, kind)
            if budget is not None and hours is not None and hours > budget.p90 * HOURS_A_DAY:
                detail = f"{hours:g} hours of {kind} are recorded; {budget.p90:g} person-days were the most expected."
                where = seen.place(use_case_file(name), "effort", kind)
                yield seen.found("DATA03", name, where, detail, "Raise the budget openly, or cut the scope.", kind)


def _hours(seen: Seen, use_case: str, kind: str) -> float | None:
    try:
        return seen.bench.observations.actuals().total("effort", use_case, kind, as_of=seen.as_of)
    except (DataError, LedgerBrokenError):
        return None


RULES = (unready, not_normalised, over_budget)

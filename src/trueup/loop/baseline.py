"""Before the start: measure, promise, lock. What is registered here is what gates hold a pilot against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING, Any

from trueup.decide.bars import contrast_of
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.decide.samples import sample_of, weekly_sample
from trueup.declare.edit import render
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.registration import FrozenGate, FrozenKpi, FrozenSegment, FrozenWeek, Registration
from trueup.declare.model.workflow import gate_week
from trueup.declare.programme import registration_file, workflow_file
from trueup.evidence import power
from trueup.evidence.moments import Moments
from trueup.evidence.weekly import mean_interval_of_week, share_interval_of_week
from trueup.kernel.canonical import Json, digest_bytes
from trueup.kernel.clock import format_instant, start_of_day, week_of
from trueup.kernel.errors import ConflictError, DataError, UsageError
from trueup.ledger.entry import Entry
from trueup.loop.journal import Plan, carry_out
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.permission import business_owner, require_person
from trueup.loop.pilots.comparisons import is_weekly
from trueup.loop.pilots.level import design_level
from trueup.loop.pilots.promise import definition_digest, population_of
from trueup.loop.pilots.validity import OTHER
from trueup.loop.pin import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.workflow import Pilot, Window, Workflow
    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import CaseVector, Population

_KEPT_VALUES = 50
_FULL_WEEKS = 8
_YEAR_OF_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Ask:
    """Who registers what, as of when; `replace` needs the reason."""

    workflow: str
    as_of: datetime
    by: str | None = None
    replace: bool = False
    because: str | None = None


def register(bench: Workbench, ask: Ask) -> dict[str, Any]:
    """Measure the baseline of a workflow, write its registration, and put its hash into the ledger.

    Raises ConflictError when one exists and `replace` is not asked for, UsageError when the workflow declares no
    pilot to register, DataError when the window holds no case to learn from.
    """
    name = require_workflow(bench.programme, ask.workflow)
    workflow = bench.programme.workflows[name]
    pilot, window = _require_pilot(name, workflow)
    replaced = _refuse_second(bench, ask, name)
    if ask.by is not None:
        require_person(bench.programme, ask.by)
    registration = _measured(bench, ask, workflow, pilot, window, replaced)
    file = registration_file(name)
    content = _written(name, registration)
    stands = digest_bytes(content.encode())
    data: dict[str, Json] = {
        "workflow": name,
        "file": file,
        "digest": stands,
        "registered_late": registration.late,
        "level": registration.level,
        "attested": registration.attested,
    }
    if replaced:
        data |= {"replaces": replaced, "because": ask.because}
    entry = Entry(
        type="baseline.replaced" if replaced else "baseline.registered",
        id=f"baseline/{name}/{stands.removeprefix('sha256:')[:32]}",
        time=ask.as_of,
        by=ask.by,
        data=data,
    )
    person = bench.programme.file.people.get(ask.by or "")
    done = carry_out(
        bench,
        Plan(
            files={file: content.encode(), **pinned(bench)},
            entries=[entry],
            message=f"Register the baseline of {name}",
            author=person.name if person else "trueup",
            email=(person.email if person else None) or "trueup@localhost",
            at=ask.as_of,
            checkpoint=False,
        ),
    )
    return _answer(bench, name, registration, done.commit, ask.as_of)


def _require_pilot(name: str, workflow: Workflow) -> tuple[Pilot, Window]:
    pilot, file = workflow.pilot, workflow_file(name)
    missing = [
        key
        for key, value in (
            ("events", workflow.events),
            ("events.matures_after", workflow.events and workflow.events.matures_after),
            ("pilot", pilot),
            ("pilot.starts", pilot and pilot.starts),
            ("pilot.baseline", pilot and pilot.baseline),
            ("pilot.primary", pilot and pilot.primary),
            ("pilot.gates", pilot and pilot.gates),
        )
        if not value
    ]
    if missing or pilot is None or pilot.baseline is None or pilot.starts is None:
        raise UsageError(
            "nothing-to-register",
            f"{name} declares no pilot that could be registered: {', '.join(missing)} missing.",
            f"Declare it in {file}, then run this again.",
        )
    if pilot.baseline.ends > start_of_day(pilot.starts):
        raise UsageError(
            "baseline-overlaps-pilot",
            f"The baseline of {name} ends on {pilot.baseline.end}, but the pilot starts on {pilot.starts}.",
            f"Let `pilot.baseline.to` in {file} lie before `pilot.starts`: gates compare with what came before.",
        )
    return pilot, pilot.baseline


def _refuse_second(bench: Workbench, ask: Ask, name: str) -> str | None:
    """Return the digest of the registration that is replaced; None when this is the first."""
    existing = bench.programme.registrations.get(name)
    if existing is None:
        return None
    if not ask.replace or not ask.because:
        raise ConflictError(
            "registered-before",
            f"{name} was registered on {existing.registered:%Y-%m-%d}; a promise is locked once.",
            f"To replace it, on the record:\n    trueup baseline {bench.root} {name} --replace --because 'WHY'",
        )
    return bench.programme.digests[registration_file(name)]


def _measured(
    bench: Workbench, ask: Ask, workflow: Workflow, pilot: Pilot, window: Window, replaced: str | None
) -> Registration:
    name = ask.workflow
    events = workflow.events
    assert events is not None
    assert pilot.starts is not None
    observer = bench.observations.observer()
    bench.progress(f"measuring the baseline of {name}")
    until = min(window.ends, ask.as_of)
    population = observer.population(name, since=window.begins, until=until, as_of=ask.as_of)
    kpis = {kpi: _frozen(bench, name, workflow, kpi, window, ask.as_of) for kpi in workflow.kpis}
    primary = _with_cases(bench, name, pilot, window, kpis)
    attested = ask.by is not None and ask.by == business_owner(bench.programme, name)
    level = design_level(pilot.design, attested=attested)
    kpi = workflow.kpis[pilot.primary or ""]
    cases = sum(population.by_arm.values()) + sum(population.immature.values())
    return Registration(
        workflow=name,
        registered=ask.as_of,
        late=ask.as_of > start_of_day(pilot.starts),
        by=ask.by,
        attested=attested and pilot.design.column is not None,
        baseline_from=window.start,
        baseline_to=window.end,
        starts=pilot.starts,
        matures_after=str(events.matures_after),
        primary=pilot.primary or "",
        target=str(kpi.target) if kpi.target else None,
        worth_having=str(kpi.worth_having) if kpi.worth_having else None,
        guardrails={key: str(guardrail.no_worse_than) for key, guardrail in pilot.guardrails.items()},
        gates={
            key: FrozenGate(scale=gate.scale, bar=str(gate.bar) if gate.bar else None)
            for key, gate in pilot.gates.items()
        },
        design=pilot.design.model_dump(mode="json", exclude_none=True),
        population=population_of(workflow),
        level=level.value,
        data_digest=bench.observations.digests().get(events.data or "", ""),
        cases_a_week=cases / max((until - window.begins) / timedelta(weeks=1), 1e-9),
        kpis=kpis,
        mix=_mix(population),
        notes=_notes(pilot, primary, attested=attested),
        replaces=replaced,
        because=ask.because,
    )


def _with_cases(bench: Workbench, name: str, pilot: Pilot, window: Window, kpis: Mapping[str, FrozenKpi]) -> FrozenKpi:
    primary = kpis.get(pilot.primary or "")
    if primary is None or not primary.n:
        raise DataError(
            "no-baseline-cases",
            f"No mature case of {name} between {window.start} and {window.end} has a value for {pilot.primary}.",
            "Check `events` (columns, activities), the window under `pilot.baseline`, and the log itself:\n"
            f"    trueup measure {bench.root} {name}",
        )
    return primary


def _frozen(bench: Workbench, name: str, workflow: Workflow, kpi: str, window: Window, as_of: datetime) -> FrozenKpi:
    observer = bench.observations.observer()
    declared = workflow.kpis[kpi]
    definition = {"definition": declared.definition(), "definition_digest": definition_digest(workflow, kpi)}
    if is_weekly(declared):
        rows = [
            row for row in observer.weekly(name, as_of, kpis=[kpi]) if row.segment is None and _inside(row.week, window)
        ]
        sample = weekly_sample(rows)
        weeks = tuple(FrozenWeek(week=row.week, n=row.n, mean=row.total / row.n) for row in rows if row.n)
        capped = 0
    else:
        vector = observer.cases(name, kpi, since=window.begins, until=window.ends, mature_by=as_of)
        sample = sample_of(vector)
        weeks = tuple(_weeks(vector, window))
        capped = int(vector.capped.sum())
    return FrozenKpi(
        **definition,
        unit=declared.shown_unit,
        n=sample.n,
        mean=known(sample.moments.mean) if sample.n else None,
        variance=known(sample.moments.variance) if sample.n > 1 else None,
        events=sample.events if declared.kind is KpiKind.SHARE else None,
        capped=capped,
        weeks=weeks,
    )


def _inside(week: date, window: Window) -> bool:
    return start_of_day(week) >= window.begins and start_of_day(week) + timedelta(weeks=1) <= window.ends


def _weeks(vector: CaseVector, window: Window) -> list[FrozenWeek]:
    """Return the full weeks of the window: a week cut by its edge would be a block of other days."""
    values: dict[date, list[float]] = {}
    for started, value in zip(vector.started.tolist(), vector.value.tolist(), strict=True):
        values.setdefault(week_of(datetime.fromtimestamp(started, UTC)), []).append(value)
    return [
        FrozenWeek(week=week, n=len(values[week]), mean=fsum(values[week]) / len(values[week]))
        for week in sorted(values)
        if _inside(week, window)
    ]


def _mix(population: Population) -> tuple[FrozenSegment, ...]:
    by_name: dict[str, Counter[str | None]] = {}
    for (name, value), count in population.mix.items():
        by_name.setdefault(name, Counter())[value] += count
    cells: list[FrozenSegment] = []
    for name, counts in sorted(by_name.items()):
        kept = counts.most_common(_KEPT_VALUES)
        cells += [FrozenSegment(name=name, value=value, n=count) for value, count in kept]
        rest = counts.total() - sum(count for _, count in kept)
        if rest:
            cells.append(FrozenSegment(name=name, value=OTHER, n=rest))
    return tuple(cells)


def _notes(pilot: Pilot, primary: FrozenKpi, *, attested: bool) -> tuple[str, ...]:
    notes = []
    weeks = len(primary.weeks)
    if weeks < _FULL_WEEKS:
        notes.append(f"only {weeks} full baseline weeks; {_FULL_WEEKS} are the least that a comparison should rest on")
    elif weeks < _YEAR_OF_WEEKS:
        notes.append(f"season not identifiable: {weeks} baseline weeks of {_YEAR_OF_WEEKS}")
    if pilot.design.column is not None and not attested:
        notes.append("level D: nobody attests the assignment; let the business owner register it with --by")
    return tuple(notes)


def _written(name: str, registration: Registration) -> str:
    head = f"# Written by `trueup baseline {name}`. Its hash is in the ledger: editing it breaks the promise.\n"
    return head + render(registration.model_dump(mode="json", exclude_none=True))


def _answer(
    bench: Workbench, name: str, registration: Registration, commit: str | None, as_of: datetime
) -> dict[str, Any]:
    begins, ends = registration.baseline_from, registration.baseline_to
    readings = [
        reading.to_json()
        for reading in readings_of(bench, name, as_of)
        if reading.week and begins <= reading.week <= ends
    ]
    return {
        "workflow": name,
        "registered_late": registration.late,
        "registered": format_instant(registration.registered),
        "file": registration_file(name),
        "evidence_level": registration.level,
        "attested": registration.attested,
        "cases_a_week": registration.cases_a_week,
        "readings": readings,
        "summary": [_summary(kpi, frozen) for kpi, frozen in registration.kpis.items()],
        "detectable": detectable(bench.programme.workflows[name], registration),
        "notes": list(registration.notes),
        "commit": commit,
    }


def _summary(kpi: str, frozen: FrozenKpi) -> dict[str, Any]:
    if frozen.events is not None:
        interval = share_interval_of_week(frozen.events, frozen.n)
    else:
        mean, variance = frozen.mean or 0.0, frozen.variance or 0.0
        squares = (frozen.n - 1) * variance + frozen.n * mean * mean
        interval = mean_interval_of_week(frozen.n, frozen.n * mean, squares)
    return {
        "kpi": kpi,
        "n": frozen.n,
        "value": frozen.mean,
        "lower": known(interval.lower),
        "upper": known(interval.upper),
        "unit": frozen.unit,
        "capped": frozen.capped,
    }


def detectable(workflow: Workflow, registration: Registration) -> list[dict[str, Any]]:
    """Return, per gate, the smallest effect that this volume and variance can show (80% power, gate level)."""
    frozen = registration.kpis[registration.primary]
    kpi = workflow.kpis[registration.primary]
    events = workflow.events
    delay = events.matures_after.days / 7 if events and events.matures_after else 0.0
    alpha = ALPHA / max(len(registration.gates), 1)
    out = []
    for gate in sorted(registration.gates, key=gate_week):
        weeks = max(gate_week(gate) - delay, 0.0)
        smallest = _smallest(registration, frozen, kpi, weeks, alpha)
        worth = contrast_of(kpi.worth_having, kpi.sign)
        lift = abs(worth.threshold - (1 - worth.ratio) * (frozen.mean or 0.0)) if kpi.worth_having else None
        out.append(
            {
                "gate": gate,
                "kpi": registration.primary,
                "smallest": known(smallest),
                "unit": frozen.unit,
                "worth_having": lift,
                "decides": None if lift is None or smallest is None else smallest <= lift,
            }
        )
    return out


def _smallest(registration: Registration, frozen: FrozenKpi, kpi: Kpi, weeks: float, alpha: float) -> float | None:
    cases = registration.cases_a_week * weeks
    if frozen.variance is None or frozen.mean is None or cases < 2:
        return None
    design = registration.design
    if design.get("assigned") == "random" and design.get("unit", "case") == "case":
        share = float(design.get("share") or 0.5)
        arms = cases * share, cases * (1 - share)
        if kpi.kind is KpiKind.SHARE:
            return power.smallest_detectable_share(frozen.mean, *arms, alpha, kpi.sign)
        spread = frozen.variance**0.5
        return power.smallest_detectable(spread, arms[0], spread, arms[1], alpha)
    blocks = Moments.of([week.mean for week in frozen.weeks if week.mean is not None])
    spread = blocks.variance**0.5
    return power.smallest_detectable_blocks(spread, int(weeks), spread, blocks.n, alpha)

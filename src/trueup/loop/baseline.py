"""Before the start: measure, promise, lock. What is registered here is what gates hold a pilot against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from trueup.decide.level import Level
from trueup.decide.numbers import known
from trueup.decide.samples import frozen_sample, sample_of
from trueup.decide.sensitivity import hanging_together
from trueup.declare.edit import render
from trueup.declare.model.registration import FrozenGate, FrozenTrigger, Registration
from trueup.declare.model.workflow import gate_week
from trueup.declare.programme import registration_file, workflow_file
from trueup.evidence.weekly import mean_interval_of_week, share_interval_of_week
from trueup.kernel.canonical import Json, digest_bytes
from trueup.kernel.clock import format_instant, start_of_day
from trueup.kernel.errors import ConflictError, DataError, UsageError
from trueup.ledger.entry import Entry
from trueup.loop.journal import Plan, carry_out
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.permission import business_owner, require_person
from trueup.loop.pilots.admission import admission_of
from trueup.loop.pilots.comparisons import PilotView, is_weekly, on_scale
from trueup.loop.pilots.detectable import detectable
from trueup.loop.pilots.frozen import baseline_cases, doubts_of, frozen_kpi, mix_of, notes_of
from trueup.loop.pilots.level import registered_level
from trueup.loop.pilots.past import Past
from trueup.loop.pilots.promise import adjust_json, population_of
from trueup.loop.pilots.rollout import drawn_rollout
from trueup.loop.pilots.sizes.ways import ways_to_decide
from trueup.loop.pilots.weeks import PilotWeeks, frozen_transform
from trueup.loop.pin import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.model.registration import FrozenKpi, FrozenLaunch
    from trueup.declare.model.workflow import Pilot, Window, Workflow
    from trueup.loop.workbench import Workbench


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
    registration = registration_of(bench, ask, workflow, pilot, window, replaced)
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
    past = _past(bench, ask, workflow, window, registration)
    return _answer(bench, name, registration, done.commit, ask.as_of) | _foretold(past, registration)


def _foretold(past: Past, registration: Registration) -> dict[str, Any]:
    """Return how weeks of the primary KPI hang together, and what would make the pilot decide."""
    cases = frozen_sample(registration.kpis[registration.primary]) if past.cases is None else sample_of(past.cases)
    return {"weeks": hanging_together(cases), "ways_to_decide": ways_to_decide(past, registration)}


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


def registration_of(
    bench: Workbench, ask: Ask, workflow: Workflow, pilot: Pilot, window: Window, replaced: str | None = None
) -> Registration:
    """Return what `register` would write, without writing it. Raises DataError as `register`."""
    name = ask.workflow
    events = workflow.events
    assert events is not None
    assert pilot.starts is not None
    observer = bench.observations.observer()
    bench.progress(f"measuring the baseline of {name}")
    until = min(window.ends, ask.as_of)
    population = observer.population(name, since=window.begins, until=until, as_of=ask.as_of)
    kpis = {kpi: frozen_kpi(bench, name, workflow, kpi, window, ask.as_of) for kpi in workflow.kpis}
    primary = _with_cases(bench, name, pilot, window, kpis)
    attested = ask.by is not None and ask.by == business_owner(bench.programme, name)
    kpi = workflow.kpis[pilot.primary or ""]
    cases = sum(population.by_arm.values()) + sum(population.immature.values())
    rollout, seed = _rollout(bench, ask, workflow, pilot, window)
    registration = Registration(
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
        gates=_gates(pilot),
        design=pilot.design.model_dump(mode="json", exclude_none=True),
        adjust=adjust_json(pilot),
        population=population_of(workflow),
        level=Level.BEFORE_AFTER.value,
        data_digest=bench.observations.digests().get(events.data or "", ""),
        cases_a_week=cases / max((until - window.begins) / timedelta(weeks=1), 1e-9),
        kpis=kpis,
        mix=mix_of(population),
        because_of=_because_of(pilot),
        **{key: getattr(pilot, key) or None for key in ("negative_control", "downstream")},
        rollout=rollout,
        order_seed=seed,
        notes=(*notes_of(pilot, primary, attested=attested), *doubts_of(workflow, pilot, kpis)),
        replaces=replaced,
        because=ask.because,
    )
    return _with_level(bench, ask, workflow, window, registration)


def _with_level(
    bench: Workbench, ask: Ask, workflow: Workflow, window: Window, registration: Registration
) -> Registration:
    """Add what follows from the frozen baseline: admission, level, and what each gate could show."""
    past = _past(bench, ask, workflow, window, registration)
    found = registration.model_copy(update={"admission": admission_of(bench.programme, workflow, past)})
    found = found.model_copy(update={"level": registered_level(found).value})
    return found.model_copy(update={"detectable": detectable(workflow, found, past)})


def _past(bench: Workbench, ask: Ask, workflow: Workflow, window: Window, registration: Registration) -> Past:
    kpi = workflow.kpis[registration.primary]
    view = PilotView(ask.workflow, workflow, registration, bench.observations.observer())
    frozen = registration.kpis[registration.primary]
    transform = frozen_transform(frozen)
    weeks = view.settled(frozen)
    weekly = is_weekly(kpi)
    return Past(
        name=ask.workflow,
        kpi=kpi,
        transform=transform,
        weeks=view.weeks,
        cases=None
        if weekly
        else baseline_cases(bench, view.name, workflow, view.registration.primary, window, ask.as_of),
        settled=[on_scale(week, transform) for week in weeks],
        latest=start_of_day(weeks[-1].week) if weeks else None,
        cases_a_week=registration.cases_a_week,
    )


def _rollout(
    bench: Workbench, ask: Ask, workflow: Workflow, pilot: Pilot, window: Window
) -> tuple[tuple[FrozenLaunch, ...], int | None]:
    """Draw the order of a staggered rollout; nothing for other designs."""
    if pilot.design.assigned != "staggered" or pilot.starts is None or pilot.primary is None:
        return (), None
    cases = baseline_cases(bench, ask.workflow, workflow, pilot.primary, window, ask.as_of)
    matures = workflow.events.matures_after if workflow.events else None
    weeks = PilotWeeks(
        start_of_day(pilot.starts), matures.delta() if matures else timedelta(), window.start, window.end
    )
    promise = {"workflow": ask.workflow, "starts": str(pilot.starts), "primary": pilot.primary}
    return drawn_rollout(cases, weeks, max(map(gate_week, pilot.gates)), promise)


def _gates(pilot: Pilot) -> dict[str, FrozenGate]:
    return {
        name: FrozenGate(scale=gate.scale, bar=str(gate.bar) if gate.bar else None)
        for name, gate in pilot.gates.items()
    }


def _because_of(pilot: Pilot) -> FrozenTrigger | Literal["nothing"] | None:
    because = pilot.because_of
    if because is None or isinstance(because, str):
        return because
    return FrozenTrigger(start=because.start, end=because.end, what=because.what)


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
        "summary": [
            _summary(kpi, frozen, bench.programme.workflows[name].kpis[kpi].quantile)
            for kpi, frozen in registration.kpis.items()
        ],
        "detectable": [one.model_dump(mode="json") for one in registration.detectable],
        "admission": registration.admission.model_dump(mode="json") if registration.admission else None,
        "rollout": [launch.model_dump(mode="json") for launch in registration.rollout],
        "because_of": _question(bench.programme.workflows[name]),
        "notes": list(registration.notes),
        "commit": commit,
    }


def _question(workflow: Workflow) -> str | None:
    """Ask whether the pilot starts because the KPI was bad, where nobody has said."""
    if workflow.pilot is None or workflow.pilot.because_of is not None:
        return None
    return (
        "Does this pilot start because the figures were bad? Such weeks improve by themselves: name them under "
        "`pilot.because_of: {from: DAY, to: DAY}` and they leave the baseline, or write `because_of: nothing`."
    )


def _summary(kpi: str, frozen: FrozenKpi, quantile: float | None) -> dict[str, Any]:
    if frozen.events is not None:
        interval = share_interval_of_week(frozen.events, frozen.n)
    else:
        mean, variance = frozen.mean or 0.0, frozen.variance or 0.0
        squares = (frozen.n - 1) * variance + frozen.n * mean * mean
        interval = mean_interval_of_week(frozen.n, frozen.n * mean, squares)
    value, upper = frozen.mean, known(interval.upper)
    if quantile is not None:
        # Capped cases end later, nobody knows when: a quantile among them, or an end that reaches them, is unknown.
        seen = frozen.n - frozen.capped
        reach = 1.96 * math.sqrt(frozen.n * quantile * (1 - quantile))
        value = value if math.ceil(quantile * frozen.n) <= seen else None
        upper = upper if quantile * frozen.n + reach < seen else None
    return {
        "kpi": kpi,
        "n": frozen.n,
        "value": value,
        "lower": None if value is None else known(interval.lower),
        "upper": upper,
        "unit": frozen.unit,
        "capped": frozen.capped,
    }

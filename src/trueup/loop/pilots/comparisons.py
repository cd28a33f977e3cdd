"""From events to a comparison: treated cases beside control cases, other units or the frozen baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from trueup.decide.comparison import Basis, Comparison
from trueup.decide.designs import MatchedUnits, RolloutOrder, StableWeeks
from trueup.decide.samples import frozen_sample, sample_of, weekly_sample
from trueup.declare.model.kpi import KpiKind
from trueup.evidence.designs.scales import PLAIN
from trueup.evidence.designs.stable import BASELINE_WEEKS, MATCHED_PART, StableSeries
from trueup.kernel.clock import start_of_day
from trueup.loop.pilots.adjusting import known_before, known_by_week
from trueup.loop.pilots.weeks import PilotWeeks, floor_of, frozen_transform
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from trueup.decide.comparison import Sample
    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import FrozenKpi, FrozenWeek, Registration
    from trueup.declare.model.workflow import Workflow
    from trueup.evidence.designs.scales import Transform
    from trueup.observe.observer import Observer
    from trueup.observe.tables import CaseVector, WeekStatistic

# Ratios of actuals and throughput have one value a week, not one a case.
WEEKLY_OF = ("effort", "cost")
_DESIGNED = ("matched", "staggered")


def is_weekly(kpi: Kpi) -> bool:
    """Tell whether a KPI has one value a week (throughput, ratios of actuals) instead of one a case."""
    return kpi.kind is KpiKind.THROUGHPUT or (kpi.ratio is not None and kpi.ratio.of in WEEKLY_OF)


def is_ratio_of_sums(kpi: Kpi) -> bool:
    """Tell whether a KPI is a sum over another, and not the mean of one value a case or a week."""
    return kpi.paired or (kpi.ratio is not None and is_weekly(kpi))


def cap_of(kpi: Kpi, matures_after_seconds: int) -> float | None:
    """Return the longest value that a duration can take, in the KPI's unit; None for other kinds."""
    if kpi.kind is not KpiKind.DURATION:
        return None
    return kpi.longest(matures_after_seconds)


@dataclass(frozen=True, slots=True)
class PilotView:
    """One pilot as it is compared: the registered promise over the events of a workflow."""

    name: str
    workflow: Workflow
    registration: Registration
    observer: Observer

    @property
    def starts(self) -> datetime:
        """The first instant of the pilot."""
        return start_of_day(self.registration.starts)

    @property
    def assigned(self) -> str:
        """How cases come to be treated: random, staggered, matched or none."""
        return str(self.registration.design.get("assigned", "none"))

    @property
    def concurrent(self) -> bool:
        """True where a control arm that was drawn by chance runs beside the treated one."""
        return self.assigned == "random"

    @property
    def by_case(self) -> bool:
        """True where single cases were randomised."""
        return self.concurrent and self.registration.design.get("unit", "case") == "case"

    @property
    def weeks(self) -> PilotWeeks:
        """The weeks of the pilot and of its baseline."""
        because = self.registration.because_of
        triggered = None if because is None or isinstance(because, str) else (because.start, because.end)
        registered = self.registration
        return PilotWeeks(self.starts, self._matures(), registered.baseline_from, registered.baseline_to, triggered)

    def compare(self, kpi_name: str, mature_by: datetime) -> Comparison:
        """Compare the cases that started in the pilot and were mature at `mature_by`."""
        kpi, frozen = self.workflow.kpis[kpi_name], self.registration.kpis[kpi_name]
        if is_weekly(kpi):
            return self._compare_weeks(kpi_name, kpi, mature_by)
        if kpi.quantile is not None and not self.by_case:
            # No design but the draw by case can judge a tail: nothing is compared, and the gate says why.
            return replace(self._counted(kpi_name, kpi), control=frozen_sample(frozen))
        if self.assigned in _DESIGNED and self._ready():
            return self._compare_units(kpi_name, kpi, mature_by)
        log = kpi.scale == "log" and frozen.log is not None
        transform = frozen_transform(frozen) if log else PLAIN
        vector = self.observer.cases(self.name, kpi_name, since=self.starts, until=mature_by, mature_by=mature_by)
        by_unit = self.concurrent and not self.by_case
        if not self.concurrent and self._admitted(kpi_name):
            return self._beside(self._compare_stable(kpi, frozen, vector, mature_by), vector, mature_by)
        tail = kpi.quantile
        treated = sample_of(vector.of(*self._treated_arms()), by_unit=by_unit, transform=transform, quantile=tail)
        if self.concurrent:
            control = sample_of(vector.of(Arm.CONTROL), by_unit=by_unit, transform=transform, quantile=tail)
        else:
            control = frozen_sample(frozen, log=log, ratio=kpi.paired)
        found = replace(
            self._counted(kpi_name, kpi),
            basis=self._basis(),
            frozen=not self.concurrent,
            treated=treated,
            control=control,
            transform=transform,
        )
        return self._beside(found, vector, mature_by)

    def _beside(self, found: Comparison, vector: CaseVector, mature_by: datetime) -> Comparison:
        """Add what was known of the cases beforehand, where that was registered."""
        registered = self.registration
        if registered.adjust is None or found.quantile is not None or found.kpi != registered.primary:
            return found
        if self.by_case:
            return replace(found, known=known_before(registered, found, vector))
        if self.assigned != "none":
            return found
        since, until = start_of_day(registered.baseline_from), self.starts
        before = self.observer.cases(self.name, found.kpi, since=since, until=until, mature_by=mature_by)
        baseline = before.where(self.weeks.baseline(before))
        return replace(found, known=known_by_week(registered, vector, baseline, found.transform))

    def _counted(self, name: str, kpi: Kpi) -> Comparison:
        """A comparison of nothing yet: what follows from the KPI alone."""
        nothing = weekly_sample(())
        cap = cap_of(kpi, round(self._matures().total_seconds()))
        share = kpi.kind is KpiKind.SHARE
        return Comparison(
            name,
            kpi.shown_unit,
            share,
            Basis.BLOCKS,
            frozen=True,
            treated=nothing,
            control=nothing,
            cap=cap,
            quantile=kpi.quantile,
            paired=is_ratio_of_sums(kpi),
        )

    def _treated_arms(self) -> tuple[str, ...]:
        # A rollout that was never registered with its order has no arms: every pilot case is compared.
        return (Arm.TREATED, Arm.UNASSIGNED) if self.assigned == "staggered" and not self._ready() else (Arm.TREATED,)

    def _ready(self) -> bool:
        return bool(self.registration.rollout) if self.assigned == "staggered" else True

    def _admitted(self, kpi_name: str) -> bool:
        admission = self.registration.admission
        return admission is not None and admission.admitted and kpi_name == self.registration.primary

    def _compare_stable(self, kpi: Kpi, frozen: FrozenKpi, vector: CaseVector, mature_by: datetime) -> Comparison:
        transform, weeks = frozen_transform(frozen), self.weeks
        after = weeks.means(vector, transform, range(weeks.mature(mature_by)))
        return self._stable(kpi, frozen, sample_of(vector, transform=transform), after)

    def _stable(self, kpi: Kpi, frozen: FrozenKpi, treated: Sample, after: dict[str, float]) -> Comparison:
        transform = frozen_transform(frozen)
        before = tuple(on_scale(week, transform) for week in self.settled(frozen))[-BASELINE_WEEKS:]
        series = StableSeries(before, tuple(after.values()), floor_of(kpi) or 0.0)
        return replace(
            self._counted(self.registration.primary, kpi),
            basis=Basis.STABLE,
            treated=replace(treated, blocks=np.array(list(after.values()), dtype=np.float64)),
            control=frozen_sample(frozen, log=frozen.log is not None),
            transform=transform,
            analysis=StableWeeks(series, tuple(after)),
        )

    def settled(self, frozen: FrozenKpi) -> list[FrozenWeek]:
        """Return the registered weeks whose cases had all matured before the start, in order."""
        until = min(self.starts, self.registration.registered)
        ready = [
            week for week in frozen.weeks if start_of_day(week.week) + timedelta(weeks=1) + self._matures() <= until
        ]
        return [week for week in ready if week.mean is not None]

    def _compare_units(self, kpi_name: str, kpi: Kpi, mature_by: datetime) -> Comparison:
        weeks, frozen = self.weeks, self.registration.kpis[kpi_name]
        transform = frozen_transform(frozen)
        vector = self.observer.cases(
            self.name, kpi_name, since=start_of_day(weeks.first), until=mature_by, mature_by=mature_by
        )
        numbers = [*weeks.numbers_before(), *range(weeks.mature(mature_by))]
        analysis: MatchedUnits | RolloutOrder
        if self.assigned == "matched":
            treated = frozenset(map(str, self.registration.design.get("treated", ())))
            control = frozenset(map(str, self.registration.design.get("control", ())))
            panel = weeks.panel(vector, transform, sorted(treated | control), numbers)
            analysis = MatchedUnits(panel, treated, MATCHED_PART * (floor_of(kpi) or 0.0))
        else:
            launches = {launch.unit: launch.on.isoformat() for launch in self.registration.rollout}
            panel = weeks.panel(vector, transform, sorted(launches), numbers)
            analysis = RolloutOrder(panel, launches, self.registration.order_seed or 0)
        pilot = vector.where(weeks.number(vector) >= 0)
        return replace(
            self._counted(kpi_name, kpi),
            basis=Basis.MATCHED if self.assigned == "matched" else Basis.ORDER,
            frozen=False,
            treated=sample_of(pilot.of(Arm.TREATED), transform=transform),
            control=sample_of(pilot.of(Arm.CONTROL), transform=transform),
            transform=transform,
            analysis=analysis,
        )

    def _compare_weeks(self, kpi_name: str, kpi: Kpi, mature_by: datetime) -> Comparison:
        rows = [
            row
            for row in self.observer.weekly(self.name, mature_by, kpis=[kpi_name])
            if row.segment is None and row.n and self._whole_pilot_week(row, mature_by)
        ]
        frozen = self.registration.kpis[kpi_name]
        ratio = is_ratio_of_sums(kpi)
        treated = weekly_sample(rows, ratio=ratio)
        if self._admitted(kpi_name) and self.assigned == "none":
            names = sorted({row.week.isoformat() for row in rows})
            treated = weekly_sample(rows, frozen_transform(frozen))
            return self._stable(kpi, frozen, treated, dict(zip(names, treated.blocks.tolist(), strict=True)))
        control = frozen_sample(frozen, ratio=ratio)
        return replace(self._counted(kpi_name, kpi), treated=treated, control=control)

    def _basis(self) -> Basis:
        if not self.concurrent:
            return Basis.BLOCKS
        return Basis.CASES if self.by_case else Basis.UNITS

    def _whole_pilot_week(self, row: WeekStatistic, mature_by: datetime) -> bool:
        begins = start_of_day(row.week)
        return begins >= self.starts and begins + timedelta(weeks=1) <= mature_by

    def _matures(self) -> timedelta:
        events = self.workflow.events
        return timedelta() if events is None or events.matures_after is None else events.matures_after.delta()


def on_scale(week: FrozenWeek, transform: Transform) -> float:
    """Return the mean of a registered week on a scale."""
    if week.log_mean is not None:
        return week.log_mean
    return float(transform([week.mean or 0.0])[0])

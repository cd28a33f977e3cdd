"""From events to a comparison: the treated cases of a pilot beside concurrent control cases or the frozen baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trueup.decide.comparison import Basis, Comparison
from trueup.decide.samples import frozen_sample, sample_of, weekly_sample
from trueup.declare.model.kpi import UNIT_SECONDS, KpiKind
from trueup.kernel.clock import start_of_day
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Workflow
    from trueup.observe.observer import Observer
    from trueup.observe.tables import WeekStatistic

# Ratios of actuals and throughput have one value a week, not one a case.
WEEKLY_OF = ("effort", "cost")


def is_weekly(kpi: Kpi) -> bool:
    """Tell whether a KPI has one value a week (throughput, ratios of actuals) instead of one a case."""
    return kpi.kind is KpiKind.THROUGHPUT or (kpi.ratio is not None and kpi.ratio.of in WEEKLY_OF)


def cap_of(kpi: Kpi, matures_after_seconds: int) -> float | None:
    """Return the longest value that a duration can take, in the KPI's unit; None for other kinds."""
    if kpi.kind is not KpiKind.DURATION:
        return None
    return matures_after_seconds / UNIT_SECONDS[kpi.shown_unit]


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
    def concurrent(self) -> bool:
        """True where a control arm runs beside the treated one."""
        return self.registration.design.get("assigned") == "random"

    @property
    def by_case(self) -> bool:
        """True where single cases were randomised."""
        return self.concurrent and self.registration.design.get("unit", "case") == "case"

    def compare(self, kpi_name: str, mature_by: datetime) -> Comparison:
        """Compare the cases that started in the pilot and were mature at `mature_by`."""
        kpi = self.workflow.kpis[kpi_name]
        if is_weekly(kpi):
            return self._compare_weeks(kpi_name, kpi, mature_by)
        vector = self.observer.cases(self.name, kpi_name, since=self.starts, until=mature_by, mature_by=mature_by)
        by_unit = self.concurrent and not self.by_case
        treated = sample_of(vector.of(Arm.TREATED), by_unit=by_unit)
        if self.concurrent:
            control = sample_of(vector.of(Arm.CONTROL), by_unit=by_unit)
        else:
            control = frozen_sample(self.registration.kpis[kpi_name])
        return Comparison(
            kpi=kpi_name,
            unit=kpi.shown_unit,
            share=kpi.kind is KpiKind.SHARE,
            basis=self._basis(),
            frozen=not self.concurrent,
            treated=treated,
            control=control,
            cap=cap_of(kpi, self._matures_after_seconds()),
        )

    def _compare_weeks(self, kpi_name: str, kpi: Kpi, mature_by: datetime) -> Comparison:
        rows = [
            row
            for row in self.observer.weekly(self.name, mature_by, kpis=[kpi_name])
            if row.segment is None and row.n and self._whole_pilot_week(row, mature_by)
        ]
        return Comparison(
            kpi=kpi_name,
            unit=kpi.shown_unit,
            share=False,
            basis=Basis.BLOCKS,
            frozen=True,
            treated=weekly_sample(rows),
            control=frozen_sample(self.registration.kpis[kpi_name]),
        )

    def _basis(self) -> Basis:
        if not self.concurrent:
            return Basis.BLOCKS
        return Basis.CASES if self.by_case else Basis.UNITS

    def _whole_pilot_week(self, row: WeekStatistic, mature_by: datetime) -> bool:
        begins = start_of_day(row.week)
        return begins >= self.starts and begins + timedelta(weeks=1) <= mature_by

    def _matures_after_seconds(self) -> int:
        events = self.workflow.events
        return 0 if events is None or events.matures_after is None else events.matures_after.seconds

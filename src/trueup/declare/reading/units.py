"""Units are a closed list, because amounts in different units are never added up by mistake."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.declare.model.kpi import UNIT_SECONDS, Kpi, KpiKind
from trueup.declare.programme import Programme, workflow_file
from trueup.declare.reading.problems import problem
from trueup.kernel.finding import Finding
from trueup.kernel.text import did_you_mean, shown


def unit_findings(programme: Programme) -> Iterator[Finding]:
    """Yield the units of durations and ratios that are none: a length of time, for a ratio also the currency."""
    for workflow, declared in programme.workflows.items():
        for name, kpi in declared.kpis.items():
            units = _units(kpi, programme.file.currency)
            if kpi.unit is not None and units and kpi.unit not in units:
                where = programme.places.of(workflow_file(workflow), "kpis", name, "unit")
                detail = f"{shown(kpi.unit)} is not a unit of `kpis.{name}`.{did_you_mean(kpi.unit, units)}"
                yield problem("TYPE01", where, detail, f"Write one of: {', '.join(units)}.")


def _units(kpi: Kpi, currency: str | None) -> tuple[str, ...]:
    """Return the units that a KPI may carry; none where any text may stand."""
    if kpi.kind is KpiKind.DURATION:
        # A working week has no length of its own: it depends on holidays.
        return tuple(unit for unit in UNIT_SECONDS if kpi.calendar is None or unit != "weeks")
    if kpi.ratio is not None and currency is not None:
        return (*UNIT_SECONDS, currency)
    return ()

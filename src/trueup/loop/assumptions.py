"""Assumptions against what the data say; a change where the files still believe otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trueup.decide.assumption import judge_assumption
from trueup.decide.samples import sample_of
from trueup.declare.measures import ActualsMeasure, DataMeasure, KpiMeasure, parse_measure
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import DataError
from trueup.loop.changes import AssumptionChange
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.measures import Measure
    from trueup.declare.model.data import Assumption
    from trueup.declare.model.kpi import Kpi
    from trueup.loop.workbench import Workbench

# No log reaches further back.
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value with what it rests on; `value` is None where nothing could be measured, `reason` why.

    `unmeasurable`: not for want of records so far, but because the declared data can never answer.
    """

    value: float | None
    reason: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    unmeasurable: bool = False


def assumption_changes(bench: Workbench, as_of: datetime) -> Iterator[AssumptionChange]:
    """Yield a change for every assumption whose measurement differs from what the files hold to be true."""
    for name, assumption in sorted(bench.programme.file.assumptions.items()):
        if assumption.measure is None or (assumption.at_least is None and assumption.at_most is None):
            continue
        bench.progress(f"measuring the assumption {name}")
        measured = measure_assumption(bench, assumption, as_of)
        verdict = judge_assumption(assumption, measured.value, reason=measured.reason)
        believed = assumption.found.holds if assumption.found else True
        if verdict.holds is not None and verdict.holds != believed:
            yield AssumptionChange(name, assumption, verdict, measured.source)


def measure_assumption(bench: Workbench, assumption: Assumption, as_of: datetime) -> Measured:
    """Measure an assumption; what cannot be measured is None with its reason, never a number."""
    try:
        return _measured(bench, parse_measure(assumption.measure or ""), as_of)
    except ValueError as error:
        return Measured(None, str(error), unmeasurable=True)
    except DataError as error:
        return Measured(None, error.message, unmeasurable=True)


def _measured(bench: Workbench, measure: Measure, as_of: datetime) -> Measured:
    if isinstance(measure, DataMeasure):
        return _of_data(bench, measure, as_of)
    if isinstance(measure, ActualsMeasure):
        return _of_actuals(bench, measure, as_of)
    return _of_kpi(bench, measure, as_of)


def _of_data(bench: Workbench, measure: DataMeasure, as_of: datetime) -> Measured:
    profile = bench.observations.observer().profile(measure.data, as_of, [tuple(measure.fields)])
    source = {
        "data": measure.data,
        "digest": profile.digest,
        "per": profile.per,
        "records": profile.records,
        "fields": {
            name: {"present": one.present, "valid": one.valid, "records": one.records}
            for name, one in profile.fields.items()
            if name in measure.fields
        },
    }
    if measure.what == "volume":
        return Measured(float(profile.records), source=source)
    if not profile.records:
        return Measured(None, f"{measure.data} holds no records as of {format_instant(as_of)}", source)
    together = profile.joint if measure.what == "completeness" else profile.joint_valid
    count = together[tuple(measure.fields)]
    source["joint"] = count
    return Measured(count / profile.records, source=source)


def _of_actuals(bench: Workbench, measure: ActualsMeasure, as_of: datetime) -> Measured:
    actuals = bench.observations.actuals()
    total = actuals.total(measure.what, measure.use_case, kind=measure.kind, as_of=as_of)
    source = {"actuals": measure.what, "use_case": measure.use_case, "kind": measure.kind}
    if total is None:
        return Measured(None, f"no {measure.what} of {measure.use_case} is recorded", source)
    return Measured(total, source=source)


def _of_kpi(bench: Workbench, measure: KpiMeasure, as_of: datetime) -> Measured:
    """Measure a KPI over the mature treated cases of the pilot; before it, over all mature cases."""
    source: dict[str, Any] = {"kpi": f"{measure.workflow}.{measure.kpi}"}
    kpi = bench.programme.workflows[measure.workflow].kpis.get(measure.kpi)
    if kpi is not None and (kpi.quantile is not None or kpi.paired):
        return _of_cases(bench, measure, kpi, as_of, source)
    rows = bench.observations.observer().weekly(measure.workflow, as_of, kpis=[measure.kpi])
    whole = [row for row in rows if row.segment is None and row.n]
    treated = [row for row in whole if row.arm == Arm.TREATED] or whole
    cases = sum(row.n for row in treated)
    source |= {"cases": cases, "arm": str(treated[0].arm) if treated else None}
    if not cases:
        return Measured(None, f"no mature case has a value for {measure.kpi}", source)
    return Measured(sum(row.total for row in treated) / cases, source=source)


def _of_cases(bench: Workbench, measure: KpiMeasure, kpi: Kpi, as_of: datetime, source: dict[str, Any]) -> Measured:
    """Measure what no weekly means add up to: a quantile, or a ratio of sums."""
    observer = bench.observations.observer()
    every = observer.cases(measure.workflow, measure.kpi, since=_FIRST, until=as_of, mature_by=as_of)
    treated = every.of(Arm.TREATED)
    vector = treated if len(treated) else every
    sample = sample_of(vector, quantile=kpi.quantile)
    source |= {"cases": len(vector), "arm": str(vector.arm[0]) if len(vector) else None}
    if not sample.n:
        return Measured(None, f"no mature case has a value for {measure.kpi}", source)
    return Measured(sample.moments.mean, source=source)

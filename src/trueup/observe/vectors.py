"""The ordered case vector: what sequences that depend on the order of cases are computed from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from trueup.observe.cases.arms import instant
from trueup.observe.cases.needs import from_actuals
from trueup.observe.cases.values import epoch_seconds, flag
from trueup.observe.held import names_of, numbers, objects, vector
from trueup.observe.tables import Arm, CaseVector

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

    from trueup.observe.cases.needs import Measure
    from trueup.observe.held import Held
    from trueup.observe.weeks import CaseTable


def case_vector(
    table: CaseTable, number: int, unit: str | None, *, since: datetime, until: datetime, mature_by: datetime
) -> CaseVector:
    """Return the mature cases with a value of the measure at a position, in order.

    `unit` is the column of what was assigned; None: the case itself.
    """
    measure = table.measures[number]
    if table.held is not None:
        columns = _held(table.held, measure, number, unit, since, until, mature_by)
    else:
        cases = table.at(mature_by)
        window = (cases["start"] >= instant(since)) & (cases["start"] < instant(until))
        columns = _fetched(table.engine.fetch(_columns(cases.filter(window & cases["mature"]), table, number, unit)))
    without = Counter(str(arm) for arm in columns["arm"][~columns["known"]])
    return _ordered(columns, measure, dict(sorted(without.items())))


def _held(
    held: Held, measure: Measure, number: int, unit: str | None, since: datetime, until: datetime, mature_by: datetime
) -> Mapping[str, NDArray[Any]]:
    """The columns of a vector from the cases in memory."""
    at, columns = vector(held, number, unit, since, until, mature_by)
    if from_actuals(measure.kpi):
        columns["known"] = np.zeros(at.place.shape, dtype=bool)
    if not _among_treated(measure):
        return columns
    treated = at.of(Arm.TREATED)
    return {name: column[treated] for name, column in columns.items()}


def _among_treated(measure: Measure) -> bool:
    return measure.kpi.share is not None and measure.kpi.share.among == "treated"


def _columns(cases: ir.Table, table: CaseTable, number: int, unit: str | None) -> ir.Table:
    measure = table.measures[number]
    if _among_treated(measure):
        cases = cases.filter(cases["arm"] == str(Arm.TREATED))
    value = ibis.null("float64") if from_actuals(measure.kpi) else cases[f"kpi_{number}"]
    return cases.select(
        case="case",
        started=epoch_seconds(cases["start"]),
        matured=epoch_seconds(cases["due"]),
        arm="arm",
        unit=cases["case"] if unit is None else cases[unit].fill_null("(none)"),
        value=value.cast("float64").fill_null(0.0),
        known=flag(value.notnull()),
        capped=cases[f"capped_{number}"],
    )


def _fetched(rows: pa.Table) -> Mapping[str, NDArray[Any]]:
    """The columns of a vector as the engine gave them."""
    case = objects(rows["case"])
    return {
        "case": case,
        "names": names_of(case),
        "started": numbers(rows["started"], np.int64),
        "matured": numbers(rows["matured"], np.int64),
        "arm": objects(rows["arm"]),
        "unit": objects(rows["unit"]),
        "value": numbers(rows["value"], np.float64),
        "known": numbers(rows["known"], np.int64) != 0,
        "capped": numbers(rows["capped"], np.int64) != 0,
    }


def _ordered(columns: Mapping[str, NDArray[Any]], measure: Measure, without: dict[str, int]) -> CaseVector:
    known = columns["known"]
    order = np.lexsort((columns["names"][known], columns["matured"][known]))

    def ordered(name: str) -> NDArray[Any]:
        found: NDArray[Any] = columns[name][known][order]
        return found

    return CaseVector(
        kpi=measure.name,
        case=ordered("case"),
        started=ordered("started"),
        matured=ordered("matured"),
        arm=ordered("arm"),
        unit=ordered("unit"),
        value=ordered("value") / measure.scale,
        capped=ordered("capped"),
        without_value=without,
    )

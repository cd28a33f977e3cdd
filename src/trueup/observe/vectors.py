"""The ordered case vector: what sequences that depend on the order of cases are computed from."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import numpy as np

from trueup.observe.cases.arms import instant
from trueup.observe.cases.needs import from_actuals
from trueup.observe.cases.values import epoch_seconds, flag
from trueup.observe.tables import Arm, CaseVector

if TYPE_CHECKING:
    from datetime import datetime

    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

    from trueup.observe.cases.needs import Measure
    from trueup.observe.weeks import CaseTable

_Number = TypeVar("_Number", bound=np.generic)


def case_vector(
    table: CaseTable, number: int, unit: str | None, *, since: datetime, until: datetime, mature_by: datetime
) -> CaseVector:
    """Return the mature cases with a value of the measure at a position, in order.

    `unit` is the column of what was assigned; None: the case itself.
    """
    cases = table.at(mature_by)
    window = (cases["start"] >= instant(since)) & (cases["start"] < instant(until))
    rows = table.engine.fetch(_columns(cases.filter(window & cases["mature"]), table, number, unit))
    known = _numbers(rows["known"], np.int64) != 0
    without = Counter(str(arm) for arm in _objects(rows["arm"])[~known])
    return _ordered(rows, table.measures[number], known, dict(sorted(without.items())))


def _columns(cases: ir.Table, table: CaseTable, number: int, unit: str | None) -> ir.Table:
    measure = table.measures[number]
    if measure.kpi.share is not None and measure.kpi.share.among == "treated":
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


def _ordered(rows: pa.Table, measure: Measure, known: NDArray[np.bool_], without: dict[str, int]) -> CaseVector:
    case = _objects(rows["case"])[known]
    matured = _numbers(rows["matured"], np.int64)[known]
    names = np.array([hashlib.sha256(str(one).encode()).digest() for one in case], dtype="S32")
    order = np.lexsort((names, matured))

    def ordered(column: NDArray[Any]) -> NDArray[Any]:
        return column[known][order]

    return CaseVector(
        kpi=measure.name,
        case=case[order],
        started=ordered(_numbers(rows["started"], np.int64)),
        matured=matured[order],
        arm=ordered(_objects(rows["arm"])),
        unit=ordered(_objects(rows["unit"])),
        value=ordered(_numbers(rows["value"], np.float64)) / measure.scale,
        capped=ordered(_numbers(rows["capped"], np.int64)) != 0,
        without_value=without,
    )


def _objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _numbers(column: pa.ChunkedArray, kind: type[_Number]) -> NDArray[_Number]:
    """Numbers without nulls. By DLPack: pyarrow's own conversion imports pandas."""
    return np.concatenate([np.array([], dtype=kind), *(np.from_dlpack(chunk) for chunk in column.chunks)])

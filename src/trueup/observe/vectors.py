"""The ordered case vector: what sequences that depend on the order of cases are computed from."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import ibis
import numpy as np

from trueup.observe.cases.arms import instant
from trueup.observe.cases.needs import from_actuals
from trueup.observe.cases.values import epoch_seconds
from trueup.observe.tables import Arm, CaseVector

if TYPE_CHECKING:
    from datetime import datetime

    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

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
    known = _numbers(rows["value"].is_valid(), np.bool_)
    arms = _objects(rows["arm"])
    without = Counter(str(arm) for arm in arms[~known])
    return _ordered(rows.filter(rows["value"].is_valid()), table.measures[number].name, dict(without), table, number)


def _columns(cases: ir.Table, table: CaseTable, number: int, unit: str | None) -> ir.Table:
    measure = table.measures[number]
    value = cases[f"kpi_{number}"]
    if from_actuals(measure.kpi):
        value = ibis.null("float64")
    if measure.kpi.share is not None and measure.kpi.share.among == "treated":
        cases = cases.filter(cases["arm"] == str(Arm.TREATED))
    return cases.select(
        case="case",
        started=epoch_seconds(cases["start"]),
        matured=epoch_seconds(cases["due"]),
        arm="arm",
        unit=cases["case"] if unit is None else cases[unit].fill_null("(none)"),
        value=value.cast("float64"),
        capped=cases[f"capped_{number}"],
    )


def _ordered(rows: pa.Table, name: str, without: dict[str, int], table: CaseTable, number: int) -> CaseVector:
    case = _objects(rows["case"])
    matured = _numbers(rows["matured"], np.int64)
    names = np.array([hashlib.sha256(str(one).encode()).digest() for one in case], dtype="S32")
    order = np.lexsort((names, matured))
    return CaseVector(
        kpi=name,
        case=case[order],
        started=_numbers(rows["started"], np.int64)[order],
        matured=matured[order],
        arm=_objects(rows["arm"])[order],
        unit=_objects(rows["unit"])[order],
        value=_numbers(rows["value"], np.float64)[order] / table.measures[number].scale,
        capped=_numbers(rows["capped"], np.int64)[order] != 0,
        without_value=without,
    )


def _objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _numbers(column: pa.ChunkedArray, kind: type[_Number]) -> NDArray[_Number]:
    # By chunk: the conversion of chunked columns imports pandas.
    chunks = [np.asarray(chunk.to_numpy(zero_copy_only=False), dtype=kind) for chunk in column.chunks]
    return np.concatenate(chunks) if chunks else np.array([], dtype=kind)

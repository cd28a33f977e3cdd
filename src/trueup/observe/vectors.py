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
from trueup.observe.tables import NOTHING_BEFOREHAND, Arm, CaseVector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

    from trueup.observe.cases.needs import Measure
    from trueup.observe.held import At, Held
    from trueup.observe.tables import Beforehand, Segment
    from trueup.observe.weeks import CaseTable

# The stratum of a case whose first event does not say it.
NONE = "(none)"


def case_vector(
    table: CaseTable,
    number: int,
    unit: str | None,
    known: Beforehand = NOTHING_BEFOREHAND,
    *,
    since: datetime,
    until: datetime,
    mature_by: datetime,
) -> CaseVector:
    """Return the mature cases with a value of the measure at a position, in order.

    `unit` is the column of what was assigned; None: the case itself. What was `known` beforehand counts where the
    first event of a case says it: said later, it could follow from the treatment.
    """
    measure = table.measures[number]
    if table.held is not None:
        columns = _held(table.held, measure, number, unit, known, since, until, mature_by)
    else:
        cases = table.at(mature_by)
        window = (cases["start"] >= instant(since)) & (cases["start"] < instant(until))
        chosen = cases.filter(window & cases["mature"])
        columns = _fetched(table.engine.fetch(_columns(chosen, table, number, unit, known)), known)
    without = Counter(str(arm) for arm in columns["arm"][~columns["known"]])
    return _ordered(columns, measure, dict(sorted(without.items())))


def _held(
    held: Held,
    measure: Measure,
    number: int,
    unit: str | None,
    known: Beforehand,
    since: datetime,
    until: datetime,
    mature_by: datetime,
) -> Mapping[str, NDArray[Any]]:
    """The columns of a vector from the cases in memory."""
    at, columns = vector(held, number, unit, since, until, mature_by)
    if from_actuals(measure.kpi):
        columns["known"] = np.zeros(at.place.shape, dtype=bool)
    under = held.values[number].under
    if under is not None:
        columns["under"] = under[at.place]
    columns |= _known_of(held, at, known)
    if not _among_treated(measure):
        return columns
    treated = at.of(Arm.TREATED)
    return {name: column[treated] for name, column in columns.items()}


def _known_of(held: Held, at: At, known: Beforehand) -> dict[str, NDArray[Any]]:
    """What the first events of cases in memory say."""
    started, found = held.start[at.place], {}

    def said(segment: Segment) -> NDArray[np.bool_]:
        early: NDArray[np.bool_] = held.times[segment.seen][at.place] <= started
        return early

    if known.covariates is not None:
        fields = [np.where(said(one), held.figures[one.value][at.place], np.nan) for one in known.covariates]
        found["covariates"] = np.column_stack(fields)
    if known.strata is not None:
        texts = [np.where(said(one), held.words[one.value].text(NONE)[at.place], NONE) for one in known.strata]
        found["stratum"] = _joined(texts)
    return found


def _joined(texts: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    """One name for every combination of strata."""
    return np.array([" · ".join(map(str, parts)) for parts in zip(*texts, strict=True)], dtype=object)


def _among_treated(measure: Measure) -> bool:
    return measure.kpi.share is not None and measure.kpi.share.among == "treated"


def _columns(cases: ir.Table, table: CaseTable, number: int, unit: str | None, known: Beforehand) -> ir.Table:
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
        **({} if measure.under is None else {"under": cases[f"under_{number}"].fill_null(0.0)}),
        **_said_first(cases, known),
    )


def _said_first(cases: ir.Table, known: Beforehand) -> dict[str, ir.Value]:
    """What the first event of a case says of it."""
    found: dict[str, ir.Value] = {}
    for place, one in enumerate(known.covariates or ()):
        found[f"covariate_{place}"] = (cases[one.seen] <= cases["start"]).ifelse(cases[one.value], None)
    for place, one in enumerate(known.strata or ()):
        text = (cases[one.seen] <= cases["start"]).ifelse(cases[one.value], None)
        found[f"stratum_{place}"] = text.fill_null(NONE)
    return found


def _fetched(rows: pa.Table, known: Beforehand) -> Mapping[str, NDArray[Any]]:
    """The columns of a vector as the engine gave them."""
    case = objects(rows["case"])
    found: dict[str, NDArray[Any]] = {}
    if "under" in rows.column_names:
        found["under"] = numbers(rows["under"], np.float64)
    if known.covariates is not None:
        fields = [objects(rows[f"covariate_{place}"]) for place in range(len(known.covariates))]
        found["covariates"] = np.column_stack([field.astype(np.float64) for field in fields])
    if known.strata is not None:
        found["stratum"] = _joined([objects(rows[f"stratum_{place}"]) for place in range(len(known.strata))])
    return found | {
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
        **{name: ordered(name) for name in ("under", "covariates", "stratum") if name in columns},
    )

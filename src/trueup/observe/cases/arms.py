"""Which part of the comparison a case belongs to, by when it started and by what its events say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from trueup.kernel.clock import start_of_day
from trueup.observe.cases.facts import Arms
from trueup.observe.cases.values import surely
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

    from trueup.declare.model.workflow import Design, Pilot
    from trueup.observe.engine import Engine


def instant(at: datetime) -> ir.TimestampScalar:
    """Return an instant as the engines hold it: naive, UTC."""
    return ibis.literal(at.astimezone(UTC).replace(tzinfo=None), "timestamp")


def arms_column(pilot: Pilot | None) -> Arms | None:
    """Return the column that says in which arm a case is, where the pilot's design names one."""
    if pilot is None or pilot.design.assigned == "none" or pilot.design.column is None:
        return None
    return Arms(pilot.design.column, pilot.design.treated, pilot.design.control)


def with_assigned(
    engine: Engine,
    cases: ir.Table,
    design: Design | None,
    assigned: Mapping[str, str],
    since: Mapping[str, datetime],
) -> ir.Table:
    """Add `assigned`: the arm that our own router gave a case before it started; null without one.

    An arm that was drawn after the first event is none: by then the case could have been looked at. A case without
    an instant in `since` is taken at its word.
    """
    if design is None or design.by != "ledger" or not assigned:
        return cases.mutate(assigned=ibis.null("string"))
    instants = [at.astimezone(UTC).replace(tzinfo=None) if (at := since.get(case)) else None for case in assigned]
    columns = {
        "known": pa.array(list(assigned), pa.string()),
        "drawn": pa.array(list(assigned.values()), pa.string()),
        "drawn_at": pa.array(instants, pa.timestamp("us")),
    }
    recorded = engine.load(pa.table(columns))
    joined = cases.left_join(recorded, cases["case"] == recorded["known"])
    early = joined["drawn_at"].isnull() | (joined["drawn_at"] <= joined["start"])
    return joined.mutate(assigned=early.ifelse(joined["drawn"], ibis.null("string"))).drop("known", "drawn", "drawn_at")


def with_rollout(cases: ir.Table, unit: str, launches: Mapping[str, datetime]) -> ir.Table:
    """Set `assigned` by the unit of a case and the day on which that unit was launched; null for other units."""
    if not launches:
        return cases
    treated, control = ibis.literal(str(Arm.TREATED)), ibis.literal(str(Arm.CONTROL))
    branches = [
        (cases[unit] == name, (cases["start"] >= instant(day)).ifelse(treated, control))
        for name, day in launches.items()
    ]
    return cases.mutate(assigned=ibis.cases(*branches, else_=ibis.null("string")))


def arm_of(cases: ir.Table, pilot: Pilot | None, as_of: datetime) -> ir.StringValue:
    """Return the arm (a value of Arm) of each case, from what is visible at an instant."""
    if pilot is None or pilot.starts is None:
        return ibis.literal(str(Arm.ALL))
    start = cases["start"]
    in_pilot = _in_pilot(cases, pilot.design, as_of)
    branches = []
    if pilot.baseline is not None:
        inside = (start >= instant(pilot.baseline.begins)) & (start < instant(pilot.baseline.ends))
        branches = [((start < instant(start_of_day(pilot.starts))) & inside, str(Arm.BASELINE))]
    return ibis.cases(
        *branches,
        (start < instant(start_of_day(pilot.starts)), str(Arm.BEFORE)),
        else_=in_pilot,
    )


def _in_pilot(cases: ir.Table, design: Design, as_of: datetime) -> ir.StringValue:
    if design.assigned == "none":
        return ibis.literal(str(Arm.TREATED))
    if design.column is not None:
        treated = surely(cases["treated_at"] <= instant(as_of))
        control = surely(cases["control_at"] <= instant(as_of))
        return ibis.cases(
            (treated & control, str(Arm.BOTH)),
            (treated, str(Arm.TREATED)),
            (control, str(Arm.CONTROL)),
            else_=str(Arm.UNASSIGNED),
        )
    return cases["assigned"].fill_null(str(Arm.UNASSIGNED))

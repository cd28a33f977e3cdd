"""The events of a workflow as four kinds of column: case, time, activity, and the attributes that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.errors import DataError, NotFoundError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir

    from trueup.declare.model.workflow import Events, Lifecycle, Workflow
    from trueup.declare.programme import Programme
    from trueup.observe.engine import Tables

# Attributes of events get their own names inside, so that none can collide with `case`, `at`, `activity`.
ATTRIBUTE = "attribute_"


@dataclass(frozen=True, slots=True)
class EventSource:
    """Where a workflow's events are read: the raw table, its columns, and how names are resolved to them.

    `window` is the follow-up of every case, in seconds. `missing` are the texts that mean "no value" in
    attributes (never in the case id or the activity). `lifecycle` tells starts of steps from completions.
    """

    data: str
    raw: ir.Table
    case: str
    activity: str
    at: str
    window: int
    aliases: Mapping[str, str]
    missing: tuple[str, ...]
    lifecycle: Lifecycle | None = None

    def events(self, attributes: Sequence[str] = ()) -> ir.Table:
        """Return `case`, `at`, `activity` and `attribute_0` ... for the attributes named, as text.

        Where a lifecycle is declared, what is not the completion of a step has no activity: it happened once, not
        twice. Raises DataError `missing-column` for an attribute that the log does not have.
        """
        if self.lifecycle is None:
            return self._read(attributes)
        rows = self.with_states(attributes)
        done = rows["state"].isin(self.lifecycle.completes)
        return rows.mutate(activity=done.ifelse(rows["activity"], None)).drop("state")

    def with_states(self, attributes: Sequence[str] = ()) -> ir.Table:
        """Return the events with every activity, and `state`, as the log writes it. Raises as `events`."""
        rows = self._read([*attributes, *([self.lifecycle.column] if self.lifecycle is not None else [])])
        return rows.rename(state=f"{ATTRIBUTE}{len(attributes)}") if self.lifecycle is not None else rows

    def _read(self, attributes: Sequence[str]) -> ir.Table:
        columns = {
            "case": as_text(self.raw[self.case]),
            "at": self.raw[self.at],
            "activity": as_text(self.raw[self.activity]),
        }
        for number, name in enumerate(attributes):
            columns[f"{ATTRIBUTE}{number}"] = self.attribute(name)
        return self.raw.select(**columns)

    def attribute(self, name: str) -> ir.StringColumn:
        """Return a column by its name under `fields` or in the log, as text; null where the value is missing."""
        return given(self.raw[self.column(name)], self.missing)

    def column(self, name: str) -> str:
        """Return the log's own name of a column. Raises DataError `missing-column`."""
        return resolved(self.data, name, self.aliases, self.raw.columns)


def given(column: ir.Column, missing: Sequence[str]) -> ir.StringColumn:
    """Return a column as text, null where the text is one of those that mean "no value"."""
    text = as_text(column)
    if not column.type().is_string() or not missing:
        return text
    return text.isin(tuple(missing)).ifelse(None, text)


def as_text(column: ir.Column) -> ir.StringColumn:
    """Return any column as text. Booleans are spelt out: casts of them differ between engines."""
    if column.type().is_string():
        return column
    if column.type().is_boolean():
        return column.ifelse("true", "false")
    return column.cast("string")


def resolved(data: str, name: str, aliases: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return the column that a declared name means: a name under `fields`, else the column itself.

    Raises DataError `missing-column` when the log does not have it.
    """
    column = aliases.get(name, name)
    if column in columns:
        return column
    as_field = f" (declared as {name!r})" if column != name else ""
    raise DataError(
        "missing-column",
        f"The data {data!r} have no column {column!r}{as_field}.{did_you_mean(column, columns)}",
        f"Their columns are: {_listed(columns)}.",
    )


def _listed(columns: Sequence[str], most: int = 30) -> str:
    shown = ", ".join(column for column in columns[:most] if column != "_row")
    return f"{shown} and {len(columns) - most} more" if len(columns) > most else shown


def source_of(programme: Programme, engine: Tables, workflow: str) -> EventSource:
    """Return the events of a workflow.

    Raises NotFoundError for an unknown workflow; DataError `no-events` when it declares none, `no-maturity` when
    it does not say when a case is old enough, `missing-column`, `bad-time` when the time column holds no times.
    """
    declared = declared_workflow(programme, workflow)
    events = _complete(workflow, declared.events)
    data = events.data or ""
    raw = engine.table(data)
    described = programme.file.data.get(data)
    aliases = {} if described is None else described.fields
    columns = [resolved(data, name or "", aliases, raw.columns) for name in (events.case, events.activity, events.at)]
    if events.lifecycle is not None:
        resolved(data, events.lifecycle.column, aliases, raw.columns)
    _require_times(data, raw, columns[2])
    return EventSource(
        data=data,
        raw=raw,
        case=columns[0],
        activity=columns[1],
        at=columns[2],
        window=events.matures_after.seconds if events.matures_after else 0,
        aliases=aliases,
        missing=() if described is None else described.missing,
        lifecycle=events.lifecycle,
    )


def declared_workflow(programme: Programme, workflow: str) -> Workflow:
    """Return a workflow by its id. Raises NotFoundError with the nearest id."""
    declared = programme.workflows.get(workflow)
    if declared is None:
        raise NotFoundError(
            "no-such-workflow",
            f"There is no workflow {workflow!r}.{did_you_mean(workflow, programme.workflows)}",
            f"Declared are: {', '.join(sorted(programme.workflows)) or 'none'}.",
        )
    return declared


def _complete(workflow: str, events: Events | None) -> Events:
    if events is None or not (events.data and events.case and events.activity and events.at):
        raise DataError(
            "no-events",
            f"The workflow {workflow!r} does not say where its events are.",
            f"Give `events` with data, case, activity, at and matures_after in workflows/{workflow}.yaml.",
        )
    if events.matures_after is None or events.matures_after.seconds <= 0:
        raise DataError(
            "no-maturity",
            f"The workflow {workflow!r} does not say when a case is old enough to count, so no KPI of it is known.",
            f"Give `matures_after` (for example 21d) under `events` in workflows/{workflow}.yaml.",
        )
    return events


def _require_times(data: str, raw: ir.Table, at: str) -> None:
    if not raw[at].type().is_timestamp():
        raise DataError(
            "bad-time",
            f"The column {at!r} of the data {data!r} holds {raw[at].type()}, not times.",
            "Name the column that holds the instant of each event under `at`.",
        )

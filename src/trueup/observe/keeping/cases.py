"""The cases of a workflow as they were kept: any change of log, files or draw gives them a new name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from trueup.kernel.canonical import digest
from trueup.kernel.clock import format_instant
from trueup.observe.keeping.answers import named

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from trueup.declare.programme import Programme
    from trueup.observe.cases.definition import Drawn
    from trueup.observe.keeping.answers import Answers

_ACTIVITIES = b"activities"


@dataclass(frozen=True, slots=True)
class CasesBefore:
    """Cases as they were kept: their `rows`, the activities of the log, and the columns of the raw events."""

    activities: tuple[str, ...]
    rows: pa.Table
    raw: pa.Schema

    def table(self, data: str) -> ir.Table:
        """Return the raw events by their columns alone: names can be looked up in it, rows cannot."""
        return ibis.table(ibis.Schema.from_pyarrow(self.raw), name=data)


@dataclass(frozen=True, slots=True)
class KeptCases:
    """Where the cases of one workflow are kept, as its files and its log stand now."""

    answers: Answers
    workflow: str
    name: str

    @classmethod
    def of(cls, answers: Answers, programme: Programme, workflow: str, drawn: Drawn) -> KeptCases | None:
        """Return the place; None where nothing is kept. Raises DataError for a log that cannot be read as declared."""
        declared = programme.workflows[workflow]
        data = declared.events.data if declared.events else None
        content = answers.content(data) if data else None
        if content is None or data is None:
            return None
        # Decisions do not change cases. All else is compared as it is written: the same said otherwise is asked anew.
        settled: dict[str, object] = {"decided": {}, "ended": None}
        pilot = declared.pilot.model_copy(update=settled) if declared.pilot else None
        asked = (programme.file.data[data], declared.model_copy(update={"pilot": pilot}))
        return cls(answers, workflow, named(content, [*map(repr, asked), _digest(drawn)]))

    def get(self) -> CasesBefore | None:
        """Return the cases that were kept, or None."""
        found = self.answers.get(f"cases of {self.workflow}", self.name)
        if found is None:
            return None
        stream = BytesIO(found)
        rows, raw = _read(stream), _read(stream).schema
        return CasesBefore(tuple(json.loads(rows.schema.metadata[_ACTIVITIES])), rows.replace_schema_metadata(), raw)

    def put(self, raw: pa.Schema, activities: tuple[str, ...], rows: pa.Table) -> None:
        """Keep cases, with the columns of the raw events and their activities."""
        labelled = rows.replace_schema_metadata({_ACTIVITIES: json.dumps(activities).encode()})
        self.answers.put(f"cases of {self.workflow}", self.name, _written(labelled) + _written(raw.empty_table()))

    def steps(self, compute: Callable[[], pa.Table]) -> pa.Table:
        """Return how often which activity occurs in which case: as it was kept, or computed and kept."""
        subject = f"steps of {self.workflow}"
        found = self.answers.get(subject, self.name)
        if found is not None:
            return _read(BytesIO(found))
        rows = compute()
        self.answers.put(subject, self.name, _written(rows))
        return rows


def _digest(drawn: Drawn) -> str:
    since = {case: format_instant(at) for case, at in drawn.since.items()}
    launches = {unit: format_instant(at) for unit, at in drawn.launches.items()}
    return digest([dict(drawn.arms), since, launches])


def _written(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def _read(stream: BytesIO) -> pa.Table:
    with pa.ipc.open_stream(stream) as reader:
        return reader.read_all()

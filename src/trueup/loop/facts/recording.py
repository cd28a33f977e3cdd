"""Facts that people put on record: each becomes one entry, in the name of whoever says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.autonomy.rung import note_basis
from trueup.enforce.autonomy.watching import look_once
from trueup.kernel.canonical import Json, canonical, digest
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import ConflictError
from trueup.ledger.entry import Entry
from trueup.loop.autonomy.blind import inbox
from trueup.loop.facts.kinds import KINDS, About, Said, data_of, time_of
from trueup.loop.permission import require_person
from trueup.loop.pin import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.loop.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be recorded (a name in KINDS), who says so, and the instant that it is about."""

    kind: str
    said: Said
    by: str
    as_of: datetime


def record(bench: Workbench, ask: Ask, sign: Callable[[bytes], Mapping[str, Json]]) -> dict[str, Any]:
    """Append one fact to the ledger; the same fact said twice is two facts.

    Raises NotPermittedError when nobody of that name is declared, NotFoundError for ids that are not, UsageError for
    options that do not make the fact, ConflictError for an outcome that was reviewed before. In each case nothing is
    recorded. A reviewed outcome may take the workflow's level back: `fell` says so.
    """
    require_person(bench.programme, ask.by)
    time = time_of(ask.kind, ask.said, ask.as_of)
    data = data_of(ask.kind, ask.said, About(bench.programme, trainable(bench, ask.kind), ask.as_of))
    entry_type = KINDS[ask.kind].entry_type
    if ask.kind == "outcome":
        # What acts is held against what acted before: an outcome of a model that is new says nothing of the old one.
        note_basis(bench.programme, str(data["workflow"]), bench.ledger, time)
    entry = Entry(
        type=entry_type,
        id=_outcome_id(bench, data, ask.as_of) if ask.kind == "outcome" else _next_id(bench, ask, time, data),
        time=time,
        by=ask.by,
        data={**data, **sign(canonical({**data}))},
    )
    done = put_on_record(bench, entry, ask.by, ask.as_of)
    fall = look_once(bench.programme, str(data["workflow"]), bench.ledger, time) if ask.kind == "outcome" else None
    return {
        "entry": done.entries[0],
        "id": entry.id,
        "type": entry_type,
        "time": format_instant(time),
        "by": ask.by,
        "data": dict(data),
        "signed": "signature" in entry.data,
        "files": list(done.files),
        **({"fell": {"entry": fall.entry, "to": fall.to, "because": fall.because}} if fall else {}),
    }


def _outcome_id(bench: Workbench, data: Mapping[str, Json], as_of: datetime) -> str:
    """Name a reviewed outcome by its case: it is reviewed once. Raises ConflictError for a second time.

    What the gate drew for a blind review is labelled there, with the share that it was drawn with; here it would count
    a second time.
    """
    workflow, case = str(data["workflow"]), data["case"]
    waiting = next((one for one in inbox(bench, workflow, as_of) if one.case == case), None)
    if waiting is not None:
        raise ConflictError(
            "drawn-for-review",
            f"Case {case!r} was drawn for a blind review, {waiting.id}: a label there counts it once.",
            f"Label it:\n    trueup autonomy label DIR {waiting.id} --right|--wrong --by WHO",
        )
    entries = bench.ledger.entries("outcome.reviewed")
    held = [
        item for item in entries if (item.entry.data.get("workflow"), item.entry.data.get("case")) == (workflow, case)
    ]
    if held:
        raise ConflictError(
            "reviewed-before",
            f"The outcome of case {case!r} was reviewed before (ledger entry {held[0].index}).",
            "An outcome counts once; what is recorded stays.",
        )
    return f"outcome/{workflow}/{digest(case).removeprefix('sha256:')[:32]}"


def trainable(bench: Workbench, kind: str) -> set[str]:
    """Return who can be trained: the people of the programme, and those of the declared people file."""
    declared = set(bench.programme.file.people)
    return declared | {one.person for one in bench.observations.people()} if kind == "training" else declared


def _next_id(bench: Workbench, ask: Ask, time: datetime, data: Mapping[str, Json]) -> str:
    """Name the fact by its content and how often it was said before: the lock makes the count sure."""
    content = digest({"kind": ask.kind, "time": format_instant(time), "by": ask.by, "data": data})
    stem = f"record/{ask.kind}/{content.removeprefix('sha256:')[:32]}/"
    before = sum(item.id.startswith(stem) for item in bench.ledger.entries(KINDS[ask.kind].entry_type))
    return f"{stem}{before + 1}"

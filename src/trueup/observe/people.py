"""The people of a workflow, as they come from a people system: who may use it, who is trained since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.observe.actuals import instant_in, place, read_csv, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from trueup.declare.model.data import PeopleSource
    from trueup.declare.programme import Programme
    from trueup.observe.actuals import Lines

_YES = ("true", "yes", "1")
_NO = ("false", "no", "0", "")


@dataclass(frozen=True, slots=True)
class WorkflowPerson:
    """Somebody who works in a workflow. `trained_on` is None while they are not; all are eligible unless told."""

    person: str
    workflow: str
    trained_on: datetime | None
    eligible: bool = True


def read_people(programme: Programme) -> list[WorkflowPerson]:
    """Return the lines of the declared people file; none where none is declared. Raises as `read_csv`."""
    source = programme.file.actuals.people if programme.file.actuals else None
    if source is None:
        return []
    path = programme.root / source.source
    return read_csv(path, lambda names, lines: _people(path.name, names, lines, source))


def _people(name: str, names: Sequence[str], lines: Lines, source: PeopleSource) -> Iterator[WorkflowPerson]:
    person, workflow = place(names, source.person, name), place(names, source.workflow, name)
    trained = None if source.trained_on is None else place(names, source.trained_on, name)
    eligible = None if source.eligible is None else place(names, source.eligible, name)
    for line, cells in lines:
        if not cells[person].strip():
            raise refused(name, line, "names no person")
        day = "" if trained is None else cells[trained].strip()
        yield WorkflowPerson(
            person=cells[person].strip(),
            workflow=cells[workflow].strip(),
            trained_on=instant_in(day, name, line) if day else None,
            eligible=True if eligible is None else _truth(cells[eligible].strip(), name, line),
        )


def _truth(text: str, file: str, line: int) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise refused(file, line, f"has {text!r} where yes or no belongs")
    return text.lower() in _YES

"""What rules look at: a programme on a day, with the few questions that all families ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from trueup.declare.model.use_case import Stage
from trueup.declare.programme import PROGRAMME_FILE, Programme, use_case_file, workflow_file
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from trueup.declare.model.use_case import UseCase
    from trueup.declare.model.workflow import Pilot, Workflow
    from trueup.kernel.finding import Span

# Two weeks before a pilot starts there is time left to measure, and to be told.
ABOUT_TO_LAUNCH = 14
DEAD = frozenset({Stage.STOPPED, Stage.RETIRED})
CHOSEN = frozenset({Stage.PILOT, Stage.PRODUCTION})
PROPOSED = CHOSEN | {Stage.CANDIDATE}


@dataclass(frozen=True)
class Subject:
    """A programme as of a day. Nothing here judges: it answers who, where, and at which stage."""

    programme: Programme
    today: date

    def place(self, file: str, *path: str | int) -> Span:
        """Return where a value stands, or the nearest existing key that should hold it."""
        return self.programme.places.of(file, *path)

    def key(self, file: str, *path: str | int) -> Span:
        """Return where a key stands that should hold something and does not, or the nearest existing one above it."""
        return self.programme.places.of_key(file, *path)

    def lacks(self, holder: BaseModel | None, file: str, *path: str) -> bool:
        """Tell whether a value is not given. One that was refused for its type is a finding already, so not this."""
        values = self.programme.places.values
        if values and (file, ()) not in values:
            return False
        if holder is not None and path[-1] in holder.model_fields_set:
            value = getattr(holder, path[-1])
            return value is None or value in ((), {}) or (isinstance(value, str) and not value.strip())
        return (file, path) not in values

    # Stages: the dead are left in peace, ideas are asked little, pilots much.

    def use_cases(self, stages: frozenset[Stage] | None = None) -> Iterator[tuple[str, UseCase, str]]:
        """Yield id, use case and file: those at one of the stages, or all that are not stopped or retired."""
        for name, use_case in sorted(self.programme.use_cases.items()):
            if use_case.stage in stages if stages is not None else use_case.stage not in DEAD:
                yield name, use_case, use_case_file(name)

    def workflows(self, stages: frozenset[Stage] | None = None) -> Iterator[tuple[str, Workflow, str]]:
        """Yield id, workflow and file, by the stage of the workflow (see `stage`); default: all that live."""
        for name, workflow in sorted(self.programme.workflows.items()):
            stage = self.stage(workflow)
            if stage in stages if stages is not None else stage not in DEAD:
                yield name, workflow, workflow_file(name)

    def stage(self, workflow: Workflow) -> Stage:
        """Return the stage of a workflow: that of its use case; without one, what its pilot says."""
        use_case = self.programme.use_cases.get(workflow.use_case or "")
        if use_case is not None:
            return use_case.stage
        return Stage.IDEA if workflow.pilot is None else Stage.PILOT

    @cached_property
    def workflows_of(self) -> Mapping[str, Sequence[str]]:
        """The ids of each use case's workflows, sorted."""
        out: dict[str, list[str]] = {name: [] for name in self.programme.use_cases}
        for name, workflow in sorted(self.programme.workflows.items()):
            out.setdefault(workflow.use_case or "", []).append(name)
        return out

    def pilots(self) -> Iterator[tuple[str, Workflow, Pilot, str]]:
        """Yield id, workflow, pilot and file of every pilot that runs, or that is to start within two weeks."""
        for name, workflow, pilot, file in self.planned_pilots():
            soon = pilot.starts is not None and (pilot.starts - self.today).days <= ABOUT_TO_LAUNCH
            if self.stage(workflow) in CHOSEN or soon:
                yield name, workflow, pilot, file

    def planned_pilots(self) -> Iterator[tuple[str, Workflow, Pilot, str]]:
        """Yield id, workflow, pilot and file of every declared pilot that is not over."""
        for name, workflow, file in self.workflows():
            if workflow.pilot is not None and not over(workflow.pilot):
                yield name, workflow, workflow.pilot, file

    # People.

    def unaccountable(self, who: str) -> str | None:
        """End the sentence `it is owned by NAME, which is ...` for a name that is no person; None for a person."""
        if self.is_person(who):
            return None
        if who in self.programme.file.suppliers:
            return "a supplier, not a person in `people`."
        if who.casefold() in self._teams:
            return "a team, not a person in `people`."
        return f"not declared in `people`.{did_you_mean(who, self.programme.file.people)}"

    def is_person(self, who: str) -> bool:
        """Tell whether a name is declared in `people`; yes when `people` could not be read."""
        values = self.programme.places.values
        return not self.people_read or who in self.programme.file.people or (PROGRAMME_FILE, ("people", who)) in values

    @property
    def people_read(self) -> bool:
        """Tell whether programme.yaml could be read: else nobody knows who is declared."""
        values = self.programme.places.values
        return not values or (PROGRAMME_FILE, ()) in values

    @cached_property
    def _teams(self) -> frozenset[str]:
        return frozenset(case.team.casefold() for case in self.programme.use_cases.values() if case.team)

    @cached_property
    def all_workflows_read(self) -> bool:
        """False when a workflow's file could not be read: then nothing can be called undeclared."""
        files = (self.programme.root / "workflows").glob("*.yaml")
        return all(file.stem in self.programme.workflows for file in files)


def over(pilot: Pilot) -> bool:
    """Tell whether a pilot has ended: stopped, or decided `go` at a gate that scales."""
    decided = pilot.decided
    return pilot.ended is not None or any(
        gate.scale and name in decided and decided[name].outcome == "go" for name, gate in pilot.gates.items()
    )


def shifted(day: date, days: int) -> date:
    """Return a day so many days later (earlier: negative), held inside the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def listed(names: list[str]) -> str:
    """Write names as `a, b and c`."""
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), *names[-1:]])

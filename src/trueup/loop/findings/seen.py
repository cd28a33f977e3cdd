"""What dynamic findings are made from: a programme with its data and its record, as seen from an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from trueup.declare.check.registry import PAGES
from trueup.declare.check.subject import CHOSEN, DEAD, over
from trueup.declare.model.use_case import Stage
from trueup.kernel.clock import parse_instant, start_of_day
from trueup.kernel.errors import DataError
from trueup.loop.assumptions import Measured, measure_assumption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.data import Assumption
    from trueup.declare.model.use_case import UseCase
    from trueup.declare.model.workflow import Pilot, Workflow
    from trueup.kernel.finding import Finding, Span
    from trueup.ledger.entry import Recorded
    from trueup.ledger.records import Profile
    from trueup.loop.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, what it is about (`subject`), and what tells this instance of it from a later one (`key`)."""

    finding: Finding
    subject: str
    key: str = ""


@dataclass(frozen=True)
class Seen:
    """A programme as of an instant; with `only`, one workflow of it and what that rests on. Nothing here judges."""

    bench: Workbench
    as_of: datetime
    only: str | None = None

    @property
    def whole(self) -> bool:
        """Tell whether the whole programme is looked at, and not one workflow."""
        return self.only is None

    def workflows(self) -> Iterator[tuple[str, Workflow]]:
        """Yield id and workflow of those that are looked at, by id."""
        for name, workflow in sorted(self.bench.programme.workflows.items()):
            if self.whole or name == self.only:
                yield name, workflow

    def living(self) -> Iterator[tuple[str, Workflow]]:
        """Yield the workflows whose use case is in pilot or in production."""
        return ((name, workflow) for name, workflow in self.workflows() if self.stage(workflow) in CHOSEN)

    @cached_property
    def use_cases(self) -> dict[str, UseCase]:
        """The use cases that are looked at, by id."""
        named = {workflow.use_case for _, workflow in self.workflows()}
        cases = sorted(self.bench.programme.use_cases.items())
        return {name: use_case for name, use_case in cases if self.whole or name in named}

    def found(self, code: str, subject: str, where: Span, detail: str, fix: str, key: str = "") -> Found:
        """Return a finding with the page's severity and summary."""
        return Found(PAGES[code].finding(where, detail, fix), subject, key)

    def place(self, file: str, *path: str | int) -> Span:
        """Return where a value stands, or the nearest existing key that should hold it."""
        return self.bench.programme.places.of(file, *path)

    @cached_property
    def last_review(self) -> datetime | None:
        """The instant of the newest review that was applied."""
        looked = [_looked_from(item) for item in self.bench.ledger.entries("review.applied")]
        return max((at for at in looked if at <= self.as_of), default=None)

    def running(self) -> Iterator[tuple[str, Workflow, Pilot, datetime]]:
        """Yield id, workflow, pilot and first instant of every pilot that has begun and is not over."""
        for name, workflow in self.workflows():
            pilot = workflow.pilot
            if pilot is None or pilot.starts is None or over(pilot):
                continue
            starts = start_of_day(pilot.starts)
            if starts <= self.as_of:
                yield name, workflow, pilot, starts

    def stage(self, workflow: Workflow) -> Stage:
        """Return the stage of a workflow's use case."""
        use_case = self.bench.programme.use_cases.get(workflow.use_case or "")
        return use_case.stage if use_case else Stage.IDEA

    @cached_property
    def measured(self) -> dict[str, Measured]:
        """Every assumption that has a measure and a bound, measured."""
        return {
            name: measure_assumption(self.bench, assumption, self.as_of)
            for name, assumption in sorted(self.bench.programme.file.assumptions.items())
            if self.believes(assumption)
            and assumption.measure is not None
            and (assumption.at_least or assumption.at_most) is not None
        }

    def believes(self, assumption: Assumption) -> bool:
        """Tell whether what is looked at rests on an assumption."""
        return self.whole or bool(set(assumption.supports) & set(self.use_cases))

    @cached_property
    def profiles(self) -> dict[str, Profile | DataError]:
        """The profile of every data source that a living workflow or use case names, or why there is none."""
        return {name: self._profile(name) for name in sorted(self._used() & set(self.bench.programme.file.data))}

    def _profile(self, data: str) -> Profile | DataError:
        ready = self.bench.observations.observer().readiness(data, self.as_of)
        if ready.refused is not None:
            return ready.refused
        return ready.profile or self.bench.observations.observer().profile(data, self.as_of)

    def _used(self) -> set[str]:
        dead = {name for name, use_case in self.bench.programme.use_cases.items() if use_case.stage in DEAD}
        alive = [workflow for _, workflow in self.workflows() if workflow.use_case not in dead]
        read = {workflow.events.data for workflow in alive if workflow.events}
        wanted = [use_case for name, use_case in self.use_cases.items() if name not in dead]
        named = {str(use_case.feasibility.data) for use_case in wanted if use_case.feasibility}
        return {name for name in read if name} | {name.removeprefix("data.") for name in named}


def _looked_from(item: Recorded) -> datetime:
    text = item.entry.data.get("as_of")
    return parse_instant(str(text)) if text else item.entry.time


def days(length: timedelta) -> int:
    """Return a length of time in whole days."""
    return length // timedelta(days=1)

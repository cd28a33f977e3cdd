"""The cases that health is judged on: those of the reference days, and the newest that are old enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.declare.model.workflow import Health, Window
from trueup.evidence.health.drift import Weeks
from trueup.kernel.clock import format_instant, start_of_day
from trueup.observe.health.fields import CaseFields, Days, case_fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from trueup.declare.model.workflow import Workflow
    from trueup.loop.workbench import Workbench

# The newest weeks that are looked at; findings of operation look at as many.
RECENT = timedelta(weeks=8)
_WEEK = 7 * 86_400
_HOW = "Name days in which the model ran as `health.reference: {from, to}`."


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Why something about the health of a model is not known."""

    code: str
    because: str

    def to_json(self) -> dict[str, str]:
        """Return the published form."""
        return {"code": self.code, "because": self.because}


@dataclass(frozen=True)
class Cases:
    """The fields of the cases of both windows, and which case lies in which.

    `words` are the fields that are declared as text or by a list of values: their numbers are names.
    """

    workflow: Workflow
    health: Health
    reference: Days
    recent: Days
    fields: CaseFields
    earlier: NDArray[np.bool_]
    later: NDArray[np.bool_]
    words: frozenset[str]

    def column(self, name: str | None, key: str, *, first: bool = False) -> Sequence[str | None] | NotKnown:
        """Return the values of a declared field, or why there are none; `key` is where it would be declared."""
        if name is None:
            return NotKnown("not-declared", f"no `{key}` is declared")
        if name in self.fields.lacking:
            return NotKnown("missing-column", self.fields.lacking[name].message)
        return (self.fields.first if first else self.fields.last)[name]

    def weeks_of(self, chosen: NDArray[np.bool_]) -> Weeks | NotKnown:
        """Return the weeks of the chosen cases, counted from the first instant of each window; empty ones are none."""
        late = self.later[chosen]
        if late.all() or not late.any():
            side = "recent" if not late.any() else "reference"
            return NotKnown("too-few-cases", f"the {side} days hold no case with a value. {_HOW}")
        started = self.fields.started[chosen]
        since = np.where(late, int(self.recent.since.timestamp()), int(self.reference.since.timestamp()))
        # A number a week: even in the reference days, odd in the recent ones.
        week = 2 * ((started - since) // _WEEK) + late
        names, of_case = np.unique(week, return_inverse=True)
        return Weeks(of_case.astype(np.int64), names % 2 == 1)

    def windows_json(self) -> dict[str, Any]:
        """Return both windows with the number of their cases."""
        return {
            "reference": _window(self.reference, self.earlier),
            "recent": _window(self.recent, self.later),
        }


def _window(days: Days, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    return {"since": format_instant(days.since), "until": format_instant(days.until), "cases": int(chosen.sum())}


def cases_of(bench: Workbench, name: str, as_of: datetime) -> Cases | NotKnown:
    """Return the cases of a workflow that declares its health, or why there are none. Raises DataError as `measure`."""
    workflow = bench.programme.workflows[name]
    health = workflow.health
    if health is None:
        return NotKnown("not-declared", "no `health` is declared")
    days = _days(bench, name, as_of)
    if isinstance(days, NotKnown):
        return days
    observer = bench.observations.observer()
    group = [workflow.groups.field] if workflow.groups else []
    fields = case_fields(
        observer.programme,
        observer.engine,
        name,
        first=list(dict.fromkeys([*health.inputs, *group])),
        last=list(dict.fromkeys(one for one in (health.answer, health.confidence, health.label) if one)),
        patterns=health.escalated,
        days=days,
        as_of=as_of,
    )
    source = bench.programme.file.data.get(workflow.events.data or "") if workflow.events else None
    expected = source.expects if source else {}
    words = frozenset(field for field, one in expected.items() if one.type == "text" or one.one_of is not None)
    reference, recent = days
    return Cases(workflow, health, *days, fields, fields.within(reference), fields.within(recent), words)


def _days(bench: Workbench, name: str, as_of: datetime) -> tuple[Days, Days] | NotKnown:
    """Return the reference days, and the last eight weeks whose cases are old enough, never before the former end."""
    workflow = bench.programme.workflows[name]
    window = reference_of(bench, name)
    if window is None:
        return NotKnown("no-reference", f"there is no baseline to compare with. {_HOW}")
    matures = workflow.events.matures_after if workflow.events else None
    since = as_of - RECENT - matures.delta() if matures else as_of - RECENT
    since = max(since, window.ends)
    pilot = workflow.pilot
    if pilot is not None and pilot.starts is not None and workflow.health and workflow.health.reference is None:
        # Beside a baseline, what the model does counts from its launch.
        since = max(since, start_of_day(pilot.starts))
    if since >= as_of:
        return NotKnown("too-few-cases", "no day after the reference days is over")
    return Days(window.begins, window.ends), Days(since, as_of)


def reference_of(bench: Workbench, name: str) -> Window | None:
    """Return the days that a workflow is compared with: those it names, the registered baseline, the declared one."""
    workflow, registration = bench.programme.workflows[name], bench.programme.registrations.get(name)
    if workflow.health is not None and workflow.health.reference is not None:
        return workflow.health.reference
    if registration is not None:
        return Window.model_validate({"from": registration.baseline_from, "to": registration.baseline_to})
    return workflow.pilot.baseline if workflow.pilot else None

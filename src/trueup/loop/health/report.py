"""What `measure --health` answers: one report a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.decide.gate import ALPHA
from trueup.loop.health.drift import FieldDrift, drift
from trueup.loop.health.gaps import asks, gaps
from trueup.loop.health.groups import groups
from trueup.loop.health.reliability import reliability
from trueup.loop.health.seen import NotKnown, cases_of
from trueup.loop.measure import require_workflow

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.loop.workbench import Workbench


def health(bench: Workbench, workflow: str | None, as_of: datetime) -> dict[str, dict[str, Any]]:
    """Return the health of one workflow, or of all that declare it or ask for confidence, by id.

    Raises NotFoundError for an unknown workflow, DataError when a log cannot be read as declared.
    """
    programme = bench.programme
    if workflow:
        names = [require_workflow(programme, workflow)]
    else:
        names = sorted(name for name, declared in programme.workflows.items() if declared.health or asks(declared))
    return {name: _report(bench, name, as_of) for name in names}


def _report(bench: Workbench, name: str, as_of: datetime) -> dict[str, Any]:
    bench.progress(f"looking at the health of {name}")
    cases = cases_of(bench, name, as_of)
    if isinstance(cases, NotKnown):
        return {"gaps": gaps(bench, name, as_of), "unknown": cases.to_json()}
    moved = drift(cases, ALPHA)
    joint = {"unknown": moved.joint.to_json()} if isinstance(moved.joint, NotKnown) else moved.joint.to_json(ALPHA)
    return {
        **cases.windows_json(),
        "level": 1 - ALPHA,
        "fields": [
            one.to_json(ALPHA)
            if isinstance(one, FieldDrift)
            else {"field": one[0], "role": one[1], "state": "unknown", "unknown": one[2].to_json()}
            for one in moved.fields
        ],
        "joint": joint,
        "calibration": reliability(cases, ALPHA),
        "groups": groups(cases, ALPHA),
        "gaps": gaps(bench, name, as_of),
        "unknown": None,
    }

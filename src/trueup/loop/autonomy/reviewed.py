"""Reviewed outcomes of a workflow that is measured from a log: which cases somebody looked at, which were wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.declare.model.kpi import Kpi, Share

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.loop.workbench import Workbench


def log_outcomes(bench: Workbench, workflow: str, since: datetime, until: datetime) -> list[bool]:
    """Return for each mature, treated and reviewed case that began in [since, until) whether it was wrong, in order.

    Raises DataError where the log cannot be read.
    """
    declared = bench.programme.workflows[workflow]
    reviewed = declared.autonomy.reviewed if declared.autonomy else None
    if reviewed is None:
        return []
    kpis = {
        "reviewed": Kpi(share=Share.model_validate({"with": [*reviewed.having, *reviewed.wrong]})),
        "wrong": Kpi(share=Share.model_validate({"with": list(reviewed.wrong)})),
    }
    programme = replace(
        bench.programme,
        workflows={**bench.programme.workflows, workflow: declared.model_copy(update={"kpis": kpis})},
    )
    observer = replace(bench.observations.observer(), programme=programme)
    looked_at, wrong = (
        observer.cases(workflow, kpi, since=since, until=until, mature_by=until) for kpi in ("reviewed", "wrong")
    )
    found = zip(looked_at.arm, looked_at.value, wrong.value, strict=True)
    return [bool(bad) for arm, seen, bad in found if seen and str(arm) != "control"]

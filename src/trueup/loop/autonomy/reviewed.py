"""Reviewed outcomes of a workflow that is measured from a log: which cases somebody looked at, which were wrong.

A promise about errors is one about what is done alone. Where a confidence is needed for that, only the cases whose
answer was that sure say something of it; the others would have waited for a person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.declare.model.kpi import Kpi, Share
from trueup.enforce.certainty.confidence import chosen_at, confident
from trueup.observe.health.fields import Days, case_fields

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.enforce.certainty.confidence import Needed
    from trueup.loop.workbench import Workbench
    from trueup.observe.observer import Observer


def log_outcomes(
    bench: Workbench, workflow: str, since: datetime, until: datetime, needed: Needed = None
) -> list[bool]:
    """Return for each mature, treated and reviewed case that began in [since, until) whether it was wrong, in order.

    With a confidence `needed` only cases whose `health.confidence` is enough: none where the file names no such field,
    or the log lacks it. Raises DataError where the log cannot be read.
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
    sure = None if needed is None else _sure_enough(observer, workflow, Days(since, until), needed)
    found = zip(looked_at.case, looked_at.arm, looked_at.value, wrong.value, strict=True)
    return [
        bool(bad)
        for case, arm, seen, bad in found
        if seen and str(arm) != "control" and (sure is None or str(case) in sure)
    ]


def _sure_enough(observer: Observer, workflow: str, days: Days, needed: Needed) -> frozenset[str]:
    """Return the cases of these days whose last confidence would have been enough to be done alone."""
    health = observer.programme.workflows[workflow].health
    name = health.confidence if health else None
    if name is None:
        return frozenset()
    fields = case_fields(
        observer.programme,
        observer.engine,
        workflow,
        first=[],
        last=[name],
        patterns=[],
        days=[days],
        as_of=days.until,
    )
    said = zip(fields.case, fields.last.get(name, [None] * len(fields.case)), strict=True)
    return frozenset(str(case) for case, value in said if confident(_confidence(value), needed))


def _confidence(value: str | None) -> float | None:
    """Read what a log says; None for whatever is no confidence, which is never enough."""
    try:
        return None if value is None else chosen_at(float(value))
    except ValueError:
        return None

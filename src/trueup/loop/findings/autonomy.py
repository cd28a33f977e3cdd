"""Autonomy: a bound that is not kept any more, and a rise that could not be noticed in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.autonomy import Move
from trueup.declare.model.workflow import AutonomyLevel
from trueup.declare.programme import workflow_file
from trueup.kernel.errors import DataError
from trueup.loop.autonomy.evidence import standing_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.loop.autonomy.evidence import Standing
    from trueup.loop.findings.seen import Found, Seen


def kept(seen: Seen) -> Iterator[Found]:
    """RUN03: a watch alarmed. RUN06: at this volume, or while nobody reviews, a rise is not noticed in time."""
    for name, standing in _standings(seen):
        yield from _not_kept(seen, name, standing)
        yield from _not_noticed(seen, name, standing)
        yield from _not_reviewed(seen, name, standing)


def _not_kept(seen: Seen, name: str, standing: Standing) -> Iterator[Found]:
    verdict, rung = standing.verdict, standing.rung
    fell = verdict.code == "taken-back" and rung.cause == "alarm"
    if verdict.move is not Move.DOWN or not (fell or verdict.code == "alarm"):
        return
    level = f"the level {verdict.old} is declared, {verdict.new} is in force" if fell else f"it acts at {verdict.old}"
    detail = f"Workflow {name!r}: {verdict.because}; {level}."
    where = seen.place(workflow_file(name), "autonomy", "level")
    fix = "Sign the lower level in the review, find out what changed, and earn the level again on fresh outcomes."
    yield seen.found("RUN03", name, where, detail, fix, f"{rung.since} {standing.evidence.declared}")


def _not_noticed(seen: Seen, name: str, standing: Standing) -> Iterator[Found]:
    autonomy, plan, promise = standing.autonomy, standing.plan, standing.promise
    alone = AutonomyLevel.ACT in {autonomy.level, autonomy.may_reach}
    if not alone or plan is None or plan.in_time or autonomy.detect is None or promise is None:
        return
    detect = autonomy.detect
    needed = "more reviews than anybody makes" if plan.needed is None else f"{plan.needed:,} reviewed cases"
    detail = (
        f"To notice a rise from {promise.limit * 100:g}% to {detect.rise_to * 100:g}% wrong takes {needed}; "
        f"{name!r} does {standing.per_week or 0:.0f} a week, so that {plan.available:.0f} come within "
        f"{detect.within}, even when everything is reviewed."
    )
    where = seen.place(workflow_file(name), "autonomy", "detect", "within")
    yield seen.found("RUN06", name, where, detail, "Declare a larger rise or a longer time, or stay below `act`.")


def _not_reviewed(seen: Seen, name: str, standing: Standing) -> Iterator[Found]:
    blind = standing.blind
    if not blind.overdue:
        return
    oldest = min(one.due for one in blind.waiting)
    detail = (
        f"Of {blind.drawn:,} cases that {name!r} did alone and that were drawn for a blind review, "
        f"{blind.overdue:,} are overdue, the oldest since {oldest:%Y-%m-%d}: a rise in errors is not noticed while "
        "nobody looks."
    )
    where = seen.place(workflow_file(name), "autonomy", "detect")
    fix = "Look at them: trueup autonomy reviews DIR. Or declare what a label really takes as `detect.labels_after`."
    yield seen.found("RUN06", name, where, detail, fix, "reviews")


def _standings(seen: Seen) -> Iterator[tuple[str, Standing]]:
    for name, workflow in seen.living():
        if workflow.autonomy is None or workflow.autonomy.wrong_at_most is None:
            continue
        try:
            standing = standing_of(seen.bench, name, seen.as_of)
        except DataError:
            continue
        if standing is not None:
            yield name, standing


RULES = (kept,)

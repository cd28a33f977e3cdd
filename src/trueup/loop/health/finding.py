"""RUN04 of answers: what a model puts out is no longer what it put out in the reference days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.programme import workflow_file
from trueup.evidence.checks import MIX_BREAK
from trueup.kernel.errors import DataError
from trueup.loop.findings.tallies import LOOKED, LOOKS
from trueup.loop.health.drift import drift
from trueup.loop.health.seen import NotKnown, cases_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.loop.findings.seen import Found, Seen


def output_drift(seen: Seen) -> Iterator[Found]:
    """RUN04: answers, or how sure the model is of them, surely differ from the reference days, and by much."""
    for name, workflow in seen.living():
        health = workflow.health
        if health is None or not (health.answer or health.confidence):
            continue
        try:
            cases = cases_of(seen.bench, name, seen.as_of)
        except DataError:
            continue
        if isinstance(cases, NotKnown):
            continue
        for one in drift(cases, LOOKED, ("answer", "confidence")).found():
            if one.state(LOOKED) != "drifted":
                continue
            what = "answers" if one.role == "answer" else "confidence"
            detail = (
                f"The {what} of {name!r} ({one.field}) moved: stability index {one.index:.2f}, at most {MIX_BREAK:g}, "
                f"over {one.after} cases of eight weeks beside {one.before} of the reference days (weeks in random "
                f"order, {LOOKS}); {one.cell} went from {one.was:.0%} to {one.now:.0%}."
            )
            fix = (
                "See on reviewed cases whether the answers are still right; ask what changed in the model or its input."
            )
            where = seen.place(workflow_file(name), "health", one.role)
            yield seen.found("RUN04", name, where, detail, fix, one.field)


RULES = (output_drift,)

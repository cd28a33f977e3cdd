"""The autonomy ladder: where a workflow stands, how far it may go, and the evidence towards the next rung."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trueup.decide.numbers import known
from trueup.declare.model.workflow import AutonomyLevel
from trueup.evidence.risk.watch import detector_value, log_e_value
from trueup.kernel.errors import DataError
from trueup.loop.autonomy.evidence import standing_of, terms_of
from trueup.web.charts.rung import rung_chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trueup.decide.autonomy import AutonomyTerms
    from trueup.loop.autonomy.evidence import Standing
    from trueup.loop.workbench import Workbench

# e^700 is about the largest number there is.
_MOST = 700.0
RUNGS = tuple(AutonomyLevel)
MEANS = {
    AutonomyLevel.SHADOW: "proposes, and only the measurement sees it",
    AutonomyLevel.DRAFT: "proposes to a person who does the work",
    AutonomyLevel.APPROVE: "acts after a person's yes",
    AutonomyLevel.ACT: "acts alone within limits; a random share is still reviewed",
}


def ladder(bench: Workbench, name: str, changes: Sequence[Mapping[str, Any]], as_of: datetime) -> dict[str, Any] | None:
    """Return the rungs of a workflow and the evidence of its present one; None where no autonomy is declared.

    `bound` is the upper end of the share of wrong outcomes, valid at every look; None where nothing was reviewed.
    `unknown` says why there is no evidence at all: a log that cannot be read.
    """
    declared = bench.programme.workflows[name].autonomy
    if declared is None:
        return None
    terms = terms_of(bench.programme.workflows[name])
    proposed = next((one for one in changes if one["kind"] == "autonomy" and one.get("subject") == name), None)
    model = _declared(declared.level, terms) | {"proposed": proposed}
    try:
        standing = standing_of(bench, name, as_of)
    except DataError as error:
        return model | {"unknown": error.message}
    if standing is None:
        return model
    evidence, verdict = standing.evidence, standing.verdict
    share = evidence.wrong / evidence.reviewed if evidence.reviewed else None
    return model | {
        "in_force": str(evidence.in_force),
        "rungs": _rungs(evidence.in_force, terms.may_reach),
        "next": _next(evidence.in_force, terms.may_reach),
        "reviewed": evidence.reviewed,
        "wrong": evidence.wrong,
        "cycles": evidence.cycles,
        "bound": known(verdict.bound),
        "because": verdict.because,
        "source": standing.source,
        "needs": standing.needed,
        "watches": _watches(standing),
        "blind": _blind(standing),
        "chart": rung_chart(share, known(verdict.bound), terms.limit),
    }


def _declared(level: AutonomyLevel, terms: AutonomyTerms) -> dict[str, Any]:
    """Return what the file alone says, with nothing known of the evidence yet."""
    unknown = ("reviewed", "wrong", "cycles", "bound", "because", "source", "chart", "unknown", "needs", "blind")
    return {
        "level": str(level),
        "in_force": str(level),
        "may_reach": str(terms.may_reach),
        "rungs": _rungs(level, terms.may_reach),
        "next": _next(level, terms.may_reach),
        "wrong_at_most": terms.limit,
        "sure": terms.sure,
        "stable_cycles": terms.stable_cycles,
        "watches": [],
        **dict.fromkeys(unknown),
    }


def _watches(standing: Standing) -> list[dict[str, Any]]:
    """Return where both watches stand, and where they alarm."""
    promise, watch = standing.promise, standing.watch
    if promise is None:
        return []
    e_value = math.exp(min(log_e_value(promise, watch.wrong, watch.reviewed), _MOST))
    return [
        {"name": "e-process", "value": e_value, "alarm": 1 / promise.alpha, "alarmed_at": watch.alarmed_at},
        {
            "name": "detector",
            "value": detector_value(watch),
            "alarm": promise.run_length,
            "alarmed_at": watch.detected_at,
        },
    ]


def _blind(standing: Standing) -> dict[str, Any] | None:
    """Return how the blind review stands; None where nothing was done without a person."""
    blind, detect = standing.blind, standing.autonomy.detect
    if not blind.done:
        return None
    return {
        "done": blind.done,
        "drawn": blind.drawn,
        "reviewed": blind.reviewed,
        "waiting": len(blind.waiting),
        "overdue": blind.overdue,
        "share": standing.plan.share if standing.plan else None,
        "wrong": blind.weighted.estimate if blind.weighted else None,
        "delay_days": blind.delay,
        "delay_declared": str(detect.labels_after) if detect and detect.labels_after else None,
    }


def _rungs(level: AutonomyLevel, highest: AutonomyLevel) -> list[dict[str, str]]:
    return [{"level": str(rung), "means": MEANS[rung], "state": _state(rung, level, highest)} for rung in RUNGS]


def _state(rung: AutonomyLevel, level: AutonomyLevel, highest: AutonomyLevel) -> str:
    at, here = RUNGS.index(rung), RUNGS.index(level)
    if at <= here:
        return "here" if at == here else "below"
    return "open" if at <= RUNGS.index(highest) else "not allowed"


def _next(level: AutonomyLevel, highest: AutonomyLevel) -> str | None:
    above = RUNGS[RUNGS.index(level) + 1 :]
    return str(above[0]) if above and _state(above[0], level, highest) == "open" else None

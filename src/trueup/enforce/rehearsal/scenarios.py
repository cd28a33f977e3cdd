"""Declared scenarios, put to the gate's own policy: each request gets the verdict that is expected, or is a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.declare.check.registry import PAGES
from trueup.declare.model.workflow import Autonomy
from trueup.declare.programme import scenario_file
from trueup.enforce.policy import compile_policy
from trueup.enforce.request import Request

if TYPE_CHECKING:
    from trueup.declare.model.scenario import Scenario
    from trueup.declare.model.workflow import AutonomyLevel
    from trueup.declare.programme import Programme
    from trueup.enforce.policy import Policy
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.finding import Finding

_CODE = "RUN07"


def broken_scenarios(programme: Programme) -> list[Finding]:
    """Return a finding for each scenario that the gate answers otherwise; those of unknown workflows are passed over.

    It is asked dry: nothing is recorded, no limit is used up, and no kill switch or pinned definition is looked at.
    """
    found: list[Finding] = []
    compiled: dict[tuple[str, AutonomyLevel | None], Policy] = {}
    for file, expected in sorted(programme.scenarios.items()):
        if expected.workflow not in programme.workflows:
            continue
        for name, scenario in expected.scenarios.items():
            key = (expected.workflow, scenario.level)
            if key not in compiled:
                compiled[key] = compile_policy(at_level(programme, *key), expected.workflow)
            verdict = compiled[key].judge(_request(scenario), today=scenario.today)
            if not _as_expected(scenario, verdict):
                where = programme.places.of(scenario_file(file), "scenarios", name, "verdict")
                detail = _detail(name, scenario, verdict)
                found.append(PAGES[_CODE].finding(where, detail, "Correct what is declared, or the scenario."))
    return found


def at_level(programme: Programme, workflow: str, level: AutonomyLevel | None) -> Programme:
    """Return the programme with one workflow at a level, higher or lower; with None as it is declared."""
    if level is None:
        return programme
    declared = programme.workflows[workflow]
    autonomy = (declared.autonomy or Autonomy()).model_copy(update={"level": level})
    changed = declared.model_copy(update={"autonomy": autonomy})
    return replace(programme, workflows={**programme.workflows, workflow: changed})


def _request(scenario: Scenario) -> Request:
    asked = scenario.request
    return Request(
        asked.tool,
        asked.arguments,
        asked.action,
        asked.case,
        asked.requester,
        asked.untrusted,
        confidence=asked.confidence,
        sources=asked.sources,
    )


def _as_expected(scenario: Scenario, verdict: Verdict) -> bool:
    return verdict.decision == scenario.verdict and scenario.decisive in {None, verdict.decisive}


def _detail(name: str, scenario: Scenario, verdict: Verdict) -> str:
    wanted = scenario.verdict + (f" by {scenario.decisive!r}" if scenario.decisive else "")
    says = next((rule.says for rule in verdict.rules if rule.id == verdict.decisive), "")
    why = f" Expected because {scenario.because}." if scenario.because else ""
    return (
        f"Scenario {name!r} expects {wanted}; the gate says {verdict.decision} by {verdict.decisive!r}"
        f"{f' ({says})' if says else ''}.{why}"
    )

"""Recorded runs of a service desk: wrong writes held or denied under the airline's written policy, right ones delayed.

    ./dev bench attacks_airline --data FOLDER      (the folder with gpt-4o-airline.json)

A write is right when the task's list of correct writes holds exactly it, wrong otherwise. Nothing here was injected:
what is wrong is a mistake of the model, and most mistakes (another flight, a wrong sum) break no rule.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._attacks_airline_policy import FACTS, ON_ARGUMENTS, ON_FACTS, WRITES, Desk
from bench._attacks_score import share
from bench.report import Report
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import Places, Programme
from trueup.enforce.policy import Policy, compile_policy
from trueup.enforce.request import Request

FILE = "gpt-4o-airline.json"
ARGUMENTS = ("payment_methods", "passengers", "payment_id", "total_baggages", "cabin")
POLICIES = {"arguments alone": ON_ARGUMENTS, "arguments and looked-up facts": ON_ARGUMENTS + ON_FACTS}


@dataclass(frozen=True, slots=True)
class Judged:
    """One write: the verdict, whether it was right, and whether the airline's system took it."""

    verdict: str
    decisive: str
    right: bool
    done: bool


def run(report: Report, data: Path | None) -> None:
    """Judge every write of every run under both forms of the policy."""
    path = data / FILE if data is not None else None
    if path is None or not path.is_file():
        report.say(f"needs --data FOLDER with {FILE}; nothing was measured")
        return
    try:
        runs = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SystemExit(f"{path.name} is not JSON: {error}. Was it cut off? Fetch it again.") from None
    for name, text in POLICIES.items():
        with tempfile.TemporaryDirectory() as folder:
            policy = compiled(Path(folder), text)
            found = [
                one
                for number, run in enumerate(runs)
                for one in _judged(path.name, number, run, policy, facts=text != ON_ARGUMENTS)
            ]
        _report(report, name, found)


def compiled(root: Path, text: str) -> Policy:
    """Compile the desk's workflow, and the written policy as the programme's own."""
    (root / "policies").mkdir()
    (root / "policies" / "airline.cedar").write_text(text)
    fields = {name: name for name in (*ARGUMENTS, *FACTS)}
    file = ProgrammeFile.model_validate(
        {"programme": "Desk", "currency": "USD", "data": {"desk": {"source": "desk.csv", "fields": fields}}}
    )
    actions: dict[str, Any] = {tool: {"tool": tool, "impact": "medium", "approval": "until-act"} for tool in WRITES}
    actions["send_certificate"]["limits"] = {"amount": {"at_most": 500}}
    workflow = Workflow.model_validate({"workflow": "Desk", "autonomy": {"level": "act"}, "actions": actions})
    policy = compile_policy(Programme(root, file, {}, {"desk": workflow}, {}, Places(), {}), "desk")
    if policy.broken is not None:
        raise SystemExit(policy.broken)
    return policy


def _judged(file: str, number: int, run: Any, policy: Policy, *, facts: bool) -> list[Judged]:
    try:
        return list(judged(run, policy, facts=facts))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise SystemExit(f"{file}: run {number} is not as tau-bench writes them ({error!r}).") from None


def judged(run: dict[str, Any], policy: Policy, *, facts: bool) -> Iterator[Judged]:
    """Yield a verdict for every write of a run."""
    desk = Desk()
    correct = [_key(one["name"], one["kwargs"]) for one in run["info"]["task"]["actions"]]
    for turn, message in enumerate(run["traj"]):
        if message["role"] == "tool":
            desk.saw(str(message.get("name")), str(message.get("content")))
        for call in message.get("tool_calls") or []:
            tool, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
            if tool not in WRITES:
                continue
            verdict = policy.judge(Request(tool, arguments | (desk.facts(arguments) if facts else {})))
            key, answer = _key(tool, arguments), str(run["traj"][turn + 1].get("content"))
            right = key in correct
            if right:
                correct.remove(key)
            yield Judged(str(verdict.decision), verdict.decisive, right, not answer.startswith("Error"))


def _key(tool: str, arguments: dict[str, Any]) -> str:
    return f"{tool} {json.dumps(arguments, sort_keys=True)}"


def _report(report: Report, name: str, found: list[Judged]) -> None:
    wrong, right = ([one for one in found if one.right is kind] for kind in (False, True))
    rows = {
        "wrong writes held or denied": _not_allowed(wrong),
        "  of those that the airline's system took": _not_allowed([one for one in wrong if one.done]),
        "right writes held or denied": _not_allowed(right),
    }
    rules = sorted({one.decisive for one in found if one.verdict != "allow"})
    counts = {
        rule: [sum(one.decisive == rule and one.right is kind for one in found) for kind in (False, True)]
        for rule in rules
    }
    lines = [f"policy on {name}"]
    lines += [
        f"    {row:<52}{value['share']:.1%} [{value['lower']:.1%}, {value['upper']:.1%}] (n {value['n']})"
        for row, value in rows.items()
    ]
    lines += [f"      {rule:<50}{bad} wrong, {good} right" for rule, (bad, good) in counts.items()]
    report.measured({"policy_on": name, "rows": rows, "by_rule": counts}, "\n".join(lines))


def _not_allowed(found: list[Judged]) -> dict[str, float | int | None]:
    return share(sum(one.verdict != "allow" for one in found), len(found))

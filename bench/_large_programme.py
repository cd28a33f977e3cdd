"""A large programme on disk: many use cases, many registered pilots with small logs of their own; generated."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trueup.connectors.git import GitRepository
from trueup.kernel.progress import silent
from trueup.loop.baseline import Ask, register
from trueup.workspace import opened

START = datetime(2025, 1, 6, tzinfo=UTC)
PILOT = START + timedelta(weeks=13)
AS_OF = PILOT + timedelta(weeks=9)
WEEKS, CASES_A_WEEK = 22, 14
OBJECTIVES = 40

_PROGRAMME = """\
programme: A large programme (generated)
sponsor: chief
currency: GBP
adopted: 2025-01-01
people:
  chief: {name: C. Hief, email: chief@large.example, roles: [sponsor]}
  lead: {name: L. Ead, email: lead@large.example, roles: [owner, approver]}
operating_model: {kind: hybrid, coordination: chief, intake: anyone, decides: [chief]}
"""


def write_large_programme(root: Path, use_cases: int, workflows: int) -> None:
    """Write, commit and register; every workflow belongs to a use case of its own that is in pilot."""
    for folder in ("use-cases", "workflows", "data"):
        (root / folder).mkdir(parents=True)
    chance = random.Random(7)
    (root / "programme.yaml").write_text(_programme(use_cases, workflows), "utf-8")
    for at in range(use_cases):
        (root / "use-cases" / f"use-case-{at:04}.yaml").write_text(_use_case(chance, at, at < workflows), "utf-8")
    for at in range(workflows):
        (root / "workflows" / f"workflow-{at:03}.yaml").write_text(_workflow(at), "utf-8")
        (root / "data" / f"log-{at:03}.csv").write_text(_log(chance), "utf-8")
    (root / ".gitignore").write_text(".trueup/\ndata/\n", "utf-8")
    repository = GitRepository(root)
    repository.create()
    files = [path.relative_to(root).as_posix() for path in root.rglob("*.yaml")]
    repository.commit([*files, ".gitignore"], "Adopt", "C. Hief", "chief@large.example", START)
    # The first one pins the ledger in programme.yaml; what is opened after it knows the pin.
    for names in (range(1), range(1, workflows)):
        with opened(root, silent, write=True) as bench:
            for at in names:
                register(bench, Ask(f"workflow-{at:03}", PILOT - timedelta(days=1), "lead"))


def _programme(use_cases: int, workflows: int) -> str:
    lines = [_PROGRAMME, f"limits: {{parallel_pilots: {use_cases // 2}, budget: {use_cases * 9000}, "]
    lines += [f"engineering: {use_cases * 8}pd, change: {use_cases * 4}pd, horizon: 3y, discount: 8%}}\n"]
    lines += ["objectives:\n"]
    for at in range(min(OBJECTIVES, workflows)):
        lines += [f"  objective-{at:02}: {{outcome: Outcome {at} is reached, kpi: workflow-{at:03}.cycle_time, "]
        lines += ["targets: [{by: 2026-12-31, reach: -20%}], owner: lead}\n"]
    lines += ["data:\n"]
    for at in range(workflows):
        lines += [f"  log-{at:03}: {{source: data/log-{at:03}.csv, zone: UTC, sensitivity: internal}}\n"]
    lines += ["sensitivity: {internal: {mask: [], retain: 400d}}\n"]
    return "".join(lines)


def _use_case(chance: random.Random, at: int, piloted: bool) -> str:
    def spread(middle: float, unit: str = "") -> str:
        centre = middle * chance.lognormvariate(0.0, 0.5)
        return f"[{centre * 0.6:.0f}{unit}, {centre:.0f}{unit}, {centre * 1.5:.0f}{unit}]"

    objective = f"objective-{at % OBJECTIVES:02}"
    return f"""\
use_case: Use case {at}
objective: {objective}
owner: lead
team: team {at % 20}
stage: {"pilot" if piloted else "candidate"}
scope: all of it
faces: staff
value: {{hours_saved: {{range: {spread(1500)}, rate: 50}}}}
cost: {{build: {spread(20000)}, run: {spread(6000)}, labelling: {spread(2000)}}}
effort: {{engineering: {spread(20, "pd")}, change: {spread(10, "pd")}}}
feasibility: {{data: 2, integration: {chance.randrange(1, 3)}, process: {chance.randrange(1, 3)}, risk: 2}}
approach: {{choice: build}}
risk: {{eu_ai_act: minimal, personal_data: false, affects: employees}}
"""


def _workflow(at: int) -> str:
    return f"""\
workflow: Workflow {at}
use_case: use-case-{at:04}
owners: {{business: lead, prompts: lead, knowledge: lead, incidents: lead, escalation: chief}}
workstreams: {{integration: lead, training: lead}}
events:
  data: log-{at:03}
  case: case
  activity: activity
  at: time
  complete: [Done]
  matures_after: 14d
kpis:
  cycle_time: {{duration: {{from: first Begun, to: last Done}}, unit: days, better: lower, worth_having: -10%}}
  first_pass: {{share: {{without: [Returned]}}, better: higher}}
pilot:
  starts: {PILOT:%Y-%m-%d}
  baseline: {{from: {START:%Y-%m-%d}, to: {PILOT - timedelta(days=1):%Y-%m-%d}}}
  design: {{assigned: random, unit: case, by: column arm, treated: [b], control: [a], share: 60%}}
  primary: cycle_time
  guardrails: {{first_pass: {{no_worse_than: -10pp}}}}
  gates: {{week-4: {{}}, week-8: {{}}, week-12: {{scale: true}}}}
"""


def _log(chance: random.Random) -> str:
    rows = []
    effect = chance.uniform(0.6, 1.05)
    for week in range(WEEKS):
        for case in range(CASES_A_WEEK):
            start = START + timedelta(weeks=week, seconds=chance.randrange(7 * 86_400))
            arm = "" if start < PILOT else ("b" if chance.random() < 0.6 else "a")
            days = min(chance.lognormvariate(1.2, 0.5), 12.0) * (effect if arm == "b" else 1.0)
            name = f"C{week:02}-{case:03}"
            rows += [(start, name, "Begun", arm), (start + timedelta(days=days), name, "Done", arm)]
            if chance.random() < 0.1:
                rows.append((start + timedelta(days=days / 2), name, "Returned", arm))
    lines = [f"{name},{activity},{at:%Y-%m-%dT%H:%M:%SZ},{arm}" for at, name, activity, arm in sorted(rows)]
    return "\n".join(["case,activity,time,arm", *lines]) + "\n"

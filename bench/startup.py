"""How long `trueup` takes to answer: against an interpreter that does nothing, and on a large programme."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import yaml

from bench.report import Report, in_alternation

USE_CASES = 1_000
WORKFLOWS = 200

PROGRAMME = """\
programme: Generated programme
sponsor: sponsor
currency: GBP
adopted: 2025-01-06
people:
  sponsor: {name: First Person, email: first@example.org, roles: [sponsor]}
  owner: {name: Second Person, email: second@example.org, roles: [owner, approver]}
objectives:
  faster:
    outcome: Cases are closed within a week
    kpi: process-0.cycle_time
    targets: [{by: 2026-12-31, reach: -20%}]
    owner: owner
data:
  events: {source: data/events.csv, zone: UTC, sensitivity: internal, fresh_within: 30d}
limits: {parallel_pilots: 3, budget: 250000, engineering: 400pd, change: 120pd, horizon: 3y, discount: 8%}
"""
USE_CASE = """\
use_case: Use case {n}
objective: faster
owner: owner
team: operations
stage: candidate
scope: cases of kind {n}
faces: staff
value:
  hours_saved: {{range: [{low}, 900, 1500], rate: 38}}
cost: {{build: [20000, 35000, 60000], run: [6000, 9000, 15000]}}
effort: {{engineering: [30pd, 45pd, 80pd], change: [10pd, 20pd, 30pd]}}
feasibility: {{data: data.events, integration: 2, process: 1, risk: 1}}
risk: {{eu_ai_act: limited, personal_data: true, lawful_basis: legitimate-interests, affects: employees}}
"""
WORKFLOW = """\
workflow: Process {n}
use_case: use-case-{n}
owners: {{business: owner, prompts: owner, knowledge: owner, incidents: owner, escalation: sponsor}}
events:
  data: events
  case: case_id
  activity: activity
  at: time
  complete: [Closed]
  matures_after: 14d
kpis:
  cycle_time: {{duration: {{from: first Opened, to: last Closed}}, unit: days, better: lower, worth_having: -10%}}
  clean: {{share: {{without: ['Reopened*']}}, better: higher, worth_having: +3pp}}
pilot:
  starts: 2025-06-02
  baseline: {{from: 2025-01-06, to: 2025-05-25}}
  primary: cycle_time
  guardrails: {{clean: {{no_worse_than: -2pp}}}}
  gates: {{week-4: {{}}, week-8: {{}}, week-12: {{scale: true}}}}
actions:
  read_case: {{tool: desk.case.read, impact: none}}
"""


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Measure start-up and `check`, byte code on."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small"), Path(folder, "large")
        generate(small, use_cases=2, workflows=1)
        generate(large, USE_CASES, WORKFLOWS)
        for name, arguments in (
            ("trueup --help", ["--help"]),
            ("trueup check, 2 use cases and 1 workflow", ["check", str(small)]),
        ):
            ours, peer = in_alternation(partial(trueup, arguments), nothing, rounds=15)
            report.row(name, ours, peer, note="peer: python -c pass")
        report.say(f"checking {USE_CASES} use cases and {WORKFLOWS} workflows")
        ours, peer = in_alternation(lambda: trueup(["check", str(large)]), lambda: load(large), rounds=3)
        size = sum(file.stat().st_size for file in large.rglob("*.yaml")) / 1e6
        report.row(
            f"trueup check, {USE_CASES:,} use cases and {WORKFLOWS} workflows",
            ours,
            peer,
            note=f"peer: the C parser alone on the same {size:.1f} MB, in process",
        )


def generate(folder: Path, use_cases: int, workflows: int) -> None:
    """Write a programme of the given size; every workflow belongs to the use case of its number."""
    for name in ("use-cases", "workflows"):
        (folder / name).mkdir(parents=True)
    (folder / "programme.yaml").write_text(PROGRAMME)
    for n in range(use_cases):
        (folder / "use-cases" / f"use-case-{n}.yaml").write_text(USE_CASE.format(n=n, low=300 + n % 500))
    for n in range(workflows):
        (folder / "workflows" / f"process-{n}.yaml").write_text(WORKFLOW.format(n=n))


def trueup(arguments: list[str]) -> None:
    """Start the command line and wait for its answer; findings are an answer."""
    started([sys.executable, "-m", "trueup", *arguments])


def nothing() -> None:
    """Start an interpreter that does nothing."""
    started([sys.executable, "-c", "pass"])


def started(command: list[str]) -> None:
    """Run a program with byte code on; a crash is not a measurement."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode not in {0, 3} or "Traceback" in ran.stderr:
        sys.exit(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stderr}")


def load(folder: Path) -> None:
    """Parse every file with the C loader, and do nothing with it."""
    for file in folder.rglob("*.yaml"):
        yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)

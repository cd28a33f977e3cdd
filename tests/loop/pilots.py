"""A small programme with one pilot and a log whose truth is known; every test changes what it is about."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2024, 1, 1, tzinfo=UTC)
PILOT = datetime(2024, 4, 1, tzinfo=UTC)

PROGRAMME = """\
programme: Claims (a test)
sponsor: chief
currency: GBP
adopted: 2024-01-01
people:
  chief: {name: C. Hief, email: chief@test.example, roles: [sponsor]}
  owner: {name: O. Wner, email: owner@test.example, roles: [owner]}
  clerk: {name: C. Lerk, email: clerk@test.example, roles: [reviewer]}
  other: {name: O. Ther, email: other@test.example, roles: [owner]}
objectives:
  faster:
    outcome: Claims are settled sooner
    kpi: claims.cycle_time
    targets: [{by: 2025-12-31, reach: -30%}]
    owner: owner
operating_model: {kind: hybrid, coordination: chief, intake: anyone, decides: [chief]}
data:
  claims:
    source: data/claims.csv
    zone: UTC
    sensitivity: internal
    fields: {amount: amount}
    expects: {amount: {type: number, min: 0}}
sensitivity:
  internal: {mask: [], retain: 400d}
assumptions:
  amounts-are-known:
    says: Nearly every claim carries its amount   # a comment that has to survive
    measure: data.claims.completeness(amount)
    at_least: 0.90
    supports: [claims]
incidents:
  wrong-payment: {severity: 1, tell: [chief], within: 1h, first: rollback}
"""

USE_CASE = """\
use_case: Claims triage
objective: faster
owner: owner
team: claims
stage: pilot
scope: household claims
faces: staff
"""

WORKFLOW = """\
workflow: Claims
use_case: claims
owners: {business: owner, prompts: clerk, knowledge: clerk, incidents: owner, escalation: chief}
workstreams: {integration: owner, training: clerk}
events:
  data: claims
  case: claim
  activity: activity
  at: time
  complete: [Settled]
  matures_after: 14d
kpis:
  cycle_time:
    duration: {from: first Received, to: last Settled}
    unit: days
    better: lower
    target: -30%
    worth_having: -10%
  first_pass: {share: {without: [Returned]}, better: higher, worth_having: +3pp}
pilot:
  starts: 2024-04-01
  baseline: {from: 2024-01-01, to: 2024-03-31}
  design: DESIGN
  primary: cycle_time
  guardrails: {first_pass: {no_worse_than: -10pp}}
  # the gates were agreed with the board
  gates: {week-4: {}, week-8: {}, week-12: {scale: true}}
  scale_plan: {handover: clerk, training: 4 clerks by 2024-06-30, operates: owner, next: [letters]}
"""

RANDOMISED = "{assigned: random, unit: case, by: column variant, treated: [b], control: [a], share: 80%}"


@dataclass(frozen=True, slots=True)
class Truth:
    """What the log is made of. `effect` multiplies treated durations; `missing` is the share without an amount."""

    effect: float = 0.6
    per_week: int = 60
    weeks: int = 26
    missing: float = 0.2
    returned: float = 0.1
    returned_treated: float = 0.1
    pilot_factor: float = 1.0
    seed: int = 7


def write_programme(root: Path, truth: Truth | None = None, design: str = RANDOMISED) -> Path:
    """Write the programme and its log into a folder; return the folder."""
    for name, text in {
        "programme.yaml": PROGRAMME,
        "use-cases/claims.yaml": USE_CASE,
        "workflows/claims.yaml": WORKFLOW.replace("DESIGN", design),
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (root / "data").mkdir()
    write_log(root / "data" / "claims.csv", truth or Truth())
    return root


def write_log(path: Path, truth: Truth) -> None:
    """Write the log as csv, ordered by time."""
    chance = random.Random(truth.seed)
    rows: list[tuple[datetime, str, str, str, str]] = []
    for week in range(truth.weeks):
        monday = START + timedelta(weeks=week)
        count = round(truth.per_week * (truth.pilot_factor if monday >= PILOT else 1.0))
        for number in range(count):
            rows += _case(chance, truth, f"C{week:02d}-{number:03d}", monday)
    rows.sort()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["claim", "activity", "time", "variant", "amount"])
        for at, case, activity, variant, amount in rows:
            writer.writerow([case, activity, f"{at:%Y-%m-%dT%H:%M:%SZ}", variant, amount])


def _case(
    chance: random.Random, truth: Truth, case: str, monday: datetime
) -> list[tuple[datetime, str, str, str, str]]:
    start = monday + timedelta(seconds=chance.randrange(7 * 86_400))
    treated = start >= PILOT and chance.random() < 0.8
    variant = "" if start < PILOT else ("b" if treated else "a")
    amount = "" if chance.random() < truth.missing else f"{chance.lognormvariate(5, 1):.2f}"
    days = min(chance.lognormvariate(1.2, 0.5), 12.0) * (truth.effect if treated else 1.0)
    rows = [(start, case, "Received", variant, amount)]
    if chance.random() < (truth.returned_treated if treated else truth.returned):
        rows.append((start + timedelta(days=days / 2), case, "Returned", variant, amount))
    rows.append((start + timedelta(days=days), case, "Settled", variant, amount))
    return rows

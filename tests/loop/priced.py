"""Claims with money, regions and amounts in their log: worlds for ratios of sums, tails, logarithms and covariates."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.loop.pilots import PROGRAMME, USE_CASE

START = datetime(2024, 1, 1, tzinfo=UTC)
PILOT = datetime(2024, 4, 1, tzinfo=UTC)

WORKFLOW = """\
workflow: Claims
use_case: claims
owners: {{business: owner, prompts: clerk, knowledge: clerk, incidents: owner, escalation: chief}}
workstreams: {{integration: owner, training: clerk}}
events: {{data: claims, case: claim, activity: activity, at: time, complete: [Settled], matures_after: 14d}}
kpis:
  cycle_time:
    {{duration: {{from: first Received, to: last Settled}}, better: lower, target: -30%, worth_having: -10%}}
  {kpi}
  first_pass: {{share: {{without: [Returned]}}, better: higher, worth_having: +3pp}}
pilot:
  starts: 2024-04-01
  baseline: {{from: 2024-01-01, to: 2024-03-31}}
  design: {design}
{adjust}  primary: {primary}
  guardrails: {{{guardrail}}}
  gates: {{week-4: {{}}, week-8: {{}}, week-12: {{scale: true}}}}
  scale_plan: {{handover: clerk, training: 4 clerks by 2024-06-30, operates: owner, next: [letters]}}
"""
BY_CASE = "{assigned: random, unit: case, by: column variant, treated: [b], control: [a], share: 80%}"


@dataclass(frozen=True)
class World:
    """What the log is made of: factors of treated cases' times and spending, and how their mix differs.

    `mixed`: treated cases are mostly of the easy region, and each of them takes longer than its like.
    """

    time: float = 1.0
    spent: float = 1.0
    settled: float = 0.8
    settled_treated: float = 0.8
    mixed: bool = False
    per_week: int = 60
    shocks: float = 0.0
    seed: int = 5


def write(
    root: Path,
    world: World,
    kpi: str,
    *,
    primary: str,
    design: str = BY_CASE,
    adjust: str = "",
    guardrail: str = "first_pass: {no_worse_than: -10pp}",
) -> Path:
    """Write a programme whose pilot is judged by a KPI, given as a line of its file; return the folder."""
    head = f"  adjust: {adjust}\n" if adjust else ""
    workflow = WORKFLOW.format(kpi=kpi, primary=primary, design=design, adjust=head, guardrail=guardrail)
    for name, text in {
        "programme.yaml": PROGRAMME,
        "use-cases/claims.yaml": USE_CASE,
        "workflows/claims.yaml": workflow,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    (root / "data").mkdir()
    write_log(root / "data" / "claims.csv", world)
    return root


def write_log(path: Path, world: World) -> None:
    """Write the log as csv, ordered by time."""
    chance = random.Random(world.seed)
    rows: list[tuple[datetime, str, str, str, str, str, str]] = []
    for week in range(26):
        shock = world.shocks * chance.gauss(0, 1)
        for number in range(world.per_week):
            rows += _case(chance, world, f"C{week:02d}-{number:03d}", START + timedelta(weeks=week), shock)
    rows.sort()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["claim", "activity", "time", "variant", "amount", "region", "spent"])
        for at, *fields in rows:
            writer.writerow([*fields[:2], f"{at:%Y-%m-%dT%H:%M:%SZ}", *fields[2:]])


def _case(
    chance: random.Random, world: World, case: str, monday: datetime, shock: float
) -> list[tuple[datetime, str, str, str, str, str, str]]:
    start = monday + timedelta(seconds=chance.randrange(7 * 86_400))
    pilot = start >= PILOT
    treated = pilot and chance.random() < 0.8
    size, noise = chance.gauss(0, 1), chance.gauss(0, 1)
    easy = chance.random() < ((0.8 if treated else 0.2) if world.mixed else 0.5)
    level = 0.7 * size + 0.3 * noise + shock if not world.mixed else 0.2 * noise + (0.0 if easy else 1.0)
    factor = (world.time if treated else 1.0) * (1.15 if world.mixed and treated else 1.0)
    days = 2.5 * 2.718281828 ** (0.6 * level) * factor
    settled = chance.random() < (world.settled_treated if treated else world.settled)
    spent = (20 + 10 * days) * (world.spent if treated else 1.0)
    who = ("b" if treated else "a") if pilot else ""
    end = "Settled" if settled else "Withdrawn"
    region = "north" if easy else "south"
    amount = f"{100 + 30 * size:.2f}"
    return [
        (start, case, "Received", who, amount, region, ""),
        (start + timedelta(days=min(days, 13.0)), case, end, who, amount, region, f"{spent:.2f}"),
    ]

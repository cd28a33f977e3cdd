"""A workflow in operation whose log has segments, topics, groups and actors; each test changes one truth of it."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.loop.pilots import PILOT, PROGRAMME, RANDOMISED, START, USE_CASE, WORKFLOW
from tests.running import run_trueup
from trueup.kernel.clock import parse_instant
from trueup.kernel.progress import silent
from trueup.ledger.entry import Entry
from trueup.loop.findings.registry import findings_of
from trueup.workspace import opened

# Ten weeks of the pilot are old enough by then; its last gate is due that very day.
AT = "2024-06-24"
_COLUMNS = ["claim", "activity", "time", "variant", "amount", "kind", "topic", "group", "person"]


@dataclass(frozen=True, slots=True)
class Work:
    """What the log is made of: chances of events, shares of segments, and how long a case of each kind takes."""

    per_week: int = 60
    motor: float = 0.5
    motor_later: float = 0.5
    slower_motor: float = 0.6
    slower_home: float = 0.6
    home: float = 1.0
    unanswered: float = 0.03
    unanswered_travel_later: float = 0.03
    escalated: float = 0.05
    refused_a: float = 0.1
    refused_b: float = 0.1
    design: str = RANDOMISED
    seed: int = 11


def operating(root: Path, work: Work | None = None, further: str = "", programme: str = "") -> Path:
    """Write a programme with its log and register its baseline; `further` is added to the workflow's file."""
    truth = work or Work()
    text = WORKFLOW.replace("DESIGN", truth.design)
    text = text.replace("  at: time\n", "  at: time\n  actor: person\n  segment: [kind]\n")
    kpis = (
        "  unanswered: {share: {with: [No answer]}, better: lower}\n"
        "  escalated: {share: {with: [Escalated]}, better: lower}\n"
        "  refused: {share: {with: [Refused]}, better: lower}\n"
        "  used: {share: {with: [Drafted], among: treated}, better: higher}\n"
        "pilot:\n"
    )
    files = {
        "programme.yaml": PROGRAMME + programme,
        "use-cases/claims.yaml": USE_CASE,
        "workflows/claims.yaml": text.replace("pilot:\n", kpis, 1) + further,
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    (root / "data").mkdir()
    _write(root / "data" / "claims.csv", truth)
    assert run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json").exit_code == 0
    return root


def found(root: Path, as_of: str = AT) -> dict[str, str]:
    """Return the detail of what data, ledger and calendar show, by code; each code at most once."""
    with opened(root, silent) as bench:
        told = [one.finding for one in findings_of(bench, parse_instant(f"{as_of}T00:00:00Z"))]
    codes = [one.code for one in told]
    assert len(codes) == len(set(codes)), codes
    return {one.code: one.detail for one in told}


def documented(detail: str) -> bool:
    """Tell whether a finding stands among the worked examples of its page, word for word."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "findings-from-data.md"
    return detail in " ".join(page.read_text("utf-8").split())


def happened(root: Path, *entries: Entry) -> None:
    """Put entries into the ledger, as a runtime would."""
    with opened(root, silent, write=True) as bench:
        bench.ledger.append(list(entries))


def _write(path: Path, truth: Work) -> None:
    chance = random.Random(truth.seed)
    rows: list[tuple[datetime, list[str]]] = []
    for week in range(26):
        for number in range(truth.per_week):
            rows += _case(chance, truth, f"C{week:02d}-{number:03d}", START + timedelta(weeks=week))
    rows.sort()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows([row[0], row[1], f"{at:%Y-%m-%dT%H:%M:%SZ}", *row[2:]] for at, row in rows)


def _case(chance: random.Random, truth: Work, case: str, monday: datetime) -> list[tuple[datetime, list[str]]]:
    start = monday + timedelta(seconds=chance.randrange(7 * 86_400))
    later = start >= PILOT
    treated = later and (chance.random() < 0.8 or truth.design != RANDOMISED)
    kind = "motor" if chance.random() < (truth.motor_later if later else truth.motor) else "home"
    topic, group = chance.choice(["travel", "rent"]), chance.choice("ab")
    slower = (truth.slower_motor if kind == "motor" else truth.slower_home) if treated else 1.0
    days = min(chance.lognormvariate(1.2, 0.5), 9.0) * slower * (truth.home if kind == "home" else 1.0)
    risen = topic == "travel" and start >= PILOT + timedelta(weeks=4)
    happening = [
        ("Drafted", 0.5 if treated else 0.0),
        ("No answer", truth.unanswered_travel_later if risen else truth.unanswered),
        ("Escalated", truth.escalated),
        ("Refused", truth.refused_a if group == "a" else truth.refused_b),
    ]
    events = [("Received", 0.0), *((name, days / 2) for name, often in happening if chance.random() < often)]
    person = chance.choice(["ann", "bob"])
    variant = "" if not later else "b" if treated else "a"
    shared = [variant, f"{chance.lognormvariate(5, 1):.2f}", kind, topic, group, person]
    return [(start + timedelta(days=after), [case, name, *shared]) for name, after in [*events, ("Settled", days)]]

"""A workflow whose log also tells what a model answered, how sure it was, and what reviewers made of it."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

from tests.loop.operating import Work, operating
from tests.running import run_trueup

HEALTH = """\
groups: {field: group}
health:
  inputs: [amount, kind, topic]
  answer: answer
  confidence: sure
  label: label
  selected: [pay]
  escalated: [Escalated]
"""
# Answers before this week of the year are of the reference days.
_LAUNCH = "C13"


@dataclass(frozen=True, slots=True)
class Model:
    """What changes at the launch, and how the model errs: nothing, unless a test says so."""

    dearer: float = 1.0
    pays: float = 0.6
    pays_later: float = 0.6
    pays_b: float | None = None
    gain: float = 1.0
    seed: int = 3


def modelled(root: Path, model: Model | None = None, further: str = HEALTH, work: Work | None = None) -> Path:
    """Write a programme with such a log and register its baseline."""
    truth = model or Model()
    operating(root, work, further)
    log = root / "data" / "claims.csv"
    with log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chance, told = random.Random(truth.seed), {}
    for row in rows:
        case = row["claim"]
        later = case >= _LAUNCH
        if later and row["amount"]:
            row["amount"] = f"{float(row['amount']) * truth.dearer:.2f}"
        if case not in told:
            told[case] = _told(chance, truth, later=later, group=row["group"])
        row.update(told[case])
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    again = ("--as-of", "2024-03-31", "--replace", "--because", "the log tells more")
    assert run_trueup("baseline", root, "claims", "--by", "owner", *again, "--json").exit_code == 0
    return root


def _told(chance: random.Random, truth: Model, *, later: bool, group: str) -> dict[str, str]:
    pays = truth.pays_later if later else truth.pays
    if group == "b" and truth.pays_b is not None:
        pays = truth.pays_b
    answer = "pay" if chance.random() < pays else "refuse"
    sure = chance.betavariate(6, 2)
    right = chance.random() < 0.5 + truth.gain * (sure - 0.5)
    label = answer if right else "refuse" if answer == "pay" else "pay"
    reviewed = chance.random() < 0.7
    return {"answer": answer, "sure": f"{sure:.3f}", "label": label if reviewed else ""}

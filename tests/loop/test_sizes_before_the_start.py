"""What a pilot could show by its gates, and what would make it decide, said when its baseline is registered."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path
from typing import Any

from tests.loop.pilots import RANDOMISED, Truth, write_programme
from tests.running import run_trueup

MATCHED = "{assigned: matched, by: column team, unit: team, treated: [t0, t1], control: [t2, t3, t4, t5, t6, t7]}"


def registered(root: Path, design: str, per_week: int, worth: str = "-10%") -> dict[str, Any]:
    write_programme(root, Truth(per_week=per_week, weeks=14), design=design)
    workflow, log = root / "workflows" / "claims.yaml", root / "data" / "claims.csv"
    workflow.write_text(workflow.read_text("utf-8").replace("worth_having: -10%", f"worth_having: {worth}"), "utf-8")
    with log.open(encoding="utf-8") as stream:
        rows = [{**row, "team": f"t{zlib.crc32(row['claim'].encode()) % 8}"} for row in csv.DictReader(stream)]
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json").data


def smallest(data: dict[str, Any]) -> list[float | None]:
    return [row["smallest"] for row in data["detectable"]]


def test_a_drawn_pilot_that_is_too_small_is_told_what_would_make_it_decide(tmp_path: Path) -> None:
    data = registered(tmp_path / "p", RANDOMISED.replace("80%", "90%"), per_week=20, worth="-25%")
    assert data["detectable"][-1]["decides"] is False
    # Simulated without shocks of weeks.
    assert abs(data["weeks"]["icc"]) < 0.1
    assert abs(data["weeks"]["phi"]) < 0.9
    ways = {way["way"]: way["says"] for way in data["ways_to_decide"]}
    assert "instead of 10%" in ways["holdout"]
    assert "a last gate at week" in ways["longer"]
    more, now = ways["volume"].split(" cases a week instead of ")
    assert int(more) > int(now)


def test_rollouts_and_matched_units_say_beforehand_what_they_could_show(tmp_path: Path) -> None:
    rollout = registered(tmp_path / "p", "{assigned: staggered, unit: team}", per_week=80)
    week_4, week_8, week_12 = smallest(rollout)
    assert week_4 is None
    assert week_8 is not None
    assert week_12 is not None
    assert 0 < week_12 < week_8
    assert any(way["way"] == "design" for way in rollout["ways_to_decide"])
    matched = registered(tmp_path / "q", MATCHED, per_week=80)
    first, *_, last = smallest(matched)
    assert first is not None
    assert last is not None
    # Of the change that the margin asks for, beyond it four times in five: less than the mean itself, more than nought.
    assert 0 < last < first < 3.7

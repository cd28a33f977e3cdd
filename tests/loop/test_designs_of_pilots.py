"""Designs without a drawn control by case, from the baseline's decision to what a gate says."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup

WEEK_8 = "2024-05-28"
WEEK_12 = "2024-06-25"


def registered(root: Path) -> Ran:
    return run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json")


def gate(root: Path, name: str, as_of: str) -> dict[str, object]:
    changes = run_trueup("review", root, "--as-of", as_of, "--json").data["changes"]
    return next(change for change in changes if change.get("gate") == name)


def test_a_stable_series_is_admitted_before_the_start_and_says_go_provisionally(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(effect=0.5), design="{assigned: none}")
    done = registered(root)
    assert done.data["evidence_level"] == "C"
    assert done.data["admission"]["admitted"]
    assert done.data["admission"]["margin"] <= done.data["admission"]["promised"]
    week_8 = gate(root, "week-8", WEEK_8)
    assert (week_8["outcome"], week_8["evidence_level"]) == ("go", "C")
    assert "provisional" in str(week_8["because"])
    assert isinstance(week_8["sensitivity"], dict)
    assert week_8["sensitivity"]["weeks"] == 6
    assert week_8["sensitivity"]["bias"] > 0
    assert gate(root, "week-4", WEEK_8)["outcome"] == "hold"
    assert gate(root, "week-12", WEEK_12)["outcome"] == "hold"


def test_a_promise_that_the_series_could_keep_by_itself_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(), design="{assigned: none}")
    workflow = root / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace("target: -30%", "target: -12%"), "utf-8")
    shown = run_trueup("baseline", root, "claims", "--as-of", "2024-04-01").out
    assert "refused" in shown
    assert "way out" in shown
    again = ("--replace", "--because", "once more", "--json")
    done = run_trueup("baseline", root, "claims", "--as-of", "2024-04-01", *again)
    assert (done.data["evidence_level"], done.data["admission"]["admitted"]) == ("D", False)
    assert any("holdout" in way for way in done.data["admission"]["ways_out"])


def test_the_weeks_that_gave_rise_to_a_pilot_leave_its_baseline(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(), design="{assigned: none}")
    asked = registered(root)
    assert "because the figures were bad" in asked.data["because_of"]
    workflow = root / "workflows" / "claims.yaml"
    said = "  because_of: {from: 2024-02-05, to: 2024-02-18}\n  design:"
    workflow.write_text(workflow.read_text("utf-8").replace("  design:", said), "utf-8")
    again = run_trueup(
        "baseline", root, "claims", "--as-of", "2024-04-01", "--replace", "--because", "a bad fortnight", "--json"
    )
    assert again.data["because_of"] is None
    assert again.data["summary"][0]["n"] < asked.data["summary"][0]["n"]


def test_units_launched_in_a_drawn_order_are_compared_by_that_order(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(per_week=80), design="{assigned: staggered, unit: team}")
    log = root / "data" / "claims.csv"
    with log.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["team"] = f"team {zlib.crc32(row['claim'].encode()) % 8}"
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = registered(root)
    assert done.data["evidence_level"] == "A-"
    assert len({launch["unit"] for launch in done.data["rollout"]}) == 8
    week_12 = gate(root, "week-12", WEEK_12)
    assert week_12["evidence_level"] == "A-"
    assert week_12["outcome"] == "stop"  # nothing was changed, and that is certain enough
    assert week_12["lower"] is not None
    assert run_trueup("check", root).exit_code == 0

"""Matched units from declared files to the verdict: admitted, refused, and taken back by what stands beside them."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.loop.pilots import PILOT, START, Truth, write_programme
from tests.running import run_trueup
from tests.web.consoles import Console, HandClock
from trueup.backends.synthetic import SyntheticControls, weigher

WEEK_12 = "2024-06-25"
DESIGN = "{assigned: matched, by: column team, unit: team, treated: [t0, t1], control: [t2, t3, t4, t5, t6, t7]}"
FEW = "{assigned: matched, by: column team, unit: team, treated: [t0], control: [t1, t2, t3]}"
GUARDRAILS = "guardrails: {first_pass: {no_worse_than: -10pp}}"


def write_matched(root: Path, design: str, faster: tuple[int, ...], returned: float = 0.1) -> Path:
    """Write a pilot of teams: those named take 0.6 of the time from the start on, of the first more are returned."""
    write_programme(root, Truth(per_week=1), design=design)
    workflow = root / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace(GUARDRAILS, "negative_control: first_pass"), "utf-8")
    chance, teams = random.Random(7), 8 if design is DESIGN else 4
    rows = []
    for week in range(26):
        monday, shock = START + timedelta(weeks=week), chance.gauss(0, 0.05)
        for number in range(160):
            start, team = monday + timedelta(seconds=chance.randrange(7 * 86_400)), number % teams
            touched = start >= PILOT and team in faster
            lasted = min(chance.lognormvariate(1.2 + shock, 0.5), 12.0) * (0.6 if touched else 1.0)
            case, ends = f"C{week:02d}-{number:03d}", start + timedelta(days=lasted)
            rows.append((start, case, "Received", f"t{team}"))
            if chance.random() < (returned if touched and team == 0 else 0.1):
                rows.append((start + (ends - start) / 2, case, "Returned", f"t{team}"))
            rows.append((ends, case, "Settled", f"t{team}"))
    with (root / "data" / "claims.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["claim", "activity", "time", "variant", "amount", "team"])
        for at, case, activity, team_name in sorted(rows):
            writer.writerow([case, activity, f"{at:%Y-%m-%dT%H:%M:%SZ}", "", 100, team_name])
    return root


def registered(root: Path, *more: str) -> dict[str, Any]:
    done = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", *more, "--json")
    return done.data


def gates(root: Path) -> dict[str, dict[str, Any]]:
    changes = run_trueup("review", root, "--as-of", WEEK_12, "--json").data["changes"]
    return {one["gate"]: one for one in changes if one["kind"] == "gate"}


def test_admitted_units_say_go_beside_placebos_that_stayed_and_a_refused_promise_does_not(tmp_path: Path) -> None:
    root = write_matched(tmp_path / "p", DESIGN, faster=(0, 1))
    assert registered(root)["evidence_level"] == "B"
    week_8 = gates(root)["week-8"]
    assert (week_8["outcome"], week_8["evidence_level"]) == ("go", "B")
    checks = week_8["checks"]
    assert checks["placebo"] == {"as_large": 0, "groups": 15, "share": 1 / 16, "ordinary": False}
    assert [(one["kpi"], one["moved"]) for one in checks["negative_controls"]] == [("first_pass", False)]
    assert checks["synthetic"]["estimate"] == pytest.approx(week_8["estimate"], rel=0.3)
    assert sum(checks["synthetic"]["weights"].values()) == pytest.approx(1.0, abs=1e-5)
    assert "0 of 15 groups of untouched units changed as much; first_pass stayed; against a" in checks["says"]
    workflow = root / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace("target: -30%", "target: -11%"), "utf-8")
    done = registered(root, "--replace", "--because", "less is promised")
    assert (done["evidence_level"], done["admission"]["admitted"]) == ("D", False)
    assert gates(root)["week-8"]["code"] == "design-too-weak"
    workflow.write_text(workflow.read_text("utf-8").replace("  negative_control: first_pass\n", ""), "utf-8")
    moved = gates(root)["week-8"]
    assert (moved["outcome"], moved["code"]) == ("unknown", "promise-changed")
    assert "negative_control" in moved["because"]


def test_other_units_that_changed_as_much_take_the_claim_back(tmp_path: Path) -> None:
    root = write_matched(tmp_path / "p", DESIGN, faster=(0, 1, 2, 3))
    assert registered(root)["evidence_level"] == "B"
    week_12 = gates(root)["week-12"]
    assert week_12["checks"]["placebo"]["ordinary"]
    assert (week_12["outcome"], week_12["code"], week_12["evidence_level"]) == ("hold", "design-too-weak", "D")
    assert any("level B lowered to D" in note for note in week_12["notes"])
    inside = Console(root, HandClock(datetime(2024, 6, 25, tzinfo=UTC))).inside()
    assert all(words in inside.get("/review/3").text for words in ("Beside it", "Placebo", "Synthetic control"))


def test_a_kpi_that_cannot_have_moved_and_did_takes_the_claim_back_where_units_are_few(tmp_path: Path) -> None:
    root = write_matched(tmp_path / "p", FEW, faster=(0,), returned=0.4)
    registered(root)
    week_8 = gates(root)["week-8"]
    assert week_8["checks"]["placebo"] is None
    assert week_8["checks"]["synthetic"]["groups"] == 3
    assert week_8["checks"]["weakened"] == "first_pass moved too, which the workflow cannot move"
    assert (week_8["outcome"], week_8["evidence_level"]) == ("hold", "D")


def test_weights_are_those_of_a_mixture_and_equal_where_nothing_tells_units_apart() -> None:
    assert isinstance(weigher(), SyntheticControls)
    rng = np.random.default_rng(1)
    controls = rng.standard_normal((20, 4))
    found = SyntheticControls().weights(controls @ np.array([0.5, 0.3, 0.2, 0.0]), controls)
    assert found == pytest.approx([0.5, 0.3, 0.2, 0.0], abs=0.02)
    assert SyntheticControls().weights(np.ones(8), np.ones((8, 2))) == pytest.approx([0.5, 0.5])

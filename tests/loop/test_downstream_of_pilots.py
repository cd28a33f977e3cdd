"""A gain that comes back as a loss: at the next step of the same case, and in another workflow."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import RANDOMISED, Truth, write_log, write_programme
from tests.running import run_trueup
from tests.web.consoles import Console, HandClock
from trueup.cli.views.review import review_text
from trueup.decide.displacement import Downstream, Gain, displaced
from trueup.decide.level import Level
from trueup.evidence.moments import Interval

WEEK_8 = "2024-05-28"
PAID = "  payment_wait: {waiting: {before: Paid}, unit: hours, better: lower}\n"


def write_paid(root: Path, waits: float) -> Path:
    """Write a pilot that takes 0.6 of the time to settle; a treated case then waits so many days more to be paid."""
    write_programme(root, Truth(effect=0.6, missing=0.0), design=RANDOMISED)
    workflow, log = root / "workflows" / "claims.yaml", root / "data" / "claims.csv"
    workflow.write_text(workflow.read_text("utf-8").replace("pilot:\n", PAID + "pilot:\n"), "utf-8")
    chance = random.Random(3)
    with log.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in [row for row in rows if row["activity"] == "Settled"]:
        days = chance.uniform(0.2, 0.6) + (waits if row["variant"] == "b" else 0.0)
        at = datetime.fromisoformat(row["time"]).astimezone(UTC) + timedelta(days=days)
        rows.append({**row, "activity": "Paid", "time": f"{at:%Y-%m-%dT%H:%M:%SZ}"})
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return root


def week_8(root: Path) -> dict[str, Any]:
    changes = run_trueup("review", root, "--as-of", WEEK_8, "--json").data["changes"]
    return next(one for one in changes if one.get("gate") == "week-8")


def displaced_gains(root: Path) -> list[str]:
    found = run_trueup("check", root, "--with-data", "--as-of", WEEK_8, "--json").data["findings"]
    return [one["detail"] for one in found if one["code"] == "KPI11"]


def test_waiting_that_moves_to_the_next_step_stands_beside_the_go_and_is_found(tmp_path: Path) -> None:
    root = write_paid(tmp_path / "p", waits=1.3)
    done = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json")
    assert done.exit_code == 0
    gate = week_8(root)
    assert gate["outcome"] == "go"
    (down,) = gate["downstream"]
    assert (down["workflow"], down["kpi"], down["state"]) == ("claims", "payment_wait", "worse")
    assert down["estimate"] == pytest.approx(1.3 * 24, rel=0.05)
    assert 0.7 < down["eats"] < 1.1
    assert down["eaten"]
    (detail,) = displaced_gains(root)
    assert "claims.payment_wait got worse" in detail
    assert "compared by arm" in detail
    shown = " ".join(review_text({"as_of": "", "pilots": 1, "changes": [gate]}, next_steps=False).split())
    assert "downstream claims.payment_wait +31.2 h" in shown
    assert "too little is left" in shown
    page = Console(root, HandClock(datetime(2024, 5, 28, tzinfo=UTC))).inside().get("/review/1")
    assert page.status_code == 200
    assert "Downstream claims.payment_wait" in page.text


def test_another_workflow_is_compared_with_its_own_weeks_before(tmp_path: Path) -> None:
    root = write_paid(tmp_path / "p", waits=0.0)
    write_log(root / "data" / "letters.csv", Truth(effect=2.6, seed=5, weeks=26))
    programme, workflow = root / "programme.yaml", root / "workflows" / "claims.yaml"
    text = programme.read_text("utf-8")
    source = "  letters: {source: data/letters.csv, zone: UTC, sensitivity: internal}\nsensitivity:\n"
    programme.write_text(text.replace("sensitivity:\n", source, 1), "utf-8")
    claims = workflow.read_text("utf-8")
    letters = claims[: claims.index("pilot:")].replace("data: claims", "data: letters").replace(PAID, "")
    (root / "workflows" / "letters.yaml").write_text(letters.replace("workflow: Claims", "workflow: Letters"), "utf-8")
    named = "  downstream: [payment_wait, letters.cycle_time]\n  gates:"
    workflow.write_text(claims.replace("  gates:", named), "utf-8")
    assert run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json").exit_code == 0
    own, other = week_8(root)["downstream"]
    assert (own["state"], own["eaten"]) == ("not told apart", False)
    assert (other["workflow"], other["state"], other["evidence_level"]) == ("letters", "worse", "D")
    assert other["eaten"]


def lost(a_week: float | None, counted_in: str | None = "seconds", lower: float = 1.0) -> Downstream:
    interval = Interval(2.0, lower, 3.0)
    return Downstream("w", "k", "hours", -1, Level.RANDOMISED, interval, a_week, counted_in)


def test_a_gain_is_eaten_when_less_than_what_is_worth_having_is_left() -> None:
    gain = Gain(100.0, 30.0, "seconds")
    assert [displaced(gain, lost(a_week)).eaten for a_week in (69.0, 71.0, 200.0)] == [False, True, True]
    assert displaced(gain, lost(50.0)).part == 0.5
    assert displaced(Gain(100.0, None, "seconds"), lost(99.0)).eaten is False
    # What cannot be counted together is for a person to weigh.
    assert displaced(gain, lost(None)).eaten
    assert displaced(gain, lost(1.0, "per case")).part is None
    # No gain, no sure loss, nothing known: nothing is eaten.
    assert not displaced(Gain(-1.0, 30.0, "seconds"), lost(200.0)).eaten
    assert not displaced(gain, lost(200.0, lower=-1.0)).eaten
    unknown = displaced(gain, Downstream("w", "k", "hours", -1, because="no cases"))
    assert unknown.to_json()["state"] == "unknown"
    assert unknown.to_json()["because"] == "no cases"
    assert not displaced(None, lost(200.0)).eaten

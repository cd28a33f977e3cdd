"""The plan: twelve weeks from each start, gates on their days, what is in the way, and thirty, sixty, ninety days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.choose import harbour
from trueup.choose.roadmap.answer import roadmap
from trueup.choose.roadmap.template import TEMPLATE, phases
from trueup.declare.read import read_programme

TODAY = date.fromisoformat(harbour.AS_OF)


def planned(root: Path, *chosen: str, today: date = TODAY, impossible: str | None = None) -> dict[str, Any]:
    checked = read_programme(root, today)
    return roadmap(checked.programme, checked.findings, chosen, today, impossible)


def week(plan: dict[str, Any], number: int) -> dict[str, Any]:
    return next(week for week in plan["weeks"] if week["week"] == number)


def test_the_template_is_twelve_weeks_with_clarity_before_the_start() -> None:
    assert [week.number for week in TEMPLATE] == list(range(-1, 13))
    assert phases() == {"clarity": (-1, 2), "pilot": (3, 6), "optimisation": (7, 9), "scale decision": (10, 12)}


def test_weeks_count_from_the_start_of_the_pilot(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path))
    first = {number: week(plan, number)["items"][0]["from"] for number in (-1, 0, 1, 12)}
    assert first == {-1: "2026-02-02", 0: "2026-02-09", 1: "2026-02-16", 12: "2026-05-04"}
    assert week(plan, 1)["items"][0]["to"] == "2026-02-22"
    assert [item["owner"] for item in week(plan, 1)["items"]] == ["lena"]


def test_gates_fall_due_at_the_end_of_their_week(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path))
    gates = {gate["gate"]: gate for one in plan["weeks"] for gate in one["gates"]}
    assert {name: gate["due"] for name, gate in gates.items()} == {
        "week-4": "2026-03-16",
        "week-8": "2026-04-13",
        "week-12": "2026-05-11",
    }
    assert gates["week-12"]["scale"]
    assert all(gate["declared"] for gate in gates.values())
    assert [week["week"] for week in plan["weeks"] if week["gates"]] == [4, 8, 12]


def test_horizons_hold_what_falls_into_their_days_and_nothing_later(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path), "letters")
    assert list(plan["horizons"]) == ["30", "60", "90"]
    for (days, rows), after in zip(plan["horizons"].items(), (-1, 30, 60), strict=True):
        for row in rows:
            distance = (date.fromisoformat(row["due"]) - TODAY).days
            assert after < distance <= int(days)
    gates = {row["what"]: days for days, rows in plan["horizons"].items() for row in rows if row["kind"] == "gate"}
    assert gates["triage: gate week-4"] == "30"
    assert gates["triage: gate week-12, the scale decision"] == "90"


def test_what_is_chosen_without_a_start_begins_when_its_clarity_is_done(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path), "letters")
    track = next(track for track in plan["tracks"] if track["use_case"] == "letters")
    assert (track["starts"], track["assumed"], track["workflow"]) == ("2026-03-16", True, None)
    gates = [gate for one in plan["weeks"] for gate in one["gates"] if gate["use_case"] == "letters"]
    assert [(gate["gate"], gate["declared"], gate["assumed"]) for gate in gates] == [
        ("week-4", False, True),
        ("week-8", False, True),
        ("week-12", False, True),
    ]


def test_a_strategy_sprint_comes_before_what_is_chosen(tmp_path: Path) -> None:
    lower = ("outcome_clarity: {score: 2, because: one outcome with a target}", "outcome_clarity: {score: 0}")
    plan = planned(harbour.write(tmp_path, programme=lower), "letters")
    assert plan["route"] == "strategy-first"
    assert next(one for one in plan["tracks"] if one["assumed"])["starts"] == (TODAY + timedelta(days=28)).isoformat()


def test_a_gate_that_is_past_and_not_decided_is_overdue(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path), today=date(2026, 3, 20))
    row = next(row for row in plan["horizons"]["30"] if row["what"] == "triage: gate week-4")
    assert (row["due"], row["overdue"]) == ("2026-03-20", True)


def test_a_decided_gate_is_shown_with_its_outcome_and_asked_for_no_more(tmp_path: Path) -> None:
    decided = (
        "  scale_plan:",
        "  decided: {week-4: {outcome: go, on: 2026-03-17, by: lena}}\n  scale_plan:",
    )
    plan = planned(harbour.write(tmp_path, workflow=decided), today=date(2026, 3, 20))
    assert week(plan, 4)["gates"][0]["outcome"] == "go"
    assert not [row for rows in plan["horizons"].values() for row in rows if row["what"] == "triage: gate week-4"]


def test_an_ended_pilot_and_what_has_no_pilot_are_not_planned(tmp_path: Path) -> None:
    ended = ("  scale_plan:", "  ended: 2026-03-01\n  scale_plan:")
    assert planned(harbour.write(tmp_path, workflow=ended))["tracks"] == []


def test_findings_and_a_zero_in_the_assessment_stand_in_the_way(tmp_path: Path) -> None:
    zero = ("ownership: {score: 1, because: named for triage alone}", "ownership: {score: 0}")
    plan = planned(harbour.write(tmp_path, programme=zero))
    assert plan["blockers"][0]["what"] == "ownership is 0"
    found = {(one["code"], one["file"], one["owner"]) for one in plan["blockers"][1:]}
    assert ("KPI01", "workflows/triage.yaml", "lena") in found
    assert week(plan, -1)["items"][0]["blockers"] == ["PORT05", "KPI01"]


def test_an_impossible_portfolio_stands_in_the_way_and_the_plan_goes_on(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path), impossible="No portfolio is possible: it costs too much.")
    assert plan["blockers"][0]["code"] == "impossible-portfolio"
    assert [track["use_case"] for track in plan["tracks"]] == ["triage"]


def test_a_workflow_without_a_pilot_and_one_without_an_owner_say_so(tmp_path: Path) -> None:
    plan = planned(harbour.write(tmp_path, workflow=None))
    track = plan["tracks"][0]
    assert (track["workflow"], track["assumed"]) == (None, True)


def test_the_assessments_four_weeks_end(tmp_path: Path) -> None:
    root = harbour.write(tmp_path)
    early = [row["due"] for row in planned(root)["horizons"]["30"] if row["kind"] == "step"]
    late = planned(root, today=date(2026, 4, 1))["horizons"]["30"]
    assert early == ["2026-03-02", "2026-03-09", "2026-03-23", "2026-03-23"]
    assert [row for row in late if row["kind"] == "step"] == []

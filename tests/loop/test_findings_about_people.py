"""Training against its plan, use among cases and among people, and what a supplier promised."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.loop.operating import Work, documented, found, operating
from tests.running import run_trueup
from trueup.loop.facts.people import TrainingPlan

PEOPLE = "actuals: {people: {source: people.csv, trained_on: trained, eligible: eligible}}\n"
ADOPTION = "adoption: {people_at_least: 60%, within: 28d}\n"
SUPPLIER = (
    "suppliers: {acme: {process: claims, owner: owner, baseline: 4d, expected: EXPECTED, cadence: weekly, "
    "handover: by month 3, kpi: claims.cycle_time, since: 2024-03-01}}\n"
)


def people_file(root: Path, *rows: str) -> None:
    (root / "people.csv").write_text("person,workflow,trained,eligible\n" + "\n".join(rows) + "\n", "utf-8")


def known(root: Path, as_of: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = run_trueup("measure", root, "--as-of", as_of, "--json").data["people"]
    assert [row["workflow"] for row in rows] == ["claims"]
    return rows[0]


def test_training_and_use_stand_beside_plan_and_target(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", further=ADOPTION, programme=PEOPLE)
    people_file(root, "ann,claims,2024-03-01,yes", "bob,claims,,yes", "cy,claims,,yes", "dee,claims,2024-03-01,no")
    row = known(root, "2024-05-20")
    assert (row["eligible"], row["trained"]) == (3, 2)
    assert row["plan"] == {"text": "4 clerks by 2024-06-30", "people": 4, "by": "2024-06-30"}
    assert row["among_people"] == {"users": 2, "eligible": 3, "value": pytest.approx(2 / 3), "target": 0.6}
    cases = row["among_cases"]
    assert cases["kpi"] == "used"
    assert cases["lower"] < 0.5 < cases["upper"]
    text = run_trueup("measure", root, "--as-of", "2024-05-20").out
    assert "trained 2 of 3 eligible; planned: 4 clerks by 2024-06-30" in text
    assert "used by 2 of 3 eligible people; target 60%" in text


def test_what_nothing_tells_is_unknown(tmp_path: Path) -> None:
    row = known(operating(tmp_path / "p"), "2024-05-20")
    assert (row["eligible"], row["trained"], row["among_people"]) == (None, None, None)


def test_training_behind_its_plan_is_found_once_the_day_is_over(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", programme=PEOPLE)
    people_file(root, "ann,claims,2024-03-01,yes", "bob,claims,2024-03-02,yes")
    assert "PPL01" not in found(root, "2024-06-30")
    told = found(root, "2024-07-01")
    assert documented(told["PPL01"])


def test_few_of_the_people_who_may_use_it_do(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", further=ADOPTION, programme=PEOPLE)
    people_file(root, *(f"{who},claims,2024-03-01,yes" for who in ("ann", "bob", "cy", "dee")))
    assert found(root, "2024-05-20") == {}
    case = root / "use-cases" / "claims.yaml"
    case.write_text(case.read_text("utf-8").replace("stage: pilot", "stage: production"), "utf-8")
    told = found(root, "2024-05-20")
    assert list(told) == ["PPL01"]
    assert documented(told["PPL01"])


def test_a_supplier_whose_promise_is_surely_not_kept(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(), programme=SUPPLIER.replace("EXPECTED", "-75%"))
    assert found(root, "2024-05-29") == {}
    told = found(root)
    assert list(told) == ["PPL03"]
    assert documented(told["PPL03"])
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace("-75%", "-25%"), "utf-8")
    assert found(root) == {}


@pytest.mark.parametrize(
    ("text", "people", "by"),
    [
        ("12 clerks by 2018-03-31", 12, date(2018, 3, 31)),
        ("by 2018-03-31, all 7 of them", 7, date(2018, 3, 31)),
        ("everybody by summer", None, None),
        ("4 clerks by 2018-02-31", 4, None),
    ],
)
def test_a_training_plan_says_as_much_as_its_text(text: str, people: int | None, by: date | None) -> None:
    assert TrainingPlan.read(text) == TrainingPlan(text, people, by)


def test_no_text_is_no_plan() -> None:
    assert TrainingPlan.read(None) is None
    assert TrainingPlan.read("  ") is None


def test_actors_who_are_no_people_of_the_file_leave_use_unknown(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", further=ADOPTION, programme=PEOPLE)
    people_file(root, "eve,claims,2024-03-01,yes")
    row = known(root, "2024-05-20")
    assert row["among_people"] is None
    assert row["among_cases"]["n"] > 0
    assert "No actor of the log of 'claims' is an eligible person" in row["unknown"][0]

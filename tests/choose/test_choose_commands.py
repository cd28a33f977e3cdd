"""The commands of the strategy half: what programs rely on, what people read, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.choose import harbour
from tests.running import run_trueup

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
# The contract: keys may be added, never renamed or removed.
KEYS = {
    "assess": {
        "score",
        "route",
        "blockers",
        "landscape",
        "entry_point",
        "operating_model",
        "decision_rights",
        "next",
        "not_now",
        "would_change",
    },
    "rank": {"use_cases", "gap", "budget", "limits"},
    "roadmap": {"horizons", "weeks"},
}
TEXTS = {"assess": "assess.txt", "rank": "rank.txt", "roadmap": "roadmap.txt"}
USE_CASE = {"id", "value", "cost", "success", "p_funded", "selected", "because"}


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return harbour.write(tmp_path / "harbour")


@pytest.mark.parametrize("command", KEYS)
def test_the_answer_has_the_keys_of_the_contract(command: str, programme: Path) -> None:
    ran = run_trueup(command, programme, "--as-of", harbour.AS_OF, "--json")
    assert ran.exit_code == 0
    assert set(ran.data) >= KEYS[command]


def test_a_ranked_use_case_has_the_keys_of_the_contract(programme: Path) -> None:
    for case in run_trueup("rank", programme, "--as-of", harbour.AS_OF, "--json").data["use_cases"]:
        assert set(case) >= USE_CASE
        assert set(case["value"]) == set(case["cost"]) == {"p10", "p50", "p90"}
        assert case["because"]


@pytest.mark.parametrize("command", KEYS)
def test_what_people_read(command: str, programme: Path) -> None:
    """Written anew with TRUEUP_GOLDEN=1, to be read before it is kept."""
    text = run_trueup(command, programme, "--as-of", harbour.AS_OF).out
    path = GOLDEN / TEXTS[command]
    if os.environ.get("TRUEUP_GOLDEN") == "1":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_starter_programme_is_told_what_to_answer_within_eighty_columns(tmp_path: Path) -> None:
    run_trueup("new", tmp_path / "new")
    ran = run_trueup("assess", tmp_path / "new")
    assert ran.exit_code == 0
    assert ran.out.startswith("Route not known yet: 0 to 10 of 10")
    assert "week 1: answer ownership in the assessment" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80


@pytest.mark.parametrize("command", [*KEYS, "brief"])
def test_nothing_is_written_into_the_programme(command: str, programme: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in programme.rglob("*") if path.is_file()}
    out: list[str | Path] = ["--out", tmp_path / "page.md"] if command == "brief" else []
    assert run_trueup(command, programme, *out, "--json").exit_code == 0
    assert {path: path.read_bytes() for path in programme.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("value", ["[900, 400, 1500]", "[1, 2]", "[1, 2, .inf]", "[400, 401, 1500]", "many"])
def test_a_range_that_is_none_is_a_finding_with_its_place(value: str, tmp_path: Path) -> None:
    root = harbour.write(tmp_path, letters=("[600, 1500, 3000]", value))
    ran = run_trueup("rank", root, "--json")
    assert ran.exit_code == 3
    assert [(found["code"], found["file"]) for found in ran.error["findings"]] == [("TYPE01", "use-cases/letters.yaml")]


def test_a_score_of_data_beyond_the_scale_is_a_finding(tmp_path: Path) -> None:
    scores = "feasibility: {{data: {}, integration: 2, process: 2, risk: 1}}"
    root = harbour.write(tmp_path, letters=(scores.format(2), scores.format(7)))
    assert [found["code"] for found in run_trueup("rank", root, "--json").error["findings"]] == ["TYPE01"]


def test_ranges_of_no_width_are_ranked(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, letters=("[600, 1500, 3000]", "[1500, 1500, 1500]"))
    found = run_trueup("rank", root, "--as-of", harbour.AS_OF, "--json").data["use_cases"]
    letters = next(case for case in found if case["id"] == "letters")
    assert letters["value"]["p10"] == letters["value"]["p90"] == pytest.approx(1500 * 40 * 2.5770969873)


def test_a_circle_of_needs_is_refused_with_its_names(tmp_path: Path) -> None:
    root = harbour.write(
        tmp_path,
        letters=("stage: candidate", "stage: candidate\nneeds: [forecast]"),
        forecast=("stage: candidate", "stage: candidate\nneeds: [letters]"),
    )
    ran = run_trueup("rank", root, "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "needs-circle")
    assert "forecast -> letters -> forecast" in ran.error["message"]


def test_astronomical_amounts_are_refused_where_they_stand(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, letters=("[600, 1500, 3000]", "[1.0e+200, 5.0e+200, 1.0e+201]"))
    ran = run_trueup("rank", root, "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "beyond-figures")
    assert "use-cases/letters.yaml" in ran.error["hint"]


def test_an_assessment_is_given_while_the_programme_is_still_incomplete(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, programme=("    owner: lena\n", ""))
    assert run_trueup("check", root).exit_code == 3
    assert run_trueup("assess", root, "--json").data["route"] == "hybrid"
    assert run_trueup("rank", root, "--json").exit_code == 3


def test_a_score_beyond_the_scale_is_a_finding(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, programme=("ownership: {score: 1,", "ownership: {score: 3,"))
    assert run_trueup("assess", root, "--json").exit_code == 3


def test_a_broken_workflow_does_not_stop_the_ranking(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, workflow=("workflow: Triage", "workflow: [Triage"))
    ran = run_trueup("rank", root, "--as-of", harbour.AS_OF, "--json")
    assert ran.exit_code == 0
    assert run_trueup("roadmap", root, "--as-of", harbour.AS_OF, "--json").exit_code == 0


@pytest.mark.parametrize("seed", ["-1", "one", "1.5"])
def test_a_seed_that_is_none_is_a_usage_error(seed: str, programme: Path) -> None:
    assert run_trueup("rank", programme, "--seed", seed, "--json").exit_code == 2

"""Readiness of data, measured, moves the ranking and stands beside the declared score; without data it is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import run_trueup

AT = "2024-03-31"
ASSESSMENT = "assessment: {data_readiness: {score: 2, because: one system, evidence: data.claims}}\n"
FEASIBILITY = "feasibility: {data: data.claims, integration: 2, process: 2, risk: 2}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = write_programme(tmp_path / "p", Truth(missing=0.4, per_week=20))
    for file, text in (("programme.yaml", ASSESSMENT), ("use-cases/claims.yaml", FEASIBILITY)):
        path = made / file
        path.write_text(path.read_text("utf-8") + text, "utf-8")
    return made


def test_the_factor_of_data_follows_from_the_measured_score(root: Path) -> None:
    data = run_trueup("rank", root, "--as-of", AT, "--json").data
    [ready] = data["readiness"]
    assert ready["score"] == pytest.approx(0.6, abs=0.06)
    [case] = data["use_cases"]
    assert case["success_factors"]["data"] == pytest.approx(0.3 + 0.6 * ready["score"], abs=1e-4)
    assert "Measured readiness of data" in run_trueup("rank", root, "--as-of", AT).out


def test_the_declared_score_stands_beside_what_was_measured(root: Path) -> None:
    factors = run_trueup("assess", root, "--as-of", AT, "--json").data["factors"]
    measured = {row["factor"]: row["measured"] for row in factors}
    assert measured["data_readiness"]["declared"] == 2
    assert (measured["data_readiness"]["nearest"], measured["data_readiness"]["holds"]) == (1, False)
    assert measured["ownership"] is None
    assert "which is nearer to 1" in " ".join(run_trueup("assess", root, "--as-of", AT).out.split())


def test_data_that_cannot_be_read_stop_nothing_and_are_unknown(root: Path) -> None:
    (root / "data" / "claims.csv").write_text("nonsense", "utf-8")
    data = run_trueup("rank", root, "--as-of", AT, "--json").data
    assert data["readiness"][0]["score"] is None
    assert data["use_cases"][0]["success_factors"]["data"] is None
    assert any(note.startswith("readiness of data.claims is not known: ") for note in data["notes"])
    [row] = [one for one in run_trueup("assess", root, "--json").data["factors"] if one["factor"] == "data_readiness"]
    assert (row["measured"]["measured"], row["measured"]["holds"]) == (None, None)

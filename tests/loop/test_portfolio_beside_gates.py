"""What all pilots of a cycle say together, beside the gate of one of them, and after it was signed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_log, write_programme
from tests.running import run_trueup

WEEK_4 = "2024-04-30"
WEEK_8 = "2024-05-28"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two registered pilots of one cycle: one that helps a little more than is needed, and one that does nothing."""
    root = write_programme(tmp_path_factory.mktemp("two") / "p", Truth(effect=0.6, missing=0.02, per_week=100))
    write_log(root / "data" / "letters.csv", Truth(effect=1.0, seed=11))
    programme, workflow = root / "programme.yaml", root / "workflows" / "claims.yaml"
    text = programme.read_text("utf-8")
    letters = "  letters: {source: data/letters.csv, zone: UTC, sensitivity: internal}\nsensitivity:"
    programme.write_text(text.replace("sensitivity:\n  internal", letters + "\n  internal"), "utf-8")
    other = workflow.read_text("utf-8").replace("data: claims", "data: letters")
    (root / "workflows" / "letters.yaml").write_text(other.replace("workflow: Claims", "workflow: Letters"), "utf-8")
    for name in ("claims", "letters"):
        done = run_trueup("baseline", root, name, "--by", "owner", "--as-of", "2024-03-31", "--json")
        assert done.exit_code == 0, done
    return root


@pytest.fixture
def two(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "p"))


def gates(root: Path, as_of: str) -> dict[str, dict[str, Any]]:
    changes = run_trueup("review", root, "--as-of", as_of, "--json").data["changes"]
    return {f"{one['subject']} {one['gate']}": one for one in changes if one["kind"] == "gate"}


def test_a_go_stands_beside_what_its_cycle_supports_and_keeps_its_e_value_when_it_is_signed(two: Path) -> None:
    found = gates(two, WEEK_4)["claims week-4"]
    view = found["portfolio"]
    assert found["outcome"] == "go"
    assert (view["pilots"], view["supported"], view["vetoes"]) == (2, False, False)
    assert 1 < view["e_value"] < view["needed"] == 40.0
    assert [one["workflow"] for one in view["members"]] == ["claims", "letters"]
    review = run_trueup("review", two, "--as-of", WEEK_4)
    assert "portfolio: not supported" in " ".join(review.out.split())
    name = run_trueup("review", two, "--as-of", WEEK_4, "--json").data["id"]
    opened = run_trueup("why", two, name, "1").out
    assert "at its gate, 2024-04-29" in opened
    assert "letters" in opened
    applied = run_trueup("apply", two, name, "--by", "chief", "--as-of", WEEK_4, "--only", "1", "--json")
    entry = run_trueup("ledger", "entry", two, str(applied.data["entries"][0]), "--json").data["entry"]
    assert entry["data"]["e_value"] == view["e_value"]
    kept = gates(two, WEEK_4)["letters week-4"]["portfolio"]["members"]
    assert [(one["from"], one["e_value"]) for one in kept if one["workflow"] == "claims"] == [
        ("signed", view["e_value"])
    ]


def test_where_the_programme_lets_it_veto_the_go_waits_for_a_name(two: Path) -> None:
    programme = two / "programme.yaml"
    programme.write_text(programme.read_text("utf-8") + "reviews: {strategy: 30d, portfolio: vetoes}\n", "utf-8")
    found = gates(two, WEEK_4)["claims week-4"]
    assert (found["outcome"], found["code"], found["waivable"]) == ("hold", "portfolio-veto", ["portfolio"])
    assert "the portfolio holds it" in found["because"]
    assert found["portfolio"]["cycle"] == 3  # from 2024-01-01 to 2024-03-31 in cycles of 30 days
    later = gates(two, WEEK_8)
    assert later["claims week-8"]["portfolio"]["supported"]
    assert later["claims week-8"]["outcome"] == "go"
    name = run_trueup("review", two, "--as-of", WEEK_4, "--json").data["id"]
    waiving = ("--waive", "1:portfolio", "--because", "the board wants it", "--only", "1", "--as-of", WEEK_4)
    refused = run_trueup("apply", two, name, "--by", "owner", *waiving, "--json")
    assert refused.exit_code == 4
    done = run_trueup("apply", two, name, "--by", "chief", *waiving, "--json")
    assert done.data["applied"][0]["outcome"] == "go"

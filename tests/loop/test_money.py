"""Promised, measured, realised and spent: four figures side by side, each unknown until something tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup
from trueup.declare.model.use_case import UseCase
from trueup.loop.facts.money import Effect, money_of

VALUE = """
value:
  days_saved: {range: [100, 200, 400], rate: 40, measured_by: {kpi: claims.cycle_time, per: case}}
  errors_avoided: {range: [10, 20, 40], each: 85}
"""


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    root = write_programme(tmp_path / "p", Truth(effect=0.5, per_week=60))
    file = root / "use-cases" / "claims.yaml"
    file.write_text(file.read_text("utf-8") + VALUE, "utf-8")
    return root


def money(root: Path, as_of: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = run("measure", root, "--as-of", as_of).data["money"]
    assert len(rows) == 1
    return rows[0]


def test_before_anything_is_known_only_the_promise_is(programme: Path) -> None:
    row = money(programme, "2024-03-01")
    assert row["promised"] == 200 * 40 + 20 * 85
    assert (row["measured"], row["realised"], row["spend"]) == (None, None, None)


def test_spend_is_what_files_and_record_hold_by_the_instant(programme: Path) -> None:
    text = (programme / "programme.yaml").read_text("utf-8")
    (programme / "programme.yaml").write_text(text + "actuals: {spend: {source: spend.csv}}\n", "utf-8")
    (programme / "spend.csv").write_text("date,use_case,kind,amount\n2024-02-01,claims,build,100\n", "utf-8")
    spend = ("record", programme, "spend", "--use-case", "claims", "--kind", "run", "--amount", "50.5", "--by", "owner")
    assert run(*spend, "--as-of", "2024-03-01").exit_code == 0
    assert money(programme, "2024-01-31")["spend"] is None
    assert money(programme, "2024-02-29")["spend"] == 100
    assert money(programme, "2024-03-01")["spend"] == 150.5


def test_without_the_ledger_that_is_pinned_spend_is_unknown_and_readings_stay(programme: Path) -> None:
    run("record", programme, "spend", "--use-case", "claims", "--kind", "run", "--amount", "5", "--by", "owner")
    (programme / ".trueup" / "ledger.db").unlink()
    ran = run("measure", programme, "--as-of", "2024-03-01")
    assert ran.data["readings"]
    assert ran.data["money"][0]["spend"] is None


def test_the_kpi_measures_what_the_line_promised(programme: Path) -> None:
    run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31")
    row = money(programme, "2024-05-27")
    lines = {line["line"]: line for line in row["lines"]}
    assert lines["errors_avoided"]["measured"] is None
    # The log halves a duration with mean exp(1.2 + 0.125) = 3.8 days, capped at 12: about 1.9 days a case, 60 a week.
    assert row["measured"] == pytest.approx(1.85 * 40 * 60 * 365 / 7, rel=0.15)
    # Six of the eight weeks are mature, four cases in five are treated.
    assert row["realised"] == pytest.approx(1.85 * 40 * 60 * 6 * 0.8, rel=0.2)
    assert "promised/y" in run_trueup("measure", programme, "--as-of", "2024-05-27").out


def test_figures_are_added_up_line_by_line() -> None:
    use_case = UseCase.model_validate(
        {
            "use_case": "U",
            "value": {
                "hours": {"range": [1, 2, 4], "rate": 10, "measured_by": {"kpi": "w.hours"}},
                "letters": {"range": [5, 6, 8], "measured_by": {"kpi": "w.letters", "per": "week"}},
                "calm": {"range": 7, "measured_by": {"kpi": "w.calm", "per": "person"}},
            },
        }
    )
    effects = {
        "w.hours": Effect(gain=0.5, a_year=100, so_far=20, weeks=10),
        "w.letters": Effect(gain=2, a_year=100, so_far=20, weeks=10),
        "w.calm": Effect(gain=1, a_year=1, so_far=1, weeks=1),
    }
    figures = money_of("u", use_case, effects, None)
    assert figures.promised == 20 + 6 + 7
    assert figures.measured == pytest.approx(500 + 2 * 365 / 7)
    assert figures.realised == 100 + 20
    assert figures.expected == pytest.approx(500 + 2 * 365 / 7 + 7)
    assert money_of("u", UseCase(use_case="U"), {}, 3.0).promised is None

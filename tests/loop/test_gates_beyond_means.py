"""From a declared file to a gate's verdict: ratios of sums, tails, logarithms, and what was known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.loop.priced import BY_CASE, World, write
from tests.running import run_trueup

WEEK_8 = "2024-05-28"
COST = (
    "cost_per_settled: {ratio: {of: spent, per: completed, of_all: true}, unit: GBP, better: lower, worth_having: -5%}"
)
TAIL = (
    "slow_tail: {duration: {from: first Received, to: last Settled}, unit: days, quantile: 75%, better: lower, "
    "worth_having: -5%}"
)
LOG = (
    "usual_time: {duration: {from: first Received, to: last Settled}, unit: days, scale: log, better: lower, "
    "worth_having: -10%}"
)


def judged(root: Path, gate: str = "week-8") -> dict[str, Any]:
    done = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json")
    assert done.exit_code == 0, done
    changes = run_trueup("review", root, "--as-of", WEEK_8, "--json").data["changes"]
    found: dict[str, Any] = next(change for change in changes if change.get("gate") == gate)
    return found


def sums(root: Path, arm: str, until: str) -> tuple[float, int]:
    """Spending of mature cases of an arm that began before a day, and how many of them were settled."""
    rows = [line.split(",") for line in (root / "data" / "claims.csv").read_text("utf-8").splitlines()[1:]]
    began = {row[0]: row[2] for row in rows if row[1] == "Received" and row[3] == arm}
    ends = [row for row in rows if row[1] != "Received" and began.get(row[0], "9") <= until]
    return sum(float(row[6]) for row in ends), sum(row[1] == "Settled" for row in ends)


def test_cost_per_settled_case_is_judged_as_a_ratio_of_sums(tmp_path: Path) -> None:
    root = write(tmp_path / "p", World(spent=0.7, settled_treated=0.9), COST, primary="cost_per_settled")
    found = judged(root)
    assert (found["outcome"], found["evidence_level"]) == ("go", "A (attested)")
    # Week 8 is due on 27 May: cases that began by the 13th are mature.
    (treated, done), (control, others) = (sums(root, arm, "2024-05-13T00:00:00Z") for arm in "ba")
    assert found["estimate"] == pytest.approx(treated / done - control / others, rel=1e-9)
    assert found["lower"] < 0.7 * 0.8 / 0.9 * control / others - control / others < found["upper"]
    readings = run_trueup("measure", root, "claims", "--as-of", WEEK_8, "--json").data["readings"]
    week = next(r for r in readings if r["kpi"] == "cost_per_settled" and r["arm"] == "baseline")
    assert week["lower"] < week["value"] < week["upper"]


def test_a_ratio_against_the_baseline_goes_by_weeks_and_stays_at_level_d(tmp_path: Path) -> None:
    root = write(tmp_path / "p", World(spent=0.5), COST, primary="cost_per_settled", design="{assigned: none}")
    found = judged(root)
    assert (found["outcome"], found["code"], found["evidence_level"]) == ("hold", "design-too-weak", "D")
    registered = YAML(typ="safe").load(root / "registrations" / "claims.yaml")["kpis"]["cost_per_settled"]
    weeks = registered["weeks"]
    total = sum(week["mean"] * week["under"] for week in weeks) / sum(week["under"] for week in weeks)
    assert registered["mean"] == pytest.approx(total, rel=1e-9)


def test_a_tail_is_judged_where_cases_were_drawn_one_by_one(tmp_path: Path) -> None:
    root = write(tmp_path / "p", World(time=0.6, settled=0.97, settled_treated=0.97), TAIL, primary="slow_tail")
    found = judged(root)
    assert found["outcome"] == "go"
    assert (
        found["watched"]["lower"] <= found["lower"] <= found["estimate"] <= found["upper"] <= found["watched"]["upper"]
    )
    registered = YAML(typ="safe").load(root / "registrations" / "claims.yaml")
    assert registered["detectable"][0]["smallest"] > 0
    measured = run_trueup("measure", root, "claims", "--as-of", WEEK_8, "--json").data["readings"]
    weeks = [row for row in measured if row["kpi"] == "slow_tail" and row["arm"] == "baseline"]
    means = [row for row in measured if row["kpi"] == "cycle_time" and row["arm"] == "baseline"]
    assert all(row["value"] > mean["value"] for row, mean in zip(weeks, means, strict=True))
    assert registered["kpis"]["slow_tail"]["mean"] > registered["kpis"]["cycle_time"]["mean"]


def test_weeks_cannot_judge_a_tail_and_say_so_beforehand(tmp_path: Path) -> None:
    root = write(tmp_path / "p", World(time=0.4), TAIL, primary="slow_tail", design="{assigned: none}")
    found = judged(root)
    assert (found["outcome"], found["code"]) == ("unknown", "quantile-needs-cases")
    assert found["lower"] is found["upper"] is None
    registered = YAML(typ="safe").load(root / "registrations" / "claims.yaml")
    assert any("no gate can judge slow_tail" in note for note in registered["notes"])
    assert all("smallest" not in gate for gate in registered["detectable"])


def test_a_tail_as_guardrail_is_crossed_where_cases_were_drawn_and_open_where_units_were(tmp_path: Path) -> None:
    world = World(time=1.6, settled=0.97, settled_treated=0.97)
    found = {}
    for unit in ("case", "region"):
        design = BY_CASE.replace("unit: case", f"unit: {unit}")
        guardrail = "slow_tail: {no_worse_than: +10%}"
        root = write(tmp_path / unit, world, TAIL, primary="cycle_time", guardrail=guardrail, design=design)
        found[unit] = judged(root)["guardrails"][0]
    assert [one["state"] for one in found.values()] == ["crossed", "open"]
    assert found["region"]["lower"] is found["region"]["watched"]["upper"] is None


def test_a_kpi_on_logarithms_is_judged_by_geometric_means(tmp_path: Path) -> None:
    root = write(tmp_path / "p", World(time=0.7, settled=1.0, settled_treated=1.0), LOG, primary="usual_time")
    found = judged(root)
    assert found["outcome"] == "go"
    assert any("geometric" in note for note in found["notes"])
    control = found["estimate"] / -0.3
    assert found["estimate"] == pytest.approx(-0.3 * control)
    assert 2.0 < control < 3.2


ADJUST = "{{covariates: [amount], strata: [region], decides: {decides}}}"


def test_covariates_stand_beside_the_raw_figure_which_decides(tmp_path: Path) -> None:
    world = World(time=0.87, settled=1.0, settled_treated=1.0)
    line = "spare: {count: {of: Returned}, better: lower}"
    root = write(tmp_path / "p", world, line, primary="cycle_time", adjust=ADJUST.format(decides="raw"))
    found = judged(root)
    beside = found["adjusted"]
    assert (beside["decides"], beside["covariates"], beside["missing"], beside["because"]) == (
        "raw",
        ["amount"],
        0,
        None,
    )
    assert found["estimate"] == beside["raw"]["estimate"]
    width = {key: beside[key]["upper"] - beside[key]["lower"] for key in ("raw", "adjusted")}
    assert width["adjusted"] < 0.7 * width["raw"]
    assert beside["standardised"]["estimate"] == pytest.approx(beside["raw"]["estimate"], abs=0.2)
    assert (beside["left_out"], beside["reversed"]) == (0, False)


def test_what_was_registered_to_decide_decides_and_cannot_move(tmp_path: Path) -> None:
    world = World(time=0.82, settled=1.0, settled_treated=1.0)
    line = "spare: {count: {of: Returned}, better: lower}"
    root = write(tmp_path / "p", world, line, primary="cycle_time", adjust=ADJUST.format(decides="adjusted"))
    found = judged(root)
    assert found["estimate"] == found["adjusted"]["adjusted"]["estimate"] != found["adjusted"]["raw"]["estimate"]
    assert found["watched"]["upper"] is not None
    assert found["sensitivity"]["weeks"] == 6
    workflow = root / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace("decides: adjusted", "decides: raw"), "utf-8")
    changes = run_trueup("review", root, "--as-of", WEEK_8, "--json").data["changes"]
    moved = next(change for change in changes if change.get("gate") == "week-8")
    assert (moved["outcome"], moved["code"]) == ("unknown", "promise-changed")


def test_a_reversal_at_equal_mix_is_said(tmp_path: Path) -> None:
    world = World(mixed=True, settled=1.0, settled_treated=1.0, per_week=120)
    line = "spare: {count: {of: Returned}, better: lower}"
    root = write(tmp_path / "p", world, line, primary="cycle_time", adjust="{strata: [region]}")
    beside = judged(root)["adjusted"]
    assert beside["raw"]["upper"] < 0 < beside["standardised"]["lower"]
    assert beside["reversed"]


def test_what_the_log_lacks_decides_nothing(tmp_path: Path) -> None:
    line = "spare: {count: {of: Returned}, better: lower}"
    root = write(tmp_path / "p", World(), line, primary="cycle_time", adjust="{covariates: [gone], decides: adjusted}")
    found = judged(root)
    assert (found["outcome"], found["code"]) == ("unknown", "not-adjusted")
    assert found["adjusted"]["adjusted"] is None
    assert "lacks one of gone" in found["because"]


def test_before_and_after_are_compared_at_one_mix_by_weeks(tmp_path: Path) -> None:
    """The pilot's cases are mostly of the quick region, and each takes longer than its like before."""
    world = World(mixed=True, settled=1.0, settled_treated=1.0, per_week=120)
    line = "spare: {count: {of: Returned}, better: lower}"
    adjust = "{strata: [region]}"
    root = write(tmp_path / "p", world, line, primary="cycle_time", adjust=adjust, design="{assigned: none}")
    beside = judged(root)["adjusted"]
    assert beside["because"] is None
    assert beside["standardised"]["estimate"] > 0.5 * 0.15 * 2.5
    assert beside["standardised"]["lower"] < beside["standardised"]["estimate"] < beside["standardised"]["upper"]
    assert beside["left_out"] == 0


def test_a_tail_among_capped_cases_is_unknown_in_the_baseline_too(tmp_path: Path) -> None:
    kpi = TAIL.replace("75%", "99%")
    root = write(tmp_path / "p", World(), kpi, primary="cycle_time", design="{assigned: none}")
    done = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json")
    found = next(row for row in done.data["summary"] if row["kpi"] == "slow_tail")
    assert found["capped"] > 0.01 * found["n"]
    assert (found["value"], found["lower"], found["upper"]) == (None, None, None)


def test_a_baseline_says_which_kpi_never_varies_and_promises_no_size_for_it(tmp_path: Path) -> None:
    misspelt = (
        "returned: {share: {with: [Retunred]}, better: lower}\n  done: {share: {with: [Settled]}, better: higher}"
    )
    root = write(tmp_path / "p", World(), misspelt, primary="cycle_time", design="{assigned: none}")
    workflow = root / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace("to: last Settled", "to: last Setled"), "utf-8")
    done = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json")
    notes = " ".join(done.data["notes"])
    assert "cycle_time: every case was cut at the window" in notes
    assert "returned: the same in all" in notes
    assert "done:" not in notes
    assert [gate["smallest"] for gate in done.data["detectable"]] == [None, None, None]

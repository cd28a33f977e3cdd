"""Every finding that data, ledger or calendar show: a programme that is in order, and one step away from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup

AT = "2024-04-15"
QUIET = Truth(missing=0.0, per_week=12, weeks=20)


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def in_order(folder: Path, truth: Truth = QUIET, *, registered: bool = True) -> Path:
    root = write_programme(folder / "p", truth)
    if registered:
        assert run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    return root


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def add(root: Path, file: str, text: str) -> None:
    path = root / file
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def dynamic(root: Path, as_of: str = AT) -> list[dict[str, Any]]:
    """Return what looking at the data adds to what the files show."""
    static = run("check", root, "--as-of", as_of).data["findings"]
    return [
        found for found in run("check", root, "--as-of", as_of, "--with-data").data["findings"] if found not in static
    ]


def listed(root: Path, as_of: str = AT) -> list[tuple[str, str]]:
    changes = run("review", root, "--as-of", as_of).data["changes"]
    return [(change["code"], change["subject"]) for change in changes if change["kind"] == "finding"]


def test_a_programme_in_order_has_none(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    assert dynamic(root) == []
    assert run("review", root, "--as-of", AT).data["changes"] == []


def apply_review(root: Path, as_of: str) -> None:
    review = run("review", root, "--as-of", as_of).data["id"]
    assert run("apply", root, review, "--by", "chief", "--as-of", as_of).exit_code == 0


def altered_registration(root: Path) -> None:
    add(root, "registrations/claims.yaml", "# a note\n")


def moved_bar(root: Path) -> None:
    edit(root, "workflows/claims.yaml", "worth_having: -10%", "worth_having: -5%")


def no_checkpoint(root: Path) -> None:
    add(root, "programme.yaml", "reviews: {checkpoint: weekly}\n")


def no_strategy_review(root: Path) -> None:
    add(root, "programme.yaml", "reviews: {strategy: 30d}\n")


def false_belief(root: Path) -> None:
    edit(root, "programme.yaml", "measure: data.claims.completeness(amount)", "measure: claims.cycle_time")
    edit(root, "programme.yaml", "at_least: 0.90", "at_least: 900")


def unmeasurable_belief(root: Path) -> None:
    edit(root, "programme.yaml", "completeness(amount)", "completeness(amuont)")


def too_few_labels(root: Path) -> None:
    edit(root, "programme.yaml", "    zone: UTC\n", "    zone: UTC\n    labels: {field: amount, needed: 5000}\n")


def stale(root: Path) -> None:
    edit(root, "programme.yaml", "    zone: UTC\n", "    zone: UTC\n    fresh_within: 7d\n")
    path = root / "data" / "claims.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *(line for line in lines[1:] if line.split(",")[2] < "2024-04-02")]), "utf-8")


def not_as_expected(root: Path) -> None:
    edit(root, "programme.yaml", "{type: number, min: 0}", "{type: number, min: 100}")


def two_spellings(root: Path) -> None:
    edit(root, "programme.yaml", "fields: {amount: amount}", "fields: {amount: amount, step: activity}")
    path = root / "data" / "claims.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    later = [line.replace("Received", "RECEIVED") if line.split(",")[2] >= "2024-04-08" else line for line in lines]
    path.write_text("".join(later), "utf-8")


def unreadable_people(root: Path) -> None:
    add(root, "programme.yaml", "actuals: {people: {source: people.csv, eligible: eligible}}\n")
    (root / "people.csv").write_text("person,workflow,eligible\nann,claims,perhaps\n", "utf-8")


def two_zones(root: Path) -> None:
    path = root / "data" / "claims.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:9], *(line.replace("Z,", ",") for line in lines[9:])]), "utf-8")
    edit(root, "programme.yaml", "    zone: UTC\n", "")


def overspent(root: Path) -> None:
    add(root, "use-cases/claims.yaml", "value: {saved: {range: [100, 200, 400]}}\n")
    spend = ("spend", "--use-case", "claims", "--kind", "build", "--amount", "700")
    assert run("record", root, *spend, "--by", "owner", "--as-of", "2024-04-10").exit_code == 0


def unreadable_actuals(root: Path) -> None:
    add(root, "programme.yaml", "actuals: {spend: {source: spend.csv}}\n")
    (root / "spend.csv").write_text("date,use_case,kind,amount\n2024-02-30,claims,build,1\n", "utf-8")


def strange_actuals(root: Path) -> None:
    add(root, "programme.yaml", "actuals: {effort: {source: effort.csv}}\n")
    (root / "effort.csv").write_text("date,use_case,kind,hours\n2024-02-03,clams,build,1\n", "utf-8")


def over_hours(root: Path) -> None:
    add(root, "use-cases/claims.yaml", "effort: {engineering: [1pd, 2pd, 4pd]}\n")
    effort = ("effort", "--use-case", "claims", "--kind", "engineering", "--hours", "33")
    assert run("record", root, *effort, "--by", "owner", "--as-of", "2024-04-10").exit_code == 0


def untrained(root: Path) -> None:
    edit(root, "use-cases/claims.yaml", "stage: pilot", "stage: production")
    add(root, "programme.yaml", "actuals: {people: {source: people.csv, trained_on: trained, eligible: eligible}}\n")
    rows = "ann,claims,2024-03-01,yes\nbob,claims,,yes\ncy,claims,,no\n"
    (root / "people.csv").write_text(f"person,workflow,trained,eligible\n{rows}", "utf-8")


def unused(root: Path) -> None:
    edit(root, "use-cases/claims.yaml", "stage: pilot", "stage: production")
    add(root, "programme.yaml", "actuals: {people: {source: people.csv}}\n")
    (root / "people.csv").write_text("person,workflow\n", "utf-8")
    kpi = "  adoption: {share: {with: [Returned], among: treated}, better: higher, target: 90%}\npilot:"
    edit(root, "workflows/claims.yaml", "pilot:", kpi)


def strange_people(root: Path) -> None:
    add(root, "programme.yaml", "actuals: {people: {source: people.csv}}\n")
    (root / "people.csv").write_text("person,workflow\nann,claims\ndee,clams\n", "utf-8")


def too_few_cases(root: Path) -> None:
    edit(root, "programme.yaml", "    zone: UTC\n", "    zone: UTC\n    volume: {needed: 5000}\n")


def too_sure_of_the_data(root: Path) -> None:
    assessed = "assessment: {data_readiness: {score: 2, because: said so, evidence: data.claims}}\n"
    add(root, "programme.yaml", assessed)
    edit(root, "programme.yaml", "fields: {amount: amount}", "fields: {amount: amount, variant: variant}")


def scored_by_hand(root: Path) -> None:
    add(root, "use-cases/claims.yaml", "feasibility: {data: 2, integration: 1, process: 1, risk: 1}\n")
    edit(root, "programme.yaml", "fields: {amount: amount}", "fields: {amount: amount, variant: variant}")


CASES: list[tuple[str, Callable[[Path], None], str, str, str]] = [
    ("KPI01", altered_registration, "claims", "registrations/claims.yaml", "is not the file whose hash"),
    ("GATE04", moved_bar, "claims", "workflows/claims.yaml", "worth_having of 'claims' changed"),
    ("GATE05", no_checkpoint, "checkpoint", "programme.yaml", "none since the first pilot began on 2024-04-01"),
    ("STRAT03", no_strategy_review, "strategy", "programme.yaml", "105 days ago; 30d"),
    ("STRAT04", false_belief, "amounts-are-known", "programme.yaml", "is false"),
    ("STRAT04", unmeasurable_belief, "amounts-are-known", "programme.yaml", "cannot be measured"),
    ("DATA01", too_few_labels, "claims", "programme.yaml", "of the 5000 labels"),
    ("DATA01", stale, "claims", "programme.yaml", "days old; 7d is declared"),
    ("DATA01", not_as_expected, "claims", "programme.yaml", "are as expected (such as"),
    ("DATA01", unreadable_actuals, "actuals.spend", "programme.yaml", "spend.csv, line 2"),
    ("DATA01", strange_actuals, "actuals.effort", "programme.yaml", "nobody declares: clams"),
    ("DATA01", unreadable_people, "actuals.people", "programme.yaml", "people.csv, line 2"),
    ("DATA01", strange_people, "actuals.people", "programme.yaml", "that count nowhere: 1."),
    ("DATA01", too_few_cases, "claims", "programme.yaml", "of the 5000 cases that are needed"),
    ("DATA01", too_sure_of_the_data, "claims", "programme.yaml", "declared as 2 of 2 and measured at 0."),
    ("DATA01", scored_by_hand, "claims", "use-cases/claims.yaml", "declared as 2 of 2 and measured at 0."),
    ("DATA02", two_spellings, "claims", "programme.yaml", "'Received' and 'RECEIVED'"),
    ("PORT03", overspent, "claims", "use-cases/claims.yaml", "700 are spent on 'claims'; promised are 200 a year"),
    ("DATA03", over_hours, "claims", "use-cases/claims.yaml", "33 hours of engineering are recorded; 4 person-days"),
    ("PPL01", untrained, "claims", "programme.yaml", "1 of 2 eligible people of 'claims' are not trained: bob"),
]


@pytest.mark.parametrize(
    ("code", "step", "subject", "file", "words"), CASES, ids=lambda part: getattr(part, "__name__", "")
)
def test_one_step_away_is_found_once_and_listed(
    tmp_path: Path, code: str, step: Callable[[Path], None], subject: str, file: str, words: str
) -> None:
    root = in_order(tmp_path)
    step(root)
    found = dynamic(root)
    assert [(one["code"], one["file"]) for one in found] == [(code, file)]
    assert words in found[0]["detail"]
    assert found[0]["fix"]
    in_review = [] if found[0]["severity"] == "note" else [(code, subject)]
    if (code, step) != ("STRAT04", false_belief):  # that one is an assumption's own line
        assert listed(root) == in_review


def test_a_pilot_past_its_last_gate_is_found_and_the_review_shows_the_gate_instead(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    assert [one["code"] for one in dynamic(root, "2024-06-24")] == ["DATA01"] or dynamic(root, "2024-06-24") == []
    found = [one for one in dynamic(root, "2024-06-30") if one["code"] == "GATE02"]
    assert "6 days ago" in found[0]["detail"]
    assert "GATE02" not in [code for code, _ in listed(root, "2024-06-30")]


def test_a_flat_kpi_is_a_note_after_six_weeks(tmp_path: Path) -> None:
    root = in_order(tmp_path, Truth(missing=0.0, per_week=150, effect=1.0))
    assert dynamic(root, "2024-05-12") == []
    found = dynamic(root, "2024-05-20")
    assert [(one["code"], one["severity"]) for one in found] == [("KPI05", "note")]
    assert listed(root, "2024-05-20") == []


def test_a_strategy_that_tries_nothing_is_found(tmp_path: Path) -> None:
    root = in_order(tmp_path, registered=False)
    edit(root, "use-cases/claims.yaml", "stage: pilot", "stage: candidate")
    edit(root, "workflows/claims.yaml", "starts: 2024-04-01", "starts: 2025-04-01")
    assert dynamic(root, "2024-02-26") == []
    assert [one["code"] for one in dynamic(root, "2024-02-27")] == ["STRAT01"]
    add(root, "programme.yaml", "limits: {strategy_phase: 4w}\n")
    assert [one["code"] for one in dynamic(root, "2024-01-30")] == ["STRAT01"]
    later = [one["detail"] for one in dynamic(root, "2024-07-03") if one["code"] == "STRAT02"]
    assert later == ["184 days after adoption nothing is in production: use cases that nobody has started."]


def test_half_a_year_without_production_names_the_undecided_pilots(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    found = {one["code"]: one["detail"] for one in dynamic(root, "2024-07-03")}
    assert "pilots were never decided: claims" in found["STRAT02"]


def test_half_a_year_without_production_names_what_failed_on_data(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    decided = "  decided: {week-12: {outcome: stop, on: 2024-06-24, by: chief}}\n  ended: 2024-06-24\n"
    add(root, "workflows/claims.yaml", decided)
    edit(
        root,
        "programme.yaml",
        "at_least: 0.90\n",
        "at_least: 0.90\n    found: {value: 0.8, on: 2024-06-24, holds: false}\n",
    )
    found = {one["code"]: one["detail"] for one in dynamic(root, "2024-07-03")}
    assert "pilots failed on data: claims" in found["STRAT02"]


def test_a_training_on_record_counts_from_its_day(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    untrained(root)
    train = ("training", "--workflow", "claims", "--person", "bob", "--on", "2024-04-10")
    assert run("record", root, *train, "--by", "owner", "--as-of", "2024-04-12").exit_code == 0
    assert dynamic(root, "2024-04-12") == []
    assert [one["code"] for one in dynamic(root, "2024-04-09")] == ["PPL01"]


def test_adoption_surely_below_its_target_is_found_in_what_is_live(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    unused(root)
    assert dynamic(root, "2024-04-10") == []
    found = dynamic(root, "2024-05-13")
    assert [(one["code"], one["file"]) for one in found] == [("PPL01", "workflows/claims.yaml")]
    assert "90% is the target" in found[0]["detail"]


def test_looking_weekly_is_the_way_out(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    no_checkpoint(root)
    assert listed(root, "2024-04-08") == []
    apply_review(root, "2024-04-08")
    assert listed(root, "2024-04-15") == []
    assert listed(root, "2024-04-16") == [("GATE05", "checkpoint")]


def test_a_decided_finding_is_not_asked_again_until_it_is_another_one(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    no_checkpoint(root)
    moved_bar(root)
    assert listed(root) == [("GATE05", "checkpoint"), ("GATE04", "claims")]
    apply_review(root, AT)
    assert run("review", root, "--as-of", AT).data["changes"] == []
    assert listed(root, "2024-04-25") == [("GATE05", "checkpoint")]
    edit(root, "workflows/claims.yaml", "no_worse_than: -10pp", "no_worse_than: -20pp")
    assert ("GATE04", "claims") in listed(root, "2024-04-25")


def test_a_finding_is_signed_opened_and_changes_no_file(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    moved_bar(root)
    review = run("review", root, "--as-of", AT).data
    change = review["changes"][0]
    assert (change["kind"], change["severity"], change["because"]) == ("finding", "error", change["detail"])
    chain = run("why", root, review["id"], "1").data
    assert chain["declared"]["file"] == "workflows/claims.yaml"
    assert "GATE04" in run_trueup("why", root, review["id"], "1").out
    assert "ERROR" in run_trueup("review", root, "--as-of", AT).out
    assert run("apply", root, review["id"], "--by", "owner", "--as-of", AT).exit_code == 4
    applied = run("apply", root, review["id"], "--by", "chief", "--as-of", AT).data
    assert applied["files"] == ["checkpoints/latest"]
    entry = run("ledger", "entry", root, str(applied["entries"][0])).data["entry"]
    assert (entry["data"]["kind"], entry["data"]["code"]) == ("finding", "GATE04")


def test_findings_stop_nobody_who_decides_a_gate(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    too_few_labels(root)
    review = run("review", root, "--as-of", "2024-04-29").data
    assert [change["kind"] for change in review["changes"]] == ["gate", "finding"]
    named = run("apply", root, review["id"], "--by", "owner", "--as-of", "2024-04-29", "--only", "1,2")
    assert named.exit_code == 4
    applied = run("apply", root, review["id"], "--by", "owner", "--as-of", "2024-04-29").data
    assert ([one["n"] for one in applied["applied"]], applied["left"]) == ([1], [2])
    assert listed(root, "2024-04-29") == [("DATA01", "claims")]
    apply_review(root, "2024-04-29")
    assert run("review", root, "--as-of", "2024-04-29").data["changes"] == []


def test_what_the_calendar_shows_does_not_stand_beside_what_a_review_decides(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    no_checkpoint(root)
    changes = run("review", root, "--as-of", "2024-04-29").data["changes"]
    assert [change["kind"] for change in changes] == ["gate"]
    assert "GATE05" in [one["code"] for one in dynamic(root, "2024-04-29")]


def test_errors_among_them_exit_with_3_and_a_waiver_takes_them_back(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    assert run("check", root, "--as-of", AT, "--with-data").exit_code == 0
    moved_bar(root)
    assert run("check", root, "--as-of", AT).exit_code == 0
    assert run("check", root, "--as-of", AT, "--with-data").exit_code == 3
    waiver = "{code: GATE04, because: agreed with the board, by: chief, until: 2024-05-01}"
    add(root, "programme.yaml", f"waivers: [{waiver}]\n")
    ran = run("check", root, "--as-of", AT, "--with-data")
    assert ran.exit_code == 0
    assert [one["waived"] for one in ran.data["findings"] if one["code"] == "GATE04"] == ["agreed with the board"]
    assert listed(root) == []


def test_data_are_not_looked_at_while_files_have_errors(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    moved_bar(root)
    add(root, "programme.yaml", "nonsense: 1\n")
    ran = run("check", root, "--as-of", AT, "--with-data")
    assert ran.exit_code == 3
    assert "GATE04" not in json.dumps(ran.data)
    assert "correct the errors" in ran.err


def test_the_data_of_what_was_stopped_are_left_in_peace(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    stale(root)
    edit(root, "use-cases/claims.yaml", "stage: pilot", "stage: stopped")
    assert "DATA01" not in [one["code"] for one in dynamic(root)]


def test_times_in_two_ways_are_not_normalised_whatever_else_follows(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    two_zones(root)
    codes = {one["code"]: one["detail"] for one in dynamic(root)}
    assert "DATA02" in codes, codes
    assert "DATA01" not in codes


def test_a_log_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    root = in_order(tmp_path)
    (root / "data" / "claims.csv").unlink()
    found = {(one["code"], one["line"]): one["detail"] for one in dynamic(root)}
    assert any(code == "DATA01" and "claims.csv" in detail for (code, _), detail in found.items())

"""The loop on a log with a known truth: baseline, review, apply; and everything that has to be refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import RANDOMISED, Truth, write_log, write_programme
from tests.running import Ran, run_trueup

WEEK_8 = "2024-05-27"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return write_programme(tmp_path / "claims-programme")


@pytest.fixture
def registered(programme: Path) -> Path:
    ran = run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31")
    assert ran.exit_code == 0, ran
    return programme


def gates(ran: Ran) -> dict[str, dict[str, Any]]:
    return {change["gate"]: change for change in ran.data["changes"] if change["kind"] == "gate"}


def test_a_real_effect_is_found_and_signed(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8)
    found = gates(review)
    assert set(found) == {"week-4", "week-8"}
    assert found["week-8"]["outcome"] == "go"
    assert found["week-8"]["evidence_level"] == "A (attested)"
    assert found["week-8"]["guardrails"][0]["state"] in {"held", "open"}
    upper = found["week-8"]["upper"]
    assert isinstance(upper, float)
    assert upper < 0
    applied = run("apply", registered, review.data["id"], "--by", "chief", "--as-of", WEEK_8)
    assert applied.exit_code == 0, applied
    text = (registered / "workflows" / "claims.yaml").read_text("utf-8")
    assert "# the gates were agreed with the board" in text
    assert "week-8" in text
    assert "outcome: go" in text
    after = run("review", registered, "--as-of", WEEK_8)
    assert after.data["changes"] == []
    assert run("ledger", "verify", registered).data["ok"] is True


def test_the_review_of_the_same_state_is_the_same_review(registered: Path) -> None:
    first, second = (run("review", registered, "--as-of", WEEK_8).data for _ in range(2))
    assert first == second


def test_an_assumption_is_found_false_and_written_down(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8)
    change = next(change for change in review.data["changes"] if change["kind"] == "assumption")
    assert change["holds"] is False
    assert change["measured"] == pytest.approx(0.8, abs=0.03)
    run("apply", registered, review.data["id"], "--by", "chief", "--as-of", WEEK_8)
    text = (registered / "programme.yaml").read_text("utf-8")
    assert "found:" in text
    assert "# a comment that has to survive" in text


def test_a_flat_pilot_is_stopped_and_its_use_case_with_it(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(effect=1.0, per_week=150))
    assert run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    review = run("review", root, "--as-of", WEEK_8)
    assert gates(review)["week-8"]["outcome"] == "stop"
    assert run("apply", root, review.data["id"], "--by", "chief", "--as-of", WEEK_8).exit_code == 0
    assert "stage: stopped" in (root / "use-cases" / "claims.yaml").read_text("utf-8")
    assert "ended:" in (root / "workflows" / "claims.yaml").read_text("utf-8")
    assert run("review", root, "--as-of", "2024-07-01").data["changes"] == []


def test_what_is_only_before_and_after_may_not_say_go(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(effect=0.5), design="{assigned: none, evidence_at_most: D}")
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    review = run("review", root, "--as-of", WEEK_8)
    week_8 = gates(review)["week-8"]
    assert (week_8["outcome"], week_8["code"]) == ("hold", "design-too-weak")
    number = str(week_8["n"])
    owner = run("apply", root, review.data["id"], "--by", "owner", "--waive", f"{number}:design", "--because", "known")
    assert owner.exit_code == 4
    assert "chief" in owner.error["hint"]
    chief = run("apply", root, review.data["id"], "--by", "chief", "--waive", f"{number}:design", "--because", "known")
    assert chief.exit_code == 0, chief
    assert "outcome: go" in (root / "workflows" / "claims.yaml").read_text("utf-8")


def test_a_column_that_nobody_attests_is_before_after(programme: Path) -> None:
    ran = run("baseline", programme, "claims", "--as-of", "2024-03-31")
    assert ran.data["evidence_level"] == "D"
    assert any("attest" in note for note in ran.data["notes"])
    assert gates(run("review", programme, "--as-of", WEEK_8))["week-8"]["outcome"] == "hold"


def test_volume_that_breaks_away_from_the_baseline_is_unknown(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(pilot_factor=2.0), design="{assigned: none}")
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    week_8 = gates(run("review", root, "--as-of", WEEK_8))["week-8"]
    assert (week_8["outcome"], week_8["code"]) == ("unknown", "series-broken")


def test_between_concurrent_arms_a_break_is_a_note(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(pilot_factor=2.0))
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    week_8 = gates(run("review", root, "--as-of", WEEK_8))["week-8"]
    assert week_8["outcome"] == "go"
    assert any("cases a week" in note for note in week_8["notes"])


def test_a_crossed_guardrail_stops_in_between(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", Truth(returned_treated=0.9, per_week=150))
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    review = run("review", root, "--as-of", "2024-04-25")
    week_4 = gates(review)["week-4"]
    assert (week_4["outcome"], week_4["code"]) == ("stop", "guardrail-crossed")


def test_gates_without_a_registration_are_unknown(programme: Path) -> None:
    week_8 = gates(run("review", programme, "--as-of", WEEK_8))["week-8"]
    assert (week_8["outcome"], week_8["code"]) == ("unknown", "no-baseline")


def test_a_late_registration_is_marked(programme: Path) -> None:
    ran = run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-04-20")
    assert ran.data["registered_late"] is True
    week_8 = gates(run("review", programme, "--as-of", WEEK_8))["week-8"]
    assert week_8["registered_late"] is True


def test_a_second_baseline_needs_a_reason(registered: Path) -> None:
    again = run("baseline", registered, "claims", "--by", "owner", "--as-of", "2024-03-31")
    assert (again.exit_code, again.error["code"]) == (1, "registered-before")
    replaced = run(
        "baseline", registered, "claims", "--by", "owner", "--as-of", "2024-03-31", "--replace", "--because", "typo"
    )
    assert replaced.exit_code == 0, replaced


def test_a_bar_moved_after_registration_is_no_bar(registered: Path) -> None:
    path = registered / "workflows" / "claims.yaml"
    path.write_text(path.read_text("utf-8").replace("worth_having: -10%", "worth_having: -1%"), "utf-8")
    week_8 = gates(run("review", registered, "--as-of", WEEK_8))["week-8"]
    assert (week_8["outcome"], week_8["code"]) == ("unknown", "promise-changed")


def test_a_registration_edited_by_hand_is_noticed(registered: Path) -> None:
    path = registered / "registrations" / "claims.yaml"
    path.write_text(path.read_text("utf-8").replace("late: false", "late: false  # honest"), "utf-8")
    week_8 = gates(run("review", registered, "--as-of", WEEK_8))["week-8"]
    assert (week_8["outcome"], week_8["code"]) == ("unknown", "registration-altered")


def test_applied_twice_is_refused(registered: Path) -> None:
    name = run("review", registered, "--as-of", WEEK_8).data["id"]
    assert run("apply", registered, name, "--by", "chief", "--as-of", WEEK_8).exit_code == 0
    again = run("apply", registered, name, "--by", "chief", "--as-of", WEEK_8)
    assert (again.exit_code, again.error["code"]) == (1, "applied-before")


def test_a_stale_review_says_what_changed_and_changes_nothing(registered: Path) -> None:
    name = run("review", registered, "--as-of", WEEK_8).data["id"]
    path = registered / "use-cases" / "claims.yaml"
    path.write_text(path.read_text("utf-8") + "# touched\n", "utf-8")
    before = (registered / "workflows" / "claims.yaml").read_bytes()
    ran = run("apply", registered, name, "--by", "chief", "--as-of", WEEK_8)
    assert (ran.exit_code, ran.error["code"]) == (1, "stale")
    assert "use-cases/claims.yaml" in ran.error["message"]
    assert (registered / "workflows" / "claims.yaml").read_bytes() == before


def test_data_that_change_what_was_proposed_make_it_stale(registered: Path) -> None:
    name = run("review", registered, "--as-of", WEEK_8).data["id"]
    write_log(registered / "data" / "claims.csv", Truth(seed=8))
    ran = run("apply", registered, name, "--by", "chief", "--as-of", WEEK_8)
    assert ran.error["code"] == "stale"
    assert "claims" in ran.error["message"]


@pytest.mark.parametrize(
    ("who", "code"), [("clerk", "may-not-sign"), ("nobody", "unknown-person"), ("other", "may-not-sign")]
)
def test_somebody_without_the_right_is_refused_with_the_names_who_have_it(
    registered: Path, who: str, code: str
) -> None:
    name = run("review", registered, "--as-of", WEEK_8).data["id"]
    ran = run("apply", registered, name, "--by", who, "--as-of", WEEK_8)
    assert (ran.exit_code, ran.error["code"]) == (4, code)
    assert "chief" in ran.error["hint"]


def test_only_takes_some_and_leaves_the_rest_open(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8)
    total = len(review.data["changes"])
    assert run("apply", registered, review.data["id"], "--by", "chief", "--as-of", WEEK_8, "--only", "1").exit_code == 0
    assert len(run("review", registered, "--as-of", WEEK_8).data["changes"]) == total - 1


def test_a_declined_change_is_decided(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8)
    numbers = ",".join(str(change["n"]) for change in review.data["changes"])
    ran = run(
        "apply",
        registered,
        review.data["id"],
        "--by",
        "chief",
        "--as-of",
        WEEK_8,
        "--decline",
        numbers,
        "--because",
        "no",
    )
    assert ran.exit_code == 0, ran
    assert ran.data["applied"] == []
    assert run("review", registered, "--as-of", WEEK_8).data["changes"] == []


def test_an_empty_review_is_the_weekly_checkpoint(registered: Path) -> None:
    review = run("review", registered, "--as-of", "2024-04-02")
    gate_changes = [change for change in review.data["changes"] if change["kind"] == "gate"]
    assert gate_changes == []
    run("apply", registered, review.data["id"], "--by", "chief", "--as-of", "2024-04-02")
    empty = run("review", registered, "--as-of", "2024-04-09").data
    assert empty["changes"] == []
    ran = run("apply", registered, empty["id"], "--by", "chief", "--as-of", "2024-04-09", "--note", "blocked by access")
    assert ran.exit_code == 0, ran
    entry = run("ledger", "entry", registered, str(ran.data["entries"][-1])).data["entry"]
    assert entry["data"]["notes"] == ["blocked by access"]


def test_the_chain_opens_from_verdict_to_events_and_declared_line(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8)
    number = str(gates(review)["week-8"]["n"])
    chain = run("why", registered, review.data["id"], number).data
    assert chain["declared"]["file"] == "workflows/claims.yaml"
    assert "week-8" in chain["declared"]["text"]
    treated = chain["formula"]["inputs"]["treated"]
    control = chain["formula"]["inputs"]["control"]
    assert chain["change"]["estimate"] == pytest.approx(treated["mean"] - control["mean"])
    assert chain["change"]["cases"] == treated["n"] + control["n"] == chain["events"]["cases"]
    assert [reading["id"] for reading in chain["readings"]] == chain["change"]["evidence"]
    assert chain["events"]["sample"][0]["events"]


def test_the_ledger_is_pinned_by_the_first_command_that_appends(registered: Path) -> None:
    key = run("ledger", "key", registered).data["vkey"]
    assert key in (registered / "programme.yaml").read_text("utf-8")


def test_a_missing_ledger_is_named_not_replaced(registered: Path) -> None:
    (registered / ".trueup" / "ledger.db").unlink()
    ran = run("review", registered, "--as-of", WEEK_8)
    assert (ran.exit_code, ran.error["code"]) == (6, "ledger-missing")


def test_files_record_and_commit_agree(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p")
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "-q"], check=True)
    (root / ".gitignore").write_text(".trueup/\ndata/\n")
    subprocess.run([*git, "add", "-A"], check=True)
    who = ["-c", "user.name=t", "-c", "user.email=t@test.example"]
    subprocess.run([*git, *who, "commit", "-qm", "start"], check=True)
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    name = run("review", root, "--as-of", WEEK_8).data["id"]
    ran = run("apply", root, name, "--by", "chief", "--as-of", WEEK_8)
    head = subprocess.run(
        [*git, "log", "-1", "--format=%H %an <%ae>"], check=True, capture_output=True, text=True
    ).stdout
    assert head.strip() == f"{ran.data['commit']} C. Hief <chief@test.example>"
    status = subprocess.run([*git, "status", "--porcelain"], check=True, capture_output=True, text=True).stdout
    assert status == ""
    assert "checkpoints/latest" in ran.data["files"]
    assert run("ledger", "verify", root).data["witness"]


def test_a_claim_says_that_it_is_one(registered: Path) -> None:
    name = run("review", registered, "--as-of", WEEK_8).data["id"]
    ran = run("apply", registered, name, "--by", "chief", "--as-of", WEEK_8)
    assert ran.data["signed"] is False
    entry = run("ledger", "entry", registered, str(ran.data["entries"][0])).data["entry"]
    assert entry["data"]["claimed"]


def test_a_case_in_two_arms_makes_the_gate_unknown_and_is_named(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p", design=RANDOMISED)
    log = root / "data" / "claims.csv"
    lines = log.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("C15-") and ",b," in line and "Settled" in line)
    case = lines[at].split(",")[0]
    lines[at] = lines[at].replace(",b,", ",a,")
    log.write_text("\n".join(lines) + "\n", "utf-8")
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    week_8 = gates(run("review", root, "--as-of", WEEK_8))["week-8"]
    assert (week_8["outcome"], week_8["code"], week_8["named_cases"]) == ("unknown", "arms-leak", [case])


def test_a_review_file_that_was_edited_is_refused(registered: Path) -> None:
    review = run("review", registered, "--as-of", WEEK_8).data
    path = registered / review["file"]
    content = json.loads(path.read_text("utf-8"))
    content["changes"][0]["outcome"] = "go"
    content["changes"][0]["estimate"] = -99.0
    path.write_text(json.dumps(content), "utf-8")
    ran = run("apply", registered, review["id"], "--by", "chief", "--as-of", WEEK_8)
    assert (ran.exit_code, ran.error["code"]) == (1, "review-damaged")

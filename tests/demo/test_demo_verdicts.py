"""The demo shows each of its known truths, ends with nothing left to decide, and says the same every time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.running import Ran, Run, run_trueup

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "demo.txt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "northwind"


@pytest.fixture(scope="module")
def ran(folder: Path) -> Ran:
    started = time.monotonic()
    done = run_trueup("demo", folder, "--no-serve", "--json")
    print(f"the demo took {time.monotonic() - started:.1f} s")
    assert done.exit_code == 0, done.out + done.err
    return done


@pytest.fixture(scope="module")
def demo(ran: Ran) -> dict[str, Any]:
    return ran.data


def gate(demo: dict[str, Any], workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = next(change for change in demo["changes"] if change["subject"] == workflow)
    return found


def test_a_real_effect_is_a_go_at_week_8_with_the_guardrail_held(demo: dict[str, Any]) -> None:
    change = gate(demo, "expense-approval")
    assert (change["gate"], change["outcome"], change["code"]) == ("week-8", "go", "clears-bar")
    assert change["evidence_level"] == "A"
    assert [(rail["kpi"], rail["state"]) for rail in change["guardrails"]] == [("first_pass_quality", "held")]


def test_a_flat_pilot_is_stopped_at_week_8(demo: dict[str, Any]) -> None:
    change = gate(demo, "invoice-match")
    assert (change["gate"], change["outcome"], change["code"]) == ("week-8", "stop", "short-of-bar")
    assert change["evidence_level"] == "A (attested)"
    assert change["upper"] < 0.03


def test_a_young_pilot_is_held_with_a_forecast(demo: dict[str, Any]) -> None:
    change = gate(demo, "ticket-triage")
    assert (change["gate"], change["outcome"]) == ("week-4", "hold")
    assert change["code"] in {"undecided", "not-mature"}
    assert change["forecast_weeks"] is None or change["forecast_weeks"] > 0


def test_a_pilot_without_a_control_may_not_say_go_however_good_it_looks(demo: dict[str, Any]) -> None:
    change = gate(demo, "claims-letters")
    assert (change["gate"], change["outcome"], change["code"]) == ("week-8", "hold", "design-too-weak")
    assert change["evidence_level"] == "D"
    assert change["bar"]["side"] == "good"


def test_an_assumption_is_proved_false(demo: dict[str, Any]) -> None:
    change = gate(demo, "forms-are-complete")
    assert change["kind"] == "assumption"
    assert change["holds"] is False
    assert change["measured"] == pytest.approx(0.81, abs=0.02)


def of_kind(demo: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [change for change in demo["changes"] if change["kind"] == kind]


def test_a_workflow_that_is_seldom_wrong_asks_for_more_autonomy(demo: dict[str, Any]) -> None:
    (change,) = of_kind(demo, "autonomy")
    assert (change["subject"], change["from"], change["to"]) == ("payment-reminders", "draft", "approve")
    assert change["reviewed"] > 300
    assert change["upper"] < change["wrong_at_most"]


def test_after_two_stable_cycles_what_is_proven_asks_to_be_copied(demo: dict[str, Any], folder: Path) -> None:
    (change,) = of_kind(demo, "expand")
    assert (change["subject"], change["next"]) == ("payment-reminders", "deposit-reminders")
    copied = (folder / "workflows" / "deposit-reminders.yaml").read_text()
    assert re.search(r"^  level: shadow$", copied, re.MULTILINE)
    assert "decided" not in copied


def test_a_false_belief_overturns_the_ranking(demo: dict[str, Any], folder: Path) -> None:
    moved = {change["id"]: change for change in of_kind(demo, "rank")}
    assert set(moved) == {"budget-coding", "expense-approval"}
    assert moved["budget-coding"]["p_funded"] < moved["budget-coding"]["p_funded_from"] - 0.2
    assert (moved["budget-coding"]["selected_from"], moved["budget-coding"]["selected"]) == (True, False)
    assert "ranking" in (folder / "programme.yaml").read_text()


def test_nothing_else_is_in_the_review_and_nothing_is_left_after_it(demo: dict[str, Any]) -> None:
    kinds = [change["kind"] for change in demo["changes"]]
    assert kinds == ["gate"] * 4 + ["autonomy", "expand", "assumption", "rank", "rank"]
    assert len(demo["applied"]) == len(kinds)
    assert demo["after"] == []


def test_pilots_start_in_different_weeks_and_earlier_gates_were_decided_on_the_way(
    demo: dict[str, Any], folder: Path
) -> None:
    assert len(demo["weeks"]) == 15
    earlier = [done for week in demo["weeks"][:-1] for done in week["applied"] if done["gate"]]
    assert {(done["subject"], done["gate"]) for done in earlier} == {
        ("claims-letters", "week-4"),
        ("expense-approval", "week-4"),
        ("invoice-match", "week-4"),
        ("payment-reminders", "week-4"),
        ("payment-reminders", "week-8"),
        ("payment-reminders", "week-12"),
    }
    declared = "".join(file.read_text() for file in (folder / "workflows").iterdir())
    days = re.findall(r"^  starts: (\S+)", declared, re.MULTILINE)
    starts = {date.fromisoformat(day).isocalendar().week for day in days}
    assert len(starts) == 4
    assert {done["kind"] for done in demo["weeks"][0]["applied"]} == {"rank"}, "the first look at the data ranks anew"


def entries_of(folder: Path, event_type: str) -> list[dict[str, Any]]:
    from trueup.workspace import reading_ledger

    with reading_ledger(folder) as ledger:
        return [{"time": item.entry.time, **item.entry.data} for item in ledger.entries(event_type)]


def first_events(folder: Path, log: str, case: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(gzip.decompress((folder / "data" / log).read_bytes()).decode()))
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row[case], row["at"])
    return first


def test_the_arms_come_from_the_router_before_each_case_starts(demo: dict[str, Any], folder: Path) -> None:
    assert demo["ledger"]["ok"] is True
    drawn = [data for data in entries_of(folder, "case.assigned") if data["workflow"] == "payment-reminders"]
    first = first_events(folder, "reminders.csv.gz", "reminder")
    piloted = {case for case, at in first.items() if at >= "2025-12-23"}
    assert {data["case"] for data in drawn} == piloted
    assert all(data["time"].isoformat() <= first[data["case"]].replace("Z", "+00:00") for data in drawn)
    assert sum(data["arm"] == "treated" for data in drawn) / len(drawn) == pytest.approx(0.8, abs=0.03)


def test_every_draft_was_held_answered_by_a_person_and_sent_at_most_once(demo: dict[str, Any], folder: Path) -> None:
    assert demo["ledger"]["ok"] is True
    intents = entries_of(folder, "action.intended")
    answers = [data["decision"] for data in entries_of(folder, "approval.decided")]
    finished = entries_of(folder, "action.finished")
    assert len(intents) == len(answers) > 300
    assert len(finished) == sum(answer in {"accepted", "edited"} for answer in answers)
    assert len({data["step"] for data in finished}) == len(finished)
    assert 0 < sum(answer != "accepted" for answer in answers) < 0.04 * len(answers)
    assert {data["ended"] for data in finished} == {"done"}


def test_what_was_decided_stands_in_the_files(demo: dict[str, Any], folder: Path) -> None:
    assert demo["files"]
    assert "ended: 2026-03-30" in (folder / "workflows" / "invoice-match.yaml").read_text()
    assert "stage: stopped" in (folder / "use-cases" / "invoice-match.yaml").read_text()
    programme = (folder / "programme.yaml").read_text()
    assert re.search(r"found:\s*{?.*holds: false", programme.replace("\n", " "))
    assert programme.startswith("# SIMULATED.")


def test_the_ledger_verifies_and_its_last_entry_is_an_apply(demo: dict[str, Any], folder: Path, trueup: Run) -> None:
    assert demo["ledger"]["ok"] is True
    assert demo["ledger"]["uncovered"] == 0
    verified = trueup("ledger", "verify", folder, "--json").data
    assert verified == demo["ledger"]
    last = trueup("ledger", "entry", folder, str(verified["size"] - 1), "--json").data
    assert last["entry"]["type"] == "review.applied"


def test_the_folder_is_a_clean_repository_that_tells_the_story(demo: dict[str, Any], folder: Path) -> None:
    from trueup.connectors.git import GitRepository

    repository = GitRepository(folder)
    assert repository.dirty() == ()
    assert repository.head() == demo["commit"]
    assert len(repository.history("programme.yaml")) >= 3


def test_the_files_pass_the_check_without_errors(demo: dict[str, Any], folder: Path, trueup: Run) -> None:
    assert demo["simulated"] is True
    ran = trueup("check", folder, "--json")
    assert ran.exit_code == 0
    # The copy of what is proven waits for its people: when it starts, who trains whom.
    assert [(finding["code"], finding["file"]) for finding in ran.data["findings"]] == [
        ("GATE03", "workflows/deposit-reminders.yaml")
    ]


def test_every_declared_file_says_that_it_is_simulated(demo: dict[str, Any], folder: Path) -> None:
    assert demo["path"]
    files = [folder / "programme.yaml", *(folder / "workflows").iterdir(), *(folder / "use-cases").iterdir()]
    # The copy was written by `apply`, and says from which file.
    for file in (file for file in files if file.stem != "deposit-reminders"):
        assert file.read_text().startswith("# SIMULATED"), file


def comparable(demo: dict[str, Any]) -> dict[str, Any]:
    """Return what may not differ between two runs: keys and instants of recording do."""
    review = {key: demo[key] for key in ("id", "as_of", "pilots", "changes", "applied", "after", "weeks")}
    return {key: value for key, value in json.loads(json.dumps(review)).items() if key != "fingerprint"}


def test_a_second_demo_in_the_same_place_says_the_same(demo: dict[str, Any], folder: Path, trueup: Run) -> None:
    again = trueup("demo", folder, "--json")
    assert again.exit_code == 0, again.err
    assert comparable(again.data) == comparable(demo)


def shown_in_readme(text: str) -> None:
    """Put the accepted text between the README's marks."""
    readme = GOLDEN.parents[2] / "README.md"
    before, rest = readme.read_text("utf-8").split("<!-- transcript -->\n")
    _, after = rest.split("<!-- /transcript -->")
    readme.write_text(f"{before}<!-- transcript -->\n```text\n{text}```\n<!-- /transcript -->{after}")


def test_the_end_of_the_demo_reads_as_it_did(demo: dict[str, Any]) -> None:
    """Set TRUEUP_GOLDEN=write to accept a changed text, and read the difference before you commit it."""
    from trueup.cli.views.demo import demo_text

    text = re.sub(r"git commit \w+", "git commit 0123456789", demo_text(demo, "northwind")) + "\n"
    if os.environ.get("TRUEUP_GOLDEN") == "write":
        GOLDEN.write_text(text)
        shown_in_readme(text)
    assert text == GOLDEN.read_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text


def test_the_text_says_what_the_data_say_also_when_it_is_bad(demo: dict[str, Any]) -> None:
    from trueup.cli.views.demo import demo_text

    broken = demo["ledger"] | {"ok": False, "problems": [{"kind": "truncated", "index": 3, "detail": "cut"}]}
    text = demo_text({**demo, "ledger": broken, "after": demo["changes"][:2], "commit": None}, "northwind")
    assert "Ledger BROKEN: 1 problem" in text
    assert "2 changes are open" in text
    assert "git commit none" in text
    assert "nobody changed" not in text


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    return tmp_path / "mine"


def test_a_folder_that_is_no_demo_is_refused_and_left_alone(foreign: Path, trueup: Run) -> None:
    ran = trueup("demo", foreign, "--json")
    assert ran.exit_code == 1
    assert ran.error["code"] == "not-empty"
    assert [item.name for item in foreign.iterdir()] == ["thesis.txt"]


def test_a_demo_that_somebody_worked_on_is_refused_and_left_alone(
    demo: dict[str, Any], folder: Path, trueup: Run
) -> None:
    assert demo["commit"]
    note = folder / "notes.txt"
    note.write_text("mine")
    try:
        ran = trueup("demo", folder, "--json")
        assert ran.exit_code == 1
        assert ran.error["code"] == "demo-changed"
        assert note.read_text() == "mine"
    finally:
        note.unlink()

"""Facts put on record by hand: what is kept, in whose name, and everything that has to be refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup

SPEND = ("spend", "--use-case", "claims", "--kind", "build")


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return write_programme(tmp_path / "p", Truth(per_week=2))


def entry(root: Path, ran: Ran) -> dict[str, object]:
    found: dict[str, object] = run("ledger", "entry", root, str(ran.data["entry"])).data["entry"]
    return found


def test_spend_becomes_an_entry_about_its_instant_in_somebodys_name(programme: Path) -> None:
    ran = run("record", programme, *SPEND, "--amount", "1200", "--by", "owner", "--as-of", "2024-03-01")
    assert ran.exit_code == 0, ran
    found = entry(programme, ran)
    assert (found["type"], found["time"], found["by"]) == ("spend.recorded", "2024-03-01T00:00:00Z", "owner")
    data = found["data"]
    assert isinstance(data, dict)
    assert {key: data[key] for key in ("use_case", "kind", "amount")} == {
        "use_case": "claims",
        "kind": "build",
        "amount": 1200,
    }
    assert data["claimed"]
    assert run("ledger", "verify", programme).data["ok"] is True


def test_the_first_record_pins_the_ledger_and_changes_nothing_else(programme: Path) -> None:
    before = {path: path.read_bytes() for path in programme.rglob("*.yaml")}
    first = run("record", programme, "note", "--text", "we began", "--by", "owner", "--as-of", "2024-03-01")
    assert first.data["files"] == ["programme.yaml"]
    second = run("record", programme, "note", "--text", "we went on", "--by", "owner", "--as-of", "2024-03-02")
    assert second.data["files"] == []
    changed = {path.name for path in programme.rglob("*.yaml") if path.read_bytes() != before[path]}
    assert changed == {"programme.yaml"}


def test_the_same_record_twice_is_two_facts(programme: Path) -> None:
    call = ("record", programme, *SPEND, "--amount", "5", "--by", "owner", "--as-of", "2024-03-01")
    first, second = run(*call), run(*call)
    assert second.data["entry"] == first.data["entry"] + 1
    assert first.data["id"] != second.data["id"]


def test_a_training_is_about_its_day(programme: Path) -> None:
    call = ("training", "--workflow", "claims", "--person", "clerk", "--on", "2024-02-20")
    ran = run("record", programme, *call, "--by", "owner", "--as-of", "2024-03-01")
    assert ran.data["time"] == "2024-02-20T00:00:00Z"
    assert ran.data["data"]["trained"] == "2024-02-20"
    late = run("record", programme, *call, "--by", "owner", "--as-of", "2024-02-01")
    assert late.error["code"] == "not-yet"


def test_an_incident_carries_the_declared_severity_and_one_that_nobody_foresaw_needs_its_own(programme: Path) -> None:
    call = ("incident", "--workflow", "claims", "--what", "paid twice", "--by", "owner")
    assert run("record", programme, *call, "--incident", "wrong-payment").data["data"]["severity"] == 1
    unknown = run("record", programme, *call, "--incident", "wrong-paymnt")
    assert unknown.error["code"] == "severity-unknown"
    assert "wrong-payment" in unknown.error["message"]
    assert run("record", programme, *call, "--incident", "flood", "--severity", "3").data["data"]["severity"] == 3
    assert run("record", programme, *call, "--incident", "flood", "--severity", "7").error["code"] == "bad-severity"


@pytest.mark.parametrize(
    ("arguments", "code", "meant"),
    [
        (("spend", "--use-case", "claim", "--kind", "build", "--amount", "1"), "no-such-use-case", "'claims'"),
        ((*SPEND, "--amount", "-1"), "bad-amount", ""),
        ((*SPEND, "--amount", "nan"), "bad-amount", ""),
        ((*SPEND, "--amount", "inf"), "bad-amount", ""),
        (("effort", "--use-case", "claims", "--kind", "labelling", "--hours", "-0.5"), "bad-amount", ""),
        (("training", "--workflow", "claim", "--person", "clerk"), "no-such-workflow", "'claims'"),
        (("training", "--workflow", "claims", "--person", "clerrk"), "no-such-person", "'clerk'"),
        (
            ("checklist", "--workflow", "claims", "--item", "users-traind", "--evidence", "list"),
            "unknown-item",
            "'users-trained'",
        ),
        (("checklist", "--workflow", "claims", "--item", "users-trained", "--evidence", " "), "option-missing", ""),
        (("note", "--about", "claimz", "--text", "x"), "no-such-subject", "'claims'"),
        (("note", "--text", "x", "--amount", "3"), "option-foreign", "--amount"),
        (SPEND, "option-missing", "--amount"),
    ],
)
def test_what_makes_no_fact_is_refused_and_nothing_is_recorded(
    programme: Path, arguments: tuple[str, ...], code: str, meant: str
) -> None:
    ran = run("record", programme, *arguments, "--by", "owner")
    assert ran.error["code"] == code
    assert meant in ran.error["message"]
    assert run("ledger", "verify", programme).data["size"] == 0


def test_only_people_of_the_programme_record(programme: Path) -> None:
    ran = run("record", programme, "note", "--text", "x", "--by", "ownr")
    assert ran.exit_code == 4
    assert "'owner'" in ran.error["message"]


def test_errors_elsewhere_do_not_stop_a_record_about_something_else(programme: Path) -> None:
    (programme / "workflows" / "other.yaml").write_text("workflow: Other\nnonsense: 1\n", "utf-8")
    assert run("record", programme, *SPEND, "--amount", "1", "--by", "owner").exit_code == 0
    assert run("record", programme, "note", "--text", "x", "--about", "claims", "--by", "owner").exit_code == 0

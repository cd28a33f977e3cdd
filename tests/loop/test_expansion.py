"""What is proven goes on after stable cycles: what makes a cycle stable, and what the next workflow is given."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth
from tests.loop.stable import CHECKPOINTS, LIMIT, NOW, give_evidence, hold, run, write_stable
from tests.running import run_trueup
from trueup.decide.gate import CHECKLIST
from trueup.kernel.clock import parse_instant
from trueup.loop.expansion.cycles import Cycle, last_cycles
from trueup.workspace import opened

AT = parse_instant("2024-06-17T00:00:00Z")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workflow in production with two checkpoints held, and without evidence for its checklist."""
    root = write_stable(tmp_path_factory.mktemp("stable") / "claims-programme")
    hold(root, *CHECKPOINTS[:2])
    return root


@pytest.fixture
def root(held: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(held, tmp_path / "claims-programme"))


@pytest.fixture(scope="module")
def proven(held: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with evidence for every item."""
    root = Path(shutil.copytree(held, tmp_path_factory.mktemp("proven") / "claims-programme"))
    give_evidence(root, CHECKLIST)
    return root


@pytest.fixture
def ready(proven: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(proven, tmp_path / "claims-programme"))


def expansions(root: Path, day: str = NOW) -> list[dict[str, Any]]:
    data = run("review", root, "--as-of", day).data
    return [{"review": data["id"], **change} for change in data["changes"] if change["kind"] == "expand"]


def cycles(root: Path, at: datetime = AT, count: int = 2) -> list[Cycle]:
    with opened(root, lambda *_: None) as bench:
        return last_cycles(bench, "claims", at, count)


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


# --- cycles


def test_two_weeks_that_have_all_four_are_stable(root: Path) -> None:
    found = cycles(root)
    assert [one.week.isoformat() for one in found] == ["2024-05-27", "2024-06-03"]
    assert [one.against for one in found] == [(), ()]


def test_the_week_that_has_just_ended_counts_once_its_checkpoint_is_held(root: Path) -> None:
    hold(root, "2024-06-17")
    assert [one.week.isoformat() for one in cycles(root)] == ["2024-06-03", "2024-06-10"]


def test_a_week_without_its_checkpoint_is_not_stable_once_it_is_past(root: Path) -> None:
    (missed,) = cycles(root, parse_instant("2024-06-24T00:00:00Z"))
    assert (missed.week.isoformat(), missed.against) == ("2024-06-10", ("no checkpoint was held",))


@pytest.mark.parametrize(("severity", "stable"), [("1", False), ("2", False), ("3", True)])
def test_only_a_serious_incident_breaks_a_cycle(root: Path, severity: str, stable: bool) -> None:
    about = ("--workflow", "claims", "--incident", "late-letter", "--severity", severity, "--what", "sent late")
    assert run("record", root, "incident", *about, "--by", "owner", "--as-of", "2024-06-05").exit_code == 0
    newest = cycles(root)[-1]
    assert newest.stable is stable
    if not stable:
        assert newest.against[0].startswith(f"incident late-letter of severity {severity} (ledger entry ")


def test_an_incident_of_the_week_before_is_that_weeks(root: Path) -> None:
    about = ("--workflow", "claims", "--incident", "wrong-payment", "--what", "paid twice")
    assert run("record", root, "incident", *about, "--by", "owner", "--as-of", "2024-05-30").exit_code == 0
    assert [one.stable for one in cycles(root)] == [False, True]
    assert expansions(root) == []


def test_exceptions_beyond_the_declared_limit_break_a_cycle(root: Path) -> None:
    edit(root / "workflows" / "claims.yaml", "at_most: 20%", "at_most: 2%")
    (newest,) = cycles(root)
    assert "exceptions (first_pass), at most 2.0% declared" in newest.against[0]


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        ("workflows/claims.yaml", LIMIT, "", "exceptions are not known: no limit"),
        ("workflows/claims.yaml", "no_worse_than: -10pp", "no_worse_than: -40pp", "guardrails are not known"),
        ("registrations/claims.yaml", "primary", "primary", ""),
    ],
)
def test_what_is_not_known_is_not_stable_and_says_why(
    root: Path, file: str, before: str, after: str, says: str
) -> None:
    if not says:
        (root / file).unlink()
        says = "guardrails are not known: no baseline is registered"
    else:
        edit(root / file, before, after)
    (newest,) = cycles(root)
    assert any(one.startswith(says) for one in newest.against), newest.against


def test_a_crossed_guardrail_breaks_a_cycle(tmp_path: Path) -> None:
    root = write_stable(tmp_path / "p", Truth(missing=0.02, returned_treated=0.5, per_week=150))
    (newest,) = cycles(root, parse_instant("2024-06-10T00:00:00Z"))
    assert "guardrail first_pass is crossed (-10pp)" in newest.against


def test_a_log_that_has_ended_says_nothing_of_later_weeks(root: Path) -> None:
    (newest,) = cycles(root, parse_instant("2024-09-09T00:00:00Z"))
    assert "guardrails are not known: there are no events of that week" in newest.against
    assert any(one.startswith("exceptions are not known: no case") for one in newest.against)


def test_as_many_cycles_as_are_declared(root: Path) -> None:
    edit(root / "workflows" / "claims.yaml", LIMIT, LIMIT + "autonomy: {level: draft, stable_cycles: 3}\n")
    assert expansions(root) == []


# --- the change


def test_with_the_checklist_it_expands_and_the_next_begins_in_shadow(ready: Path) -> None:
    (change,) = expansions(ready)
    assert (change["subject"], change["next"], change["outcome"]) == ("claims", "letters", "expand")
    assert change["because"] == "2 stable cycles in a row"
    assert change["left_open"] == ["pilot.starts", "pilot.baseline", "pilot.scale_plan"]
    ran = run("apply", ready, change["review"], "--by", "chief", "--as-of", NOW)
    assert ran.exit_code == 0, ran
    assert "workflows/letters.yaml" in ran.data["files"]
    text = (ready / "workflows" / "letters.yaml").read_text("utf-8")
    assert "autonomy: {level: shadow}" in text
    assert "use_case: claims" in text
    for gone in ("starts:", "decided", "scale_plan:", "2024"):
        assert gone not in text.split("workflow:", 1)[1]
    checked = run("check", ready)
    assert checked.exit_code == 0
    here = [found for found in checked.data["findings"] if found["file"] == "workflows/letters.yaml"]
    assert [found["code"] for found in here] == ["GATE03"]
    assert run("review", ready, "--as-of", NOW).data["changes"] == []
    assert run("ledger", "verify", ready).data["ok"] is True


def test_without_evidence_it_holds_until_each_item_is_waived_by_name(root: Path) -> None:
    (change,) = expansions(root)
    assert (change["outcome"], change["waivable"]) == ("hold", list(CHECKLIST))
    n = str(change["n"])
    waivers = [part for item in CHECKLIST for part in ("--waive", f"{n}:{item}")]
    because = ("--because", "the board accepts it")
    ran = run("apply", root, change["review"], "--by", "chief", "--as-of", NOW, *waivers, *because)
    assert ran.exit_code == 0, ran
    assert (root / "workflows" / "letters.yaml").exists()


def test_a_hold_writes_nothing_and_is_asked_again_with_more_evidence(root: Path) -> None:
    (change,) = expansions(root)
    assert run("apply", root, change["review"], "--by", "chief", "--as-of", NOW).exit_code == 0
    assert not (root / "workflows" / "letters.yaml").exists()
    assert expansions(root) == []
    give_evidence(root, CHECKLIST)
    assert [change["outcome"] for change in expansions(root)] == ["expand"]


def test_declined_it_is_decided(ready: Path) -> None:
    (change,) = expansions(ready)
    args = ("--decline", str(change["n"]), "--because", "letters change next month")
    assert run("apply", ready, change["review"], "--by", "chief", "--as-of", NOW, *args).exit_code == 0
    assert not (ready / "workflows" / "letters.yaml").exists()
    assert expansions(ready) == []


def test_who_owns_the_workflow_does_not_expand_it(ready: Path) -> None:
    (change,) = expansions(ready)
    ran = run("apply", ready, change["review"], "--by", "owner", "--as-of", NOW, "--only", str(change["n"]))
    assert (ran.exit_code, ran.error["code"]) == (4, "may-not-sign")
    assert "chief" in ran.error["hint"]


USE_CASE = "use_case: Letters\nobjective: faster\nowner: other\nstage: STAGE\n"


@pytest.mark.parametrize(("stage", "expected"), [("candidate", 1), ("stopped", 0), ("retired", 0)])
def test_a_next_that_is_a_use_case_becomes_its_workflow(ready: Path, stage: str, expected: int) -> None:
    (ready / "use-cases" / "letters.yaml").write_text(USE_CASE.replace("STAGE", stage), "utf-8")
    found = expansions(ready)
    assert len(found) == expected
    if expected:
        assert run("apply", ready, found[0]["review"], "--by", "chief", "--as-of", NOW).exit_code == 0
        text = (ready / "workflows" / "letters.yaml").read_text("utf-8")
        assert "use_case: letters" in text
        assert "business: other" in text


def begun(root: Path) -> None:
    text = (root / "workflows" / "claims.yaml").read_text("utf-8").split("pilot:")[0]
    (root / "workflows" / "letters.yaml").write_text(text, "utf-8")


def still_a_pilot(root: Path) -> None:
    edit(root / "use-cases" / "claims.yaml", "stage: production", "stage: pilot")


@pytest.mark.parametrize("but", [begun, still_a_pilot], ids=["the next is begun", "still a pilot"])
def test_nothing_is_proposed_where(ready: Path, but: Callable[[Path], None]) -> None:
    but(ready)
    assert expansions(ready) == []


def test_people_read_what_it_writes_and_why_opens_the_weeks(ready: Path) -> None:
    text = run_trueup("review", ready, "--as-of", NOW).out
    assert "  EXPAND claims to letters" in text
    assert "writes workflows/letters.yaml, in shadow" in text
    (change,) = expansions(ready)
    chain = run_trueup("why", ready, change["review"], str(change["n"])).out
    assert "week 2024-06-03: stable" in chain
    assert "item users-trained: entry" in chain
    assert "next: [letters]" in " ".join(chain.split())

"""The two example programmes over real logs, from check to a verified ledger, in a copy with the log linked."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.running import Run


@dataclass(frozen=True)
class Example:
    """An example with its log, the guide's name for a copy of it, and when a person would register and review it."""

    folder: str
    copy: str
    workflow: str
    log: str
    owner: str
    signer: str
    registered: str
    reviewed: str

    def __str__(self) -> str:
        return self.folder


DECLARATIONS = Example(
    folder="domestic-declarations",
    copy="my-declarations",
    workflow="expense-approval",
    log="logs/bpic2020/DomesticDeclarations.xes.gz",
    owner="process-owner",
    signer="sponsor",
    registered="2018-01-05",
    reviewed="2018-03-31",
)
INCIDENTS = Example(
    folder="servicenow-incidents",
    copy="my-incidents",
    workflow="incident-triage",
    log="logs/servicenow/incident_event_log.zip",
    owner="service-owner",
    signer="sponsor",
    registered="2016-05-09",
    reviewed="2016-08-01",
)


@dataclass
class Walked:
    """What every command of the way said."""

    check: dict[str, Any]
    baseline: dict[str, Any]
    readings: list[dict[str, Any]]
    review: dict[str, Any]
    why: dict[str, Any]
    applied: dict[str, Any]
    after: dict[str, Any]
    ledger: dict[str, Any]
    typed: list[str]

    def gate(self, name: str) -> dict[str, Any]:
        """Return the change about a gate."""
        return next(change for change in self.review["changes"] if change.get("gate") == name)

    def assumption(self, name: str) -> dict[str, Any] | None:
        """Return the change about an assumption; None where it stands as the files believe."""
        return next((change for change in self.review["changes"] if change.get("id") == name), None)


def walk(example: Example, root: Path, trueup: Run) -> Walked:
    """Take a programme the whole way; every step has to end with its designed exit code."""
    typed: list[str] = []

    def said(*arguments: str) -> dict[str, Any]:
        typed.append(" ".join(arguments).replace(str(root), example.copy))
        ran = trueup(*arguments, "--json")
        assert ran.exit_code == 0, ran.out + ran.err
        return ran.data

    folder, workflow = str(root), example.workflow
    check = said("check", folder)
    baseline = said("baseline", folder, workflow, "--by", example.owner, "--as-of", example.registered)
    readings = said("measure", folder, workflow, "--as-of", example.reviewed)["readings"]
    asked = trueup("review", folder, "--as-of", example.reviewed, "--exit-code", "--json")
    assert asked.exit_code == 5
    review = asked.data
    why = said("why", folder, review["id"], "1")
    applied = said("apply", folder, review["id"], "--by", example.signer, "--as-of", example.reviewed)
    after = said("review", folder, "--as-of", example.reviewed)
    ledger = said("ledger", "verify", folder)
    return Walked(check, baseline, readings, review, why, applied, after, ledger, typed)


def copied(example: Example, repository: Path, shared_data: Path, into: Path) -> Path:
    """Copy an example as its README says, with the log linked into `data/`."""
    root = into / example.folder
    shutil.copytree(repository / "examples" / example.folder, root)
    (root / "data").mkdir()
    (root / "data" / Path(example.log).name).symlink_to((shared_data / example.log).resolve())
    return root


@pytest.fixture(scope="module")
def declarations(repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    from tests.running import run_trueup

    root = copied(DECLARATIONS, repository, shared_data, tmp_path_factory.mktemp("declarations"))
    return walk(DECLARATIONS, root, run_trueup)


@pytest.fixture(scope="module")
def incidents(repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    from tests.running import run_trueup

    root = copied(INCIDENTS, repository, shared_data, tmp_path_factory.mktemp("incidents"))
    return walk(INCIDENTS, root, run_trueup)


@pytest.fixture(params=["declarations", "incidents"])
def walked(request: pytest.FixtureRequest) -> Walked:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Walked)
    return found


def test_what_the_guide_tells_to_type_is_what_was_done_here(
    repository: Path, declarations: Walked, incidents: Walked
) -> None:
    guide = (repository / "docs" / "guides" / "real-log.md").read_text("utf-8").splitlines()
    told = [line.split("./dev trueup ")[1] for line in guide if line.startswith("    ./dev trueup ")]
    assert len(told) > 8
    assert [line for line in told if line not in {*declarations.typed, *incidents.typed}] == []


def test_the_declared_files_lack_nothing_but_the_baseline(walked: Walked) -> None:
    assert [(finding["code"], finding["severity"]) for finding in walked.check["findings"]] == [("KPI01", "warning")]


def test_what_was_applied_is_decided_and_the_record_verifies(walked: Walked) -> None:
    assert len(walked.applied["applied"]) == len(walked.review["changes"])
    assert walked.after["changes"] == []
    assert walked.ledger["ok"] is True
    assert walked.ledger["problems"] == []
    assert walked.ledger["uncovered"] == 0


def test_no_gate_of_a_what_if_says_go_and_none_claims_more_than_before_after(walked: Walked) -> None:
    gates = [change for change in walked.review["changes"] if change["kind"] == "gate"]
    assert len(gates) == 3
    assert {gate["outcome"] for gate in gates} <= {"hold", "unknown"}
    assert {gate["evidence_level"] for gate in gates} <= {"C", "D"}


def test_the_chain_of_the_first_change_ends_at_its_declared_line(walked: Walked) -> None:
    declared = walked.why["declared"]
    assert declared["file"].startswith("workflows/")
    assert declared["line"] > 1


def test_the_declarations_have_a_broken_series_at_every_gate(declarations: Walked) -> None:
    for gate in ("week-4", "week-8", "week-12"):
        change = declarations.gate(gate)
        assert (change["outcome"], change["code"]) == ("unknown", "series-broken")
        assert "cases a week went from" in change["because"]
        assert "activity" in change["because"]


def test_the_declarations_hold_the_cases_that_the_publisher_counted(declarations: Walked) -> None:
    cycle = [reading for reading in declarations.readings if reading["kpi"] == "cycle_time"]
    early = sum(reading["n"] for reading in cycle if reading["arm"] in {"baseline", "before"})
    assert 2_200 <= early <= 2_300
    assert declarations.assumption("forms-are-complete") is None


def test_the_first_gate_of_the_incidents_is_open_because_the_baseline_itself_drifts(incidents: Walked) -> None:
    change = incidents.gate("week-4")
    assert (change["outcome"], change["code"]) == ("hold", "undecided")
    assert change["lower"] < change["estimate"] < 0 < change["upper"]


def test_the_incidents_end_before_the_later_gates_and_that_is_said(incidents: Walked) -> None:
    for gate in ("week-8", "week-12"):
        change = incidents.gate(gate)
        assert (change["outcome"], change["code"]) == ("unknown", "series-broken")


def test_the_incidents_lack_a_cause_so_the_assumption_about_causes_is_false(incidents: Walked) -> None:
    causes = incidents.assumption("causes-are-recorded")
    assert causes is not None
    assert causes["holds"] is False
    assert causes["measured"] < 0.05


def test_service_levels_are_kept_less_often_than_believed(incidents: Walked) -> None:
    kept = incidents.assumption("service-levels-are-kept")
    assert kept is not None
    assert kept["holds"] is False
    assert 0.55 < kept["measured"] < 0.70
    assert incidents.assumption("groups-are-recorded") is None


def test_the_state_nearly_every_incident_reaches_is_measured(incidents: Walked) -> None:
    resolved = [
        reading
        for reading in incidents.readings
        if reading["kpi"] == "resolved_in_window" and reading["arm"] == "baseline" and reading["n"] > 100
    ]
    assert resolved
    assert all(0.5 < reading["value"] <= 1 for reading in resolved)

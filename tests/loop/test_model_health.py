"""`measure --health`: what is true of a model is found in its log, and what cannot be known has a typed reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.loop.modelled import HEALTH, Model, modelled
from tests.loop.operating import AT, documented, found
from tests.running import run_trueup
from trueup.kernel.clock import parse_instant
from trueup.kernel.progress import silent
from trueup.loop.health.report import health
from trueup.workspace import opened

if TYPE_CHECKING:
    from pathlib import Path


def _health(root: Path, as_of: str = AT) -> dict[str, Any]:
    ran = run_trueup("measure", root, "claims", "--health", "--as-of", as_of, "--json")
    assert ran.exit_code == 0, ran.err
    report: dict[str, Any] = ran.data["health"]["claims"]
    return report


def _states(report: dict[str, Any]) -> dict[str, str]:
    return {one["field"]: one["state"] for one in report["fields"]}


def test_a_model_in_order_is_steady_calibrated_and_treats_groups_alike(tmp_path: Path) -> None:
    root = modelled(tmp_path / "p")
    report = _health(root)
    assert set(_states(report).values()) == {"steady"}
    assert report["joint"]["state"] == "steady"
    assert report["joint"]["auc"] == pytest.approx(0.5, abs=0.1)
    calibrated = report["calibration"]
    assert calibrated["state"] == "not-shown-off"
    assert calibrated["reviewed"] == sum(one["n"] for one in calibrated["bins"])
    groups = report["groups"]
    assert [rate["rate"] for rate in groups["rates"]] == [
        "selection",
        "error",
        "escalation",
        "false_positive",
        "false_negative",
    ]
    assert all(rate["difference"]["lower"] == 0 for rate in groups["rates"])
    assert groups["equalized_odds_difference"]["lower"] == 0
    assert report["unknown"] is None
    assert found(root) == {}


def test_inputs_and_answers_that_moved_are_named_and_the_answers_are_a_finding(tmp_path: Path) -> None:
    root = modelled(tmp_path / "p", Model(dearer=3.0, pays_later=0.25))
    report = _health(root)
    assert _states(report) == {
        "amount": "drifted",
        "kind": "steady",
        "topic": "steady",
        "answer": "drifted",
        "sure": "steady",
    }
    assert report["joint"]["state"] == "drifted"
    amount = report["fields"][0]
    assert (amount["kind"], amount["before"], amount["unknown"]) == ("number", 13 * 60, None)
    told = found(root)
    assert list(told) == ["RUN04"]
    assert "answers of 'claims' (answer) moved" in told["RUN04"]
    assert documented(told["RUN04"])


def test_a_model_that_is_too_sure_and_prefers_a_group_is_told_apart(tmp_path: Path) -> None:
    root = modelled(tmp_path / "p", Model(gain=0.3, pays_b=0.2))
    report = _health(root)
    assert report["calibration"]["state"] == "off"
    assert report["calibration"]["expected_calibration_error"] > 2 * report["calibration"]["expected_if_calibrated"]
    selection = report["groups"]["rates"][0]
    assert (selection["high"], selection["low"]) == ("a", "b")
    assert selection["difference"]["lower"] > 0.2
    assert report["groups"]["demographic_parity_difference"] == selection["difference"]
    assert report["groups"]["demographic_parity_ratio"] == pytest.approx(1 / 3, abs=0.12)
    text = run_trueup("measure", root, "claims", "--health", "--as-of", AT).out
    for words in ("claims, health:", "all inputs together", "all bins at once", "selection rate by group", "  off\n"):
        assert words in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One programme whose workflow file the tests below rewrite: what is declared changes, the log does not."""
    return modelled(tmp_path_factory.mktemp("health") / "p")


def _declared(root: Path, block: str, as_of: str = AT) -> dict[str, Any]:
    """Return the report with another block declared."""
    file = root / "workflows" / "claims.yaml"
    before = file.read_text("utf-8")
    assert HEALTH in before
    file.write_text(before.replace(HEALTH, block), "utf-8")
    try:
        with opened(root, silent) as bench:
            return health(bench, "claims", parse_instant(f"{as_of}T00:00:00Z"))["claims"]
    finally:
        file.write_text(before, "utf-8")


@pytest.mark.parametrize(
    ("was", "now", "part", "code"),
    [
        ("  label: label\n", "", "calibration", "not-declared"),
        ("label: label", "label: lable", "calibration", "missing-column"),
        ("confidence: sure", "confidence: amount", "calibration", "bad-confidence"),
        ("confidence: sure", "confidence: kind", "calibration", "bad-confidence"),
        ("groups: {field: group}\n", "", "groups", "not-declared"),
        ("groups: {field: group}", "groups: {field: grup}", "groups", "missing-column"),
        ("groups: {field: group}", "groups: {field: amount}", "groups", "too-many-groups"),
        ("inputs: [amount, kind, topic]", "inputs: [kind]", "joint", "too-few-fields"),
    ],
)
def test_what_is_missing_is_typed_and_stops_nothing_else(log: Path, was: str, now: str, part: str, code: str) -> None:
    assert was in HEALTH
    report = _declared(log, HEALTH.replace(was, now))
    assert report[part]["unknown"]["code"] == code
    assert _states(report)["kind"] == "steady"


def test_a_workflow_that_declares_nothing_says_so(log: Path) -> None:
    assert _declared(log, "")["unknown"] == {"code": "not-declared", "because": "no `health` is declared"}


def test_rates_that_cannot_be_known_are_unknown_each_by_itself(log: Path) -> None:
    rates = _declared(log, HEALTH.replace("  selected: [pay]\n", ""))["groups"]["rates"]
    why = {rate["rate"]: (rate["unknown"] or {}).get("code") for rate in rates}
    lacking = dict.fromkeys(("selection", "false_positive", "false_negative"), "not-declared")
    assert why == {"error": None, "escalation": None} | lacking


def test_fields_that_cannot_be_compared_say_why(log: Path) -> None:
    other = HEALTH.replace("[amount, kind, topic]", "[amuont, kind, claim]").replace(
        "answer: answer", "answer: variant"
    )
    why = {one["field"]: (one["unknown"] or {}).get("code") for one in _declared(log, other)["fields"]}
    # The variant was not written before the launch: there is nothing to compare it with.
    assert why == {
        "amuont": "missing-column",
        "kind": None,
        "claim": "too-many-values",
        "variant": "too-few-cases",
        "sure": None,
    }


def test_too_few_weeks_are_said_to_be_too_few(log: Path) -> None:
    assert {one["unknown"]["code"] for one in _declared(log, HEALTH, "2024-05-10")["fields"]} == {"too-few-weeks"}


def test_days_before_the_launch_have_no_recent_cases(log: Path) -> None:
    assert _declared(log, HEALTH, "2024-03-01")["unknown"]["code"] == "too-few-cases"


def test_reference_days_may_be_named(log: Path) -> None:
    report = _declared(log, HEALTH + "  reference: {from: 2024-01-03, to: 2024-02-25}\n")
    assert report["reference"]["since"] == "2024-01-03T00:00:00Z"
    assert report["reference"]["until"] == "2024-02-26T00:00:00Z"


def test_numbers_that_are_declared_as_text_are_names(log: Path) -> None:
    file = log / "programme.yaml"
    before = file.read_text("utf-8")
    file.write_text(before.replace("type: number, min: 0", "type: text"), "utf-8")
    try:
        assert _declared(log, HEALTH)["fields"][0]["unknown"]["code"] == "too-many-values"
    finally:
        file.write_text(before, "utf-8")

"""What somebody declared that the gate must say is asked before every apply, and by every check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import write
from tests.loop.test_autonomy_review import AT, apply_autonomy, level_in_file, programme, reviewed, run

PAYMENTS = """\
workflow: payments
scenarios:
  small: {request: {tool: erp.pay, arguments: {amount: 120}, requester: clerk}, verdict: allow}
  at-draft: {request: {tool: erp.pay, arguments: {amount: 120}}, level: draft, verdict: hold}
  in-shadow: {request: {tool: erp.pay, arguments: {amount: 120}}, level: shadow, verdict: deny}
  words-of-others: {request: {tool: erp.pay, arguments: {amount: 120}, untrusted: [amount]}, verdict: hold}
  too-much: {request: {tool: erp.pay, arguments: {amount: 500.01}}, verdict: deny,
             decisive: payments.pay.limits.amount.at_most}
  day-is-full: {request: {tool: erp.pay, arguments: {amount: 1}}, today: 3, verdict: deny}
  no-number: {request: {tool: erp.pay, arguments: {amount: .nan}}, verdict: deny}
  text: {request: {tool: erp.pay, arguments: {amount: '120'}}, verdict: deny}
  unknown-tool: {request: {tool: erp.pey}, verdict: deny, decisive: unlisted-tool}
"""
NOTE = "  note: {tool: erp.note, impact: low, approval: never}\n"
WAITS = (
    "workflow: claims\nscenarios:\n  notes-wait: {request: {tool: erp.note}, verdict: hold, because: we look at them}\n"
)


def scenarios(root: Path, text: str, name: str = "payments.yaml") -> Path:
    (root / "scenarios").mkdir(exist_ok=True)
    (root / "scenarios" / name).write_text(text, "utf-8")
    return root


def found(root: Path, code: str = "RUN07") -> list[dict[str, Any]]:
    return [item for item in run("check", root).data["findings"] if item["code"] == code]


def test_what_the_gate_answers_as_expected_is_no_finding(tmp_path: Path) -> None:
    assert found(scenarios(write(tmp_path), PAYMENTS)) == []


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("verdict: hold", "allow by 'payments.pay'"),
        ("verdict: deny, because: nobody pays", "Expected because nobody pays."),
        ("verdict: allow, level: draft", "hold by 'payments.pay.approval'"),
        ("verdict: allow, decisive: another.rule", "allow by 'payments.pay'"),
    ],
)
def test_another_answer_is_an_error_at_its_line(tmp_path: Path, scenario: str, said: str) -> None:
    request = "request: {tool: erp.pay, arguments: {amount: 5}}"
    root = scenarios(write(tmp_path), f"workflow: payments\nscenarios:\n  pays: {{{request}, {scenario}}}\n")
    [finding] = found(root)
    assert (finding["file"], finding["line"], finding["severity"]) == ("scenarios/payments.yaml", 3, "error")
    assert said in finding["detail"]
    assert run("check", root).exit_code == 3


def test_a_change_that_breaks_a_scenario_is_refused_and_nothing_is_done(tmp_path: Path) -> None:
    root = programme(tmp_path)
    file = root / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8") + NOTE, "utf-8")
    scenarios(root, WAITS)
    reviewed(root, 500, 3)
    # As it is declared now, at the level draft, it holds.
    assert found(root) == []
    refused = apply_autonomy(root)
    assert refused.exit_code == 3
    assert refused.error["code"] == "scenario-broken"
    assert "'notes-wait' expects hold; the gate says allow by 'claims.note'" in refused.error["message"]
    assert [finding["code"] for finding in refused.error["findings"]] == ["RUN07"]
    assert level_in_file(root) == "draft"
    applied = [item for item in run("review", root, "--as-of", AT).data["changes"] if item["kind"] == "autonomy"]
    assert applied, "it is open still"
    scenarios(root, WAITS.replace("hold", "allow").replace("request", "level: approve, request"))
    assert apply_autonomy(root).exit_code == 0
    assert level_in_file(root) == "approve"


def test_files_that_say_no_scenario_are_findings(tmp_path: Path) -> None:
    root = scenarios(write(tmp_path), "workflow: paymnts\nscenarios:\n  a: {request: {tool: x}, verdict: deny}\n")
    assert "Did you mean 'payments'" in found(root, "REF01")[0]["detail"]
    scenarios(root, "workflow: payments\nscenarios:\n  a: {request: {tool: x}, verdict: maybe}\n")
    assert found(root, "TYPE01")
    scenarios(root, "workflow: payments\nscenarios: {}\n")
    assert found(root, "TYPE01")
    (root / "scenarios" / "payments.yaml").rename(root / "scenarios" / "payments.yml")
    assert found(root, "FILE02")

"""`gate` and `approvals` from the command line, and the same gate from a program."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import Clock, Tool, pay, write
from tests.running import Ran, run_trueup
from trueup.kernel.errors import ConflictError
from trueup.sdk import governed


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def asked(root: Path, content: object, level: str = "act") -> Ran:
    programme = write(root / "programme", level)
    file = root / "request.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return run("gate", programme, "payments", "--request", file)


def request(amount: object = 120, **more: object) -> dict[str, Any]:
    return {"tool": "erp.pay", "arguments": {"amount": amount}, **more}


@pytest.mark.parametrize(
    ("content", "level", "exit_code", "verdict", "decisive"),
    [
        (request(), "act", 0, "allow", "payments.pay"),
        (request(case="c1", requester="clerk", action="pay"), "act", 0, "allow", "payments.pay"),
        (request(), "approve", 4, "hold", "payments.pay.approval"),
        (request(900), "act", 4, "deny", "payments.pay.limits.amount.at_most"),
        (request("120"), "act", 4, "deny", "request.not-a-number"),
        ({"tool": "erp.refund"}, "act", 4, "deny", "unlisted-tool"),
        ({"arguments": {}}, "act", 4, "deny", "request.no-tool"),
        (["erp.pay"], "act", 4, "deny", "request.not-an-object"),
        (b"not json", "act", 4, "deny", "request.not-json"),
        (b"\xff\xfe", "act", 4, "deny", "request.not-json"),
        (b'{"tool":"erp.pay","arguments":{"amount":1,"amount":2}}', "act", 4, "deny", "request.repeated-key"),
        (b'{"tool":"erp.pay","arguments":{"amount":NaN}}', "act", 4, "deny", "request.not-a-number"),
        (b"[" * 200_000, "act", 4, "deny", "request.too-deep"),
        (b" " * 900_000, "act", 4, "deny", "request.too-large"),
    ],
)
def test_a_dry_run_answers_with_the_verdict(
    tmp_path: Path, content: object, level: str, exit_code: int, verdict: str, decisive: str
) -> None:
    ran = asked(tmp_path, content, level)
    assert ran.exit_code == exit_code
    assert {"verdict", "decisive", "rules"} <= set(ran.data)
    assert (ran.data["verdict"], ran.data["decisive"]) == (verdict, decisive)
    assert all({"id", "effect", "says", "source", "applied"} == set(rule) for rule in ran.data["rules"])
    assert not (tmp_path / "programme" / ".trueup").exists(), "a dry run leaves nothing behind"


def test_a_request_may_come_from_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programme = write(tmp_path / "programme", "act")
    for content, verdict in ((json.dumps(request()).encode(), "allow"), (b"not json", "deny")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert run("gate", programme, "payments", "--request", "-").data["verdict"] == verdict


def test_a_request_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    programme = write(tmp_path / "programme")
    for file in (tmp_path / "nowhere.json", tmp_path):
        ran = run("gate", programme, "payments", "--request", file)
        assert (ran.exit_code, ran.error["code"]) == (2, "cannot-read")


def test_an_unknown_workflow_says_which_was_meant(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(request()))
    ran = run("gate", write(tmp_path / "programme"), "payment", "--request", tmp_path / "r.json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-such-workflow")
    assert "'payments'" in ran.error["message"]


def test_people_read_the_decisive_rule(tmp_path: Path) -> None:
    asked(tmp_path, request(900))
    ran = run_trueup("gate", tmp_path / "programme", "payments", "--request", tmp_path / "request.json")
    assert ran.exit_code == 4
    assert "deny: payments.pay.limits.amount.at_most" in ran.out
    assert "> forbid  payments.pay.limits.amount.at_most: amount is a number of at most 500" in ran.out


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return write(tmp_path / "programme", "approve")


def held(programme: Path, tool: Tool, step: str = "c1/pay", **more: Any) -> str:
    with governed(programme, "payments") as gate:
        outcome = gate.call(pay(120, case="c1", **more), step, tool)
    assert outcome.approval is not None
    return outcome.approval


def test_from_a_program_over_a_person_back_to_the_program(programme: Path) -> None:
    tool = Tool()
    approval = held(programme, tool)
    listed = run("approvals", "list", programme)
    assert listed.exit_code == 0
    [item] = listed.data["approvals"]
    keys = {"id", "action", "arguments", "digest", "reasons", "expires_at", "reversible_by"}
    assert keys <= set(item)
    assert item["id"] == approval
    assert run("approvals", "show", programme, approval).data["approvals"] == [item]
    assert "erp.refund" in run_trueup("approvals", "show", programme, approval).out
    accepted = run("approvals", "accept", programme, approval, "--by", "lead")
    assert accepted.exit_code == 0
    assert accepted.data["approvals"][0]["state"] == "accepted"
    assert tool.calls == []
    with governed(programme, "payments") as gate:
        assert gate.resume(approval, tool).state == "done"
    assert tool.calls == [{"amount": 120}]
    assert run("approvals", "list", programme).data == {"approvals": [], "bypasses": []}
    report = run("ledger", "verify", programme).data
    assert (report["ok"], report["problems"]) == (True, [])


def test_the_first_governed_action_pins_the_ledger(programme: Path) -> None:
    assert "vkey" not in (programme / "programme.yaml").read_text()
    held(programme, Tool())
    assert "vkey" in (programme / "programme.yaml").read_text()


@pytest.mark.parametrize("decision", ["accept", "reject", "edit"])
def test_who_may_not_is_told_who_may(programme: Path, tmp_path: Path, decision: str) -> None:
    approval = held(programme, Tool(), requester="lead")
    (tmp_path / "a.json").write_text('{"amount": 5}')
    more: list[str | Path] = ["--arguments", tmp_path / "a.json"] if decision == "edit" else []
    for who, code in (("clerk", "not-an-approver"), ("nobody", "unknown-person"), ("lead", "own-request")):
        ran = run("approvals", decision, programme, approval, "--by", who, *more)
        assert (ran.exit_code, ran.envelope["ok"], ran.error["code"]) == (4, False, code)
    assert run("approvals", "list", programme).data["approvals"][0]["state"] == "open"


def test_an_edit_outside_policy_is_an_answer_with_exit_4(programme: Path, tmp_path: Path) -> None:
    approval = held(programme, Tool())
    file = tmp_path / "a.json"

    def edited(content: str) -> Ran:
        file.write_text(content)
        return run("approvals", "edit", programme, approval, "--by", "lead", "--arguments", file)

    for content, exit_code in (('{"amount": 900}', 4), ('{"amount": NaN}', 2), ("[1]", 2)):
        assert edited(content).exit_code == exit_code, content
    ran = edited('{"amount": 80}')
    assert ran.data["approvals"][0]["arguments"] == {"amount": 80}


def test_an_expired_one_is_an_answer_with_exit_4(programme: Path) -> None:
    with governed(programme, "payments", clock=Clock(datetime(2020, 1, 1, tzinfo=UTC))) as gate:
        approval = str(gate.call(pay(), "s", Tool()).approval)
    ran = run("approvals", "accept", programme, approval, "--by", "lead")
    assert (ran.exit_code, ran.envelope["ok"]) == (4, True)
    assert ran.data["denied"]["decisive"] == "approval.expired"
    assert ran.data["approvals"][0]["state"] == "expired"


def test_twice_is_a_conflict(programme: Path) -> None:
    approval = held(programme, Tool())
    assert run("approvals", "reject", programme, approval, "--by", "lead", "--because", "no").exit_code == 0
    ran = run("approvals", "accept", programme, approval, "--by", "lead")
    assert (ran.exit_code, ran.error["code"]) == (1, "approval-decided")


def test_handing_on_lets_the_escalation_decide(programme: Path) -> None:
    approval = held(programme, Tool())
    ran = run("approvals", "escalate", programme, approval, "--by", "lead")
    assert ran.data["approvals"][0]["state"] == "escalated"
    assert run("approvals", "accept", programme, approval, "--by", "chief").exit_code == 0


def test_without_a_policy_the_gate_does_not_open(programme: Path) -> None:
    (programme / "policies").mkdir()
    (programme / "policies" / "own.cedar").write_text("forbid(")
    with pytest.raises(ConflictError, match=r"own\.cedar"), governed(programme, "payments"):
        pass
    assert not (programme / ".trueup").exists()


@pytest.mark.parametrize("words", [("accept", "--by", "lead"), ("reject", "--by", "lead"), ("show",)])
def test_an_approval_that_is_not_there_is_not_found_and_nothing_is_made(
    programme: Path, words: tuple[str, ...]
) -> None:
    ran = run("approvals", words[0], programme, "a-123456789abc", *words[1:])
    assert (ran.exit_code, ran.error["code"]) == (1, "no-such-approval")
    assert not (programme / ".trueup").exists()


def test_deciding_does_not_wait_for_the_files_of_other_workflows(programme: Path) -> None:
    approval = held(programme, Tool())
    (programme / "workflows" / "other.yaml").write_text("workflow: [unclosed\n")
    assert run("approvals", "list", programme).exit_code == 3
    assert run("approvals", "show", programme, approval).exit_code == 0
    assert run("approvals", "accept", programme, approval, "--by", "lead").exit_code == 0


def test_requests_that_were_reserved_today_count_in_a_dry_run(tmp_path: Path) -> None:
    programme = write(tmp_path / "programme")
    (tmp_path / "r.json").write_text(json.dumps(request()))
    with governed(programme, "payments") as gate:
        for n in range(3):
            assert gate.call(pay(), f"s{n}", Tool()).state == "done"
    today = run("gate", programme, "payments", "--request", tmp_path / "r.json")
    assert today.data["decisive"] == "payments.pay.limits.per_day"
    another = run("gate", programme, "payments", "--request", tmp_path / "r.json", "--as-of", "2020-01-01")
    assert another.data["verdict"] == "allow"


def test_a_change_of_the_files_holds_for_the_next_action(tmp_path: Path) -> None:
    programme, tool = write(tmp_path / "programme"), Tool()
    file = programme / "workflows" / "payments.yaml"
    sound = file.read_text()
    with governed(programme, "payments") as gate:
        assert gate.call(pay(), "one", tool).state == "done"
        file.write_text(sound.replace("level: act", "level: draft"))
        assert gate.call(pay(), "two", tool).state == "held"
        file.write_text(sound.replace("at_most: 500", "at_most: 50"))
        assert gate.call(pay(), "three", tool).state == "denied"
        file.write_text("workflow: [unclosed")
        broken = gate.call(pay(), "four", tool)
        assert (broken.state, broken.verdict.decisive if broken.verdict else None) == ("denied", "policy.broken")
        file.unlink()
        assert gate.call(pay(), "five", tool).state == "denied"
        file.write_text(sound)
        assert gate.call(pay(), "six", tool).state == "done"
        (programme / "policies").mkdir()
        (programme / "policies" / "stop.cedar").write_text("forbid(principal, action, resource);")
        assert gate.call(pay(), "seven", tool).state == "denied"
    assert len(tool.calls) == 2


CRASHING = """\
import os, sys
from pathlib import Path
from trueup.enforce.request import Request
from trueup.kernel.errors import ConflictError
from trueup.ledger.log import Ledger
from trueup.sdk import governed

root, where, one_by_one = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "one by one"
append = Ledger.append

def dying(self, entries, **more):
    named = any(entry.type == where.split()[-1] for entry in entries)
    if one_by_one and entries[0].type == "action.intended" and len(entries) > 1:
        raise ConflictError("log-moved-on", "Others write at the same time.", "")
    if where.startswith("before") and named:
        os._exit(9)
    done = append(self, entries, **more)
    if where.startswith("after") and named:
        os._exit(9)
    return done

def effect(arguments):
    with (root / "effects").open("a") as stream:
        stream.write("x")

Ledger.append = dying
with governed(root, "payments") as gate:
    print(gate.call(Request("erp.pay", {"amount": 120}), "step", effect).state)
"""


@pytest.mark.parametrize(
    ("where", "how", "then"),
    [
        ("before action.intended", "at once", "done"),
        ("after action.intended", "at once", "unknown"),
        ("after action.intended", "one by one", "done"),
        ("before action.judged", "one by one", "done"),
        ("after action.judged", "one by one", "unknown"),
        ("before action.finished", "at once", "unknown"),
        ("after action.finished", "at once", "done"),
    ],
)
def test_after_a_crash_at_any_step_nothing_happens_twice(tmp_path: Path, where: str, how: str, then: str) -> None:
    programme = write(tmp_path / "programme")

    def process(where: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", CRASHING, str(programme), where, how]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert process(where).returncode == 9
    again = process("never")
    assert again.stdout.strip() == then, again.stderr
    effects = programme / "effects"
    assert (effects.read_text() if effects.exists() else "") in ({"x"} if then == "done" else {"", "x"})
    assert process("never").stdout.strip() == then
    assert run("ledger", "verify", programme).data["ok"] is True


def test_a_recorded_verdict_is_shown_with_every_rule_as_long_as_the_files_make_its_policy(programme: Path) -> None:
    with governed(programme, "payments") as gate:
        held = gate.call(pay(120), "one", lambda _: None)
        denied = gate.call(pay(900), "two", lambda _: None)
        assert held.entry is not None
        assert denied.entry is not None
    # A hold is followed by its question.
    for index, request, decision in ((held.entry - 1, pay(120), "hold"), (denied.entry, pay(900), "deny")):
        shown = run("gate", programme, "payments", "--recorded", str(index)).data
        file = programme / "request.json"
        file.write_text(json.dumps({"tool": request.tool, "arguments": dict(request.arguments)}), "utf-8")
        dry = run("gate", programme, "payments", "--request", file).data
        assert (shown["verdict"], shown["complete"]) == (decision, True)
        assert {key: shown[key] for key in dry} == dry
    assert "entry" in run_trueup("gate", programme, "payments", "--recorded", str(denied.entry)).out
    workflow = programme / "workflows" / "payments.yaml"
    workflow.write_text(workflow.read_text("utf-8").replace("500", "600"), "utf-8")
    later = run("gate", programme, "payments", "--recorded", str(denied.entry)).data
    assert (later["complete"], later["decisive"]) == (False, "payments.pay.limits.amount.at_most")
    assert all(rule["applied"] for rule in later["rules"])
    assert run("gate", programme, "payments", "--recorded", "0").error["code"] == "not-a-verdict"
    assert run("gate", programme, "payments", "--recorded", "999").error["kind"] == "not-found"

"""What a person undoes: by the tool that is declared for it, through the gate, once, with a real server."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import SERVER, write
from tests.running import Ran, run_trueup
from trueup.enforce.request import Request
from trueup.sdk import governed, reverse

WORKFLOW = """\
workflow: Payments
owners: {business: owner, incidents: owner, escalation: chief}
autonomy: {level: approve}
keep_requests: true
actions:
  hire: {tool: hire, impact: high, approval: always, approvers: [lead], reversible_by: mail}
  ship: {tool: ship, impact: medium, approval: never, reversible_by: pay}
  mail: {tool: mail, impact: medium, approval: always, approvers: [lead, clerk]}
  pay: {tool: pay, impact: medium, approval: never}
  plain: {tool: plain, impact: low, approval: never}
  odd: {tool: odd, impact: low, approval: never, reversible_by: nobody}
  wrong: {tool: wrong, impact: low, approval: never, reversible_by: fail}
  fail: {tool: fail, impact: low, approval: never}
"""

# A whole number beyond 2^53 has no one form that all readers share.
UNPINNABLE = """\
import anyio
from mcp import types
from mcp.server import Server
from mcp.server.stdio import stdio_server

TOOL = types.Tool(name="pay", input_schema={"type": "object", "maxProperties": 2**60})


async def listed(context, params):
    return types.ListToolsResult(tools=[TOOL])


async def main():
    server = Server("erp", on_list_tools=listed)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path, workflow=WORKFLOW)


def done(root: Path, tool: str, arguments: Mapping[str, Any] | None = None, *, fails: bool = False) -> str:
    """Have a step done; return what people call it."""

    def act(_: Any) -> None:
        if fails:
            raise ValueError

    with governed(root, "payments") as gate:
        try:
            outcome = gate.call(Request(tool, dict(arguments or {}), case="C1"), f"C1/{tool}", act)
        except ValueError:
            outcome = None
        if outcome is not None and outcome.approval is not None:
            assert run_trueup("approvals", "accept", root, outcome.approval, "--by", "lead").exit_code == 0
            gate.resume(outcome.approval, act)
    from trueup.enforce.steps import StepIds

    return StepIds.of("payments", f"C1/{tool}").approval


def undo(root: Path, step: str, *more: str | Path, by: str = "owner") -> Ran:
    command = ("--", sys.executable, str(SERVER), str(root))
    return run_trueup("approvals", "reverse", root, step, "--by", by, "--json", *more, *command)


def world(root: Path) -> list[str]:
    file = root / "world.txt"
    return file.read_text("utf-8").split() if file.exists() else []


def test_a_step_is_undone_after_a_yes_of_somebody_else_and_once(root: Path) -> None:
    step = done(root, "hire", {"to": "jo@test.example"})
    held = undo(root, step, by="lead")
    assert (held.exit_code, held.data["state"], world(root)) == (4, "held", [])
    approval = held.data["approval"]
    assert run_trueup("approvals", "accept", root, approval, "--by", "lead", "--json").error["code"] == "own-request"
    assert run_trueup("approvals", "accept", root, approval, "--by", "clerk").exit_code == 0
    assert "RUN05" in codes(root)
    ran = undo(root, step, by="lead")
    # What was undone once was rehearsed.
    assert "RUN05" not in codes(root)
    assert (ran.exit_code, ran.data["state"]) == (0, "done")
    assert ran.data["reversal"]["arguments"] == {"to": "jo@test.example"}
    assert world(root) == ["mail:jo@test.example"]
    assert undo(root, step).error["code"] == "done-before"
    assert world(root) == ["mail:jo@test.example"]
    entry = run_trueup("ledger", "entry", root, str(ran.data["entry"]), "--json").data["entry"]["data"]
    assert (entry["action"], entry["step"]) == ("mail", f"reverse/{step}/0")


def test_other_arguments_and_a_no_that_is_asked_for_again(root: Path) -> None:
    step = done(root, "hire", {"to": "jo@test.example"})
    calls: list[Mapping[str, Any]] = []
    asked = reverse(root, step, by="owner", run=calls.append)
    assert (asked.state, calls) == ("held", [])
    assert run_trueup("approvals", "reject", root, str(asked.approval), "--by", "lead").exit_code == 0
    again = reverse(root, step, by="owner", run=calls.append, arguments={"to": "al@test.example"})
    assert again.approval != asked.approval
    assert run_trueup("approvals", "accept", root, str(again.approval), "--by", "lead").exit_code == 0
    assert reverse(root, step, by="owner", run=calls.append, arguments={"to": "al@test.example"}).state == "done"
    assert calls == [{"to": "al@test.example"}]


def test_what_cannot_be_undone_says_why(root: Path) -> None:
    assert undo(root, done(root, "plain")).error["code"] == "no-reversal"
    assert "actions" in undo(root, done(root, "odd")).error["hint"]
    assert undo(root, done(root, "ship", fails=True)).error["code"] == "nothing-to-undo"
    assert undo(root, "a-000000000000").error["code"] == "no-such-step"
    refused = undo(root, done(root, "hire", {"to": "x"}), by="guest")
    assert (refused.exit_code, refused.error["code"]) == (4, "may-not-undo")
    failed = undo(root, done(root, "wrong"))
    assert failed.error["code"] == "tool-failed"
    assert world(root) == []


def test_a_program_undoes_its_own_steps(root: Path) -> None:
    step = done(root, "ship", {"amount": 5})
    calls: list[Mapping[str, Any]] = []
    assert reverse(root, step, by="owner", run=calls.append).state == "done"
    assert reverse(root, step, by="owner", run=calls.append).state == "done"
    assert calls == [{"amount": 5}]


def test_a_stopped_workflow_undoes_nothing(root: Path) -> None:
    step = done(root, "ship", {"amount": 5})
    assert run_trueup("kill", root, "payments", "--by", "chief", "--because", "odd").exit_code == 0
    outcome = reverse(root, step, by="owner", run=lambda _: pytest.fail("ran"))
    assert outcome.verdict is not None
    assert (outcome.state, outcome.verdict.decisive) == ("denied", "killed")


def codes(root: Path) -> set[str]:
    return {one["code"] for one in run_trueup("check", root, "--with-data", "--json").data["findings"]}


def test_a_tool_that_cannot_be_pinned_undoes_nothing(root: Path) -> None:
    step = done(root, "ship", {"amount": 1})
    command = ("approvals", "reverse", root, step, "--by", "owner", "--json", "--", sys.executable, "-c", UNPINNABLE)
    refused = run_trueup(*command).error
    assert refused["code"] == "tool-failed"
    assert "cannot be pinned" in refused["message"]

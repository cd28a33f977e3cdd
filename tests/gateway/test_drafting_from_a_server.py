"""From a server that nobody knows to a gateway before it: what it offers, drafted, declared, and called."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest
import yaml

from tests.gateway.doors import PROGRAMME, SERVER, WORKFLOW, bench, write
from tests.running import run_trueup


def declare(root: Path, command: list[str]) -> Path:
    write(root)
    (root / "programme.yaml").write_text(PROGRAMME + f"servers: {{erp: {{command: {command}}}}}\n", "utf-8")
    return root


def test_a_draft_stands_in_the_workflow_as_it_was_printed(tmp_path: Path) -> None:
    root = declare(tmp_path / "programme", [sys.executable, str(SERVER), str(tmp_path)])
    ran = run_trueup("tools", "draft", root, "--read", "add")
    assert ran.exit_code == 0
    actions = yaml.safe_load(ran.out)["actions"]
    assert actions["add"] == {"tool": "erp.add", "impact": "none"}
    assert actions["mail"] == {"tool": "erp.mail", "impact": "high", "approval": "always"}
    assert not (root / ".trueup").exists(), "nothing is recorded"
    assert not (tmp_path / "world.txt").exists(), "nothing is called"
    head = "workflow: Payments\nowners: {business: owner, escalation: chief}\nautonomy: {level: approve}\n"
    (root / "workflows" / "payments.yaml").write_text(head + ran.out, "utf-8")
    assert run_trueup("check", root, "--json").exit_code in {0, 3}
    verdicts = [
        run_trueup("gate", root, "payments", "--request", request(tmp_path, tool), "--json").data["verdict"]
        for tool in ("erp.add", "erp.mail", "erp.gone")
    ]
    assert verdicts == ["allow", "hold", "deny"]


def request(folder: Path, tool: str) -> Path:
    file = folder / "request.json"
    file.write_text(f'{{"tool": "{tool}"}}', "utf-8")
    return file


@pytest.mark.parametrize("command", [["no-such-command-anywhere"], [sys.executable, "-c", "pass"]])
def test_a_server_that_is_not_there_is_said_to_be_so(tmp_path: Path, command: list[str]) -> None:
    refused = run_trueup("tools", "draft", declare(tmp_path, command), "--json")
    assert refused.error["code"] == "server-not-there"
    assert "is not reachable" in refused.error["message"]


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    refused = run_trueup("tools", "draft", declare(tmp_path, silent), "--timeout", "0.2", "--json")
    assert refused.error["code"] == "server-not-there"


def test_a_declared_server_that_no_action_names_is_told_from_none(tmp_path: Path) -> None:
    refused = run_trueup("gateway", declare(tmp_path, ["true"]), "payments", "--json")
    assert refused.error["code"] == "no-server"
    assert "tool: erp.TOOL" in refused.error["hint"]
    assert "tools draft" in refused.error["hint"]
    write(tmp_path / "other")
    assert "Declare it" in run_trueup("tools", "draft", tmp_path / "other", "--json").error["hint"]


def test_a_declared_name_that_no_server_offers_is_said_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        workflow=WORKFLOW + "  gone: {tool: paay, impact: none}\n  page: {tool: 'resource:a://b', impact: none}\n",
    )

    async def listed() -> list[str]:
        with bench(tmp_path) as made:
            async with made.gateway.connected(), made.agent() as client:
                for _ in range(2):
                    await client.list_tools()
            return made.said

    said = [line for line in anyio.run(listed) if "offered by no server" in line]
    assert len(said) == 1
    assert ": paay." in said[0]

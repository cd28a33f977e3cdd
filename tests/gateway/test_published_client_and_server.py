"""The gateway between parts that others published: the TypeScript client, and the server that shows everything.

Both come from npm, by the lock beside them: npm ci --prefix tests/gateway/npm
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from tests.gateway.doors import PROGRAMME, Bench, bench
from tests.gateway.test_gateway_over_http import listening
from trueup.connectors.mcp.answers import ANSWER
from trueup.connectors.mcp.readings import DENIED
from trueup.connectors.mcp.upstream import Server

NODE = shutil.which("node")
PARTS = Path(__file__).with_name("npm")
EVERYTHING = PARTS / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
WORKFLOW = """\
workflow: Payments
autonomy: {level: approve}
actions:
  sum: {tool: get-sum, impact: none, limits: {a: {at_most: 500}}}
  echo: {tool: echo, impact: medium, approval: always, approvers: [lead]}
  weather: {tool: get-structured-content, impact: none}
  env: {tool: get-env, impact: none}
  ask: {tool: trigger-elicitation-request, impact: none}
  slow: {tool: trigger-long-running-operation, impact: none}
  folders: {tool: get-roots-list, impact: none}
  model: {tool: trigger-sampling-request, impact: none}
  documents: {tool: 'resource:demo://resource/static/*', impact: none}
  texts: {tool: 'resource:demo://resource/dynamic/text/*', impact: low, approval: never, egress: [uri]}
  city: {tool: 'prompt:args-prompt', impact: none}
  complete: {tool: 'complete:completable-prompt', impact: low, approval: never, egress: [argument]}
"""

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not on the path"),
    pytest.mark.skipif(not EVERYTHING.exists(), reason="not installed: npm ci --prefix tests/gateway/npm"),
]


def seen_by_agent(*target: str) -> dict[str, Any]:
    ended = run([str(NODE), "agent.mjs", *target], cwd=PARTS, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()
    seen: dict[str, Any] = json.loads(ended.stdout)
    return seen


def written(root: Path) -> Path:
    (root / "workflows").mkdir()
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW, "utf-8")
    return root


def answers_are_as_declared(seen: dict[str, Any]) -> None:
    assert seen["capabilities"] == ["completions", "logging", "prompts", "resources", "tools"]
    governed = {"get-sum", "echo", "get-structured-content", "get-env", "trigger-long-running-operation"}
    assert set(seen["tools"]) - {"trigger-elicitation-request"} == governed, (
        "what wants a model or folders is not there"
    )
    assert len(seen["resources"]) > 1
    assert all(uri.startswith("demo://resource/static/") for uri in seen["resources"])
    assert seen["templates"] == ["demo://resource/dynamic/text/{resourceId}"]
    assert seen["prompts"] == ["args-prompt"]
    assert "21" in seen["sum"]["content"][0]["text"]
    assert seen["after"]["content"][0]["text"].endswith("is 3.")
    verdicts = {name: seen[name]["_meta"][ANSWER]["verdict"] for name in ("tooMuch", "look_alike", "hidden", "held")}
    assert verdicts == {"tooMuch": "deny", "look_alike": "deny", "hidden": "deny", "held": "hold"}
    assert seen["structured"]["structuredContent"].keys() >= {"temperature", "conditions"}
    assert seen["progress"] == 2
    assert "features" in seen["read"]["contents"][0]["text"].lower()
    assert (seen["blob"]["code"], seen["blob"]["answer"]["verdict"]) == (DENIED, "deny")
    assert "Leeds" in seen["prompt"]["messages"][0]["content"]["text"]
    assert seen["other"]["answer"]["verdict"] == "deny"
    assert seen["completed"]["completion"]["values"] == ["Engineering"]


def test_over_http_the_published_client_sees_what_is_declared(tmp_path: Path) -> None:
    async def session(at: Bench) -> dict[str, Any]:
        async with listening(at) as url:
            return await asyncio.to_thread(seen_by_agent, url)

    with bench(written(tmp_path), [Server("", (str(NODE), str(EVERYTHING), "stdio"))]) as at:
        seen = asyncio.run(session(at))
        answers_are_as_declared(seen)
        assert seen["asked"] == 1, "the question of a tool reaches the person through the agent"
        ends = [entry["action"] for entry in at.entries("action.finished")]
        assert ends == ["sum", "weather", "env", "ask", "slow", "documents", "city", "complete", "sum"]
        intents = [entry["action"] for entry in at.entries("action.intended")]
        assert intents.count("slow") == 2, "what was cancelled is unknown: it has no outcome"


def test_over_stdio_the_command_serves_the_published_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_KEY", "sesame-42")
    gateway = (
        sys.executable,
        "-m",
        "trueup",
        "gateway",
        str(written(tmp_path)),
        "payments",
        "--env",
        "KEY=env:ERP_KEY",
    )
    seen = seen_by_agent(*gateway, "--", str(NODE), str(EVERYTHING), "stdio")
    answers_are_as_declared(seen)
    environment = json.loads(seen["env"]["content"][0]["text"])
    assert environment["KEY"] == "[secret]"
    assert not {"ERP_KEY", "PYTHONPATH", "VIRTUAL_ENV"} & set(environment), "a server inherits nothing else"

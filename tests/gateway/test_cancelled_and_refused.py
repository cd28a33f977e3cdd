"""What goes back to the server: a cancellation is passed on; a wish for the agent's model or folders is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import types
from mcp.server import Server as McpServer
from mcp.shared.exceptions import MCPError

from tests.gateway.doors import PROGRAMME, Bench, bench, text_of
from trueup.connectors.mcp.upstream import Server

BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
WORKFLOW = """\
workflow: Payments
autonomy: {level: approve}
actions:
  wait: {tool: wait, impact: medium, approval: never}
  roots: {tool: roots, impact: low, approval: never}
  model: {tool: model, impact: low, approval: never}
"""


class Wishes:
    """A real MCP server in this process that waits, and wishes."""

    def __init__(self) -> None:
        self.began = anyio.Event()
        self.cancelled = anyio.Event()
        self.server = McpServer[Any]("wishes", on_list_tools=self._tools, on_call_tool=self._call)

    async def _tools(self, _: Any, __: Any) -> types.ListToolsResult:
        names = ("wait", "roots", "model")
        return types.ListToolsResult(tools=[types.Tool(name=name, input_schema={"type": "object"}) for name in names])

    async def _call(self, context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name == "wait":
            self.began.set()
            try:
                await anyio.sleep_forever()
            finally:
                self.cancelled.set()
        wish: Any = types.ListRootsRequest()
        if params.name == "model":
            said = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="hello"))
            wish = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[said], max_tokens=9))
        try:
            await context.session.send_request(wish, types.EmptyResult)
        except MCPError as error:
            text = types.TextContent(type="text", text=f"refused: {error.error.code}")
            return types.CallToolResult(content=[text])
        raise AssertionError("a wish was granted")


def wishes(root: Path) -> tuple[Wishes, Any]:
    (root / "workflows").mkdir()
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW, "utf-8")
    made = Wishes()
    return made, bench(root, [Server("", inside=made.server)])


@pytest.mark.parametrize("may_be_asked", [False, True])
@BOTH
def test_a_cancelled_call_is_cancelled_at_the_server_and_unknown(tmp_path: Path, mode: str, may_be_asked: bool) -> None:
    made, opened = wishes(tmp_path)

    async def person(_: Any, __: Any) -> types.ElicitResult:
        raise AssertionError("nobody had a question")

    async def session(at: Bench) -> None:
        options: dict[str, Any] = {"elicitation_callback": person} if may_be_asked else {}
        async with at.gateway.connected(), at.agent(mode, **options) as agent:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    group.start_soon(agent.call_tool, "wait", {})
                    await made.began.wait()
                    group.cancel_scope.cancel()
                await made.cancelled.wait()
            again = await agent.call_tool("wait", {})
            assert "nobody knows" in text_of(again), "it is not begun a second time"

    with opened as at:
        asyncio.run(session(at))
        assert len(at.entries("action.intended")) == 1
        assert at.entries("action.finished") == []


@pytest.mark.parametrize("wish", ["roots", "model"])
@BOTH
def test_the_agents_model_and_folders_are_its_own(tmp_path: Path, mode: str, wish: str) -> None:
    _, opened = wishes(tmp_path)

    async def roots(_: Any) -> types.ListRootsResult:
        raise AssertionError("the agent was asked for its folders")

    async def model(_: Any, __: Any) -> types.CreateMessageResult:
        raise AssertionError("the agent was asked for its model")

    async def session(at: Bench) -> None:
        options: dict[str, Any] = {"list_roots_callback": roots, "sampling_callback": model} if mode == "legacy" else {}
        async with at.gateway.connected(), at.agent(mode, **options) as agent:
            assert text_of(await agent.call_tool(wish, {})).startswith("refused: -3")

    with opened as at:
        asyncio.run(session(at))

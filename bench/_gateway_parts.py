"""The tool server that the gateway bench calls, and the barest proxy that forwards to it; run as programs.

python bench/_gateway_parts.py server [PORT]
python bench/_gateway_parts.py proxy SERVER_PORT|stdio [PORT] [kept]

`kept` is a proxy over HTTP that uses its connection again, as the gateway does; the library's own makes one a call.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp import Client, StdioServerParameters, types
from mcp.server import Server
from mcp.server.stdio import stdio_server

TOOL = types.Tool(name="pay", input_schema={"type": "object", "properties": {"amount": {"type": "number"}}})


async def listed(_: Any, __: Any) -> types.ListToolsResult:
    """Return the one tool."""
    return types.ListToolsResult(tools=[TOOL])


async def called(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Answer at once: what is measured is the way to here."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=f"paid {params.arguments}")])


@asynccontextmanager
async def forwarding(upstream: Any) -> AsyncIterator[Server[Any]]:
    """Yield a server that passes every call on and every answer back, and does nothing else."""
    async with Client(upstream, mode="legacy") as client:

        async def passed(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
            return await client.session.call_tool(params.name, params.arguments)

        async def shown(_: Any, __: Any) -> types.ListToolsResult:
            return await client.session.list_tools()

        # Told of no schemas it lists no tools before each call over HTTP: the quickest that the library allows.
        yield Server[Any]("bare", on_list_tools=shown, on_call_tool=passed, get_tool_input_schema=lambda _: None)


async def serve(server: Server[Any], port: int | None) -> None:
    """Serve over stdio, or on a port."""
    if port is None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
        return
    app = server.streamable_http_app()
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False)).serve()


async def main(arguments: list[str]) -> None:
    """Be the server, or the proxy."""
    kind, *rest = arguments
    kept = rest[-1:] == ["kept"]
    rest = rest[:-1] if kept else rest
    port = int(rest[-1]) if rest and rest[-1].isdigit() and (kind == "server" or len(rest) > 1) else None
    if kind == "server":
        await serve(Server[Any]("erp", on_list_tools=listed, on_call_tool=called), port)
        return
    own = StdioServerParameters(command=sys.executable, args=[__file__, "server"])
    target: Any = own if rest[0] == "stdio" else f"http://127.0.0.1:{rest[0]}/mcp"
    if kept:
        from trueup.connectors.mcp.transport.reuse import reached

        target = reached(target, {})
    async with forwarding(target) as server:
        await serve(server, port)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1:])

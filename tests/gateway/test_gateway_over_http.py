"""The gateway on a port, before a server on another one: both generations, a token, and what is no plain JSON."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.gateway.doors import SERVER, Bench, answer_of, bench, text_of, write
from trueup.connectors.mcp.serving import over_http
from trueup.connectors.mcp.upstream import Server


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@asynccontextmanager
async def listening(at: Bench, token: str | None = None) -> AsyncIterator[str]:
    """Serve a gateway over HTTP in this process."""
    address: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(over_http(at.gateway, "127.0.0.1", 0, address.put_nowait, token))
    try:
        yield await address.get()
    finally:
        serving.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.gather(serving, return_exceptions=True)


def post(url: str, body: bytes, **headers: str) -> tuple[int, Any]:
    """Send bytes as they are."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    plain = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    connection.request("POST", f"/{path}", body, plain | headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else content


def test_both_generations_call_through_to_a_server_over_http(tmp_path: Path) -> None:
    write(tmp_path)
    port = free_port()
    server = Popen([sys.executable, str(SERVER), str(tmp_path), str(port)], stdout=PIPE, stderr=PIPE)

    async def session(at: Bench) -> None:
        async with listening(at) as url:
            for mode in ("auto", "legacy"):
                async with Client(url, mode=mode) as agent:
                    assert {tool.name for tool in (await agent.list_tools()).tools} >= {"add", "pay"}
                    assert text_of(await agent.call_tool("add", {"a": 20, "b": 1})) == "21"
                    denied = await agent.call_tool("pay", {"amount": 900})
                    assert answer_of(denied)["verdict"] == "deny"

    try:
        with bench(tmp_path, [Server("", url=f"http://127.0.0.1:{port}/mcp")]) as at:
            asyncio.run(session(at))
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize(
    "arguments",
    [
        b'{"amount": 1, "amount": 400}',
        b'{"amount": NaN}',
        b'{"amount": 9007199254740993}',
        b'{"amount": 1e999}',
        b'{"amount": "\\ud800"}',
        b'{"amount": 1, "memo": "\xff"}',
        b'{"amount": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"amount": 1, "memo": "' + b"x" * 1_100_000 + b'"}',
    ],
)
def test_what_has_no_one_meaning_does_not_come_in(tmp_path: Path, arguments: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pay","arguments":' + arguments + b"}}"

    async def session(at: Bench) -> None:
        async with listening(at) as url:
            status, answer = await asyncio.to_thread(post, url, body)
            assert (status, answer["error"]["code"]) == (400, -32700)

    with bench(tmp_path, [Server("", command=("true",))]) as at:
        asyncio.run(session(at))
        assert at.entries("action.finished") == []
        [trace] = at.entries("request.refused")
        assert (trace["door"], trace["workflow"], trace["count"]) == ("gateway", "payments", 1)
        assert trace["reason"].startswith("request.")


def test_who_has_not_the_token_is_not_answered(tmp_path: Path) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'

    async def session(at: Bench) -> None:
        async with listening(at, "open-sesame") as url:
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "open-sesame"}):
                assert (await asyncio.to_thread(post, url, body, **headers))[0] == 401
            async with (
                create_mcp_http_client(headers={"Authorization": "Bearer open-sesame"}) as client,
                Client(streamable_http_client(url, http_client=client)) as agent,
            ):
                assert agent.server_capabilities.tools is not None

    with bench(tmp_path, [Server("", command=("true",))]) as at:
        asyncio.run(session(at))
        refused = [(trace["reason"], trace["count"]) for trace in at.entries("request.refused")]
        assert refused == [("token.missing", 1), ("token.forged", 1)]


def test_pages_of_other_origins_cannot_reach_it(tmp_path: Path) -> None:
    async def session(at: Bench) -> None:
        async with listening(at) as url:
            body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
            status, _ = await asyncio.to_thread(post, url, body, origin="https://evil.example")
            assert status == 403

    with bench(tmp_path, [Server("", command=("true",))]) as at:
        asyncio.run(session(at))

"""A server over HTTP is called over one connection, also where its answers are streams of events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from mcp import Client

from trueup.connectors.mcp.transport import reuse
from trueup.connectors.mcp.transport.reuse import reached

TOOL = {"name": "pay", "inputSchema": {"type": "object"}}
RESULTS: dict[str, dict[str, Any]] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "erp", "version": "1"},
    },
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": "paid"}]},
}
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
NONE = "HTTP/1.1 {} -\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Erp:
    """A server of events that is seen through: how often it was connected to, and what stood behind an answer."""

    behind: str = ""
    connections: int = 0
    asked: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def there(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
                message = json.loads(await reader.readexactly(size) or b"{}")
                writer.write(self._answer(head, message).encode())
                await writer.drain()
        writer.close()

    def _answer(self, head: str, message: dict[str, Any]) -> str:
        if not head.startswith("post"):
            return NONE.format(405)
        self.asked.append(message["method"])
        if "id" not in message:
            return NONE.format(202)
        said = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": RESULTS[message["method"]]})
        return HEAD + chunk(f"event: message\ndata: {said}\n\n") + self.behind


def chunk(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n"


def called(erp: Erp, times: int) -> None:
    async def session() -> None:
        async with erp.there() as url, Client(reached(url, {"x-key": "k"}), mode="legacy") as client:
            for _ in range(times):
                answer = await client.session.call_tool("pay", {})
                assert answer.content[0].type == "text"

    asyncio.run(asyncio.wait_for(session(), 30))


def test_calls_one_after_the_other_use_connections_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_AFTER_SECONDS", 0.0)
    erp = Erp(behind="0\r\n\r\n")
    called(erp, 20)
    assert erp.asked.count("tools/call") == 20
    # Not one for each: what is asked while the end of an answer is read goes over another one.
    assert erp.connections <= 6


@pytest.mark.parametrize("behind", ["", chunk(": still here\n\n") * 99, "no chunk at all\r\n"])
def test_a_stream_that_does_not_end_keeps_nobody_waiting(behind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_ENDS_SECONDS", 0.05)
    erp = Erp(behind=behind)
    called(erp, 5)
    assert erp.asked.count("tools/call") == 5
    assert erp.connections >= 5, "each is let go of in the end"

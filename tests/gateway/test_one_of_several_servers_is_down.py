"""A server that does not start keeps no call to another one waiting, and none that would be denied anyway."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.gateway.doors import WORKFLOW, bench, text_of, tool_server, write
from trueup.connectors.mcp import upstream
from trueup.connectors.mcp.upstream import Server


def test_calls_wait_for_their_own_server_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "_PATIENCE_SECONDS", 3.0)
    monkeypatch.setattr(upstream, "_PATIENCE_AFTERWARDS_SECONDS", 0.01)
    write(
        tmp_path,
        "bank.",
        WORKFLOW.replace("PREmail", "post.mail").replace("medium, approval: always", "low, approval: never"),
    )
    down = Server("post", (sys.executable, "-c", "raise SystemExit(1)"))

    async def asked() -> tuple[list[str], list[int]]:
        with bench(tmp_path, [tool_server(tmp_path, "bank"), down]) as desk:
            async with desk.gateway.connected(), desk.agent() as agent:
                waited, texts = [], []
                for name, arguments in (
                    ("bank.pay", {"amount": 5, "to": "a"}),
                    ("bank.pay", {"amount": 6, "to": "a"}),
                    ("bank.nothing", {}),
                    ("post.nothing", {}),
                    ("post.mail", {"to": "b"}),
                    ("post.mail", {"to": "b"}),
                ):
                    texts.append(text_of(await agent.call_tool(name, arguments)))
                    waited.append(sum("post does not list its tools" in one for one in desk.said))
            assert len(desk.paid()) == 2
            return texts, waited

    texts, waited = asyncio.run(asked())
    assert waited == [waited[0]] * 4 + [waited[0] + 1, waited[0] + 2], "each wait is said once"
    assert all("unlisted-tool" in text for text in texts[2:4])
    assert all(text.startswith("Failed") for text in texts[4:])

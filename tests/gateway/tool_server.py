"""A real MCP server of the official SDK, which writes down what it does; started by tests with a folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel

WORLD = Path(sys.argv[1]) / "world.txt"
SAYS = Path(sys.argv[1]) / "says.txt"
server = MCPServer("erp")


class Sure(BaseModel):
    sure: bool


def done(what: str) -> str:
    with WORLD.open("a", encoding="utf-8") as world:
        world.write(f"{what}\n")
    return what


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(description=SAYS.read_text("utf-8") if SAYS.exists() else "Pay an amount.")
def pay(amount: float, account: str = "GB-17", memo: str | None = None) -> str:
    return done(f"pay:{amount:g}:{account}:{memo}")


@server.tool()
def mail(to: str) -> str:
    """Send a mail."""
    return done(f"mail:{to}")


@server.tool()
def hidden() -> str:
    """Nobody declared this."""
    return done("hidden")


@server.tool()
def secret() -> str:
    """Say the key aloud."""
    return f"the key is {os.environ.get('ERP_KEY')} and ENV is {os.environ.get('TRUEUP_LEDGER_KEY')}"


@server.tool()
async def ask(question: str, ctx: Context) -> str:
    """Ask back before acting."""
    await ctx.report_progress(1, 2, "half")
    answer = await ctx.elicit(question, Sure)
    return done(f"ask:{answer.action}")


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("no such account")


@server.tool()
def stop() -> str:
    """Act, and die before answering."""
    done("stop")
    os._exit(3)


@server.tool()
def slow() -> str:
    """Act, and answer far too late."""
    done("slow")
    time.sleep(30)
    return "slow"


if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run("stdio")

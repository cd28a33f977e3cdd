"""A real MCP server of the official SDK, which writes down what it does; started by tests with a folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import EmbeddedResource, ImageContent, ResourceLink, TextResourceContents, ToolAnnotations
from pydantic import BaseModel

WORLD = Path(sys.argv[1]) / "world.txt"
SAYS = Path(sys.argv[1]) / "says.txt"
server = MCPServer("erp")


IBAN = "GB29 NWBK 6016 1331 9268 19"


class Sure(BaseModel):
    sure: bool


class Where(BaseModel):
    to: str


def done(what: str) -> str:
    with WORLD.open("a", encoding="utf-8") as world:
        world.write(f"{what}\n")
    return what


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
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


@server.tool()
def look(name: str = "a") -> dict[str, Any]:
    """Look a customer up; write to desk@shop.example.org for more."""
    done(f"look:{name}")
    return {"email": "jo@customer.example.org", "iban": IBAN, "order": 943476591, "note": "asks for Jo's refund"}


@server.tool()
def papers() -> list[Any]:
    """Return papers of several kinds."""
    picture = ImageContent(type="image", data="aGVsbG8=", mime_type="image/png")
    link = ResourceLink(type="resource_link", name="jo@customer.example.org.pdf", uri="file:///jo@customer.example.org")
    inside = TextResourceContents(uri="file:///jo@customer.example.org.txt", text=f"pay to {IBAN}")
    return ["write to jo@customer.example.org", picture, link, EmbeddedResource(type="resource", resource=inside)]


@server.tool()
def refuse() -> str:
    """Fail, and say about whom."""
    raise ToolError("jo@customer.example.org has no account")


@server.tool()
async def sure(to: str, ctx: Context) -> str:
    """Ask back about somebody."""
    await ctx.report_progress(1, 2, "looking at jo@customer.example.org")
    answer = await ctx.elicit("refund jo@customer.example.org?", Where)
    return done(f"sure:{to}:{answer.action}:{answer.data.to if answer.action == 'accept' else None}")


@server.tool()
def deep() -> dict[str, Any]:
    """Return what is nested too deep to be masked."""
    done("deep")
    value: dict[str, Any] = {"email": "jo@customer.example.org"}
    for _ in range(80):
        value = {"in": value}
    return value


if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run("stdio")

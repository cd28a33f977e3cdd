"""A programme whose tools lie behind a gateway, a real MCP server to put there, and clients of both generations."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters, types

from trueup.connectors.mcp.answers import ANSWER
from trueup.connectors.mcp.gateway import Gateway, Terms
from trueup.connectors.mcp.upstream import Server
from trueup.enforce.approvals import Ask
from trueup.sdk import GovernedWorkflow, governed
from trueup.workspace import approval_desk, opened

SERVER = Path(__file__).with_name("tool_server.py")
SECRET = "sesame-42"
PROGRAMME = """\
programme: Payments (a test)
currency: GBP
people:
  chief: {name: C. Hief, email: chief@test.example, roles: [sponsor]}
  owner: {name: O. Wner, email: owner@test.example, roles: [owner]}
  lead: {name: L. Ead, email: lead@test.example, roles: [approver]}
  clerk: {name: C. Lerk, email: clerk@test.example, roles: [reviewer]}
  guest: {name: G. Uest, email: guest@test.example, roles: [viewer]}
"""
WORKFLOW = """\
workflow: Payments
owners: {business: owner, escalation: chief}
autonomy: {level: approve}
actions:
  add: {tool: PREadd, impact: none}
  pay: {tool: PREpay, impact: medium, approval: never, limits: {amount: {at_most: 500, per_day: 900}}}
  mail: {tool: PREmail, impact: medium, approval: always, approvers: [lead, clerk]}
  ask: {tool: PREask, impact: low, approval: never}
  fail: {tool: PREfail, impact: low, approval: never}
  stop: {tool: PREstop, impact: low, approval: never}
  slow: {tool: PREslow, impact: low, approval: never}
  secret: {tool: PREsecret, impact: none}
"""


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2024, 5, 6, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Tokens:
    """Names that a test can foresee."""

    made: int = 0

    def __call__(self) -> str:
        self.made += 1
        return f"token-{self.made}"


def write(root: Path, prefix: str = "", workflow: str = WORKFLOW) -> Path:
    """Write the programme into a folder."""
    (root / "workflows").mkdir(parents=True, exist_ok=True)
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(workflow.replace("PRE", prefix), "utf-8")
    return root


def tool_server(root: Path, name: str = "") -> Server:
    """Return a real server, started by a command, that writes what it does into a folder."""
    command = (sys.executable, str(SERVER), str(root))
    return Server(name, command, environment={"ERP_KEY": SECRET}, secrets=(SECRET,))


def stdio(*arguments: str, **environment: str) -> StdioServerParameters:
    """Return how a client starts a Python program."""
    return StdioServerParameters(command=sys.executable, args=list(arguments), env=environment)


@dataclass
class Bench:
    """A gateway over real servers, and what it said to its operator."""

    root: Path
    gate: GovernedWorkflow
    gateway: Gateway
    clock: Clock
    said: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def agent(self, mode: str = "auto", **options: Any) -> AsyncIterator[Client]:
        """Connect a client of a generation to the gateway's server, in this process."""
        async with Client(self.gateway.server, mode=mode, **options) as client:
            yield client

    def paid(self) -> list[str]:
        """Return what the server has done to the world."""
        file = self.root / "world.txt"
        return file.read_text("utf-8").split() if file.exists() else []

    def entries(self, event_type: str) -> list[dict[str, Any]]:
        """Return what the ledger holds of one type."""
        with opened(self.root, lambda *_: None) as bench:
            return [dict(item.entry.data) for item in bench.ledger.entries(event_type)]

    def decide(self, approval: str, decision: str, by: str = "lead", arguments: dict[str, Any] | None = None) -> None:
        """Decide as a person would."""
        with opened(self.root, lambda *_: None, write=True, clock=self.clock) as bench:
            ask = Ask(approval, decision, by, arguments)
            approval_desk(bench).decide(ask, self.gate.policy_in_force(), self.clock.now(), lambda _: {})


@contextmanager
def bench(
    root: Path, servers: list[Server] | None = None, follow: tuple[str, str | None] | None = None, **terms: Any
) -> Iterator[Bench]:
    """Open the gate and put a gateway before it; the servers are connected with `gateway.connected()`.

    `follow` is a case, and what the person asked for in it, where that is known.
    """
    clock = Clock()
    said: list[str] = []
    with governed(write(root) if not (root / "programme.yaml").exists() else root, "payments", clock=clock) as gate:
        if follow is not None:
            terms["trail"] = gate.trail(*follow)
        made = Gateway(gate, servers or [tool_server(root)], Terms(Tokens(), **terms), said.append)
        yield Bench(root, gate, made, clock, said)


def text_of(result: types.CallToolResult) -> str:
    """Return what a result says in words."""
    return " ".join(block.text for block in result.content if isinstance(block, types.TextContent))


def answer_of(result: types.CallToolResult) -> dict[str, Any]:
    """Return what a result says to a program."""
    assert result.meta is not None
    answer: dict[str, Any] = result.meta[ANSWER]
    return answer

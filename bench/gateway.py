"""A tool call through the gateway, against the same call made directly and through a proxy that only forwards."""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from bench.report import Report
from trueup.enforce.request import Request
from trueup.sdk import governed

CALLS = 300
ROUNDS = 6
PARTS = str(Path(__file__).with_name("_gateway_parts.py"))
PROGRAMME = "programme: Generated programme\ncurrency: GBP\npeople:\n  lead: {name: L, roles: [approver]}\n"
WORKFLOW = """\
workflow: Payments
autonomy: {level: approve}
actions:
  pay: {tool: pay, impact: low, approval: never, limits: {amount: {at_most: 500}, per_day: 100000}}
"""


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Measure all three ways over stdio and over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "workflows").mkdir()
        (root / "programme.yaml").write_text(PROGRAMME)
        (root / "workflows" / "payments.yaml").write_text(WORKFLOW)
        gateway = ["-m", "trueup", "gateway", str(root), "payments"]
        server = [sys.executable, PARTS, "server"]
        ways: dict[str, Any] = {
            "direct": started(PARTS, "server"),
            "bare": started(PARTS, "proxy", "stdio"),
            "gateway": started(*gateway, "--", *server),
        }
        told(report, "stdio", asyncio.run(times(ways)))
        gate, bare = asyncio.run(gated(root)), synced(root)
        report.row(
            "of which: the gate, called in process, p50", gate, note="policy, ledger and limits, both commits with it"
        )
        note = "intent with verdict, and outcome: writes of 1,400 and 700 B, each with fsync"
        report.row("of which: two commits made durable, p50", bare, note=note)
        ports = free_ports(4)
        upstream = f"http://127.0.0.1:{ports[0]}/mcp"
        with (
            running(PARTS, "server", str(ports[0]), port=ports[0]),
            running(PARTS, "proxy", str(ports[0]), str(ports[1]), port=ports[1]),
            running(*gateway, "--http", upstream, "--listen", str(ports[2]), port=ports[2]),
            running(PARTS, "proxy", str(ports[0]), str(ports[3]), "kept", port=ports[3]),
        ):
            names = ("direct", "bare", "gateway", "kept")
            links = {name: f"http://127.0.0.1:{port}/mcp" for name, port in zip(names, ports, strict=True)}
            found = asyncio.run(times(links))
            told(report, "HTTP", found)
            ours, kept = (statistics.median(found[name]) for name in ("gateway", "kept"))
            report.row("the same, over HTTP, p50", ours, kept, note="peer: one that uses its connection again, as ours")


def told(report: Report, transport: str, found: Mapping[str, list[float]]) -> None:
    """Write the rows of one transport: the gateway beside the bare proxy, and what it adds to a direct call."""
    for label, at in (("p50", 49), ("p99", 98)):
        ours, bare, direct = (statistics.quantiles(found[name], n=100)[at] for name in ("gateway", "bare", "direct"))
        added = f"direct {direct * 1000:.1f} ms, so it adds {(ours - direct) * 1000:.1f} ms"
        note = f"peer: a proxy that only forwards; {added}"
        report.row(f"call through the gateway, {transport}, {label}", ours, bare, note=note)


async def times(ways: Mapping[str, Any]) -> dict[str, list[float]]:
    """Time calls over every way in turn, so that a busy minute hits all."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    async with AsyncExitStack() as stack:
        clients = {name: await stack.enter_async_context(Client(way)) for name, way in ways.items()}
        for client in clients.values():
            await timed(client, 10)
        for _ in range(ROUNDS):
            for name, client in clients.items():
                found[name] += await timed(client, CALLS // ROUNDS)
    return found


async def timed(client: Client, calls: int) -> list[float]:
    """Return the seconds of each call."""
    found = []
    for _ in range(calls):
        began = time.perf_counter()
        answer = await client.session.call_tool("pay", {"amount": 12})
        found.append(time.perf_counter() - began)
        if answer.is_error:
            raise SystemExit(str(answer))
    return found


async def gated(root: Path) -> float:
    """Return the median seconds of the same calls through the same gate, with no protocol around it."""
    found = []
    with governed(root, "payments") as gate:
        for n in range(CALLS):
            began = time.perf_counter()
            taken = await gate.take_async(lambda: Request("pay", {"amount": 12}), answered)
            found.append(time.perf_counter() - began)
            if n == 0 and (taken.outcome is None or taken.outcome.result is None):
                raise SystemExit(str(taken))
    return statistics.median(found[10:])


async def answered(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Answer as the tool server does, without a way to it."""
    return {"content": [{"type": "text", "text": f"paid {arguments}"}]}


def synced(root: Path) -> float:
    """Return the median seconds of what durability alone costs: intent with verdict, and outcome, reach the disk."""
    found = []
    with (root / "bare").open("wb", buffering=0) as stream:
        for _ in range(50):
            began = time.perf_counter()
            for size in (1400, 700):
                stream.write(b"x" * size)
                os.fsync(stream.fileno())
            found.append(time.perf_counter() - began)
    return statistics.median(found)


def started(*arguments: str) -> StdioServerParameters:
    """Return how a client starts a Python program."""
    return StdioServerParameters(command=sys.executable, args=list(arguments))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    made = [socket.socket() for _ in range(count)]
    for one in made:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in made]
    for one in made:
        one.close()
    return ports


@contextmanager
def running(*arguments: str, port: int) -> Iterator[None]:
    """Run a Python program until its port answers, and while the body runs."""
    process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as made:
                if made.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()

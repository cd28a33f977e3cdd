"""What servers offer, asked once and outside the gate: names and annotations, and nothing is called."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
from mcp.shared.exceptions import MCPError

from trueup.connectors.mcp.upstream import UnreachableError, Upstream
from trueup.declare.drafting import Offered
from trueup.kernel.errors import UsageError
from trueup.kernel.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp import types

    from trueup.connectors.mcp.upstream import Server

# The handshake of each generation once: a server that answers to neither is not there.
_ATTEMPTS = 2


async def offered(servers: Sequence[Server], patience: float) -> list[Offered]:
    """Return the tools that servers offer now. Raises UsageError for one that does not answer in `patience` seconds."""
    return [_offered(server, tool) for server in servers for tool in await _tools(server, patience)]


async def _tools(server: Server, patience: float) -> list[types.Tool]:
    said: list[str] = []
    failed = anyio.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) >= _ATTEMPTS:
            failed.set()

    upstream = Upstream(server, patience, say)
    found: list[types.Tool] | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        group.start_soon(partial(_given_up, failed, group.cancel_scope))
        with anyio.move_on_after(patience):
            found = await _asked(upstream, said)
        group.cancel_scope.cancel()
    if found is None:
        silent = f"{server.name or 'the server'} has not answered in {patience:g} s"
        raise UsageError(
            "server-not-there",
            f"No tools can be listed: {visible(said[-1] if said else silent).rstrip('.?')}.",
            "Start it by hand, as it stands there, and see what it says; or wait longer with --timeout.",
        )
    return found


async def _asked(upstream: Upstream, said: list[str]) -> list[types.Tool] | None:
    while True:
        try:
            return await upstream.tools()
        except UnreachableError:
            continue
        except MCPError as error:
            said.append(str(error))
            return None


async def _given_up(failed: anyio.Event, scope: anyio.CancelScope) -> None:
    await failed.wait()
    scope.cancel()


def _offered(server: Server, tool: types.Tool) -> Offered:
    hints = tool.annotations
    only_reads = hints is not None and hints.read_only_hint is True and hints.destructive_hint is not True
    return Offered(server.shown(tool.name), tool.name, only_reads)

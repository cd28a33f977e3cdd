"""One run of the gateway: over this process's own input and output, or on a port of this machine."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import anyio

from trueup.connectors.mcp.stdio import strict_stdio
from trueup.connectors.mcp.upstream import silence
from trueup.connectors.mcp.wire import LARGEST_MESSAGE, strict_http
from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn

    from trueup.connectors.mcp.gateway import Gateway

HOST = "127.0.0.1"


async def over_stdio(gateway: Gateway) -> None:
    """Serve one agent until it closes its end."""
    silence()
    async with gateway.connected() as server, strict_stdio(gateway.noted) as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def over_http(
    gateway: Gateway, host: str, port: int, say: Callable[[str], None], token: str | None = None
) -> None:
    """Serve agents over HTTP until interrupted; `say` gets the address once it is ours.

    Raises StorageError when the port is taken.
    """
    import uvicorn

    silence()
    with _listening(host, port) as ours:
        async with gateway.connected() as server:
            app = server.streamable_http_app(host=host, max_request_body_size=LARGEST_MESSAGE)
            config = uvicorn.Config(
                strict_http(app, token, gateway.noted),
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=1,
            )
            say(f"http://{host}:{ours.getsockname()[1]}/mcp")
            await _until_stopped(uvicorn.Server(config), ours)


async def _until_stopped(server: uvicorn.Server, ours: socket.socket) -> None:
    """Serve; when interrupted, let go of every connection before going on."""
    serving = asyncio.create_task(server.serve(sockets=[ours]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        with anyio.CancelScope(shield=True):
            await serving
        raise


def _listening(host: str, port: int) -> socket.socket:
    # The event loop switches Nagle's delay off for sockets that say they are TCP, and for no others: an answer in two
    # writes would wait 40 ms for the first to be acknowledged.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        # Who is told the address may connect at once.
        made.listen(128)
    except OSError as error:
        made.close()
        raise StorageError(
            "port-taken", f"Port {port} cannot be opened: {error.strerror}.", "Any free port is taken with --listen 0."
        ) from None
    return made

"""A tool server that is started by a command: its input and output, without a task for each.

Starting and ending follow the protocol's own order, which the library keeps as well: its input is closed, then it has
time to go, then whatever it started is told to go, and at last made to.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.client.stdio import get_default_environment, stdio_client
from mcp.os.posix.utilities import terminate_posix_process_tree
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from trueup.connectors.mcp.transport.inbox import Inbox, Lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from mcp import StdioServerParameters

# What the library gives a server to go by itself, and then when it is told to.
_LEAVES_SECONDS = 2.0
_ENDS_SECONDS = 2.0
_FLUSHES_SECONDS = 0.5
# So many messages may wait to be read before no more are taken in.
_AHEAD = 16
_STDIN, _STDOUT = 0, 1


@asynccontextmanager
async def child(started: StdioServerParameters) -> AsyncIterator[tuple[Any, Any]]:
    """Start a server, and yield the messages from it and the way to it. Raises OSError where it cannot be started."""
    if os.name != "posix":
        async with stdio_client(started) as streams:
            yield streams
        return
    process = await _started(started)
    try:
        yield process.inbox, process
    finally:
        with anyio.CancelScope(shield=True):
            await process.leave()


async def _started(started: StdioServerParameters) -> _Child:
    loop = asyncio.get_running_loop()
    _, made = await loop.subprocess_exec(
        _Child,
        started.command,
        *started.args,
        env=get_default_environment() | (started.env or {}),
        cwd=started.cwd,
        stderr=None,
        start_new_session=True,
    )
    return made


@dataclass(frozen=True, slots=True)
class _Leader:
    """What the library wants to know of a process whose whole group is to go."""

    transport: asyncio.SubprocessTransport

    @property
    def pid(self) -> int:
        return self.transport.get_pid()

    @property
    def returncode(self) -> int | None:
        return self.transport.get_returncode()


class _Child(asyncio.SubprocessProtocol):
    """A process that speaks the protocol by lines: what it says is in `inbox`, and it is sent what is said to it."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._gone = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._closed = False
        self._paused = False
        self.inbox = Inbox(_read, self._want)

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(_STDIN))
        self._stdout = cast("asyncio.ReadTransport", self._transport.get_pipe_transport(_STDOUT))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self.inbox.put(self._lines.fed(data))
        if self.inbox.waiting > _AHEAD and not self._paused:
            self._stdout.pause_reading()
            self._paused = True

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del exc
        self._flushed.set()
        if fd == _STDIN:
            # What it has said before is read still.
            self._closed = True
        elif fd == _STDOUT:
            self.inbox.end()

    def process_exited(self) -> None:
        self._gone.set()

    def pause_writing(self) -> None:
        self._flushed.clear()

    def resume_writing(self) -> None:
        self._flushed.set()

    # What the library writes to.

    async def send(self, message: SessionMessage) -> None:
        """Send a message. Raises BrokenResourceError once the process does not listen any more."""
        if self._closed:
            # One that listens no more is of no use: whoever waits for an answer of it is told.
            self.inbox.end()
            raise anyio.BrokenResourceError
        self._stdin.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
        if not self._flushed.is_set():
            await self._flushed.wait()

    async def aclose(self) -> None:
        """What was said is sent; the process is ended by whoever started it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def leave(self) -> None:
        """Close its input, and see that it and all that it started are gone."""
        await self.inbox.aclose()
        with anyio.move_on_after(_FLUSHES_SECONDS):
            await self._flushed.wait()
        self._stdin.close()
        self._want()
        with anyio.move_on_after(_LEAVES_SECONDS):
            await self._gone.wait()
        if not self._gone.is_set():
            await terminate_posix_process_tree(cast("Any", _Leader(self._transport)), _ENDS_SECONDS)
            with anyio.move_on_after(_ENDS_SECONDS):
                await self._gone.wait()
        with suppress(PermissionError):
            self._transport.close()

    def _want(self) -> None:
        if self._paused:
            self._paused = False
            self._stdout.resume_reading()


async def _read(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error

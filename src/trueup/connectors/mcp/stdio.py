"""The protocol over this process's own input and output, read strictly; a thread only where a call could wait.

A pipe tells when it can be read, and when it takes a short line at once. Handing every message to a thread and back,
or from task to task, would cost more than reading it.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from trueup.connectors.mcp.transport.inbox import Inbox, Lines
from trueup.connectors.mcp.wire import LARGEST_MESSAGE, nowhere, refusal
from trueup.enforce.request import UnfitRequestError, read_strictly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from trueup.connectors.mcp.wire import Noted

_PORTION = 64 * 1024
# So many messages may wait to be read before no more are taken in.
_AHEAD = 16
# POSIX's least: what a pipe that is ready takes whole, without waiting.
_AT_ONCE = 4096 if not hasattr(select, "PIPE_BUF") else select.PIPE_BUF


@asynccontextmanager
async def strict_stdio(noted: Noted = nowhere) -> AsyncIterator[tuple[Any, Any]]:
    """Serve the protocol over this process's standard input and output; nothing else may write there meanwhile."""
    kept_in, kept_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # What a library prints goes to where people read, and not into the protocol.
    os.dup2(2, 1)
    try:
        async with anyio.create_task_group() as group:
            out = _Answers(kept_out)
            source = _Source(kept_in, _Strictly(out, noted))
            out.gone_with = source.stop
            if not source.tells:
                group.start_soon(source.read_in_a_thread)
            try:
                yield source.inbox, out
            finally:
                source.leave()
                group.cancel_scope.cancel()
    finally:
        os.dup2(kept_in, 0)
        os.dup2(kept_out, 1)
        os.close(kept_out)
        # A thread may still wait for input there; then it must not become the number of another file.
        if _tells(kept_in):
            os.close(kept_in)


def _tells(descriptor: int) -> bool:
    """Tell whether the event loop can say when there is something to read: not of files, which always are ready."""
    kind = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)


class _Answers:
    """Standard output by whole lines: refusals and answers never mix within one."""

    def __init__(self, descriptor: int) -> None:
        self._out = descriptor
        self._lock = anyio.Lock(fast_acquire=True)
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)
        self._tells = _tells(descriptor)
        # Called once nobody listens any more: what still comes in is not read then.
        self.gone_with = _nothing
        self._gone = False

    async def send(self, message: SessionMessage) -> None:
        """Write a message; it is out, or nobody listens, when this returns."""
        await self.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")

    async def write(self, line: bytes) -> None:
        """Write a whole line."""
        if not self._lock.locked() and self._takes(line):
            self._put(line)
        else:
            async with self._lock:
                await anyio.to_thread.run_sync(self._put, line)
        if self._gone:
            self.gone_with()

    async def aclose(self) -> None:
        """Each line is written through, and who opened the output closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _takes(self, data: bytes) -> bool:
        return self._tells and len(data) <= _AT_ONCE and bool(self._ready.poll(0))

    def _put(self, data: bytes) -> None:
        """Write it; once nobody listens any more nothing is said, and what still comes in is not read."""
        try:
            while data and not self._gone:
                data = data[os.write(self._out, data) :]
        except (BrokenPipeError, ConnectionResetError):
            self._gone = True


def _nothing() -> None:
    """Do nothing."""


class _Strictly:
    """Reads lines as messages; what is refused is answered here and is not among them."""

    def __init__(self, out: _Answers, noted: Noted) -> None:
        self._out = out
        self._noted = noted

    async def __call__(self, line: bytes) -> SessionMessage | Exception | None:
        try:
            found = read_strictly(line, LARGEST_MESSAGE)
        except UnfitRequestError as error:
            await anyio.to_thread.run_sync(self._noted, error.reason, line)
            await self._out.write(refusal(line, error) + b"\n")
            return None
        try:
            # What was read is what is acted on: no second reader could take the line for something else.
            return SessionMessage(jsonrpc_message_adapter.validate_python(found, by_name=False))
        except ValueError as error:
            return error


class _Source:
    """Standard input: the event loop is told when there is something; a thread waits where it cannot be told."""

    def __init__(self, descriptor: int, read: _Strictly) -> None:
        self._descriptor = descriptor
        self._lines = Lines(LARGEST_MESSAGE)
        self._loop = asyncio.get_running_loop()
        self._listens = False
        self._wanted = anyio.Event()
        self.tells = _tells(descriptor)
        self.inbox = Inbox(read, self._want)

    def leave(self) -> None:
        """Read nothing any more."""
        if self._listens:
            self._loop.remove_reader(self._descriptor)
            self._listens = False

    def stop(self) -> None:
        """Read nothing any more, nor what was read ahead: nobody would hear what came of it."""
        self.leave()
        self.inbox.drop()

    async def read_in_a_thread(self) -> None:
        """Read to the end, where only a thread can wait for it."""
        data = b"-"
        while data:
            if self.inbox.waiting:
                await self._wanted.wait()
            self._wanted = anyio.Event()
            data = await anyio.to_thread.run_sync(os.read, self._descriptor, _PORTION, abandon_on_cancel=True)
            self._took(data)

    def _want(self) -> None:
        """Listen on: all that came has been read."""
        self._wanted.set()
        if self.tells and not self._listens:
            self._loop.add_reader(self._descriptor, self._heard)
            self._listens = True

    def _heard(self) -> None:
        try:
            data = os.read(self._descriptor, _PORTION)
        except BlockingIOError:
            return
        except OSError:
            # The other side is gone, and said nothing more.
            data = b""
        self._took(data)
        if not data or self.inbox.waiting > _AHEAD:
            self.leave()

    def _took(self, data: bytes) -> None:
        self.inbox.put(self._lines.fed(data) if data else self._lines.rest())
        if not data:
            self.inbox.end()

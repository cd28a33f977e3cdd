"""The protocol over this process's own input and output, read strictly; a thread only where a call could wait.

A pipe tells when it can be read, and when it takes a short line at once. Handing every message to a thread and back
would cost more than reading it.
"""

from __future__ import annotations

import os
import select
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.to_thread
from mcp.server.stdio import stdio_server

from trueup.connectors.mcp.wire import LARGEST_MESSAGE, nowhere, refusal, unfit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trueup.connectors.mcp.wire import Noted

_PORTION = 64 * 1024
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
    out = _Lines(kept_out)
    messages = _Messages(kept_in, out, noted)
    try:
        async with stdio_server(cast("anyio.AsyncFile[str]", messages), cast("anyio.AsyncFile[str]", out)) as streams:
            yield streams
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


class _Lines:
    """Standard output by whole lines: refusals and answers never mix within one."""

    def __init__(self, descriptor: int) -> None:
        self._out = descriptor
        self._lock = anyio.Lock(fast_acquire=True)
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)
        self._tells = _tells(descriptor)
        # Whether nobody listens any more, and what is not waited for then.
        self.gone = False
        self.meanwhile = anyio.CancelScope()

    async def write(self, text: str) -> int:
        data = text.encode()
        async with self._lock:
            if self._takes(data):
                self._put(data)
            else:
                await anyio.to_thread.run_sync(self._put, data)
        if self.gone:
            self.meanwhile.cancel()
        return len(data)

    async def flush(self) -> None:
        """Each line is written through."""

    def _takes(self, data: bytes) -> bool:
        return self._tells and len(data) <= _AT_ONCE and bool(self._ready.poll(0))

    def _put(self, data: bytes) -> None:
        """Write it; once nobody listens any more nothing is said, and what still comes in is not read."""
        try:
            while data and not self.gone:
                data = data[os.write(self._out, data) :]
        except (BrokenPipeError, ConnectionResetError):
            self.gone = True


class _Messages:
    """Standard input by messages; what is refused is answered here and is not among them."""

    def __init__(self, descriptor: int, out: _Lines, noted: Noted) -> None:
        self._source = descriptor
        self._tells = _tells(descriptor)
        self._held = bytearray()
        self._out = out
        self._noted = noted

    def __aiter__(self) -> AsyncIterator[str]:
        return self._read()

    async def _read(self) -> AsyncIterator[str]:
        while line := await self._next():
            if not line.strip():
                continue
            error = unfit(line)
            if error is None:
                yield line.decode("utf-8")
            else:
                await anyio.to_thread.run_sync(self._noted, error.reason, line)
                await self._out.write(refusal(line, error).decode() + "\n")

    async def _next(self) -> bytes:
        """Return the next line; nothing at the end, nor when the other side does not listen any more."""
        with anyio.CancelScope() as self._out.meanwhile:
            return b"" if self._out.gone else await self._line()
        return b""

    async def _line(self) -> bytes:
        """Return the next line; of one that is too long, as much as tells so; nothing at the end."""
        line = bytearray()
        while True:
            end = self._held.find(b"\n") + 1
            part = self._held[: end or None]
            del self._held[: end or None]
            line += part[: max(0, LARGEST_MESSAGE + 2 - len(line))]
            if end:
                return bytes(line)
            more = await self._more()
            if not more:
                return bytes(line)
            self._held += more

    async def _more(self) -> bytes:
        if not self._tells:
            return await anyio.to_thread.run_sync(os.read, self._source, _PORTION, abandon_on_cancel=True)
        while True:
            await anyio.wait_readable(self._source)
            try:
                return os.read(self._source, _PORTION)
            except BlockingIOError:
                continue

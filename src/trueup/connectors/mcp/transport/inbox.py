"""Messages as they come in, for the one task that reads them; the event loop puts them there, and no task between.

The library reads from any stream of messages. A task for each pipe, and a rendezvous with it for each message, cost
several turns of the event loop, where a message is there already.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from mcp.shared.message import SessionMessage

    Item = SessionMessage | Exception

_NEWLINE = b"\n"


class Lines:
    """Bytes as they arrive, cut into lines; of one longer than `longest` as much is kept as tells so."""

    def __init__(self, longest: int | None = None) -> None:
        self._longest = longest
        self._held = bytearray()

    def fed(self, data: bytes) -> list[bytes]:
        """Return the lines that are whole by now, without their ends; empty ones are none."""
        if not self._held and data.find(_NEWLINE) == len(data) - 1:
            return [data[:-1]] if data.strip() else []
        *whole, rest = data.split(_NEWLINE)
        found = []
        for part in whole:
            self._keep(part)
            found.append(bytes(self._held))
            self._held.clear()
        self._keep(rest)
        return [line for line in found if line.strip()]

    def rest(self) -> list[bytes]:
        """Return what came last, and has no end of line."""
        line = bytes(self._held)
        self._held.clear()
        return [line] if line.strip() else []

    def _keep(self, part: bytes) -> None:
        self._held += part if self._longest is None else part[: max(0, self._longest + 1 - len(self._held))]


class Inbox:
    """Lines that came in; `read` makes each of them a message, or none where it has dealt with it.

    `wanted` is called when all that came has been read, and more may come.
    """

    def __init__(self, read: Callable[[bytes], Awaitable[Item | None]], wanted: Callable[[], None]) -> None:
        self._read = read
        self._wanted = wanted
        self._lines: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many lines came that nobody has read yet."""
        return len(self._lines)

    def put(self, lines: list[bytes]) -> None:
        """Take lines that came."""
        if lines and not (self._closed or self._ended):
            self._lines.extend(lines)
            self._wake()

    def end(self) -> None:
        """Say that no more will come; what came is read still."""
        self._ended = True
        self._wake()

    def drop(self) -> None:
        """End at once: what came, and was not read, is not read any more."""
        self._lines.clear()
        self.end()

    async def receive(self) -> Item:
        """Return the next message, or why it is none. Raises EndOfStream, ClosedResourceError."""
        while True:
            message = await self._read(await self._line())
            if message is not None:
                return message

    async def _line(self) -> bytes:
        while not self._lines:
            if self._closed:
                raise anyio.ClosedResourceError
            if self._ended:
                raise anyio.EndOfStream
            self._wanted()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._lines.popleft()

    async def aclose(self) -> None:
        """Read nothing any more."""
        self._closed = True
        self._lines.clear()
        self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""A connection to a tool server is used again also after an answer that came as a stream of events.

The library reads such a stream as far as the answer and lets go of it, which closes the connection: the next call
would have to make another one. A server ends the stream right behind its answer, so its end is waited for.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

# The answer goes its way first; who follows it would wait for this thread's lock meanwhile.
_AFTER_SECONDS = 0.002
# A server that says nothing for so long behind its answer keeps its stream open: then the connection is closed.
_ENDS_SECONDS = 1.0
# What follows an answer is the end; more than this is something else.
_MOST_PARTS = 16


@asynccontextmanager
async def reached(url: str, headers: Mapping[str, str]) -> AsyncIterator[tuple[Any, Any]]:
    """Reach a server over HTTP, with headers that the agent never sees."""
    async with create_mcp_http_client(headers=dict(headers)) as http:
        http.event_hooks = {**http.event_hooks, "response": [*http.event_hooks["response"], _used_again]}
        async with streamable_http_client(url, http_client=http) as streams:
            yield streams


async def _used_again(response: httpx2.Response) -> None:
    """Have the stream of an answer read to its end; a stream that was asked for by itself has none."""
    if response.request.method == "POST" and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _ToItsEnd(response.stream)


class _ToItsEnd(httpx2.AsyncByteStream):
    """A stream that is read to its end when it is let go of, if the end is near."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._parts = aiter(stream)
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._parts)
        except BaseException:
            # At its end, or broken, or not wanted any more: there is nothing to wait for.
            self._ended = True
            raise

    async def aclose(self) -> None:
        try:
            if not self._ended:
                await anyio.sleep(_AFTER_SECONDS)
            with anyio.move_on_after(_ENDS_SECONDS), suppress(StopAsyncIteration, httpx2.HTTPError):
                for _ in range(0 if self._ended else _MOST_PARTS):
                    await anext(self)
        finally:
            await self._stream.aclose()

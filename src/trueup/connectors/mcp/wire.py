"""What comes in is JSON with one meaning, or it does not come in.

Parsers differ over a key that stands twice, over NaN and over numbers beyond 2^53; between two of them an agent could
say one thing to the gate and another to the tool. So every message is read strictly before the protocol's own
reader sees it, and refused with a JSON-RPC error otherwise.
"""

from __future__ import annotations

import hmac
import json
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.to_thread
from mcp.server.stdio import stdio_server

from trueup.enforce.request import UnfitRequestError, read_strictly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
    from typing import BinaryIO

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    # Takes note of what was refused, by its reason; may block, and is called from a thread.
    Noted = Callable[[str, bytes], None]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_MESSAGE = 1024 * 1024
_PARSE_ERROR = -32700


def refusal_of(message: bytes) -> bytes | None:
    """Return the JSON-RPC error for a message that has not one plain meaning; None when it has."""
    unfit = _unfit(message)
    return None if unfit is None else _refusal(message, unfit)


def _unfit(message: bytes) -> UnfitRequestError | None:
    try:
        read_strictly(message, LARGEST_MESSAGE)
    except UnfitRequestError as error:
        return error
    return None


def _refusal(message: bytes, error: UnfitRequestError) -> bytes:
    return _error(_id_of(message), f"{error} ({error.reason})")


def _nowhere(reason: str, content: bytes) -> None:
    del reason, content


def _id_of(message: bytes) -> str | int | None:
    """Return the id to answer to, if one can be made out; it decides nothing."""
    try:
        found = json.loads(message[:LARGEST_MESSAGE])
    except (ValueError, RecursionError):
        return None
    value = found.get("id") if isinstance(found, dict) else None
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _error(message_id: str | int | None, text: str) -> bytes:
    content = {"jsonrpc": "2.0", "id": message_id, "error": {"code": _PARSE_ERROR, "message": text}}
    return json.dumps(content).encode()


@asynccontextmanager
async def strict_stdio(noted: Noted = _nowhere) -> AsyncIterator[tuple[Any, Any]]:
    """Serve the protocol over this process's standard input and output; nothing else may write there meanwhile."""
    source, wire = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    kept_in, kept_out = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    # What a library prints goes to where people read, and not into the protocol.
    os.dup2(2, 1)
    out = _Lines(wire)
    try:
        async with stdio_server(
            cast("anyio.AsyncFile[str]", _Messages(source, out, noted)), cast("anyio.AsyncFile[str]", out)
        ) as streams:
            yield streams
    finally:
        os.dup2(kept_in, 0)
        os.dup2(kept_out, 1)
        os.close(kept_in)
        os.close(kept_out)


class _Lines:
    """Standard output by whole lines: refusals and answers never mix within one."""

    def __init__(self, wire: BinaryIO) -> None:
        self._wire = wire
        self._lock = anyio.Lock()

    async def write(self, text: str) -> int:
        data = text.encode()
        async with self._lock:
            await anyio.to_thread.run_sync(self._put, data)
        return len(data)

    async def flush(self) -> None:
        """Each line is flushed as it is written."""

    def _put(self, data: bytes) -> None:
        self._wire.write(data)
        self._wire.flush()


class _Messages:
    """Standard input by messages; what is refused is answered here and is not among them."""

    def __init__(self, source: BinaryIO, out: _Lines, noted: Noted) -> None:
        self._source = source
        self._out = out
        self._noted = noted

    def __aiter__(self) -> AsyncIterator[str]:
        return self._read()

    async def _read(self) -> AsyncIterator[str]:
        while True:
            line = await anyio.to_thread.run_sync(self._line, abandon_on_cancel=True)
            if not line:
                return
            if not line.strip():
                continue
            unfit = _unfit(line)
            if unfit is None:
                yield line.decode("utf-8")
            else:
                await anyio.to_thread.run_sync(self._noted, unfit.reason, line)
                await self._out.write(_refusal(line, unfit).decode() + "\n")

    def _line(self) -> bytes:
        """Return the next line; of one that is too long, as much as tells so."""
        line = self._source.readline(LARGEST_MESSAGE + 2)
        rest = line
        while len(rest) > LARGEST_MESSAGE and not rest.endswith(b"\n"):
            rest = self._source.readline(LARGEST_MESSAGE + 2)
        return line


def strict_http(app: App, token: str | None = None, noted: Noted = _nowhere) -> App:
    """Put the strict reading, and a bearer token where one is wanted, before an HTTP application (ASGI)."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if token is not None and not _knows(scope, token):
            given = _bearer(scope)
            await anyio.to_thread.run_sync(noted, "token.forged" if given else "token.missing", given or b"")
            await _answer(send, 401, _error(None, "This gateway wants its token: Authorization: Bearer ..."))
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        unfit = _unfit(body) if scope["method"] == "POST" else None
        if unfit is not None:
            await anyio.to_thread.run_sync(noted, unfit.reason, body)
            await _answer(send, 400, _refusal(body, unfit))
            return
        await app(scope, _replayed(body, receive), send)

    return guarded


def _knows(scope: Scope, token: str) -> bool:
    return hmac.compare_digest(_bearer(scope) or b"", f"Bearer {token}".encode())


def _bearer(scope: Scope) -> bytes | None:
    found = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    return bytes(found[0]) if len(found) == 1 else None


async def _body(receive: Receive) -> bytes:
    """Return a request's body; of one that is too long, as much as tells so."""
    parts, size, more = [], 0, True
    while more and size <= LARGEST_MESSAGE:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        more = bool(message.get("more_body", False))
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

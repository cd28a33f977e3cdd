"""What comes in is JSON with one meaning, or it does not come in.

Parsers differ over a key that stands twice, over NaN and over numbers beyond 2^53; between two of them an agent could
say one thing to the gate and another to the tool. So every message is read strictly before the protocol's own
reader sees it, and refused with a JSON-RPC error otherwise.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from trueup.enforce.request import UnfitRequestError, read_strictly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

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
    error = unfit(message)
    return None if error is None else refusal(message, error)


def unfit(message: bytes) -> UnfitRequestError | None:
    """Return why a message has not one plain meaning; None when it has."""
    try:
        read_strictly(message, LARGEST_MESSAGE)
    except UnfitRequestError as error:
        return error
    return None


def refusal(message: bytes, error: UnfitRequestError) -> bytes:
    """Return the JSON-RPC error for a message that does not come in."""
    return _error(_id_of(message), f"{error} ({error.reason})")


def nowhere(reason: str, content: bytes) -> None:
    """Take no note."""
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


def strict_http(app: App, token: str | None = None, noted: Noted = nowhere) -> App:
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
        error = unfit(body) if scope["method"] == "POST" else None
        if error is not None:
            await anyio.to_thread.run_sync(noted, error.reason, body)
            await _answer(send, 400, refusal(body, error))
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

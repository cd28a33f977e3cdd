"""One tool server: started or reached, kept connected, listed and called. Secrets enter here, and are taken out here.

Only an answer of the server tells how a call ended. Whatever else happens after it was sent (no answer in time, a
connection that breaks, an answer that cannot be read) leaves it uncertain.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT
from pydantic import TypeAdapter

from trueup.connectors.mcp.transport.reuse import reached
from trueup.connectors.mcp.watching import watched
from trueup.enforce.gate import UncertainError
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from mcp.client.session import ClientRequestContext
    from mcp.shared.dispatcher import ProgressFnT

    from trueup.kernel.canonical import Json

    Ask = Callable[[types.InputRequests], Awaitable[types.InputResponses]]
    # What hears of a notice, and whose it is; must not block.
    Heard = Callable[["Upstream", Any], None]

_PAGES = 100
_ROUNDS = 10
_PATIENCE_SECONDS = 30.0
# A server that was waited for in vain keeps nobody else waiting as long until it has been there.
_PATIENCE_AFTERWARDS_SECONDS = 0.5
_SHORTEST_SECRET = 4
_RESULT: TypeAdapter[types.InputRequiredResult | types.CallToolResult] = TypeAdapter(
    types.InputRequiredResult | types.CallToolResult
)
_LISTS: dict[str, tuple[Any, Any, str]] = {
    "resources": (types.ListResourcesRequest, types.ListResourcesResult, "resources"),
    "resource_templates": (types.ListResourceTemplatesRequest, types.ListResourceTemplatesResult, "resources"),
    "prompts": (types.ListPromptsRequest, types.ListPromptsResult, "prompts"),
}


class UnreachableError(Exception):
    """The server is not connected; nothing was sent to it."""


class ToolFailedError(Exception):
    """The tool answered that it failed. `result` is its answer."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("the tool answered that it failed")
        self.result = result


@dataclass(frozen=True, slots=True)
class Server:
    """How a tool server is reached: by a command that is started, or by a URL.

    `name` stands before the names of its tools (`name.tool`); empty, they keep theirs. `environment` and `headers`
    have their values already: they are what the agent must never see. `inside` is a server of this very process.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    folder: str | None = None
    inside: Any = None

    def shown(self, tool: str) -> str:
        """Return the name under which a tool of it is declared and shown."""
        return f"{self.name}.{tool}" if self.name else tool


class Upstream:
    """A tool server that is kept connected while `serve` runs."""

    def __init__(self, server: Server, timeout: float, say: Callable[[str], None], heard: Heard | None = None) -> None:
        self.server = server
        self._timeout = timeout
        self._say = say
        self._heard = heard
        self._client: Client | None = None
        self._ready = anyio.Event()
        self._broken = anyio.Event()
        self._asking: list[Ask] = []
        self._in_vain = False
        self.changed = True
        self.followed: set[str] = set()

    @property
    def there(self) -> bool:
        """True while it is connected."""
        return self._client is not None

    async def serve(self) -> None:
        """Connect, and connect again whenever the connection breaks, until cancelled."""
        pause, mode = 0.1, "legacy"
        while True:
            try:
                # The handshake first: with it a server can ask back whatever generation its own code is written for.
                broken = anyio.Event()
                async with Client(self._target(broken), mode=mode, **self._options()) as client:
                    self._client, self._broken, self.changed = client, broken, True
                    self._ready.set()
                    pause = 0.1
                    await self._follow_again(client)
                    await broken.wait()
            except Exception as error:  # noqa: BLE001 -- a server that cannot be reached is told of, and tried again
                self._say(f"{self.server.name or 'the server'} is not reachable: {_plain(error)}")
                mode = "auto" if mode == "legacy" and not self._ready.is_set() else "legacy"
            self._lost()
            await anyio.sleep(pause)
            pause = min(pause * 2, 10.0)

    async def tools(self) -> list[types.Tool]:
        """Return the tools that the server offers now. Raises UnreachableError, MCPError."""
        client = await self._connected()
        found: list[types.Tool] = []
        cursor = None
        for _ in range(_PAGES):
            page = await client.session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                break
        self.changed = False
        return found

    async def call(self, tool: str, arguments: Mapping[str, Json], progress: ProgressFnT, ask: Ask) -> dict[str, Any]:
        """Call a tool with exactly these arguments; return its result as JSON, without our secrets.

        Raises UnreachableError (nothing was sent), ToolFailedError and MCPError (it answered with a failure), and
        UncertainError.
        """
        client = await self._connected()
        self._asking.append(ask)
        try:
            with self._told_apart():
                return await self._answered(client, tool, arguments, progress, ask)
        finally:
            self._asking.remove(ask)

    async def listed(self, what: str) -> list[Any]:
        """Return all `resources`, `resource_templates` or `prompts` that the server offers now, none without any.

        Raises UnreachableError, MCPError.
        """
        client = await self._connected()
        request, result, capability = _LISTS[what]
        if getattr(client.server_capabilities, capability) is None:
            return []
        found: list[Any] = []
        cursor = None
        for _ in range(_PAGES):
            asked = request(params=types.PaginatedRequestParams(cursor=cursor))
            page = await client.session.send_request(asked, result, request_read_timeout_seconds=self._timeout)
            found += getattr(page, what)
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def ask(self, request: types.Request[Any, Any], result: type[types.Result]) -> dict[str, Any]:
        """Send a request that is no call of a tool; return its answer as JSON, without our secrets.

        Raises UnreachableError (nothing was sent), MCPError (it answered with a failure), and UncertainError.
        """
        client = await self._connected()
        with self._told_apart():
            answer = await client.session.send_request(request, result, request_read_timeout_seconds=self._timeout)
            found: dict[str, Any] = self.cleaned(answer.model_dump(mode="json", by_alias=True, exclude_none=True))
            return found

    async def _follow_again(self, client: Client) -> None:
        """Ask a server that was reached again for the news that was asked for before."""
        for uri in sorted(self.followed):
            with suppress(Exception):
                request = types.SubscribeRequest(params=types.SubscribeRequestParams(uri=uri))
                await client.session.send_request(
                    request, types.EmptyResult, request_read_timeout_seconds=self._timeout
                )

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Tell a server's own failure from not knowing what became of what was sent."""
        try:
            yield
        except MCPError as error:
            if error.error.code not in {CONNECTION_CLOSED, REQUEST_TIMEOUT}:
                raise MCPError(error.error.code, self.cleaned(error.error.message)) from None
            raise UncertainError(error.error.message) from None
        except (ToolFailedError, UncertainError):
            raise
        except Exception as error:  # noqa: BLE001 -- sent, and no answer that could be read: nobody knows
            raise UncertainError(_plain(error)) from None

    async def _answered(
        self, client: Client, tool: str, arguments: Mapping[str, Json], progress: ProgressFnT, ask: Ask
    ) -> dict[str, Any]:
        params = types.CallToolRequestParams(name=tool, arguments=dict(arguments))
        for _ in range(_ROUNDS):
            answer = await client.session.send_request(
                types.CallToolRequest(params=params),
                _RESULT,
                request_read_timeout_seconds=self._timeout,
                progress_callback=progress,
            )
            if isinstance(answer, types.CallToolResult):
                result: dict[str, Any] = self.cleaned(answer.model_dump(mode="json", by_alias=True, exclude_none=True))
                if answer.is_error:
                    raise ToolFailedError(result)
                return result
            responses = await ask(answer.input_requests) if answer.input_requests else None
            params = types.CallToolRequestParams(
                name=tool,
                arguments=dict(arguments),
                input_responses=responses,
                request_state=answer.request_state,
            )
        raise UncertainError("the server asked back too often")

    async def _connected(self) -> Client:
        if self._client is not None:
            return self._client
        with anyio.move_on_after(_PATIENCE_AFTERWARDS_SECONDS if self._in_vain else _PATIENCE_SECONDS):
            await self._ready.wait()
        self._in_vain = self._client is None
        if self._client is None:
            raise UnreachableError(f"{self.server.name or 'the server'} is not connected")
        return self._client

    def _lost(self) -> None:
        """From now on calls wait for the next connection; what was sent over this one stays uncertain."""
        self._client = None
        if self._ready.is_set():
            self._ready = anyio.Event()

    def _target(self, broken: anyio.Event) -> Any:
        def ended() -> None:
            if self._broken is broken:
                self._lost()
            broken.set()

        if self.server.inside is not None:
            return self.server.inside
        if self.server.url is not None:
            return watched(reached(self.server.url, self.server.headers), ended)
        command, *arguments = self.server.command
        started = StdioServerParameters(
            command=command, args=arguments, env=dict(self.server.environment), cwd=self.server.folder
        )
        return watched(stdio_client(started), ended)

    def _options(self) -> dict[str, Any]:
        return {"elicitation_callback": self._elicited, "message_handler": self._told, "cache": None}

    async def _told(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed = True
        if self._heard is not None:
            self._heard(self, message)

    async def _elicited(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Pass a question of the server on to the agent whose call it belongs to, if that is beyond doubt."""
        del context
        if len(self._asking) != 1:
            return types.ErrorData(code=types.INVALID_REQUEST, message="It is not certain whose call asks this.")
        try:
            answers = await self._asking[0]({"question": types.ElicitRequest(params=params)})
        except (TrueupError, PermissionError):
            return types.ErrorData(code=types.INVALID_REQUEST, message="The question could not be passed on.")
        answer = answers.get("question")
        if isinstance(answer, types.ElicitResult):
            return answer
        return types.ErrorData(code=types.INVALID_REQUEST, message="The agent cannot be asked.")

    def cleaned(self, value: Any) -> Any:
        """Return a value without the secrets that were given to the server: it may have echoed them."""
        secrets = [secret for secret in self.server.secrets if len(secret) >= _SHORTEST_SECRET]
        return _without(value, secrets) if secrets else value


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[secret]")
        return value
    if isinstance(value, dict):
        return {_without(key, secrets): _without(item, secrets) for key, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


def _plain(error: BaseException) -> str:
    """Return what went wrong, without the nest of groups that concurrency wraps around it."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"{error.filename!r} is not there; is it installed, and on the path?"
    return f"{type(error).__name__}: {error}"[:300]


def silence() -> None:
    """Keep the client's line for every request out of people's terminals."""
    for name in ("httpx", "httpx2", "mcp"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

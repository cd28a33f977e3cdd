"""An MCP server that shows other servers' tools, and lets no call through but by the gate."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from mcp import types
from mcp.server import NotificationOptions
from mcp.server import Server as McpServer
from mcp.shared.exceptions import MCPError

from trueup.connectors.mcp import answers
from trueup.connectors.mcp.asking import Conversation
from trueup.connectors.mcp.edge import Edge
from trueup.connectors.mcp.naming import is_reading
from trueup.connectors.mcp.notices import Notices
from trueup.connectors.mcp.passage import Governed, Passage, Terms
from trueup.connectors.mcp.readings import Readings
from trueup.connectors.mcp.upstream import ToolFailedError, UnreachableError, Upstream
from trueup.enforce.request import Request, UnfitRequestError, normalised
from trueup.kernel.canonical import digest
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from mcp.server.context import CallNext, ServerRequestContext

    from trueup.connectors.mcp.asking import Answer
    from trueup.connectors.mcp.upstream import Server
    from trueup.kernel.canonical import Json

__all__ = ["Gateway", "Terms", "digest_of"]

# No digest looks like this, so it is never the pinned one.
_UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool as it is shown, where it comes from, and the digest of its definition."""

    upstream: Upstream
    name: str
    shown: types.Tool
    definition: str | None


class Gateway:
    """The tools of several servers, behind one gate. `say` gets what an operator should read."""

    def __init__(self, governed: Governed, servers: list[Server], terms: Terms, say: Callable[[str], None]) -> None:
        self._governed = governed
        self._terms = terms
        self._say = say
        self._edge = Edge(governed.masking)
        self.passage = Passage(governed, terms, self._edge)
        self._notices = Notices()
        self._upstreams = [Upstream(server, terms.timeout, say, self._notices.heard) for server in servers]
        self._readings = Readings(governed, self.passage, self._edge, self._upstreams, self._notices, say)
        self._tools: dict[str, _Tool] = {}
        self._missing: frozenset[str] = frozenset()
        self._looking = anyio.Lock()
        self._parked: dict[str, Conversation] = {}
        self._group: anyio.abc.TaskGroup | None = None
        self.server: McpServer[Any] = _Server(
            "trueup-gateway",
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            get_tool_input_schema=self._schema,
        )
        self.server.middleware.append(self._met)
        self._readings.serve(self.server)

    def noted(self, reason: str, content: bytes) -> None:
        """Have it put on record that something was turned away before the gate; may block, never raises."""
        self._governed.refused(reason, content)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[McpServer[Any]]:
        """Keep the servers connected while the body runs; yield the server to put before the agent."""
        async with anyio.create_task_group() as group:
            self._group = group
            for upstream in self._upstreams:
                group.start_soon(upstream.serve)
            group.start_soon(self._notices.work, self._passed)
            try:
                yield self.server
            finally:
                group.cancel_scope.cancel()

    async def _met(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> Any:
        """See every message on its way: who asks may be told something later."""
        self._notices.meet(ctx)
        return await call_next(ctx)

    async def _passed(self, upstream: Upstream, message: Any) -> None:
        """Pass a server's notice on. A changed tool is held against its pin before any agent hears of it."""
        if isinstance(message, types.ToolListChangedNotification):
            await self._look()
            await self._notices.tools()
        else:
            await self._readings.passed(upstream, message)

    async def _list_tools(self, context: Any, params: Any) -> types.ListToolsResult:
        del context, params
        await self._look()
        allowed = await anyio.to_thread.run_sync(self._governed.tools)
        shown = [await self._shown(name, tool) for name, tool in self._tools.items() if name in allowed]
        return types.ListToolsResult(tools=[tool for tool in shown if tool is not None])

    def _schema(self, name: str) -> Mapping[str, Any] | None:
        """Return a tool's arguments as they were last listed: else the library lists all tools before each call."""
        tool = self._tools.get(name)
        return tool.shown.input_schema if tool else None

    async def _shown(self, name: str, tool: _Tool) -> types.Tool | None:
        """Return a tool as the agent may see it; None for one that is not described as it is pinned."""
        if tool.definition is None:
            return None
        if not await anyio.to_thread.run_sync(self._governed.is_pinned, name, tool.definition):
            return None
        try:
            return await anyio.to_thread.run_sync(self._edge.tool, tool.shown)
        except TrueupError as error:
            self._say(f"{name!r} is not shown, because its description cannot be masked: {error.message}")
            return None

    async def _look(self) -> None:
        """Ask every server for its tools, and have their definitions taken note of; one after the other."""
        async with self._looking:
            self._tools = await self._found()
            await self._tell_of_missing()

    async def _tell_of_missing(self) -> None:
        """Say once which declared tools no server offers: a name written otherwise shows nothing, and is denied."""
        if not all(upstream.there for upstream in self._upstreams):
            return
        declared = await anyio.to_thread.run_sync(self._governed.tools)
        missing = frozenset(name for name in declared if name not in self._tools and not is_reading(name))
        if missing - self._missing:
            self._say(
                f"declared, and offered by no server: {', '.join(sorted(missing))}. What is: trueup tools draft DIR"
            )
        self._missing = missing

    async def _outdated(self, name: str) -> bool:
        """Tell whether a call waits for a look: for news of servers that are there, or for the tool's own server."""
        if any(upstream.changed and upstream.there for upstream in self._upstreams):
            return True
        return name not in self._tools and name in await anyio.to_thread.run_sync(self._governed.tools)

    async def _found(self) -> dict[str, _Tool]:
        found: dict[str, _Tool] = {}
        for upstream in self._upstreams:
            try:
                tools = await upstream.tools()
            except (UnreachableError, MCPError) as error:
                self._say(f"{upstream.server.name or 'the server'} does not list its tools: {error}")
                continue
            for tool in tools:
                name = upstream.server.shown(tool.name)
                definition = await self._offered(name, tool)
                # A name that two servers use is nobody's: which one was meant cannot be said.
                twice = name in found
                found[name] = _Tool(upstream, tool.name, tool.model_copy(update={"name": name}), definition)
                if twice:
                    self._say(f"two tools are called {name!r}; neither is shown. Give the servers names.")
                    found[name] = replace(found[name], definition=_UNPINNED)
        return found

    async def _offered(self, name: str, tool: types.Tool) -> str | None:
        if name not in await anyio.to_thread.run_sync(self._governed.tools):
            return None
        definition = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            found = await anyio.to_thread.run_sync(self._governed.offer, name, definition)
        except (ValueError, RecursionError, TrueupError) as error:
            self._say(f"{name!r} cannot be pinned, and is not shown: {error}")
            return _UNPINNED
        if not await anyio.to_thread.run_sync(self._governed.is_pinned, name, found):
            self._say(f"{name!r} is not described as it was pinned, and is denied: trueup tools list DIR WORKFLOW")
        return found

    async def _call_tool(self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams) -> Answer:
        if params.request_state is not None:
            return await self._go_on(context, params)
        conversation = Conversation(context, partial(digest_of, params), self._edge)
        work = partial(self._masked_call, params, conversation)
        if not conversation.may_ask:
            return await work()
        assert self._group is not None
        self._group.start_soon(conversation.drive, work)
        return await self._told(conversation)

    async def _masked_call(
        self, params: types.CallToolRequestParams, conversation: Conversation
    ) -> types.CallToolResult:
        """Take one call through the gate, and let nothing of its answer out unmasked."""
        try:
            result = await self._governed_call(params, conversation)
        except MCPError as error:
            raise await anyio.to_thread.run_sync(self._edge.error, error) from None
        result = await anyio.to_thread.run_sync(self._kept, result) if self._terms.trail is not None else result
        if not self._edge.masks():
            return result
        return await anyio.to_thread.run_sync(self._edge.result, result)

    def _kept(self, result: types.CallToolResult) -> types.CallToolResult:
        """Put on record where the answer comes from, before the agent reads it; where that fails it is withheld."""
        try:
            if self._terms.trail is not None:
                self._terms.trail.keep()
        except TrueupError as error:
            return answers.unkept(error)
        return result

    async def _go_on(self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams) -> Answer:
        """Bring a parked call the answers that it waits for. The call has to be the same, to the letter."""
        parked = self._parked.get(params.request_state or "")
        if parked is None or parked.call() != digest_of(params):
            return answers.told("Denied: no call waits for this answer. Nothing was done.", verdict="deny")
        del self._parked[params.request_state or ""]
        try:
            given = await anyio.to_thread.run_sync(self._edge.reply, params.input_responses or {})
        except TrueupError as error:
            await self.passage.turned_away(error, digest_of(params))
            self._parked[params.request_state or ""] = parked
            return answers.told(f"Denied: {error.message}", verdict="deny", decisive=error.code)
        parked.go_on(context, given)
        return await self._told(parked)

    async def _told(self, conversation: Conversation) -> Answer:
        token = self._terms.tokens()
        answer = await conversation.next(token)
        self._parked = {name: call for name, call in self._parked.items() if not call.ended}
        if isinstance(answer, types.InputRequiredResult):
            self._parked[token] = conversation
        return answer

    async def _governed_call(
        self, params: types.CallToolRequestParams, conversation: Conversation
    ) -> types.CallToolResult:
        """Take one call through the gate. Whatever goes wrong before the tool is reached, it is not reached."""
        if await self._outdated(params.name):
            await self._look()
        tool = self._tools.get(params.name)
        found = await self.passage.take(
            partial(self._request, params, tool), partial(self._run, tool, conversation), partial(digest_of, params)
        )
        return (
            found
            if isinstance(found, types.CallToolResult)
            else types.CallToolResult.model_validate(found, by_name=False)
        )

    def _request(self, params: types.CallToolRequestParams, tool: _Tool | None) -> Request:
        return self.passage.request(params.name, params.arguments or {}, tool.definition if tool else None, params.meta)

    async def _run(self, tool: _Tool | None, conversation: Conversation, arguments: Mapping[str, Json]) -> Any:
        if tool is None:
            raise UnreachableError("no server offers this tool")
        try:
            result = await tool.upstream.call(tool.name, arguments, conversation.progress, conversation.ask)
        except ToolFailedError as error:
            self.passage.heard(tool.shown.name, arguments, _said(error.result))
            raise
        self.passage.heard(tool.shown.name, arguments, _said(result))
        return result


class _Server(McpServer[Any]):
    """A server that says from the start that its lists may change: those behind it may."""

    def create_initialization_options(self, *arguments: Any, **options: Any) -> Any:
        told = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
        return super().create_initialization_options(*(arguments or (told,)), **options)


def digest_of(params: types.CallToolRequestParams) -> str:
    """Return what makes two messages the same call; of one without a canonical form, nothing does."""
    try:
        return normalised(Request(params.name, params.arguments or {})).digest
    except UnfitRequestError:
        return digest("unfit")


def _said(result: Mapping[str, Any]) -> list[Json]:
    """Return what an agent will read of a result: its object, and every text; pictures and sound are not read."""
    found = [
        content.get("text") or (content.get("resource") or {}).get("text") for content in result.get("content") or []
    ]
    return [one for one in (result.get("structuredContent"), *found) if one is not None]

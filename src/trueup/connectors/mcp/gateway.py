"""An MCP server that shows other servers' tools, and lets no call through but by the gate."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio
from mcp import types
from mcp.server import Server as McpServer
from mcp.shared.exceptions import MCPError

from trueup.connectors.mcp import answers
from trueup.connectors.mcp.asking import Conversation
from trueup.connectors.mcp.edge import Edge
from trueup.connectors.mcp.upstream import ToolFailedError, UnreachableError, Upstream
from trueup.enforce.gate import UncertainError
from trueup.enforce.masking.finder import MaskingError
from trueup.enforce.request import Request, UnfitRequestError, normalised
from trueup.enforce.steps import State
from trueup.kernel.canonical import digest
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from mcp.server.context import ServerRequestContext

    from trueup.connectors.mcp.asking import Answer
    from trueup.connectors.mcp.upstream import Server
    from trueup.enforce.approvals import Approval
    from trueup.enforce.gate import Outcome, RunAsync
    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.standing.repeats import Turn
    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.kernel.canonical import Json

_LOOK_SECONDS = 0.5
# No digest looks like this, so it is never the pinned one.
_UNPINNED = "unpinned"


class Taken(Protocol):
    """What became of a call: which step it is and, where it was taken through the gate now, its outcome or error."""

    @property
    def turn(self) -> Turn:
        """Which step it is."""
        ...

    @property
    def outcome(self) -> Outcome | None:
        """What the gate answered; None where the step waits or nobody knows."""
        ...

    @property
    def error(self) -> Exception | None:
        """What it raised."""
        ...


class Governed(Protocol):
    """The gate of one workflow, as a door needs it. All of it may block, and is asked from a thread."""

    def tools(self) -> frozenset[str]:
        """Return the tools that may be shown: declared, and described as they are pinned."""
        ...

    def offer(self, tool: str, definition: Mapping[str, Json]) -> str:
        """Take note of a tool's definition; return its digest. Raises ValueError where it has none."""
        ...

    def is_pinned(self, tool: str, definition: str) -> bool:
        """Tell whether a definition is the pinned one."""
        ...

    def masking(self) -> Masking | None:
        """Return what masks for the workflow; None where nothing does."""
        ...

    def approval(self, approval: str) -> Approval:
        """Return an approval as it stands."""
        ...

    def refused(self, reason: str, content: bytes) -> None:
        """Take note of what was turned away before the gate; never raises."""
        ...

    async def take_async(self, prepare: Callable[[], Request], run: RunAsync) -> Taken:
        """Find out which step a call is, and take a new one through the gate."""
        ...

    async def resume_async(self, approval: str, run: RunAsync) -> Outcome:
        """As `Gate.resume_async`."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose behalf the agent calls, and what happens to a request before and around the gate.

    `wait` is how long a held call waits for a person before it is answered; `tokens` makes a name that nobody guesses.
    `trail` follows where arguments come from, when the person's request is known: without it nothing is vouched for.
    """

    tokens: Callable[[], str]
    case: str | None = None
    requester: str | None = None
    wait: float = 0.0
    timeout: float = 60.0
    trail: Provenance | None = None


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
        self._upstreams = [Upstream(server, terms.timeout, say) for server in servers]
        self._tools: dict[str, _Tool] = {}
        self._parked: dict[str, Conversation] = {}
        self._group: anyio.abc.TaskGroup | None = None
        self.server: McpServer[Any] = McpServer(
            "trueup-gateway", on_list_tools=self._list_tools, on_call_tool=self._call_tool
        )

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
            try:
                yield self.server
            finally:
                group.cancel_scope.cancel()

    async def _list_tools(self, context: Any, params: Any) -> types.ListToolsResult:
        del context, params
        await self._look()
        allowed = await anyio.to_thread.run_sync(self._governed.tools)
        shown = [await self._shown(name, tool) for name, tool in self._tools.items() if name in allowed]
        return types.ListToolsResult(tools=[tool for tool in shown if tool is not None])

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
        """Ask every server for its tools, and have their definitions taken note of."""
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
        self._tools = found

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
            self._say(f"{name!r} is described otherwise than it was pinned, and is denied: trueup tools list DIR")
        return found

    async def _call_tool(self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams) -> Answer:
        if params.request_state is not None:
            return await self._go_on(context, params)
        conversation = Conversation(context, partial(digest_of, params), self._edge)
        work = partial(self._masked_call, params, conversation)
        if not conversation.stateless:
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
            await self._turned_away(error, params)
            self._parked[params.request_state or ""] = parked
            return answers.told(f"Denied: {error.message}", verdict="deny", decisive=error.code)
        parked.go_on(context, given)
        return await self._told(parked)

    async def _turned_away(self, error: TrueupError, params: types.CallToolRequestParams) -> None:
        """Put on record that a token was sent which nobody was ever given: it did not get as far as the gate."""
        if isinstance(error, MaskingError):
            await anyio.to_thread.run_sync(self.noted, f"mask.{error.code}", digest_of(params).encode())

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
        if not self._tools or any(upstream.changed for upstream in self._upstreams):
            await self._look()
        tool = self._tools.get(params.name)
        run = partial(self._run, tool, conversation)
        try:
            taken = await self._governed.take_async(partial(self._request, params, tool), run)
        except TrueupError as error:
            await self._turned_away(error, params)
            return _refused(error)
        except Exception as error:  # noqa: BLE001 -- what cannot even be asked for is denied
            return answers.told(f"Denied: the gateway failed ({type(error).__name__}).", verdict="deny")
        try:
            return await self._stepped(taken, run)
        except ToolFailedError as error:
            return types.CallToolResult.model_validate(error.result, by_name=False)
        except UnreachableError as error:
            return answers.failed(taken.turn.step, str(error))
        except UncertainError as error:
            return answers.unknown(taken.turn.step, str(error))
        except TrueupError as error:
            return _refused(error)

    def _request(self, params: types.CallToolRequestParams, tool: _Tool | None) -> Request:
        """Return the request as it is judged: tokens are values again before there is a canonical form."""
        request = Request(
            params.name,
            params.arguments or {},
            case=self._terms.case,
            requester=self._terms.requester,
            definition=tool.definition if tool else None,
            **answers.brought(params.meta),
        )
        return replace(self._edge.restored(request), provenance=self._terms.trail)

    async def _stepped(self, taken: Taken, run: RunAsync) -> types.CallToolResult:
        turn = taken.turn
        if taken.error is not None:
            raise taken.error
        if taken.outcome is not None:
            return _result(taken.outcome, turn.step)
        if turn.state is State.DENIED and turn.approval is not None:
            return answers.rejected(turn.approval)
        if turn.approval is None:
            return answers.unknown(turn.step, "an earlier call with the same arguments")
        return await self._waited(turn.approval, run, turn.step)

    async def _waited(self, approval: Approval, run: RunAsync, step: str) -> types.CallToolResult:
        """Wait as long as agreed for a person's answer; then run it, or say what it is waiting for."""
        with anyio.move_on_after(self._terms.wait):
            while approval.state in {"open", "escalated"}:
                await anyio.sleep(_LOOK_SECONDS)
                approval = await anyio.to_thread.run_sync(self._governed.approval, approval.id)
        if approval.state in {"open", "escalated"}:
            return answers.held(approval)
        if approval.state == "rejected":
            return answers.rejected(approval)
        return _result(await self._governed.resume_async(approval.id, partial(self._accepted, run)), step)

    async def _accepted(self, run: RunAsync, arguments: Mapping[str, Json]) -> Any:
        """Run what a person has accepted; what they have seen they vouch for."""
        if self._terms.trail is not None:
            self._terms.trail.accept(arguments)
        return await run(arguments)

    async def _run(self, tool: _Tool | None, conversation: Conversation, arguments: Mapping[str, Json]) -> Any:
        if tool is None:
            raise UnreachableError("no server offers this tool")
        try:
            result = await tool.upstream.call(tool.name, arguments, conversation.progress, conversation.ask)
        except ToolFailedError as error:
            self._heard(tool, arguments, error.result)
            raise
        self._heard(tool, arguments, result)
        return result

    def _heard(self, tool: _Tool, arguments: Mapping[str, Json], result: Mapping[str, Any]) -> None:
        """Take note of what the agent is about to read."""
        if self._terms.trail is not None:
            for content in _said(result):
                self._terms.trail.returned(tool.shown.name, arguments, content)


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


def _refused(error: TrueupError) -> types.CallToolResult:
    return answers.told(f"Denied: {error.message} Nothing was done.", verdict="deny", decisive=error.code)


def _result(outcome: Outcome, step: str) -> types.CallToolResult:
    if outcome.state is State.DONE and outcome.result is not None:
        return types.CallToolResult.model_validate(outcome.result, by_name=False)
    return answers.ended(outcome, step)

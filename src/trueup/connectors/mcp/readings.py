"""Resources, prompts and completions of the servers: what is read passes the same gate as what is called.

What is not declared is not listed, and asking for it is denied. What a pattern covers and the server itself lists may
be read; an address that the agent makes up carries something out, so its action has to declare `egress`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from mcp import types
from mcp.shared.exceptions import MCPError

from trueup.connectors.mcp import answers
from trueup.connectors.mcp.naming import COMPLETION, PROMPT, RESOURCE, declared_for, is_pattern, pattern_of
from trueup.connectors.mcp.upstream import UnreachableError
from trueup.enforce.rules import acts
from trueup.kernel.canonical import canonical, digest
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mcp.server import Server as McpServer
    from mcp.server.context import ServerRequestContext

    from trueup.connectors.mcp.edge import Edge
    from trueup.connectors.mcp.notices import Notices
    from trueup.connectors.mcp.passage import Governed, Passage
    from trueup.connectors.mcp.upstream import Upstream
    from trueup.kernel.canonical import Json

    Context = ServerRequestContext[Any, Any]
    Run = Callable[[Upstream, Mapping[str, Json]], Awaitable[dict[str, Any]]]

# The code of a JSON-RPC error that says a verdict; `data["trueup/answer"]` says which.
DENIED = -32010
_UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is asked for: the tool it is judged as, its name there, whose it is, and its definition."""

    tool: str
    name: str
    upstream: Upstream | None
    definition: str | None = None


class Readings:
    """What servers offer beside tools, behind one gate."""

    def __init__(
        self,
        governed: Governed,
        passage: Passage,
        edge: Edge,
        upstreams: list[Upstream],
        notices: Notices,
        say: Callable[[str], None],
    ) -> None:
        self._governed = governed
        self._passage = passage
        self._edge = edge
        self._upstreams = upstreams
        self._notices = notices
        self._say = say
        self._listed: dict[str, dict[str, Any]] = {}

    def serve(self, server: McpServer[Any]) -> None:
        """Answer for resources, prompts and completions on a server."""
        serves: tuple[tuple[str, Any, Any], ...] = (
            ("resources/list", types.PaginatedRequestParams, self._resources),
            ("resources/templates/list", types.PaginatedRequestParams, self._templates),
            ("resources/read", types.ReadResourceRequestParams, self._read),
            ("resources/subscribe", types.SubscribeRequestParams, self._subscribe),
            ("resources/unsubscribe", types.UnsubscribeRequestParams, self._unsubscribe),
            ("subscriptions/listen", types.SubscriptionsListenRequestParams, self._listen),
            ("prompts/list", types.PaginatedRequestParams, self._prompts),
            ("prompts/get", types.GetPromptRequestParams, self._prompt),
            ("completion/complete", types.CompleteRequestParams, self._complete),
            ("logging/setLevel", types.SetLevelRequestParams, self._level),
        )
        for method, params, handler in serves:
            server.add_request_handler(method, params, handler)

    async def passed(self, upstream: Upstream, message: Any) -> None:
        """Pass a notice of a server on, as far as agents may know of it."""
        if isinstance(message, types.ResourceListChangedNotification):
            self._listed.pop(f"{upstream.server.name}/resources", None)
            await self._notices.resources()
        elif isinstance(message, types.PromptListChangedNotification):
            self._listed.pop(f"{upstream.server.name}/prompts", None)
            await self._notices.prompts()
        elif isinstance(message, types.ResourceUpdatedNotification) and message.params.uri in upstream.followed:
            shown = await anyio.to_thread.run_sync(self._edge.notice, message.params.uri)
            await self._notices.updated(message.params.uri, str(shown))
        elif isinstance(message, types.LoggingMessageNotification):
            await self._log(upstream, message.params)

    async def _log(self, upstream: Upstream, params: types.LoggingMessageNotificationParams) -> None:
        said = await anyio.to_thread.run_sync(self._edge.notice, upstream.cleaned(params.data))
        if said is not None:
            self._passage.heard(upstream.server.shown("log"), {}, [said])
            name = upstream.server.name or None
            await self._notices.logged(
                types.LoggingMessageNotificationParams(level=params.level, logger=name, data=said)
            )

    # Lists.

    async def _resources(self, context: Context, params: Any) -> types.ListResourcesResult:
        del context, params
        self._listed.clear()
        return types.ListResourcesResult(resources=await self._shown("resources", RESOURCE, lambda item: item.uri))

    async def _templates(self, context: Context, params: Any) -> types.ListResourceTemplatesResult:
        del context, params
        found = await self._shown("resource_templates", RESOURCE, lambda item: pattern_of(item.uri_template))
        return types.ListResourceTemplatesResult(resource_templates=found)

    async def _prompts(self, context: Context, params: Any) -> types.ListPromptsResult:
        del context, params
        self._listed.clear()
        return types.ListPromptsResult(prompts=await self._shown("prompts", PROMPT, lambda item: item.name))

    async def _shown(self, what: str, kind: str, name_of: Callable[[Any], str]) -> list[Any]:
        """Return what all servers offer of one kind and is declared, as it may be shown."""
        allowed = await anyio.to_thread.run_sync(self._governed.tools)
        found = []
        for upstream in self._upstreams:
            for item in (await self._offers(upstream, what)).values():
                tool = declared_for(allowed, upstream.server.shown(kind + name_of(item)))
                if tool is None or (await self._definition(tool, item)) == _UNPINNED:
                    continue
                name = {"name": upstream.server.shown(item.name)} if kind == PROMPT else {}
                found.append(await self._masked(item.model_copy(update=name)))
        return [item for item in found if item is not None]

    async def _masked(self, item: Any) -> Any:
        try:
            return await anyio.to_thread.run_sync(self._edge.described, item)
        except TrueupError as error:
            self._say(f"{item.name!r} is not shown, because its description cannot be masked: {error.message}")
            return None

    async def _offers(self, upstream: Upstream, what: str) -> dict[str, Any]:
        """Return what a server offers of one kind, by the name it is asked for under; asked for once, until told."""
        key = f"{upstream.server.name}/{what}"
        if key not in self._listed:
            try:
                offered = await upstream.listed(what)
            except (UnreachableError, MCPError) as error:
                self._say(f"{upstream.server.name or 'the server'} does not list its {what}: {error}")
                return {}
            self._listed[key] = {str(getattr(item, "uri", None) or item.name): item for item in offered}
        return self._listed[key]

    async def _definition(self, tool: str, item: Any) -> str | None:
        """Have the description of something that is declared by its name pinned; of what a pattern covers, none is."""
        if is_pattern(tool):
            return None
        said = {"name", "title", "description", "mimeType", "uri", "uriTemplate", "arguments"}
        described = {
            k: v for k, v in item.model_dump(mode="json", by_alias=True, exclude_none=True).items() if k in said
        }
        try:
            found = await anyio.to_thread.run_sync(self._governed.offer, tool, described)
        except (ValueError, RecursionError, TrueupError) as error:
            self._say(f"{tool!r} cannot be pinned, and is not shown: {error}")
            return _UNPINNED
        if not await anyio.to_thread.run_sync(self._governed.is_pinned, tool, found):
            self._say(f"{tool!r} is not described as it was pinned, and is denied: trueup tools list DIR WORKFLOW")
            return _UNPINNED
        return found

    # Places.

    async def _place(self, kind: str, what: str | None, name: str) -> _Place:
        """Find out whose something is; what nobody may ask for is a place of nobody, and the gate denies it.

        `what` is the list in which a server names what may be read by a pattern; None where it lists nothing.
        """
        allowed = await anyio.to_thread.run_sync(self._governed.tools)
        found = []
        for upstream in self._upstreams:
            inner = name if kind == RESOURCE else _within(upstream, name)
            tool = None if inner is None else declared_for(allowed, upstream.server.shown(kind + inner))
            if inner is None or tool is None:
                continue
            item = None if what is None else (await self._offers(upstream, what)).get(inner)
            carries = item is None and is_pattern(tool)
            if carries and not await anyio.to_thread.run_sync(self._carries, tool):
                continue
            definition = None if item is None else await self._definition(tool, item)
            found.append(_Place(tool, inner, upstream, definition))
        if len(found) > 1:
            self._say(f"two servers may be asked for {name!r}; neither is. Declare it of one of them.")
        return found[0] if len(found) == 1 else _Place(kind + name, name, None)

    def _carries(self, tool: str) -> bool:
        """Tell whether the action of a tool declares that what is asked may carry something out."""
        actions = self._governed.policy_in_force().actions.values()
        return any(acts(action) for action in actions if action.tool == tool)

    async def _through(
        self, place: _Place, arguments: Mapping[str, Json], run: Run, meta: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Take one request through the gate; return what was read, masked. Raises MCPError with the verdict."""

        async def asked(final: Mapping[str, Json]) -> dict[str, Any]:
            if place.upstream is None:
                raise UnreachableError("no server offers it")
            result = await run(place.upstream, final)
            self._passage.heard(place.upstream.server.shown(place.name), final, _texts(result))
            return result

        prepare = partial(self._passage.request, place.tool, arguments, place.definition, meta)
        try:
            found = await self._passage.take(prepare, asked, partial(_mark, place.tool, arguments))
            if not isinstance(found, types.CallToolResult):
                await anyio.to_thread.run_sync(self._passage.keep)
                return await anyio.to_thread.run_sync(self._edge.contents, found)
        except MCPError as error:
            raise await anyio.to_thread.run_sync(self._edge.error, error) from None
        except TrueupError as error:
            raise _denied(answers.unkept(error)) from None
        raise _denied(await anyio.to_thread.run_sync(self._edge.result, found))

    async def _uri(self, uri: str) -> str:
        try:
            return await anyio.to_thread.run_sync(self._edge.value, uri)
        except TrueupError as error:
            await self._passage.turned_away(error, digest(uri))
            raise _denied(answers.told(f"Denied: {error.message}", verdict="deny", decisive=error.code)) from None

    async def _within_declared(self, place: _Place, uri: str) -> str:
        """Return an address that is about to be asked for: a person may edit it, but not beyond what is declared."""
        assert place.upstream is not None
        name = place.upstream.server.shown(RESOURCE + uri)
        if declared_for([place.tool], name) is None:
            raise UnreachableError(f"{uri!r} is not within what {place.tool!r} declares")
        return uri

    # What is asked for.

    async def _read(self, context: Context, params: types.ReadResourceRequestParams) -> dict[str, Any]:
        del context
        uri = await self._uri(params.uri)
        place = await self._place(RESOURCE, "resources", uri)

        async def run(upstream: Upstream, final: Mapping[str, Json]) -> dict[str, Any]:
            wanted = types.ReadResourceRequestParams(uri=await self._within_declared(place, str(final["uri"])))
            return await upstream.ask(types.ReadResourceRequest(params=wanted), types.ReadResourceResult)

        return await self._through(place, {"uri": uri}, run, params.meta)

    async def _subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        uri = await self._uri(params.uri)
        await self._followed(uri, params.meta)
        self._notices.follow(context, uri)
        return types.EmptyResult()

    async def _followed(self, uri: str, meta: Mapping[str, Any] | None) -> None:
        """Ask a server for the news of a resource, through the gate."""
        place = await self._place(RESOURCE, "resources", uri)

        async def run(upstream: Upstream, final: Mapping[str, Json]) -> dict[str, Any]:
            wanted = types.SubscribeRequestParams(uri=await self._within_declared(place, str(final["uri"])))
            done = await upstream.ask(types.SubscribeRequest(params=wanted), types.EmptyResult)
            upstream.followed.add(wanted.uri)
            return done

        await self._through(place, {"uri": uri, "subscribe": True}, run, meta)

    async def _unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        uri = await self._uri(params.uri)
        if self._notices.unfollow(context, uri):
            for upstream in self._upstreams:
                if uri in upstream.followed:
                    upstream.followed.discard(uri)
                    gone = types.UnsubscribeRequest(params=types.UnsubscribeRequestParams(uri=uri))
                    await upstream.ask(gone, types.EmptyResult)
        return types.EmptyResult()

    async def _listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve the newer generation's stream of news; of the resources in it, those that may be followed."""
        wanted = params.notifications
        allowed = []
        for shown in wanted.resource_subscriptions or []:
            try:
                await self._followed(await self._uri(shown), params.meta)
            except MCPError as error:
                self._say(f"{shown!r} is not followed: {error.error.message}")
            else:
                allowed.append(shown)
        kept = wanted.model_copy(update={"resource_subscriptions": allowed})
        return await self._notices.listen(context, params.model_copy(update={"notifications": kept}))

    async def _prompt(self, context: Context, params: types.GetPromptRequestParams) -> dict[str, Any]:
        del context
        place = await self._place(PROMPT, "prompts", params.name)

        async def run(upstream: Upstream, final: Mapping[str, Json]) -> dict[str, Any]:
            texts = {key: str(value) for key, value in final.items()}
            wanted = types.GetPromptRequestParams(name=place.name, arguments=texts)
            return await upstream.ask(types.GetPromptRequest(params=wanted), types.GetPromptResult)

        return await self._through(place, dict(params.arguments or {}), run, params.meta)

    async def _complete(self, context: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        """Complete what the agent types: its text goes to the server, so that this is declared on its own."""
        del context
        key, name = (
            ("name", params.ref.name) if isinstance(params.ref, types.PromptReference) else ("uri", params.ref.uri)
        )
        place = await self._place(COMPLETION, None, name)
        known = dict((params.context.arguments if params.context else None) or {})

        async def run(upstream: Upstream, final: Mapping[str, Json]) -> dict[str, Any]:
            told = {
                "ref": {"type": params.ref.type, key: place.name},
                "argument": final["argument"],
            }
            told |= {"context": {"arguments": final["known"]}} if final["known"] else {}
            request = types.CompleteRequest(params=types.CompleteRequestParams.model_validate(told))
            return await upstream.ask(request, types.CompleteResult)

        argument: dict[str, Json] = {"name": params.argument.name, "value": params.argument.value}
        return await self._through(place, {"argument": argument, "known": known}, run, params.meta)

    async def _level(self, context: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        self._notices.level(context, params.level)
        return types.EmptyResult()


def _within(upstream: Upstream, name: str) -> str | None:
    """Return the name that a server has for what agents know with its own name before it."""
    own = upstream.server.shown("")
    return name.removeprefix(own) if name.startswith(own) and name != own else None


def _denied(result: types.CallToolResult) -> MCPError:
    """Return our answer as an error: what is read has no form for a no."""
    text = " ".join(block.text for block in result.content if isinstance(block, types.TextContent))
    return MCPError(DENIED, text, {answers.ANSWER: (result.meta or {}).get(answers.ANSWER, {})})


def _texts(result: Mapping[str, Any]) -> list[Json]:
    """Return the texts of what was read, as an agent will read them."""
    found = [one.get("text") for one in result.get("contents") or []]
    blocks = [message.get("content") or {} for message in result.get("messages") or []]
    found += [block.get("text") or (block.get("resource") or {}).get("text") for block in blocks]
    return [one for one in (result.get("description"), *found) if one is not None] + (
        list((result.get("completion") or {}).get("values") or [])
    )


def _mark(tool: str, arguments: Mapping[str, Json]) -> str:
    try:
        return digest(canonical([tool, dict(arguments)]).decode())
    except (ValueError, RecursionError):
        return digest(tool)

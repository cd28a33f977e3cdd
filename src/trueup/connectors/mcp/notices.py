"""What servers say without being asked, passed on to the agents: changed lists, news of a resource, log lines."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
from mcp import types
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.streams.memory import MemoryObjectSendStream
    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession

# So many are waited for and remembered; a server that says more is not listened to meanwhile.
_HELD = 256
_AGENTS = 1024
_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


class Notices:
    """The agents that may be told something, of both generations."""

    def __init__(self) -> None:
        self._send: MemoryObjectSendStream[tuple[Any, Any]] | None = None
        self._bus = InMemorySubscriptionBus()
        # Agents of the older generation, by what their handshake left behind; the newer one listens for itself.
        self._agents: OrderedDict[int, tuple[Any, ServerSession]] = OrderedDict()
        self._levels: dict[int, str] = {}
        self._follows: dict[str, set[int]] = {}
        self.listen = ListenHandler(self._bus)

    def heard(self, upstream: Any, message: Any) -> None:
        """Take a notice of a server; what comes faster than it can be passed on is lost."""
        if self._send is not None:
            with suppress(anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
                self._send.send_nowait((upstream, message))

    async def work(self, passed: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Pass notices on, one after the other, until cancelled."""
        self._send, waiting = anyio.create_memory_object_stream[tuple[Any, Any]](_HELD)
        with self._send, waiting:
            async for upstream, message in waiting:
                await passed(upstream, message)

    def meet(self, context: ServerRequestContext[Any, Any]) -> None:
        """Remember who asks."""
        known = context.session.client_params
        if known is not None and context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            # With what it is known by, so that the number is not another's meanwhile.
            self._agents[id(known)] = (known, context.session)
            self._agents.move_to_end(id(known))
            if len(self._agents) > _AGENTS:
                self._forget(next(iter(self._agents)))

    def follow(self, context: ServerRequestContext[Any, Any], uri: str) -> None:
        """Have an agent told of a resource's news."""
        self._follows.setdefault(uri, set()).add(id(context.session.client_params))

    def unfollow(self, context: ServerRequestContext[Any, Any], uri: str) -> bool:
        """Leave an agent alone with a resource; tell whether nobody follows it any more."""
        left = self._follows.get(uri, set())
        left.discard(id(context.session.client_params))
        if not left:
            self._follows.pop(uri, None)
        return not left

    def level(self, context: ServerRequestContext[Any, Any], level: str) -> None:
        """Have an agent told of log lines from a level on."""
        self._levels[id(context.session.client_params)] = level

    async def tools(self) -> None:
        """Tell that the list of tools is another."""
        await self._bus.publish(ToolsListChanged())
        await self._tell(types.ToolListChangedNotification())

    async def prompts(self) -> None:
        """Tell that the list of prompts is another."""
        await self._bus.publish(PromptsListChanged())
        await self._tell(types.PromptListChangedNotification())

    async def resources(self) -> None:
        """Tell that the list of resources is another."""
        await self._bus.publish(ResourcesListChanged())
        await self._tell(types.ResourceListChangedNotification())

    async def updated(self, uri: str, shown: str) -> None:
        """Tell those who follow a resource that it has changed; `shown` is how they know it."""
        await self._bus.publish(ResourceUpdated(uri=shown))
        params = types.ResourceUpdatedNotificationParams(uri=shown)
        await self._tell(types.ResourceUpdatedNotification(params=params), self._follows.get(uri, set()))

    async def logged(self, params: types.LoggingMessageNotificationParams) -> None:
        """Pass a log line on to the agents that want its level; the newer generation knows no such line."""
        rank = _LEVELS.index(params.level)
        wanted = {key for key in self._agents if rank >= _LEVELS.index(self._levels.get(key, _LEVELS[0]))}
        await self._tell(types.LoggingMessageNotification(params=params), wanted)

    async def _tell(self, notice: types.ServerNotification, whom: set[int] | None = None) -> None:
        for key, (_, session) in list(self._agents.items()):
            if whom is not None and key not in whom:
                continue
            try:
                with anyio.fail_after(1):
                    await session.send_notification(notice)
            except Exception:  # noqa: BLE001 -- an agent that is gone is told nothing any more
                self._forget(key)

    def _forget(self, key: int) -> None:
        self._agents.pop(key, None)
        self._levels.pop(key, None)
        for follows in self._follows.values():
            follows.discard(key)

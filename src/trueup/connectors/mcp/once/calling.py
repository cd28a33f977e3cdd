"""A tool that is looked up among servers, and called while they are connected; nothing is sent before `use` says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from mcp import types
from mcp.shared.exceptions import MCPError

from trueup.connectors.mcp.upstream import ToolFailedError, UnreachableError, Upstream
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from trueup.connectors.mcp.upstream import Server
    from trueup.kernel.canonical import Json

    Call = Callable[[Mapping[str, Json]], Awaitable[Any]]

T = TypeVar("T")


async def with_tool(
    servers: Sequence[Server],
    tool: str,
    patience: float,
    say: Callable[[str], None],
    use: Callable[[Mapping[str, Json], Call], Awaitable[T]],
) -> T:
    """Return what `use` makes of a tool's definition and of what calls it, both under the name that is declared.

    Raises UsageError where not exactly one server offers the tool within `patience` seconds, and what `use` raises.
    """
    upstreams = [Upstream(server, patience, say) for server in servers]
    answer: list[T] = []
    raised: list[Exception] = []
    async with anyio.create_task_group() as group:
        for upstream in upstreams:
            group.start_soon(upstream.serve)
        try:
            found = [one for upstream in upstreams for one in await _offered(upstream, tool, patience)]
            answer.append(await use(*_only(found, tool)))
        except Exception as error:  # noqa: BLE001 -- raised again outside, where no group is wrapped around it
            raised.append(error)
        group.cancel_scope.cancel()
    if raised:
        raise raised[0]
    return answer[0]


async def _offered(upstream: Upstream, tool: str, patience: float) -> list[tuple[dict[str, Any], Call]]:
    listed: list[types.Tool] = []
    with anyio.move_on_after(patience):
        try:
            listed = await upstream.tools()
        except (UnreachableError, MCPError):
            return []
    return [
        (one.model_dump(mode="json", by_alias=True, exclude_none=True), _call(upstream, one.name))
        for one in listed
        if upstream.server.shown(one.name) == tool
    ]


def _call(upstream: Upstream, name: str) -> Call:
    async def call(arguments: Mapping[str, Json]) -> Any:
        try:
            return await upstream.call(name, arguments, _unheard, _unanswered)
        except MCPError as error:
            raise ToolFailedError({"error": error.error.message}) from None

    return call


def _only(found: Sequence[tuple[dict[str, Any], Call]], tool: str) -> tuple[dict[str, Any], Call]:
    if len(found) != 1:
        offers = "no server that is there" if not found else "more than one server"
        raise UsageError("no-such-tool", f"{offers} offers {tool!r}.".capitalize(), "Name the server that does.")
    return found[0]


async def _unheard(progress: float, total: float | None, message: str | None) -> None:
    """Let progress pass unheard."""


async def _unanswered(questions: types.InputRequests) -> types.InputResponses:
    """Decline what a tool asks back: nobody sits there whom it could ask."""
    return {key: types.ElicitResult(action="decline") for key in questions}

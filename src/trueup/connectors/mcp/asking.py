"""A tool may ask back while it works; the question goes to the agent whose call it is, and the answer returns.

The older generation of the protocol keeps a channel open: the question is a request to the client. The newer one is
stateless: the question is the call's answer, and the client calls again with what it was asked for. The governed
call itself is one step for both: it runs on, and the second message only brings the answer.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from mcp import types
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext

    from trueup.connectors.mcp.edge import Edge

    Answer = types.CallToolResult | types.InputRequiredResult

_PATIENCE_SECONDS = 600.0


class Conversation:
    """One governed call, over as many messages as its tool's questions take."""

    def __init__(self, context: ServerRequestContext[Any, Any], call: Callable[[], str], edge: Edge) -> None:
        self._context = context
        self._edge = edge
        self.call = call
        self.ended = False

    @property
    def stateless(self) -> bool:
        """True where questions have to be answers: the client speaks the newer generation."""
        return self._context.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def may_ask(self) -> bool:
        """True where a question may become the call's answer, and the call goes on beside the messages about it."""
        told = self._context.session.client_capabilities
        return self.stateless and told is not None and told.elicitation is not None

    @cached_property
    def _scope(self) -> anyio.CancelScope:
        return anyio.CancelScope()

    @cached_property
    def _said(self) -> asyncio.Queue[Any]:
        return asyncio.Queue()

    @cached_property
    def _answers(self) -> asyncio.Queue[types.InputResponses]:
        return asyncio.Queue()

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Pass a tool's progress on to the call's client, if it wants to know."""
        said = await anyio.to_thread.run_sync(self._edge.words, message) if message else message
        await self._context.session.report_progress(progress, total, said)

    async def ask(self, questions: types.InputRequests) -> types.InputResponses:
        """Ask the client; raise what it refuses with, or TimeoutError when it never comes back.

        Only questions to the person are passed on, masked. A tool that wants the agent's model or its folders is
        refused. Raises MaskingError.
        """
        refused = [key for key, question in questions.items() if not isinstance(question, types.ElicitRequest)]
        if refused:
            raise PermissionError("tools may ask the person only")
        if self.stateless and not self.may_ask:
            raise PermissionError("the agent has not said that its person can be asked")
        questions = await anyio.to_thread.run_sync(self._edge.questions, questions)
        if not self.stateless:
            found: types.InputResponses = {key: await self._sent(question) for key, question in questions.items()}
            return await anyio.to_thread.run_sync(self._edge.reply, found)
        self._said.put_nowait(questions)
        with anyio.fail_after(_PATIENCE_SECONDS):
            return await self._answers.get()

    async def _sent(self, question: Any) -> types.ElicitResult:
        from mcp.shared.message import ServerMessageMetadata

        related = ServerMessageMetadata(related_request_id=self._context.request_id)
        return await self._context.session.send_request(question, types.ElicitResult, metadata=related)

    async def drive(self, work: Callable[[], Awaitable[types.CallToolResult]]) -> None:
        """Run the call beside the messages that belong to it."""
        with self._scope:
            try:
                self._said.put_nowait(await work())
            except Exception as error:  # noqa: BLE001 -- raised again where the client waits
                self._said.put_nowait(error)
            finally:
                self.ended = True

    async def next(self, token: str) -> Answer:
        """Wait for what the client is told next: the result, or a question under a token. Raises what failed."""
        try:
            said = await self._said.get()
        except BaseException:
            # The client has gone: what it asked for is interrupted.
            self._scope.cancel()
            raise
        if isinstance(said, Exception):
            raise said
        if isinstance(said, types.CallToolResult):
            return said
        return types.InputRequiredResult(input_requests=said, request_state=token)

    def go_on(self, context: ServerRequestContext[Any, Any], answers: types.InputResponses) -> None:
        """Take the client's answers; from here on it is told through this message."""
        self._context = context
        self._answers.put_nowait(answers)

"""One request through the gate, whatever it asks of a server: its answer, or what the agent is told instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread
from mcp import types

from trueup.connectors.mcp import answers
from trueup.connectors.mcp.upstream import ToolFailedError, UnreachableError
from trueup.enforce.gate import UncertainError
from trueup.enforce.masking.finder import MaskingError
from trueup.enforce.request import Request
from trueup.enforce.steps import State
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trueup.connectors.mcp.edge import Edge
    from trueup.enforce.asking.approval import Approval
    from trueup.enforce.gate import Outcome, RunAsync
    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.policy import Policy
    from trueup.enforce.standing.repeats import Turn
    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.kernel.canonical import Json

    # A server's own answer as JSON, or ours.
    Reply = dict[str, Any] | types.CallToolResult

_LOOK_SECONDS = 0.5


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

    def policy_in_force(self) -> Policy:
        """Return the policy that the next action is judged by."""
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


class Passage:
    """The way through one gate, on the terms of one agent."""

    def __init__(self, governed: Governed, terms: Terms, edge: Edge) -> None:
        self._governed = governed
        self._terms = terms
        self._edge = edge

    async def take(self, prepare: Callable[[], Request], run: RunAsync, mark: Callable[[], str]) -> Reply:
        """Take one request through the gate. Whatever goes wrong before the server is reached, it is not reached.

        `mark` returns by what a request is known that did not get as far. Raises MCPError, where the server did.
        """
        try:
            taken = await self._governed.take_async(prepare, run)
        except TrueupError as error:
            await self.turned_away(error, mark())
            return _refused(error)
        except Exception as error:  # noqa: BLE001 -- what cannot even be asked for is denied
            return answers.told(f"Denied: the gateway failed ({type(error).__name__}).", verdict="deny")
        try:
            return await self._stepped(taken, run)
        except ToolFailedError as error:
            return error.result
        except UnreachableError as error:
            return answers.failed(taken.turn.step, str(error))
        except UncertainError as error:
            return answers.unknown(taken.turn.step, str(error))
        except TrueupError as error:
            return _refused(error)

    def request(
        self, tool: str, arguments: Mapping[str, Json], definition: str | None, meta: Mapping[str, Any] | None
    ) -> Request:
        """Return a request as it is judged: tokens are values again before there is a canonical form. May block."""
        made = Request(
            tool,
            arguments,
            case=self._terms.case,
            requester=self._terms.requester,
            definition=definition,
            **answers.brought(meta),
        )
        return replace(self._edge.restored(made), provenance=self._terms.trail)

    def heard(self, tool: str, arguments: Mapping[str, Json], said: list[Json]) -> None:
        """Take note of what the agent is about to read."""
        if self._terms.trail is not None:
            for content in said:
                self._terms.trail.returned(tool, arguments, content)

    def keep(self) -> None:
        """Put on record where the words come from that the agent is about to read. May block; raises TrueupError."""
        if self._terms.trail is not None:
            self._terms.trail.keep()

    async def turned_away(self, error: TrueupError, mark: str) -> None:
        """Put on record that a token was sent which nobody was ever given: it did not get as far as the gate."""
        if isinstance(error, MaskingError):
            await anyio.to_thread.run_sync(self._governed.refused, f"mask.{error.code}", mark.encode())

    async def _stepped(self, taken: Taken, run: RunAsync) -> Reply:
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

    async def _waited(self, approval: Approval, run: RunAsync, step: str) -> Reply:
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


def _refused(error: TrueupError) -> types.CallToolResult:
    return answers.told(f"Denied: {error.message} Nothing was done.", verdict="deny", decisive=error.code)


def _result(outcome: Outcome, step: str) -> Reply:
    if outcome.state is State.DONE and isinstance(outcome.result, dict):
        return outcome.result
    return answers.ended(outcome, step)

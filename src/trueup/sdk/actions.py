"""Functions that exist already, as declared actions: a decorator, and a case around their calls.

The decorated function is called by the gate or not at all: with exactly the arguments that were judged, by name, after
the intent is durable. It returns what it returned; what stands in its way is raised.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
import json
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from trueup.enforce.gate import Outcome
from trueup.enforce.request import Request
from trueup.enforce.steps import State
from trueup.kernel.errors import UsageError
from trueup.sdk.governed import GovernedWorkflow, governed
from trueup.sdk.refusals import AGAIN, NO, DeniedError, DoneBeforeError, HeldError, UnknownOutcomeError
from trueup.sdk.step_keys import check_step, step_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from trueup.enforce.masking.stream import StreamMasking
    from trueup.enforce.standing.repeats import Turn
    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Case:
    """For which case, and on whose behalf."""

    case: str | None = None
    requester: str | None = None
    untrusted: tuple[str, ...] = ()
    asked: str | None = None
    confidence: float | None = None
    sources: tuple[str, ...] = ()
    # The trail of the case, once a call has asked for it.
    found: list[Provenance | None] = field(default_factory=list)


class Workflow:
    """A governed workflow for decorators. The gate opens with the first call, and stays open until `close`."""

    def __init__(self, root: Path, name: str, clock: Clock | None = None) -> None:
        self.root = root
        self.name = name
        self._clock = clock
        self._lock = Lock()
        self._stack = ExitStack()
        self._gate: GovernedWorkflow | None = None
        self._current: ContextVar[_Case | None] = ContextVar(f"case of {name}", default=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ledger; the next call opens it again."""
        with self._lock:
            self._gate = None
            atexit.unregister(self._stack.close)
            self._stack.close()

    @contextmanager
    def case(
        self, case: str, *, requester: str | None = None, untrusted: tuple[str, ...] = (), asked: str | None = None
    ) -> Iterator[None]:
        """Say for which case, and by whose wish, the calls within are; `untrusted` names arguments nobody vouches for.

        `asked` is the person's request: with it such arguments are found out, from what the actions return; a case
        that was followed once is followed on, by whichever process. Holds for
        this thread or task, and for what it starts.
        """
        token = self._current.set(_Case(case, requester, untrusted, asked))
        try:
            yield
        finally:
            self._current.reset(token)

    @contextmanager
    def answer(self, *, confidence: float | None = None, sources: tuple[str, ...] = ()) -> Iterator[None]:
        """Say how sure the model is of the answer that the calls within act on (0 to 1), and what it rests on.

        Of an answer about which this says nothing nothing is known: where the file asks for it, a person looks.
        Stands inside `case`; holds for this thread or task, and for what it starts.
        """
        token = self._current.set(replace(self.asked_for(), confidence=confidence, sources=sources))
        try:
            yield
        finally:
            self._current.reset(token)

    def action(
        self, name: str, *, step: str | None = None, apart: tuple[str, ...] = ()
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Make a function a declared action of the workflow; it may be `async`.

        `step` is the key by which it runs once, as a format of its arguments and `case`: `"{case}/{invoice}"`. Without
        it the same call is another step as soon as the one before has ended. `apart` names parameters that are no
        part of the request (a session, `self`): they are passed on unseen. Raises UsageError for generators, and for
        a step that is made of something else.

        A call raises DeniedError, HeldError, UnknownOutcomeError, DoneBeforeError; StorageError and
        LedgerBrokenError where the ledger cannot be written; and whatever the function raises.
        """

        def wrap(function: Callable[P, R]) -> Callable[P, R]:
            if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
                raise UsageError("no-generator", f"{name!r} is a generator: it acts after it has returned.", "")
            check_step(name, step, function)
            governed_call = _Call(self, name, function, step, apart)
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                    return await governed_call.awaited(args, kwargs)

                return cast("Callable[P, R]", awaited)

            @functools.wraps(function)
            def called(*args: P.args, **kwargs: P.kwargs) -> R:
                return cast("R", governed_call.called(args, kwargs))

            return called

        return wrap

    def mask(self, value: Json) -> Json:
        """Return a text or JSON value as it may leave (to a model, a trace): a token in the place of what is masked.

        Unchanged where the level of the workflow's data masks nothing. Raises MaskingError, and ConflictError when a
        kind needs a language model that is not installed.
        """
        masking = self.gate().masking()
        if masking is None:
            return value
        return masking.text(value) if isinstance(value, str) else masking.json(value)

    def restore(self, value: Json) -> Json:
        """Return a value with what its tokens stand for. Raises MaskingError for a token that was never given."""
        masking = self.gate().masking()
        return value if masking is None else masking.restore(value)

    def stream(self) -> StreamMasking | None:
        """Return what masks a text that comes in pieces; None where nothing is masked. Raises as `mask`."""
        from trueup.enforce.masking.stream import StreamMasking

        masking = self.gate().masking()
        return None if masking is None else StreamMasking(masking)

    def gate(self) -> GovernedWorkflow:
        """Return the gate, opening it with the first call."""
        with self._lock:
            if self._gate is None:
                self._gate = self._stack.enter_context(governed(self.root, self.name, clock=self._clock))
                # A program may end without `close`, and keep the gate alone: what was written is signed all the same.
                atexit.register(self._stack.close)
            return self._gate

    def asked_for(self) -> _Case:
        """Return the case that is being worked on."""
        return self._current.get() or _Case()

    def trail(self, case: _Case) -> Provenance | None:
        """Return where a case's values come from; None where nobody follows them."""
        gate = self.gate()
        with self._lock:
            if not case.found:
                case.found.append(None if case.case is None else gate.trail(case.case, case.asked))
        return case.found[0]


def workflow(root: Path | str, name: str, *, clock: Clock | None = None) -> Workflow:
    """Return a workflow whose actions are functions of yours. Nothing is opened before the first call."""
    return Workflow(Path(root), name, clock)


def _heard(request: Request, arguments: Mapping[str, Json], result: Any, *, accepted: bool) -> Any:
    """Take note of what the program is about to read, and vouch for what a person has accepted; return the result.

    It has taken effect by now, so nothing here may fail: what is no JSON is noted as it would be printed.
    """
    if request.provenance is not None:
        if accepted:
            request.provenance.accept(arguments)
        request.provenance.returned(request.tool, arguments, _as_json(result))
    return result


def _keep(request: Request) -> None:
    if request.provenance is not None:
        request.provenance.keep()


def _as_json(result: Any) -> Json:
    for written in (lambda: json.loads(json.dumps(result, default=str)), lambda: str(result)):
        with suppress(TypeError, ValueError, RecursionError):
            said: Json = written()
            return said
    return None


@dataclass(frozen=True, slots=True)
class _Call:
    """A function behind the gate."""

    workflow: Workflow
    name: str
    function: Callable[..., Any]
    step: str | None
    apart: tuple[str, ...]

    def called(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        gate = self.workflow.gate()
        bound, request, step = self._asked(gate, args, kwargs)
        turn = self._open(gate.turn(request, step))

        def run(arguments: Mapping[str, Json]) -> Any:
            result = self._applied(bound, arguments)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                raise TypeError("the function returned something to wait for; decorate the async function itself")
            return _heard(request, arguments, result, accepted=turn.approval is not None)

        try:
            if turn.approval is not None:
                outcome = gate.resume(turn.approval.id, run)
            else:
                outcome = gate.call(request, turn.step, run)
        finally:
            # Nobody gets what was returned before it is on record where it came from.
            _keep(request)
        return self._value(outcome, turn.step)

    async def awaited(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        gate = await asyncio.to_thread(self.workflow.gate)
        bound, request, step = self._asked(gate, args, kwargs)
        turn = self._open(await asyncio.to_thread(gate.turn, request, step))

        async def run(arguments: Mapping[str, Json]) -> Any:
            made: Awaitable[Any] = self._applied(bound, arguments)
            return _heard(request, arguments, await made, accepted=turn.approval is not None)

        try:
            if turn.approval is not None:
                outcome = await gate.resume_async(turn.approval.id, run)
            else:
                outcome = await gate.call_async(request, turn.step, run)
        finally:
            if request.provenance is not None:
                await asyncio.to_thread(_keep, request)
        return self._value(outcome, turn.step)

    def _asked(
        self, gate: GovernedWorkflow, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[inspect.BoundArguments, Request, str | None]:
        """Return the call with every argument under its name, whether it came by position or by keyword."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        arguments: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                twice = sorted(set(value) & set(arguments))
                if twice:
                    raise TypeError(f"the argument {twice[0]!r} stands twice")
                arguments |= value
            elif name not in self.apart:
                arguments[name] = list(value) if kind is inspect.Parameter.VAR_POSITIONAL else value
        case = self.workflow.asked_for()
        tool = gate.tool_of(self.name)
        request = Request(
            tool,
            arguments,
            self.name,
            case.case,
            case.requester,
            case.untrusted,
            provenance=self.workflow.trail(case),
            confidence=case.confidence,
            sources=case.sources,
        )
        return bound, request, self._step(case, arguments)

    def _step(self, case: _Case, arguments: Mapping[str, Any]) -> str | None:
        """Return the key by which a call runs once; None where it has none."""
        if self.step is None:
            return None
        return f"{self.name}/{step_key(self.step, self.name, self.workflow.name, case.case, arguments)}"

    def _applied(self, bound: inspect.BoundArguments, arguments: Mapping[str, Json]) -> Any:
        """Call the function with the arguments that were judged, and with what stands apart."""
        left = dict(arguments)
        final = inspect.BoundArguments(bound.signature, type(bound.arguments)())
        for name, parameter in bound.signature.parameters.items():
            if name in self.apart:
                final.arguments[name] = bound.arguments[name]
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                final.arguments[name], left = left, {}
            elif name in left:
                value = left.pop(name)
                final.arguments[name] = (
                    value if parameter.kind is not inspect.Parameter.VAR_POSITIONAL else _tuple(value)
                )
        if left:
            raise TypeError(f"the function takes no {min(left)!r}")
        return self.function(*final.args, **final.kwargs)

    def _open(self, turn: Turn) -> Turn:
        """Return a turn that may go to the gate; raise what stands in the way."""
        if turn.state is State.DENIED and turn.approval is not None:
            because = f"a person said no to {turn.approval.id}"
            raise DeniedError(self.name, None, because, NO)
        if turn.state is State.UNKNOWN:
            raise UnknownOutcomeError(self.name, turn.step, self.workflow.root)
        if turn.approval is not None and not turn.resumes:
            raise HeldError(self.name, turn.approval.id, self.workflow.root)
        return turn

    def _value(self, outcome: Outcome, step: str) -> Any:
        if outcome.state is State.DONE and outcome.verdict is not None:
            return outcome.result
        if outcome.state is State.HELD:
            raise HeldError(self.name, str(outcome.approval), self.workflow.root)
        if outcome.state is State.DENIED:
            before = f"step {step!r} was denied before"
            raise DeniedError(self.name, outcome.verdict, "" if outcome.verdict else before, AGAIN)
        if outcome.state is State.UNKNOWN:
            raise UnknownOutcomeError(self.name, step, self.workflow.root)
        raise DoneBeforeError(self.name, step, outcome.state)


def _tuple(value: Json) -> tuple[Json, ...]:
    return tuple(value) if isinstance(value, list) else (value,)

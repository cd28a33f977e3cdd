"""An event loop that hands work to threads, and gets it back, for less than the general way costs.

Each call waits twice for the ledger, and what waits for a disk belongs on a thread: cancellations, pings and other
calls go on meanwhile. The general way makes two futures for it, links them, and locks for callers on any thread;
here only the loop hands over.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

# More calls than this at once wait for a thread: as many as any that wait for one database at a time need.
_MOST = 32


def quick_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop that hands over quickly; where there is none such, the system's own."""
    return _Loop() if os.name == "posix" else asyncio.new_event_loop()


class _Loop(asyncio.SelectorEventLoop):
    """The system's event loop with threads of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._helpers: list[Thread] = []
        self._busy = 0

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Run a function on a thread; without an executor on one of the loop's own. To be called on the loop alone."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[Result] = self.create_future()
        self._busy += 1
        if self._busy > len(self._helpers) and len(self._helpers) < _MOST:
            self._helpers.append(Thread(target=self._help, name=f"hand-{len(self._helpers)}", daemon=True))
            self._helpers[-1].start()
        self._jobs.put((future, func, args))
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- asyncio's own
        """Let every thread end what it does."""
        await super().shutdown_default_executor(*(() if timeout is None else (timeout,)))
        for _ in self._helpers:
            self._jobs.put(None)
        while self._helpers:
            self._helpers.pop().join()

    def _help(self) -> None:
        """Work until told to stop. Whatever a function raises belongs to who waits for it."""
        while (job := self._jobs.get()) is not None:
            future, func, args = job
            result, failed = None, None
            try:
                # What was cancelled before it began is not begun.
                result = None if future.cancelled() else func(*args)
            except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
                failed = error
            # Nobody waits any more where the loop has been closed meanwhile.
            with suppress(RuntimeError):
                self.call_soon_threadsafe(self._settle, future, result, failed)
            del job, future, func, args, result, failed

    def _settle(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._busy -= 1
        if future.cancelled():
            return
        if isinstance(error, StopIteration):
            error = RuntimeError("a function on a thread raised StopIteration")
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

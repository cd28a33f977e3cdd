"""The gateway's event loop hands work to threads of its own: nothing that waits there stops anything else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from trueup.connectors.mcp.transport.handover import quick_loop


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run on such a loop, as the command does."""
    return anyio.run(work, backend_options={"loop_factory": quick_loop})


def test_what_waits_for_a_disk_stops_nothing_else() -> None:
    stuck = threading.Barrier(5)

    async def work() -> list[int]:
        waiting = [asyncio.create_task(asyncio.to_thread(stuck.wait, 20)) for _ in range(4)]
        others = [await asyncio.to_thread(pow, 2, n) for n in range(20)]
        assert not any(one.done() for one in waiting)
        await asyncio.to_thread(stuck.wait, 20)
        await asyncio.gather(*waiting)
        return others

    assert run(work) == [2**n for n in range(20)]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_function_raises_belongs_to_who_waits_for_it(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def work() -> None:
        with pytest.raises(type(error)):
            await asyncio.to_thread(fail)
        assert await asyncio.to_thread(len, "ab") == 2

    run(work)


def test_an_iteration_that_stops_on_a_thread_stops_none_here() -> None:
    async def work() -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.to_thread(next, iter(()))

    run(work)


def test_what_is_cancelled_before_it_begins_is_not_begun_and_what_has_begun_ends() -> None:
    began, goes, ended = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []

    def slow() -> None:
        began.set()
        goes.wait(20)
        seen.append("slow")
        ended.set()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        # Every thread is busy: what comes next waits its turn.
        busy = [loop.run_in_executor(None, goes.wait, 20) for _ in range(31)]
        first = asyncio.create_task(asyncio.to_thread(slow))
        await asyncio.sleep(0)
        second = asyncio.create_task(asyncio.to_thread(seen.append, "second"))
        await asyncio.sleep(0)
        assert began.wait(20)
        for one in (first, second):
            one.cancel()
        goes.set()
        await asyncio.gather(first, second, *busy, return_exceptions=True)

    run(work)
    assert ended.is_set(), "the run waits for what it has begun"
    assert seen == ["slow"]


def test_work_for_another_pool_goes_there() -> None:
    from concurrent.futures import ThreadPoolExecutor

    async def work() -> str:
        with ThreadPoolExecutor(1, thread_name_prefix="theirs") as pool:
            found = await asyncio.get_running_loop().run_in_executor(pool, lambda: threading.current_thread().name)
        return str(found)

    assert run(work).startswith("theirs")

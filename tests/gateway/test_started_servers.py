"""A server that is started by a command: what it says, what it is told, and how it goes."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp import StdioServerParameters
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCRequest

from trueup.connectors.mcp.transport import child as module
from trueup.connectors.mcp.transport.child import child

SAYS = "import sys, os, time, json\nsay = lambda text: (sys.stdout.write(text), sys.stdout.flush())\n"


def python(code: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-c", SAYS + code])


def request(number: int, padding: int = 0) -> SessionMessage:
    return SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=number, method="ping", params={"a": "x" * padding}))


def answer(number: int) -> str:
    return f'{{"jsonrpc":"2.0","id":{number},"result":{{}}}}'


async def said(code: str) -> list[Any]:
    """Return what a program says until it goes: ids, and kinds of what is no message."""
    async with child(python(code)) as (messages, _):
        return [named(one) async for one in messages]


def named(one: SessionMessage | Exception) -> Any:
    return getattr(one.message, "id", None) if isinstance(one, SessionMessage) else type(one).__name__


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (f"say('{answer(1)[:9]}'); time.sleep(.05); say('{answer(1)[9:]}\\n\\n{answer(2)}\\n')", [1, 2]),
        (f"say('hello\\n{answer(1)}\\r\\n{answer(2)[:-1]}')", ["ValidationError", 1]),
        (f"say(''.join({answer(7)!r}.replace('7', str(n)) + chr(10) for n in range(9000)))", list(range(9000))),
        ("os._exit(3)", []),
        ("sys.stdout.buffer.write(b'\\xff\\n')", ["ValidationError"]),
    ],
)
def test_lines_are_messages_however_they_arrive_and_a_bad_one_spoils_no_other(code: str, found: list[Any]) -> None:
    assert asyncio.run(asyncio.wait_for(said(code), 30)) == found


def test_more_than_a_pipe_holds_is_sent_whole_and_waited_for() -> None:
    said = "say(json.dumps({'jsonrpc': '2.0', 'id': len(line), 'result': {}}) + '\\n')"
    code = f"for line in sys.stdin:\n    time.sleep(.05)\n    {said}"

    async def work() -> list[int]:
        found = []
        async with child(python(code)) as (messages, to), anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(to.send, request(number, 300_000))
            async for one in messages:
                found.append(one.message.id)
                if len(found) == 3:
                    return found
        raise AssertionError("unreachable")

    sizes = asyncio.run(asyncio.wait_for(work(), 30))
    assert len(set(sizes)) == 1, "no line is mixed with another"
    assert sizes[0] > 300_000


async def insisting(to: Any) -> None:
    while True:
        await to.send(request(1))
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a server a moment to go, where it takes minutes."""
    monkeypatch.setattr(module, "_LEAVES_SECONDS", 0.1)
    monkeypatch.setattr(module, "_ENDS_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
def test_one_that_listens_no_more_is_gone_for_who_speaks_to_it() -> None:
    code = 'os.close(0); say(\'{"jsonrpc":"2.0","id":1,"result":{}}\\n\'); time.sleep(60)'

    async def work() -> None:
        async with child(python(code)) as (messages, to):
            assert (await messages.receive()).message.id == 1
            with pytest.raises(anyio.BrokenResourceError):
                await insisting(to)
            with pytest.raises(anyio.EndOfStream):
                await messages.receive()

    asyncio.run(asyncio.wait_for(work(), 30))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stubborn", [False, True])
def test_what_does_not_go_by_itself_is_ended_with_all_that_it_started(stubborn: bool, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    stays = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    code = f"{stays}held = open({str(alive)!r}, 'w')\nif os.fork(): say('ready\\n')\ntime.sleep(60)"
    told = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)

    async def work() -> None:
        async with child(python(code)) as (messages, _):
            assert isinstance(await messages.receive(), ValueError)

    asyncio.run(asyncio.wait_for(work(), 30))
    os.set_blocking(told, True)
    assert os.read(told, 1) == b"", "nobody is left who holds it"
    os.close(told)


def test_one_that_goes_when_its_input_ends_is_not_pushed(tmp_path: Path) -> None:
    code = f"sys.stdin.read(); open({str(tmp_path / 'left')!r}, 'w').write('by itself')"

    async def work() -> None:
        async with child(python(code)):
            pass

    asyncio.run(asyncio.wait_for(work(), 30))
    assert (tmp_path / "left").read_text() == "by itself"


def test_a_command_that_is_not_there_is_an_error_of_its_own() -> None:
    async def work() -> None:
        with pytest.raises(FileNotFoundError, match="not-there-at-all"):
            async with child(StdioServerParameters(command="not-there-at-all")):
                raise AssertionError("unreachable")

    asyncio.run(work())

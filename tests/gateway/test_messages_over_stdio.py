"""Messages over standard input and output: by lines, however they arrive, and whatever they arrive through."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCResponse

from trueup.connectors.mcp.stdio import strict_stdio
from trueup.connectors.mcp.wire import LARGEST_MESSAGE

Ends = Callable[[], tuple[int, int]]


def pipe() -> tuple[int, int]:
    return os.pipe()


def pair() -> tuple[int, int]:
    """Return what node.js puts there instead of a pipe."""
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


@contextmanager
def standing_in(read: int, write: int) -> Iterator[None]:
    """Put other files where this process reads and writes."""
    kept = os.dup(0), os.dup(1)
    os.dup2(read, 0)
    os.dup2(write, 1)
    try:
        yield
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


async def heard(read: int, write: int, noted: list[str]) -> list[Any]:
    """Return the messages of an input, to its end; answer each."""
    found = []
    with standing_in(read, write):
        async with strict_stdio(lambda reason, _: noted.append(reason)) as (messages, answers), messages, answers:
            async for message in messages:
                found.append(message.message.id)
                answer = JSONRPCResponse(jsonrpc="2.0", id=message.message.id, result={"long": "x" * 9000})
                await answers.send(SessionMessage(answer))
    return found


def request(number: int, padding: int = 0) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping", "params": {"a": "x" * padding}}).encode()


async def exchanged(ends: Ends, parts: list[bytes]) -> tuple[list[Any], list[Any], list[str]]:
    """Send parts as they are; return the ids that came in, those that were answered, and what was noted."""
    (ours, send), (receive, theirs) = ends(), ends()
    noted: list[str] = []

    def said() -> None:
        for part in parts:
            _all(send, part)
        os.close(send)

    def listened() -> bytes:
        content = b""
        while part := os.read(receive, 65536):
            content += part
        return content

    speaking, listening = asyncio.to_thread(said), asyncio.create_task(asyncio.to_thread(listened))
    found, _ = await asyncio.gather(heard(ours, theirs, noted), speaking)
    os.close(theirs)
    answers = [json.loads(line) for line in (await listening).splitlines()]
    os.close(ours)
    os.close(receive)
    return found, [answer["id"] for answer in answers], noted


def _all(send: int, data: bytes) -> None:
    while data:
        data = data[os.write(send, data) :]


@pytest.mark.parametrize("ends", [pipe, pair])
def test_messages_come_by_lines_however_they_are_cut(ends: Ends) -> None:
    whole = b"\n".join([request(1), b"", request(2, 70_000), request(3)])
    parts = [whole[:10], whole[10:75_000], whole[75_000:]]
    found, answered, noted = asyncio.run(exchanged(ends, parts))
    assert (found, answered, noted) == ([1, 2, 3], [1, 2, 3], []), "also the last, which has no end of line"


@pytest.mark.parametrize("ends", [pipe, pair])
def test_many_messages_at_once_are_all_read_and_in_their_order(ends: Ends) -> None:
    numbers = list(range(300))
    found, answered, _ = asyncio.run(exchanged(ends, [b"\n".join(map(request, numbers))]))
    assert found == answered == numbers


@pytest.mark.parametrize("ends", [pipe, pair])
def test_a_message_that_is_too_long_is_refused_and_the_next_one_is_read(ends: Ends) -> None:
    found, answered, noted = asyncio.run(exchanged(ends, [request(1, LARGEST_MESSAGE) + b"\n" + request(2) + b"\n"]))
    assert (found, noted) == ([2], ["request.too-large"])
    assert answered == [None, 2]


def test_a_file_is_read_as_a_pipe_is(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(request(1, 70_000) + b"\n" + b'{"id":2,"params":NaN}\n' + request(4))
    source, target = os.open(tmp_path / "in", os.O_RDONLY), os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    noted: list[str] = []
    assert asyncio.run(heard(source, target, noted)) == [1, 4]
    os.close(source)
    os.close(target)
    assert [json.loads(line)["id"] for line in (tmp_path / "out").read_bytes().splitlines()] == [1, 2, 4]
    assert noted == ["request.not-a-number"]


@pytest.mark.parametrize("ends", [pipe, pair])
def test_an_agent_that_goes_away_unheard_ends_the_run_without_a_defect(ends: Ends) -> None:
    (ours, send), (receive, theirs) = ends(), ends()
    os.close(receive)
    _all(send, request(1) + b"\n" + request(2) + b"\n")
    found = asyncio.run(asyncio.wait_for(heard(ours, theirs, []), 20))
    assert found == [1], "and it ends although the agent's other end is open still"
    for descriptor in (ours, send, theirs):
        os.close(descriptor)

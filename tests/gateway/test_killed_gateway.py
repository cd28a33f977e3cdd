"""The gateway is killed at random instants: nothing is repeated, nothing is lost, what nobody knows is held."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
from mcp import Client

from tests.gateway.doors import PROGRAMME, SERVER, Tokens, answer_of
from tests.gateway.test_gateway_over_http import free_port
from tests.running import run_trueup as trueup
from trueup.connectors.mcp.gateway import Gateway, Terms
from trueup.connectors.mcp.serving import over_http
from trueup.connectors.mcp.upstream import Server
from trueup.sdk import governed
from trueup.workspace import opened

WORKFLOW = """\
workflow: Payments
autonomy: {level: approve}
actions:
  pay: {tool: pay, impact: medium, approval: never, limits: {amount: {at_most: 500}}}
"""
CALLS = 10


def serve(root: Path, url: str, told: Connection) -> None:
    """Be a gateway, in a process of its own."""
    with governed(root, "payments") as gate:
        gateway = Gateway(gate, [Server("", url=url)], Terms(Tokens()), lambda _: None)
        asyncio.run(over_http(gateway, "127.0.0.1", 0, told.send))


def listens(port: int) -> bool:
    with socket.socket() as made:
        return made.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def server(root: Path) -> Iterator[str]:
    """Run the tool server that outlives every gateway, and writes down what it does."""
    port = free_port()
    process = Popen([sys.executable, str(SERVER), str(root), str(port)], stdout=DEVNULL, stderr=DEVNULL)
    try:
        while not listens(port):
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


@contextmanager
def gateway(root: Path, url: str) -> Iterator[tuple[str, int]]:
    """Run a gateway; yield its address and the number of its process."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__])
    ours, theirs = forks.Pipe()
    process = forks.Process(target=serve, args=(root, url, theirs), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        assert ours.poll(120), "the gateway did not start"
        yield ours.recv(), process.pid
    finally:
        process.kill()
        process.join()
        ours.close()
        theirs.close()


async def call(url: str, memos: list[str], answers: dict[str, str]) -> None:
    """Call for each memo in turn, until the gateway is gone; note what was answered."""
    with suppress(Exception):
        async with Client(url) as agent:
            for memo in memos:
                answer = await agent.session.call_tool("pay", {"amount": 1, "memo": memo})
                answers[memo] = answer_of(answer)["state"] if answer.is_error else "done"


def finished(root: Path) -> int:
    with opened(root, lambda *_: None) as bench:
        return sum(item.entry.data["ended"] == "done" for item in bench.ledger.entries("action.finished"))


def killed(root: Path, kills: int, seed: int) -> None:
    """Kill gateways while an agent pays, and repeats what it had no answer to; then look at what is left."""
    chance = random.Random(seed)
    (root / "workflows").mkdir()
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW, "utf-8")
    answers: dict[str, str] = {}
    memos: list[str] = []
    with server(root) as url:
        for turn in range(kills):
            memos += [f"{turn}-{n}" for n in range(CALLS)]
            waiting = [memo for memo in memos if memo not in answers]
            with gateway(root, url) as (address, pid):
                # From the first connection, over listing and pinning, to the middle of many calls.
                timer = threading.Timer(chance.uniform(0.01, 0.4), os.kill, (pid, signal.SIGKILL))
                timer.start()
                asyncio.run(call(address, waiting, answers))
                timer.join()
            # An answer that was lost on its way is not lost: the ledger says how it ended.
            lost = finished(root) - sum(state == "done" for state in answers.values())
            assert lost in {0, 1}, f"{lost} answers too many on record at turn {turn}: {answers}"
            answers |= dict.fromkeys([memo for memo in waiting if memo not in answers][:lost], "done")
        with gateway(root, url) as (address, _):
            asyncio.run(call(address, [memo for memo in memos if memo not in answers], answers))
    done = Counter(line.rpartition(":")[2] for line in (root / "world.txt").read_text("utf-8").split())
    assert set(answers) == set(memos)
    assert set(answers.values()) <= {"done", "unknown"}
    assert {memo: done[memo] for memo in memos if answers[memo] == "done"} == dict.fromkeys(
        (memo for memo in memos if answers[memo] == "done"), 1
    )
    assert max(done.values()) == 1, "nothing is repeated, whatever was not known"
    held = trueup("approvals", "unknown", root, "--json").data["steps"]
    assert len(held) == sum(state == "unknown" for state in answers.values()), "what nobody knows waits for a person"
    verified = trueup("ledger", "verify", root, "--json")
    assert verified.data["ok"] is True


def test_a_few_kills_repeat_and_lose_nothing(tmp_path: Path) -> None:
    killed(tmp_path, 3, seed=5)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_kills_repeat_and_lose_nothing(tmp_path: Path, seed: int) -> None:
    killed(tmp_path, 50, seed)

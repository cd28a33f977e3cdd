"""The API of a real process, on a real port: what is written down survives it, and the next one answers the same."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.running import run_trueup
from tests.web.calling import ENVIRONMENT, Calling, bearer

ASSIGN = "/api/workflows/claims/assignments"


@contextmanager
def serving(root: Path) -> Iterator[tuple[int, list[str]]]:
    """Run `trueup serve`; yield its port and what it said by then."""
    command = [sys.executable, "-m", "trueup", "serve", str(root), "--port", "0"]
    environment = {**os.environ, **ENVIRONMENT, "TOKEN_PAST": ""}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    assert server.stderr is not None
    try:
        said = [server.stderr.readline() for _ in range(4)]
        found = re.search(r"127\.0\.0\.1:(\d+)", said[0])
        assert found is not None, said
        yield int(found[1]), said
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stderr.close()


def call(port: int, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers | {"content-type": "application/json"})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


def test_arms_are_on_record_when_they_are_answered_whatever_becomes_of_the_server(api: Calling) -> None:
    approval = api.hold("C1/pay")

    def draw(n: int) -> tuple[str, str, int]:
        status, content = call(port, "POST", ASSIGN, bearer("intake"), json.dumps({"case": f"K{n % 8}"}).encode())
        assert status == 200, content
        return content["data"]["case"], content["data"]["arm"], content["data"]["entry"]

    with serving(api.root) as (port, said):
        assert "owner" in said[2]
        assert f"http://127.0.0.1:{port}/api/" in said[2]
        assert "does not answer past: the setting TOKEN_PAST is not there" in said[3]
        assert not any(secret in line for line in said for secret in ENVIRONMENT.values())
        assert call(port, "GET", "/api/approvals", {})[0] == 401
        assert call(port, "GET", "/api/approvals", bearer("owner") | {"host": "evil.example"})[0] == 403
        # The server's clock is today's: what was held in 2024 has expired.
        status, shown = call(port, "GET", f"/api/approvals/{approval}", bearer("owner"))
        assert (status, shown["data"]["approvals"][0]["state"]) == (200, "expired")
        with ThreadPoolExecutor(4) as pool:
            drawn = set(pool.map(draw, range(16)))
        assert len(drawn) == 8
    # It was killed: nothing that was answered is lost, and nothing is broken.
    assert run_trueup("ledger", "verify", api.root, "--json").data["ok"] is True
    assert len(api.entries("case.assigned")) == 8
    # Whoever asks next, after the restart, gets the same.
    answers = [api.post("intake", ASSIGN.removeprefix("/api"), {"case": case}).json()["data"] for case, *_ in drawn]
    assert {(one["case"], one["arm"], one["entry"]) for one in answers} == drawn
    assert len(api.entries("case.assigned")) == 8

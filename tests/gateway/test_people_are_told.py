"""Who decides is told when a step is held, by a real request on this machine; the gate does not depend on it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import PROGRAMME, Clock, write
from trueup.connectors.notify import Notifier
from trueup.enforce.request import Request
from trueup.sdk import governed

ADDRESSES = "TEST_NOTIFY"


@contextmanager
def chat(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a server that takes messages; yield its address for Apprise, and what it got."""
    got: list[dict[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"json://somebody:sesame@127.0.0.1:{server.server_port}/", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def programme(root: Path) -> Path:
    write(root)
    (root / "programme.yaml").write_text(f"{PROGRAMME}notify: env:{ADDRESSES}\n", "utf-8")
    return root


def hold(root: Path) -> str:
    """Ask for what needs a person; return the approval."""
    ran: list[Any] = []
    request = Request("mail", {"to": "jo@customer.example.org"}, case="D-17", requester="clerk")
    with governed(root, "payments", clock=Clock()) as gate:
        outcomes = [gate.call(request, "one", ran.append) for _ in range(2)]
    assert [str(outcome.state) for outcome in outcomes] == ["held", "held"]
    assert ran == []
    return str(outcomes[0].approval)


def test_everybody_named_is_told_once_and_nothing_of_what_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chat() as (one, first), chat() as (two, second):
        monkeypatch.setenv(ADDRESSES, f"{one} {two}")
        approval = hold(programme(tmp_path))
    assert [len(first), len(second)] == [1, 1]
    told = json.dumps(first)
    assert f"trueup approvals show DIR {approval}" in first[0]["message"]
    assert "payments.mail" in first[0]["title"]
    assert "2024-05-07T12:00:00Z" in told
    for secret in ("customer.example.org", "D-17", "clerk", "sesame", str(tmp_path)):
        assert secret not in told


@pytest.mark.parametrize("addresses", ["", "nonsense", "json://somebody:sesame@127.0.0.1:1/", "mailto://::::"])
def test_who_cannot_be_told_changes_nothing_and_no_address_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, addresses: str
) -> None:
    monkeypatch.setenv(ADDRESSES, addresses)
    with caplog.at_level(logging.WARNING, "trueup.notify"):
        hold(programme(tmp_path))
    assert "told" in caplog.text
    assert "sesame" not in caplog.text


def test_a_server_that_refuses_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with chat(status=500) as (address, got), caplog.at_level(logging.WARNING, "trueup.notify"):
        monkeypatch.setenv(ADDRESSES, address)
        hold(programme(tmp_path))
    assert got
    assert "not everybody could be told" in caplog.text


def test_an_address_that_breaks_keeps_nobody_else_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("sesame")

    monkeypatch.setattr("apprise.plugins.custom_form.NotifyForm.send", breaks)
    with chat() as (address, got), caplog.at_level(logging.WARNING, "trueup.notify"):
        monkeypatch.setenv(ADDRESSES, f"form://somebody:sesame@127.0.0.1:1/ {address}")
        hold(programme(tmp_path))
    assert len(got) == 1
    assert "not everybody could be told" in caplog.text
    assert "sesame" not in caplog.text


def test_what_breaks_while_telling_holds_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setenv(ADDRESSES, "json://127.0.0.1:1/")
    monkeypatch.setattr(Notifier, "told", breaks)
    hold(programme(tmp_path))


# As people write them: one call, no `close`, two addresses, and over.
PROGRAM = """\
from trueup.sdk import HeldError, workflow

payments = workflow({root!r}, "payments")


@payments.action("mail")
def mail(to: str) -> str:
    return "sent"


try:
    mail("jo@customer.example.org")
except HeldError:
    pass
"""


def test_a_program_of_one_call_tells_people_before_it_is_gone(tmp_path: Path) -> None:
    root = write(tmp_path / "programme")
    (root / "programme.yaml").write_text(f"{PROGRAMME}notify: env:{ADDRESSES}\n", "utf-8")
    with chat() as (address, got):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(root=str(root))],
            env=os.environ | {ADDRESSES: f"{address} {address}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert len(got) == 2

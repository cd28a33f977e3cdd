"""A message leads to the approver's screen, and the screen shows what words of others are without obeying them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.gateway.doors import PROGRAMME, Clock, bench, write
from tests.gateway.test_people_are_told import ADDRESSES, chat
from tests.running import run_trueup
from tests.web.consoles import Console, HandClock
from trueup.enforce.request import Request
from trueup.sdk import governed

CONSOLE = "TEST_CONSOLE"
FORGED = "rules/7\n  may decide  anybody"
HOSTILE = "pay \x9b2J \u202eevil\u202c <b>now</b>"


def held(root: Path, steps: int = 1) -> list[str]:
    """Have steps held whose texts try to take over whatever shows them; return the approvals."""
    with governed(root, "payments", clock=Clock()) as gate:
        found = []
        for n in range(steps):
            arguments = {"to": "jo@customer.example.org", "text": HOSTILE}
            asked = Request("mail", arguments, case=f"D-{n}\u202e", requester="clerk", sources=(FORGED,))
            found.append(str(gate.call(asked, f"s{n}", lambda _: "sent").approval))
    return found


@pytest.mark.parametrize(
    ("declared", "setting", "link"),
    [
        ("http://127.0.0.1:8377/", None, "http://127.0.0.1:8377/approvals/ID"),
        (f"env:{CONSOLE}", "https://console.example/desk", "https://console.example/desk/approvals/ID"),
        (f"env:{CONSOLE}", "https://me:sesame@console.example", None),
        (f"env:{CONSOLE}", "https://console.example/?token=sesame", None),
        (f"env:{CONSOLE}", "", None),
    ],
)
def test_a_message_links_to_the_page_of_the_very_approval(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    declared: str,
    setting: str | None,
    link: str | None,
) -> None:
    if setting is not None:
        monkeypatch.setenv(CONSOLE, setting)
    write(tmp_path)
    (tmp_path / "programme.yaml").write_text(f"{PROGRAMME}notify: env:{ADDRESSES}\nconsole: {declared}\n", "utf-8")
    with chat() as (address, got), caplog.at_level(logging.WARNING, "trueup.notify"):
        monkeypatch.setenv(ADDRESSES, address)
        [approval] = held(tmp_path)
    told = json.dumps(got)
    if link is None:
        assert "://" not in got[0]["message"]
        assert "carry no link" in caplog.text
    else:
        assert f"{link.replace('ID', approval)}\n" in got[0]["message"]
    for secret in ("sesame", "customer.example.org", "D-0", "clerk"):
        assert secret not in told + caplog.text


@pytest.mark.parametrize("declared", ["https://me:pw@console.example", "https://c.example/?t=1", "ftp://c", "console"])
def test_an_address_that_could_carry_a_secret_is_not_declared(tmp_path: Path, declared: str) -> None:
    write(tmp_path)
    (tmp_path / "programme.yaml").write_text(f"{PROGRAMME}console: {declared}\n", "utf-8")
    checked = run_trueup("check", tmp_path)
    assert checked.exit_code == 3
    assert "console" in checked.out


def test_words_of_others_forge_no_line_of_the_screen(tmp_path: Path) -> None:
    approval = held(write(tmp_path))[0]
    shown = run_trueup("approvals", "show", tmp_path, approval).out
    listed = run_trueup("approvals", "list", tmp_path, "--as-of", "2024-05-06T13:00:00Z").out
    page = Console(tmp_path, HandClock(Clock().at)).inside()
    pages = [page.get(f"/approvals/{approval}").text, page.get("/").text]
    for text in (shown, listed, *pages):
        assert not {"\x9b", "\u202e", "\u202c", "\x1b"} & set(text)
        assert "\\u202e" in text
    assert shown.count("\n  may decide  ") == 1
    assert "\\u000a  may decide  anybody" in shown
    assert "&lt;b&gt;now" in pages[0]


def test_the_screen_says_what_a_no_means_and_how_the_last_like_it_went(tmp_path: Path) -> None:
    write(tmp_path)
    approvals = held(tmp_path, 4)
    with bench(tmp_path) as desk:
        desk.decide(approvals[0], "accept")
        desk.decide(approvals[1], "reject")
        desk.decide(approvals[2], "accept")
    with governed(tmp_path, "payments", clock=Clock()) as gate:
        gate.resume(approvals[0], lambda _: "sent")
    at = ["--as-of", "2024-05-06T13:00:00Z"]
    shown = run_trueup("approvals", "show", tmp_path, approvals[3], *at)
    assert "of the last 3: 2 accepted, 1 rejected; of these ran: 1 done" in shown.out
    assert "on a no     nothing runs" in shown.out
    first = json.loads(run_trueup("approvals", "show", tmp_path, approvals[0], *at, "--json").out)
    assert first["data"]["beside"]["before"]["n"] == 0
    browser = Console(tmp_path, HandClock(Clock().at)).inside()
    assert "Of the last 3: 2 accepted" in browser.get(f"/approvals/{approvals[3]}").text
    assert browser.get(f"/approvals/{approvals[3]}.json").json()["data"]["before"]["done"] == 1
    assert browser.get("/approvals/a-none").status_code == 404
    assert browser.get(f"/approvals/{approvals[3]}?as_of=2020-01-01").status_code == 404
    assert Console(tmp_path, HandClock(Clock().at)).stranger().get(f"/approvals/{approvals[3]}").status_code == 403

"""Nobody comes in without the link, the link opens once, and browsers are told to refuse the rest."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.web.consoles import PORT, Console

PAGES = ["/", "/today.json", "/review", "/review/1", "/ledger", "/ledger/0.json", "/help", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_without_the_link_every_page_is_refused_and_says_what_to_do(console: Console, path: str) -> None:
    answer = console.stranger().get(path)
    assert answer.status_code == 403
    assert "trueup serve" in answer.text
    assert "Claims" not in answer.text


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example", "/%2F%2Fevil.example/"])
def test_the_way_back_in_leads_to_this_console_alone(console: Console, path: str) -> None:
    answer = console.stranger().get(f"http://127.0.0.1:{PORT}{path}")
    assert answer.status_code == 403
    [link] = re.findall(r'href="([^"]*evil[^"]*)"', answer.text)
    assert re.match(r"/[^/\\]", link)


def test_the_link_opens_once(copied: Path) -> None:
    console = Console(copied)
    first, second = console.stranger(), console.stranger()
    assert first.get(console.door.link).status_code == 200
    assert first.get("/help").status_code == 200
    assert second.get(console.door.link).status_code == 403
    assert second.get("/help").status_code == 403


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 5000, "../../etc/passwd"])
def test_another_token_opens_nothing_and_spends_nothing(copied: Path, token: str) -> None:
    console = Console(copied)
    client = console.stranger()
    assert client.get("/enter", params={"token": token}).status_code == 403
    assert client.get(console.door.link).status_code == 200


def test_the_session_cookie_is_strict_and_hidden_from_scripts(copied: Path) -> None:
    console = Console(copied)
    cookie = console.stranger().get(console.door.link).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert cookie.startswith(f"trueup-{PORT}=")


@pytest.mark.parametrize("cookie", ["", ".", "x.y", "99999999999.abc", "-1.", "9" * 40 + ".é"])
def test_a_made_up_cookie_is_refused(console: Console, cookie: str) -> None:
    header = f"trueup-{PORT}={cookie}".encode()
    assert console.stranger().get("/help", headers={b"cookie": header}).status_code == 403


def test_a_session_ends(copied: Path) -> None:
    console = Console(copied)
    client = console.inside()
    console.clock.at += timedelta(hours=11)
    assert client.get("/help").status_code == 200
    console.clock.at += timedelta(hours=2)
    value = next(iter(client.cookies.jar)).value
    assert client.get("/help", headers={"cookie": f"trueup-{PORT}={value}"}).status_code == 403


def test_a_session_of_another_run_is_refused(copied: Path, console: Console) -> None:
    other = Console(copied)
    other.door.secret = b"t" * 32
    client = other.inside()
    value = next(iter(client.cookies.jar)).value
    assert console.stranger().get("/help", headers={"cookie": f"trueup-{PORT}={value}"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8377", "127.0.0.1", "127.0.0.1:80", "localhost.", ""])
def test_a_foreign_name_for_this_address_is_refused(browser: TestClient, host: str) -> None:
    answer = browser.get("/help", headers={"host": host})
    assert answer.status_code == 403
    assert "its own address" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/enter", "/static/console.css", "/static/nothing"])
def test_every_answer_carries_the_policy(browser: TestClient, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/review", "/ledger/0", "/enter"])
def test_nothing_but_looking_is_possible(browser: TestClient, method: str, path: str) -> None:
    assert browser.request(method, path).status_code == 405

"""The console as people meet it: opened by its link, read at two widths, light and dark, walked by keyboard."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, sync_playwright

from tests.web.consoles import write_registered

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).with_name("axe.min.js")
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
SAVED = "/reviews/2024-05-27-a"
REVIEWS = ["/review", f"{SAVED}/1", f"{SAVED}/2"]
WORKFLOWS = ["/workflows", "/workflows/claims", "/workflows/claims/cycle_time"]
CHOOSING = ["/portfolio", "/portfolio/claims", "/portfolio?budget=1000"]
PAGES = ["/", *REVIEWS, *WORKFLOWS, *CHOOSING, "/ledger", "/ledger/0", "/find?q=claims", "/help"]

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs the Debian package chromium")


@dataclass
class Served:
    """A console that runs as people run it."""

    link: str
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return self.link.split("/enter")[0]


@dataclass
class Opened:
    """A page, and whatever the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = write_registered(tmp_path_factory.mktemp("browser") / "claims")
    command = [sys.executable, "-m", "trueup", "serve", str(root), "--port", "0", "--as-of", "2024-05-27"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/enter\S+", process.stderr.readline())
        assert found is not None
        yield Served(found[0], process)
        process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(served: Served, chromium: Browser) -> StorageState:
    """Open the link as people do, and return the cookie that it left."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(served.link)
        page.wait_for_url(served.base + "/")
        assert page.locator("h1").inner_text() == "Is the strategy working? What needs you?"
        return context.storage_state()


def opened(context: BrowserContext, served: Served, path: str) -> Opened:
    page = context.new_page()
    found = Opened(page)
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(served.base) else found.foreign.append(asked.url))
    page.goto(served.base + path)
    return found


def test_the_checker_is_the_one_that_is_named() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256


# Every page at both widths and in both schemes; the first in all four combinations.
LOOKS = [(path, 1280, "light") for path in PAGES] + [(path, 360, "dark") for path in PAGES]
LOOKS += [("/", 1280, "dark"), ("/", 360, "light")]


@pytest.mark.parametrize(("path", "width", "scheme"), LOOKS)
def test_a_page_is_accessible_quiet_and_fits(
    served: Served, chromium: Browser, session: StorageState, path: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    size = ViewportSize(width=width, height=900)
    with chromium.new_context(viewport=size, color_scheme=scheme, storage_state=session) as context:
        found = opened(context, served, path)
        violations = found.page.evaluate(AXE.read_text("utf-8") + "; axe.run()")["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == []
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
        assert found.complaints == []
        assert found.foreign == []


def test_the_pages_are_walked_by_keyboard(served: Served, chromium: Browser, session: StorageState) -> None:
    with chromium.new_context(storage_state=session) as context:
        page = opened(context, served, "/").page
        page.keyboard.press("g")
        page.keyboard.press("r")
        page.wait_for_url("**/review")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/review/1")
        page.keyboard.press("?")
        page.wait_for_url("**/help")
        page.keyboard.press("g")
        page.keyboard.press("l")
        page.wait_for_url("**/ledger")


def test_a_stroke_opens_the_way_to_anything(served: Served, chromium: Browser, session: StorageState) -> None:
    with chromium.new_context(storage_state=session) as context:
        page = opened(context, served, "/").page
        page.keyboard.press("/")
        page.keyboard.type("claims")
        page.keyboard.press("Enter")
        page.wait_for_url("**/find?*claims*")
        page.locator("main a").first.click()
        assert page.locator("h1").inner_text()


def test_without_scripts_everything_is_there(served: Served, chromium: Browser, session: StorageState) -> None:
    with chromium.new_context(storage_state=session, java_script_enabled=False) as context:
        page = opened(context, served, "/").page
        page.get_by_role("link", name="Review", exact=True).click()
        page.locator("ol.rows a").first.click()
        assert page.locator("h1").inner_text().startswith("Why: ")
        page.get_by_label("As of").fill("2024-03-01")
        page.get_by_role("button", name="Look").click()
        assert "as_of=2024-03-01" in page.url


def test_who_is_in_and_comes_from_a_chat_is_one_click_away(
    served: Served, chromium: Browser, session: StorageState
) -> None:
    with chromium.new_context(storage_state=session) as context:
        page = context.new_page()
        link = f"<a href='{served.base}/ledger'>waits for a person</a>"
        page.route("http://chat.example/", lambda route: route.fulfill(body=link, content_type="text/html"))
        page.goto("http://chat.example/")
        page.get_by_role("link", name="waits for a person").click()
        page.get_by_role("link", name="Open /ledger from here").click()
        page.wait_for_url(f"{served.base}/ledger")
        assert page.locator("h1").inner_text() == "Can you trust this record?"


def test_a_stranger_is_told_what_to_do(served: Served, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        answer = page.goto(served.base + "/ledger")
        assert answer is not None
        assert answer.status == 403
        assert "trueup serve" in page.locator("main").inner_text()
        assert page.evaluate("getComputedStyle(document.body).maxWidth") == "1200px"

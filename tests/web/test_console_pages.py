"""Pages and their twins: the same model, every instant a permalink, everything escaped, broken files survived."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.running import run_trueup
from tests.web.consoles import Console

SAVED = "2024-05-27-a"
PAGES = [
    "/",
    "/review",
    "/review/1",
    f"/reviews/{SAVED}",
    f"/reviews/{SAVED}/2",
    "/ledger",
    "/ledger/0",
    "/workflows",
    "/workflows/claims",
    "/workflows/claims/cycle_time",
    "/portfolio",
    "/portfolio/claims",
    "/portfolio?budget=1000",
    "/find?q=claims",
    "/help",
]
# Pages share most of their links; each is followed once.
_FOLLOWED: set[str] = set()
HOSTILE = """<script>alert(1)</script>"'&{{7*7}}"""


def data(client: TestClient, path: str) -> dict[str, Any]:
    envelope = client.get(path).json()
    assert envelope["ok"] is True, envelope
    found: dict[str, Any] = envelope["data"]
    return found


class Loaded(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in {"script", "link", "img", "iframe"}:
            self.sources.append(named.get("src") or named.get("href") or "")
        if tag == "style" or (tag == "script" and "src" not in named):
            self.inline.append(tag)
        self.inline += [name for name in named if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_only_from_here_and_has_nothing_inline(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    loaded = Loaded(answer.text)
    assert loaded.inline == []
    assert {source.split("/")[1] for source in loaded.sources} == {"static"}
    assert all(browser.get(source).status_code == 200 for source in loaded.sources)


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(browser: TestClient, path: str) -> None:
    text = browser.get(path, params={"as_of": "2024-05-27"}).text
    targets = {target.replace("&amp;", "&") for target in re.findall(r'href="(/[^"#]*)', text)}
    new = targets - _FOLLOWED
    _FOLLOWED.update(new)
    assert [target for target in new if browser.get(target).status_code != 200] == []


def test_the_review_of_the_page_is_the_review_of_the_command(browser: TestClient, registered: Path) -> None:
    asked = run_trueup("review", registered, "--as-of", "2024-05-27", "--json").data
    shown = data(browser, "/review.json?as_of=2024-05-27")
    assert shown["changes"] == asked["changes"]
    assert shown["fingerprint"] == asked["fingerprint"]
    assert data(browser, f"/reviews/{asked['id']}.json")["changes"] == asked["changes"]


def test_a_chain_is_what_why_answers_saved_or_not(browser: TestClient, registered: Path) -> None:
    asked = run_trueup("why", registered, SAVED, "2", "--json").data
    assert data(browser, f"/reviews/{SAVED}/2.json") == asked
    assert data(browser, "/review/2.json?as_of=2024-05-27") == asked | {"review": "now"}
    text = browser.get(f"/reviews/{SAVED}/2").text
    assert asked["events"]["sample"][0]["case"] in text
    assert f"{asked['declared']['file']}:{asked['declared']['line']}" in text


def test_today_says_how_the_objective_stands_and_what_waits(browser: TestClient) -> None:
    shown = data(browser, "/today.json?as_of=2024-05-27")
    objective = shown["objectives"][0]
    assert objective["measured"]["lower"] < objective["measured"]["estimate"] < objective["measured"]["upper"] < 0
    assert objective["evidence_level"] == "A (attested)"
    assert objective["targets"][0]["change"] < 0
    assert [change["gate"] for change in shown["changes"] if change["kind"] == "gate"] != []
    assert shown["workflows"][0]["decided"]["state"] == "hold"
    text = browser.get("/?as_of=2024-05-27").text
    assert "A (attested)" in text
    assert "Claims are settled sooner" in text


def test_an_instant_moves_the_whole_page_and_stays_in_its_links(browser: TestClient) -> None:
    before = data(browser, "/today.json?as_of=2024-03-01")
    assert before["objectives"][0]["measured"] is None
    assert "2024-04-01" in before["objectives"][0]["because"]
    assert [change for change in before["changes"] if change["kind"] == "gate"] == []
    text = browser.get("/?as_of=2024-03-01").text
    assert 'href="/review?as_of=2024-03-01"' in text
    assert 'href="/today.json?as_of=2024-03-01"' in text
    assert data(browser, "/ledger.json?as_of=2024-01-01")["entries"] == []


@pytest.mark.parametrize("wrong", ["yesterday", "2024-13-01", "9999999999", "<b>", "2024-05-27T25:00", "\x00"])
@pytest.mark.parametrize("path", ["/", "/review.json", "/ledger"])
def test_a_wrong_instant_is_refused_with_the_way_out(browser: TestClient, wrong: str, path: str) -> None:
    answer = browser.get(path, params={"as_of": wrong})
    assert answer.status_code == 400
    assert "2018-03-03" in answer.text
    if not path.endswith(".json"):
        assert "<b>" not in answer.text
        assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/review/99",
        "/review/0",
        "/review/x",
        "/review/" + "9" * 99,
        "/reviews/none",
        f"/reviews/{SAVED}/99",
        "/reviews/..%2f..%2fprogramme",
        "/ledger/999",
        "/ledger/-1",
        "/static/../pages.py",
        "/workflows/letters",
        "/openapi.json",
        "/docs",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_refusals_of_twins_are_envelopes(browser: TestClient) -> None:
    envelope = browser.get("/ledger/999.json").json()
    assert envelope["ok"] is False
    assert envelope["error"]["code"] == "no-such-entry"
    assert envelope["error"]["hint"]


def test_the_ledger_page_filters_and_refuses_unknown_types(browser: TestClient) -> None:
    everything = data(browser, "/ledger.json")
    assert everything["verify"]["ok"] is True
    assert everything["entries"][0]["index"] == everything["verify"]["size"] - 1
    only = data(browser, "/ledger.json?type=baseline.registered")
    assert {entry["type"] for entry in only["entries"]} == {"baseline.registered"}
    assert browser.get("/ledger?type=baseline.registred").status_code == 400


def test_a_chart_has_a_twin_of_readings_and_an_interval_for_every_point(browser: TestClient, registered: Path) -> None:
    asked = run_trueup("measure", registered, "claims", "--as-of", "2024-05-27", "--json").data["readings"]
    shown = data(browser, "/workflows/claims.json?as_of=2024-05-27")
    primary = shown["kpis"][0]
    assert primary["kpi"] == shown["primary"] == "cycle_time"
    assert primary["readings"] == [row for row in asked if row["kpi"] == "cycle_time"]
    dots = [mark for mark in primary["chart"]["marks"] if mark["mark"] == "dot"]
    assert len(dots) == sum(row["value"] is not None for row in primary["readings"])
    bars = {(mark["x1"], mark["kind"]): mark for mark in primary["chart"]["marks"] if mark["mark"] == "line"}
    assert all(bars[dot["x"], dot["kind"]]["y2"] < dot["y"] < bars[dot["x"], dot["kind"]]["y1"] for dot in dots)
    text = browser.get("/workflows/claims?as_of=2024-05-27").text
    assert text.count("<circle") >= len(dots)
    assert primary["readings"][0]["id"] in text


def test_the_portfolio_is_what_rank_answers(browser: TestClient, registered: Path) -> None:
    asked = run_trueup("rank", registered, "--as-of", "2024-05-27", "--json").data
    shown = data(browser, "/portfolio.json?as_of=2024-05-27")
    rows = [{key: value for key, value in one.items() if key != "decided"} for one in shown["use_cases"]]
    assert {**shown, "use_cases": rows} | asked == {**shown, "use_cases": rows}


def test_hostile_names_are_shown_and_not_run(copied: Path) -> None:
    file = copied / "programme.yaml"
    text = file.read_text("utf-8").replace("Claims (a test)", "'" + HOSTILE.replace("'", "''") + "'")
    file.write_text(text.replace("Claims are settled sooner", "'" + HOSTILE.replace("'", "''") + "'"), "utf-8")
    client = Console(copied).inside()
    page = client.get("/").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2
    assert "{{7*7}}" in page
    assert client.get("/today.json").json()["data"]["programme"] == HOSTILE
    assert "<img" not in client.get("/reviews/<img src=x onerror=alert(1)>").text


def test_with_broken_files_the_pages_still_say_what_is_wrong(copied: Path) -> None:
    file = copied / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8").replace("use_case: claims", "use_case: clams"), "utf-8")
    client = Console(copied).inside()
    shown = data(client, "/today.json")
    assert shown["held"]["code"] == "unsound"
    assert "REF01" in {found["code"] for found in shown["findings"]}
    page = client.get("/")
    assert page.status_code == 200
    assert "REF01" in page.text
    assert client.get("/ledger").status_code == 200
    refused = client.get("/review")
    assert refused.status_code == 422
    assert "REF01" in refused.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"people: 7"])
def test_a_programme_file_that_cannot_be_read_is_survived(copied: Path, content: bytes) -> None:
    (copied / "programme.yaml").write_bytes(content)
    client = Console(copied).inside()
    assert client.get("/").status_code == 200
    assert client.get("/ledger").status_code < 500
    assert client.get("/review").status_code == 422


def test_a_programme_that_is_gone_is_said(copied: Path) -> None:
    client = Console(copied).inside()
    (copied / "programme.yaml").unlink()
    assert client.get("/").status_code == 404


def test_a_change_on_disk_shows_at_once(copied: Path) -> None:
    client = Console(copied).inside()
    assert data(client, "/today.json")["programme"] == "Claims (a test)"
    file = copied / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace("Claims (a test)", "Claims, renamed"), "utf-8")
    assert data(client, "/today.json")["programme"] == "Claims, renamed"


def test_looking_changes_nothing(copied: Path) -> None:
    client = Console(copied).inside()
    for path in PAGES:
        client.get(path)

    def state() -> dict[str, bytes]:
        files = (path for path in copied.rglob("*") if path.is_file() and "cache" not in path.parts)
        return {str(path): path.read_bytes() for path in files}

    before = state()
    for path in PAGES:
        assert client.get(path, params={"as_of": "2024-05-20"}).status_code in {200, 404}
    assert state() == before


def test_an_interrupted_command_is_left_to_the_next_command(copied: Path) -> None:
    (copied / ".trueup" / "journal").mkdir()
    client = Console(copied).inside()
    assert data(client, "/today.json")["held"]["code"] == "changing"
    assert client.get("/review").status_code == 409
    assert (copied / ".trueup" / "journal").exists()

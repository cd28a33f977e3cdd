"""One page: everything that is decided on is there, nothing in it is markup, and it prints on one A4 sheet."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.choose import harbour
from tests.running import run_trueup
from trueup.choose.brief.html import html
from trueup.choose.brief.markdown import markdown
from trueup.choose.brief.page import short

LONG = "words that somebody wrote without thinking of the page on which they would have to stand one day, " * 3
HOSTILE = "<script>alert(1)</script>"


def written(root: Path, name: str, *, as_of: str = harbour.AS_OF) -> tuple[str, dict[str, Any]]:
    ran = run_trueup("brief", root, "--as-of", as_of, "--out", root / name, "--json")
    assert ran.exit_code == 0, ran.err
    return (root / name).read_text("utf-8"), ran.data


@pytest.mark.parametrize("name", ["page.md", "page.html", "PAGE.HTML"])
def test_the_page_says_what_a_sponsor_decides_on(name: str, tmp_path: Path) -> None:
    text, data = written(harbour.write(tmp_path), name)
    for words in (
        "Decision asked for",
        "Fund letters: 34.0k EUR of the budget.",
        "A claim is settled within a fortnight",
        "-30% by 2026-12-31",
        "hybrid (readiness 6 of 10)",
        "Forecast of claims",
        "not now",
        "Expected net value 78.9k, proven best; 1000 draws.",
        "2026-03-16 triage: gate week-4",
        "forms-are-complete: Nine claims in ten arrive with an amount.",
    ):
        assert words in text
    assert data["file"].endswith(name)
    assert data["format"] == ("markdown" if name.endswith("md") else "html")
    assert data["page"]["decision"]["rows"][0] == "Fund letters: 34.0k EUR of the budget."


def test_an_unknown_ending_is_a_usage_error_and_writes_nothing(tmp_path: Path) -> None:
    root = harbour.write(tmp_path)
    for name in ("page.pdf", "page", "page.md.txt"):
        ran = run_trueup("brief", root, "--out", root / name, "--json")
        assert (ran.exit_code, ran.error["code"]) == (2, "unknown-ending")
        assert not (root / name).exists()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    root = harbour.write(tmp_path)
    ran = run_trueup("brief", root, "--out", root / "programme.yaml" / "page.md", "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "cannot-write")


def test_a_programme_that_answers_nothing_has_a_page_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "programme.yaml").write_text("programme: Empty (simulated)\nsponsor: dana\npeople: {dana: {name: D}}\n")
    text, data = written(tmp_path, "page.md")
    assert "Not settled: strategy-first or hybrid or implementation-first" in text
    assert data["page"]["portfolio"]["rows"] == []


def test_an_impossible_portfolio_is_what_the_page_asks_about(tmp_path: Path) -> None:
    root = harbour.write(tmp_path, programme=("budget: 120000", "budget: 12000"))
    text, _ = written(root, "page.md")
    assert "No portfolio is possible:" in text
    ranked = run_trueup("rank", root, "--as-of", harbour.AS_OF, "--json")
    assert (ranked.exit_code, ranked.error["code"]) == (1, "impossible-portfolio")


class Tags(HTMLParser):
    """Collects the elements of a page, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.loaded += [name for name, _ in attrs if name in {"src", "href", "onload", "onclick", "style"}]


def test_nothing_that_is_declared_becomes_markup(tmp_path: Path) -> None:
    root = harbour.write(
        tmp_path,
        programme=("A claim is settled within a fortnight", f'"{HOSTILE} | `a` *b* [c](d)"'),
        letters=("Drafts of letters | to claimants", f'"{HOSTILE} & | co"'),
    )
    page, _ = written(root, "page.html")
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert tags.loaded == []
    assert "&lt;script&gt;" in page
    text, _ = written(root, "page.md")
    assert "<script>" not in text
    row = next(line for line in text.splitlines() if "& \\| co" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 9, "a bar in a name must not make a column"


def test_texts_are_cut_on_one_line() -> None:
    assert short("a\nb") == "a b"
    assert len(short(LONG)) <= 105
    assert short(LONG).endswith(" ...")
    assert len(short("x" * 500)) <= 105


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_the_fullest_page_prints_on_one_sheet(tmp_path: Path) -> None:
    (tmp_path / "full.html").write_text(html(full_page()), "utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    printed = tmp_path / "full.pdf"
    subprocess.run(
        [*command, f"--print-to-pdf={printed}", (tmp_path / "full.html").as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert pages(printed.read_bytes()) == 1


def pages(pdf: bytes) -> int:
    """Count the pages of a PDF, also where its objects are packed."""
    packed = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    for part in packed:
        try:
            pdf += zlib.decompress(part)
        except zlib.error:
            continue
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def full_page() -> dict[str, Any]:
    """Return a page with everything as long and as often as it can be."""
    sentence, reason, name = short(LONG), short(LONG, 76), short(LONG, 40)

    def rows(count: int, row: Any) -> dict[str, Any]:
        return {"rows": [row] * count, "more": 7}

    goal = {"outcome": reason, "kpi": "expense-approval.cycle_time", "targets": "-30% by 2026-12-31", "owner": name}
    case = {"rank": 9, "name": name, "stage": "candidate", "value": "12.0k..63.9k", "cost": "29.2k", "success": "0.44"}
    return {
        "title": reason,
        "as_of": "2026-03-03",
        "sponsor": name,
        "currency": "EUR",
        "objectives": rows(4, goal),
        "route": sentence,
        "operating_model": sentence,
        "portfolio": rows(8, {**case, "p_funded": "0.50", "decision": "not now", "because": reason}),
        "limits": ["parallel pilots 4 of 4"] * 4,
        "confidence": "Expected net value -161k, within 0.01% of the best; 1000 draws",
        "horizons": {
            days: rows(3, {"due": "2026-04-21 (overdue)", "what": reason, "owner": "payables-lead"})
            for days in ("30", "60", "90")
        },
        "risks": rows(4, sentence),
        "decision": rows(4, sentence),
    }


def test_both_forms_say_the_same() -> None:
    page = full_page()
    strip = re.compile(r"<[^>]+>")
    assert short(LONG, 76) in strip.sub("", html(page))
    assert short(LONG, 76) in markdown(page)

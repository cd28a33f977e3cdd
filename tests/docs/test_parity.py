"""What is not documented does not exist, and what is documented does."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.generate import ANSWERS, PAGES, commands
from trueup.cli.main import COMMANDS
from trueup.kernel.errors import Exit

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"
FOLDERS = ("docs", "examples", "changelog.d")
MARKDOWN = sorted([*REPOSITORY.glob("*.md"), *(page for name in FOLDERS for page in (REPOSITORY / name).rglob("*.md"))])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CALL = re.compile(r"(?:^|[`$] ?|\s)(\./dev|trueup) ([a-z][^`\n|]*)")


def within(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def anchors(path: Path) -> set[str]:
    """Return the anchors that a code host makes of headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text("utf-8") == PAGES[name](), "run: ./dev docs"


def test_the_answer_of_every_command_is_described() -> None:
    assert {name for name, _ in commands()} == set(ANSWERS)


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)` \|", (REFERENCE / "exit-codes.md").read_text("utf-8"), re.MULTILINE)
    assert rows == [(str(int(code)), code.name) for code in Exit]


def test_every_finding_code_in_the_source_has_a_page() -> None:
    pages = importlib.import_module("trueup.declare.check.registry").PAGES
    used = {
        code
        for path in (REPOSITORY / "src").rglob("*.py")
        for code in re.findall(r"[\"']([A-Z]{3,5}\d{2})[\"']", path.read_text("utf-8"))
    }
    assert used - set(pages) == set()


def test_every_entry_that_the_source_appends_is_in_the_closed_table() -> None:
    types = importlib.import_module("trueup.ledger.event_types").EVENT_TYPES
    used = {
        name
        for path in (REPOSITORY / "src").rglob("*.py")
        for name in re.findall(r"\bEntry\(\s*(?:type=)?[\"']([a-z_]+\.[a-z_]+)[\"']", path.read_text("utf-8"))
    }
    assert used - set(types) == set()


@pytest.mark.parametrize("path", MARKDOWN, ids=within)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in LINK.findall(path.read_text("utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", MARKDOWN, ids=within)
def test_the_commands_that_pages_show_exist(path: Path) -> None:
    dev = dev_commands()
    known = dict(commands())
    wrong = []
    for program, rest in CALL.findall(re.sub("<!--.*?-->", "", path.read_text("utf-8"))):
        words = shlex.split(rest.split(" #")[0], posix=True) if rest.count("'") % 2 == 0 else rest.split()
        words = ["trueup", *words] if program == "trueup" else words
        if words[0] != "trueup":
            wrong += [] if words[0] in dev or program != "./dev" else [rest]
        elif len(words) > 1 and re.fullmatch("[a-z]+", words[1]):
            wrong += unknown_in(words[1:], known)
    assert wrong == []


def unknown_in(words: list[str], known: dict[str, click.Command]) -> list[str]:
    """Return what a call of `trueup` uses that does not exist. A sentence about trueup is not a call."""
    if words[0] not in COMMANDS:
        return [words[0]]
    command = known.get(words[0]) or known.get(" ".join(words[:2]))
    if command is None:
        return [] if len(words) == 1 else [" ".join(words[:2])]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    return [word for word in words if word.startswith("--") and len(word) > 2 and word.split("=")[0] not in options]


def dev_commands() -> set[str]:
    """Return what `./dev` lists, without an environment."""
    listed = subprocess.run([sys.executable, "-SE", "dev"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(re.findall(r"\./dev ([a-z]+)", listed.stdout))

"""An instant moves the declared files too: to the last commit at or before it; and what cannot be moved is said."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.consoles import Console
from trueup.connectors.git import GitRepository

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

_WHO = ("C. Hief", "chief@test.example")
_DECLARED = ["programme.yaml", "use-cases/claims.yaml", "workflows/claims.yaml"]


def data(client: TestClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(path).json()["data"]
    return found


def commit(root: Path, day: int, month: int, files: list[str]) -> str:
    made = GitRepository(root).commit(files, "State", *_WHO, datetime(2024, month, day, tzinfo=UTC))
    assert made is not None
    return made


@pytest.fixture
def committed(copied: Path) -> dict[str, str]:
    """A programme that was adopted in January, registered in March, renamed in May and edited since."""
    GitRepository(copied).create()
    file = copied / "programme.yaml"
    registered = file.read_text("utf-8")
    adopted = commit(copied, 1, 1, _DECLARED)
    later = commit(copied, 31, 3, ["registrations/claims.yaml"])
    file.write_text(registered.replace("Claims (a test)", "Claims, renamed"), "utf-8")
    renamed = commit(copied, 20, 5, ["programme.yaml"])
    file.write_text(registered.replace("Claims (a test)", "Claims, not committed"), "utf-8")
    return {"adopted": adopted, "registered": later, "renamed": renamed}


def test_pages_show_the_files_of_the_last_commit_and_name_it(copied: Path, committed: dict[str, str]) -> None:
    client = Console(copied).inside()
    shown = {day: data(client, f"/today.json?as_of={day}") for day in ("2024-02-01", "2024-05-19", "2024-05-27")}
    assert [model["programme"] for model in shown.values()] == ["Claims (a test)"] * 2 + ["Claims, renamed"]
    assert [model["files"]["commit"] for model in shown.values()] == list(committed.values())
    page = client.get("/?as_of=2024-05-27").text
    assert committed["renamed"][:10] in page
    assert "2024-05-20 00:00Z" in page
    assert data(client, "/today.json")["programme"] == "Claims, not committed"


def test_what_was_not_registered_yet_has_no_difference(copied: Path, committed: dict[str, str]) -> None:
    client = Console(copied).inside()
    assert "no baseline is registered" in data(client, "/today.json?as_of=2024-03-30")["objectives"][0]["because"]
    assert data(client, "/today.json?as_of=2024-05-19")["objectives"][0]["measured"] is not None
    assert committed["registered"][:10] in client.get("/workflows/claims?as_of=2024-05-19").text


@pytest.mark.parametrize(
    "path",
    ["/", "/workflows/claims", "/workflows/claims/cycle_time", "/portfolio", "/review", "/find?q=claims", "/ledger"],
)
def test_every_page_can_be_seen_at_an_earlier_state(copied: Path, committed: dict[str, str], path: str) -> None:
    client = Console(copied).inside()
    answer = client.get(path, params={"as_of": "2024-02-01"})
    assert answer.status_code == 200, answer.text
    assert committed["adopted"][:10] in answer.text


def test_no_commit_so_early_is_said_and_the_page_still_works(copied: Path, committed: dict[str, str]) -> None:
    assert committed
    client = Console(copied).inside()
    page = client.get("/?as_of=2023-12-31")
    assert page.status_code == 200
    assert "No commit is as early" in page.text
    assert data(client, "/today.json?as_of=2023-12-31")["files"]["commit"] is None


def test_a_programme_that_is_not_under_git_says_so(browser: TestClient) -> None:
    assert "not under git" in browser.get("/?as_of=2024-05-27").text
    assert "not under git" not in browser.get("/").text


def test_a_commit_without_a_programme_is_said(copied: Path) -> None:
    GitRepository(copied).create()
    commit(copied, 1, 1, ["use-cases/claims.yaml"])
    page = Console(copied).inside().get("/?as_of=2024-02-01")
    assert page.status_code == 200
    assert "holds no programme" in page.text


def test_broken_files_of_then_are_found_then_and_named_by_their_own_folder(copied: Path) -> None:
    GitRepository(copied).create()
    workflow = copied / "workflows" / "claims.yaml"
    sound = workflow.read_text("utf-8")
    workflow.write_text(sound.replace("use_case: claims", "use_case: clams"), "utf-8")
    commit(copied, 1, 1, _DECLARED)
    workflow.write_text(sound, "utf-8")
    client = Console(copied).inside()
    then = data(client, "/today.json?as_of=2024-02-01")
    assert "REF01" in {found["code"] for found in then["findings"]}
    assert str(copied) in then["held"]["hint"]
    assert data(client, "/today.json")["held"] is None


def test_a_workflow_that_is_gone_is_seen_when_it_was_there(copied: Path, committed: dict[str, str]) -> None:
    assert committed
    for file in ("workflows/claims.yaml", "registrations/claims.yaml"):
        (copied / file).unlink()
    programme = copied / "programme.yaml"
    programme.write_text(programme.read_text("utf-8").replace("    kpi: claims.cycle_time\n", ""), "utf-8")
    client = Console(copied).inside()
    assert client.get("/workflows/claims").status_code == 404
    assert client.get("/workflows/claims?as_of=2024-05-27").status_code == 200


def test_looking_back_leaves_nothing_behind_and_finishes_nothing(copied: Path, committed: dict[str, str]) -> None:
    assert committed
    client = Console(copied).inside()
    client.get("/?as_of=2024-05-27")
    before = GitRepository(copied).head(), sorted(path.name for path in (copied / ".trueup").iterdir())
    (copied / ".trueup" / "journal").mkdir()
    assert data(client, "/today.json?as_of=2024-05-20")["held"]["code"] == "changing"
    (copied / ".trueup" / "journal").rmdir()
    assert client.get("/?as_of=2024-05-20").status_code == 200
    assert (GitRepository(copied).head(), sorted(path.name for path in (copied / ".trueup").iterdir())) == before

"""Killed at any instant of `apply`, files, record and commit agree after the next command: all of it, or nothing."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import run_trueup

WEEK_8 = "2024-05-27"
REPOSITORY = Path(__file__).resolve().parents[2]


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = write_programme(tmp_path_factory.mktemp("prepared") / "claims-programme", Truth(per_week=40))
    (root / ".gitignore").write_text(".trueup/\ndata/\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@test.example", "commit", "-qm", "start")
    assert run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json").exit_code == 0
    review = run_trueup("review", root, "--as-of", WEEK_8, "--json").data
    assert review["changes"]
    return root, str(review["id"])


def copied(prepared: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    root = tmp_path / "copy"
    shutil.copytree(prepared[0], root)
    return root, prepared[1]


def killed_apply(root: Path, review: str, touch: int, **options: Any) -> int:
    command = [sys.executable, "-m", "tests.loop.killing", str(touch), "apply", str(root), review]
    command += ["--by", "chief", "--as-of", WEEK_8, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, cwd=REPOSITORY, **options)
    return int(done.returncode)


def assert_all_or_nothing(root: Path) -> None:
    """Look as a person would after the crash: the next command first, then files, record and git."""
    open_changes = run_trueup("review", root, "--as-of", WEEK_8, "--json").data["changes"]
    decided = "decided:" in (root / "workflows" / "claims.yaml").read_text("utf-8")
    found = "found:" in (root / "programme.yaml").read_text("utf-8")
    entries = ledger_types(root)
    applied = entries.count("review.applied")
    assert applied == int(decided) == int(found), (entries, decided, found)
    assert (open_changes == []) is decided
    assert git(root, "status", "--porcelain") == ""
    assert ("Apply review" in git(root, "log", "-1", "--format=%s")) is decided
    report = run_trueup("ledger", "verify", root, "--json").data
    assert report["ok"] is True, report
    assert not (root / ".trueup" / "journal").exists()


def ledger_types(root: Path) -> list[str]:
    size = run_trueup("ledger", "verify", root, "--json").data["size"]
    return [run_trueup("ledger", "entry", root, str(index), "--json").data["entry"]["type"] for index in range(size)]


def check_kill(prepared: tuple[Path, str], tmp_path: Path, touch: int) -> int:
    root, review = copied(prepared, tmp_path)
    code = killed_apply(root, review, touch)
    assert_all_or_nothing(root)
    return code


@pytest.mark.parametrize("touch", [5, 12, 19, 26, 33, 40, 47])
def test_a_sample_of_kills(prepared: tuple[Path, str], tmp_path: Path, touch: int) -> None:
    assert check_kill(prepared, tmp_path, touch) in {0, -9}


@pytest.mark.long
@pytest.mark.parametrize("touch", range(1, 90))
def test_every_kill(prepared: tuple[Path, str], tmp_path: Path, touch: int) -> None:
    assert check_kill(prepared, tmp_path, touch) in {0, -9}


def test_the_kills_reach_to_the_end_of_the_work(prepared: tuple[Path, str], tmp_path: Path) -> None:
    """The sample above would prove nothing if every kill came before the record was written."""
    root, review = copied(prepared, tmp_path)
    assert killed_apply(root, review, 0) == 0
    assert_all_or_nothing(root)


@pytest.mark.parametrize("kilobytes", [1, 16])
def test_a_full_disk_changes_nothing_or_everything(prepared: tuple[Path, str], tmp_path: Path, kilobytes: int) -> None:
    root, review = copied(prepared, tmp_path)
    limit = kilobytes * 1024

    def no_more_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code = killed_apply(root, review, 0, preexec_fn=no_more_room)
    assert code in {0, 1}
    assert_all_or_nothing(root)

"""Killed at random instants while acting, on both stores: nothing is done twice, and nothing that was done is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.enforce.killed_actors import write

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """The setting that says where the ledger lies."""
    return {} if request.param == "sqlite" else {"TRUEUP_LEDGER_URL": str(request.getfixturevalue("postgres"))}


def killed(root: Path, rounds: int, seed: int, store: dict[str, str]) -> dict[str, int]:
    """Let so many rounds of two programs be killed; return what the last look found."""
    environment = {**os.environ, **store, "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"}
    command = [sys.executable, "-m", "tests.enforce.killed_actors", str(write(root)), str(rounds), str(seed)]
    ran = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    found: dict[str, int] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_programs_killed_while_they_act_repeat_and_lose_nothing(tmp_path: Path, store: dict[str, str]) -> None:
    """With the writers that `tests/ledger` kills, about thirty in all; a thousand a store with --long."""
    found = killed(tmp_path / f"p{len(store)}", 4, 1, store)
    assert found["killed"] == 8
    assert found["payments"] >= found["reported"] > 0


@pytest.mark.long
def test_a_thousand_programs_killed_while_they_act(tmp_path: Path, store: dict[str, str]) -> None:
    found = killed(tmp_path / f"l{len(store)}", 500, 2, store)
    print(f"\n{'postgres' if store else 'sqlite'}: {found}")
    assert found["killed"] == 1000

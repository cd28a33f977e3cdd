"""The guide to a first programme, done exactly as it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Ran, run_trueup

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "first-programme.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"`(claims/[\w/-]+\.yaml)`[^`]*```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Every command of the page in order, each by its name, with its answer as JSON."""
    folder = tmp_path_factory.mktemp("guide")
    text = GUIDE.read_text("utf-8")
    for name, content in FILE.findall(text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    blocks = BLOCK.findall(text)
    (program,) = (content for language, content in blocks if language == "python")
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    (calls,) = (content for language, content in blocks if language == "console")
    answers: dict[str, Ran] = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for line in calls.splitlines():
            words = shlex.split(line.removeprefix("$ ./dev trueup "))
            answers[words[0]] = run_trueup(*words, "--json")
        answers["review again"] = run_trueup("review", "claims", "--as-of", "2025-07-28", "--json")
    return answers


def test_every_step_succeeds(done: dict[str, Ran]) -> None:
    assert {name: ran.exit_code for name, ran in done.items() if ran.exit_code} == {}


def test_check_finds_no_error(done: dict[str, Ran]) -> None:
    assert [found for found in done["check"].data["findings"] if found["severity"] == "error"] == []


def test_the_gate_at_week_8_says_go(done: dict[str, Ran]) -> None:
    gates = {change["gate"]: change for change in done["review"].data["changes"] if change["kind"] == "gate"}
    assert gates["week-8"]["outcome"] == "go"
    assert gates["week-8"]["evidence_level"] == "A (attested)"


def test_nothing_is_left_after_apply(done: dict[str, Ran]) -> None:
    assert done["review again"].data["changes"] == []

"""`trueup new`: what it writes can be checked at once; nothing is overwritten, nothing is left half-written."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tests.running import Run
from trueup.declare.model.answers import Answers
from trueup.declare.read import read_programme
from trueup.declare.starter import starter_files, write_new
from trueup.kernel.errors import ConflictError, StorageError
from trueup.kernel.finding import Severity

TODAY = date(2025, 2, 3)


@pytest.fixture
def answers(repository: Path, tmp_path: Path) -> Path:
    """The answers that the reference page shows."""
    page = (repository / "docs" / "reference" / "answers.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "answers.yaml"
    file.write_text(example)
    return file


def test_the_documented_answers_give_a_programme_without_errors(trueup: Run, answers: Path, tmp_path: Path) -> None:
    made = trueup("new", tmp_path / "p", "--answers", answers, "--json")
    assert made.exit_code == 0
    assert set(made.data["files"]) == {
        ".gitignore",
        "knowledge/README.md",
        "programme.yaml",
        "use-cases/claims-triage.yaml",
        "workflows/claims-triage.yaml",
    }
    checked = read_programme(tmp_path / "p", TODAY)
    assert [found.code for found in checked.findings if found.severity is not Severity.WARNING] == []
    pilot = checked.programme.workflows["claims-triage"].pilot
    assert pilot is not None
    assert (pilot.design.assigned, pilot.design.share) == ("random", 0.8)
    assert list(pilot.gates) == ["week-4", "week-8", "week-12"]
    assert checked.programme.file.ledger is not None
    assert checked.programme.file.ledger.origin == "harbour.example/trueup"


def test_without_answers_every_open_question_is_a_finding(trueup: Run, tmp_path: Path) -> None:
    assert trueup("new", tmp_path / "p").exit_code == 0
    checked = read_programme(tmp_path / "p", TODAY)
    todo = sum(path.read_text().count("# TODO") for path in (tmp_path / "p").rglob("*.yaml"))
    assert sum(found.code == "FILE03" for found in checked.findings) == todo > 10
    assert {found.code for found in checked.errors} == {"OBJ01", "OWN01"}


def test_the_same_answers_give_the_same_text() -> None:
    assert starter_files(Answers()) == starter_files(Answers())


@pytest.mark.parametrize("name", ["a: b", "no", "x\n- y", '"', "#", "{}", "ключ"])
def test_any_name_survives_the_templates(tmp_path: Path, name: str) -> None:
    write_new(tmp_path / "p", starter_files(Answers(programme=name)))
    assert read_programme(tmp_path / "p", TODAY).programme.file.programme == name


def test_a_folder_that_holds_anything_is_left_alone(trueup: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = trueup("new", tmp_path, "--json")
    assert (refused.exit_code, refused.error["code"]) == (1, "not-empty")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("mine")
    with pytest.raises(ConflictError):
        write_new(tmp_path / "p", {"programme.yaml": "x"})


def test_a_fresh_repository_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write_new(tmp_path, starter_files(Answers()))
    assert (tmp_path / "programme.yaml").exists()


def test_when_writing_fails_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_new(tmp_path / "p", {"programme.yaml": "x", "programme.yaml/impossible": "y"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["programe: x\n", "pilot: {share: 3}\n", "use_case: {id: Two Words}\n", "a: [\n", "\x00"]
)
def test_wrong_answers_are_explained_and_nothing_is_written(trueup: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "answers.yaml").write_text(text)
    refused = trueup("new", tmp_path / "p", "--answers", tmp_path / "answers.yaml", "--json")
    assert (refused.exit_code, refused.error["code"]) == (3, "bad-answers")
    assert refused.error["findings"]
    assert not (tmp_path / "p").exists()


def test_missing_answers_are_not_found(trueup: Run, tmp_path: Path) -> None:
    refused = trueup("new", tmp_path / "p", "--answers", tmp_path / "nothing.yaml", "--json")
    assert (refused.exit_code, refused.error["code"]) == (1, "no-answers")

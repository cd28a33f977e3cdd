"""The format's reference shows a whole programme: it is checked from the page, and it shows every key there is."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.scenario import Scenarios
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.read import read_programme
from trueup.declare.reading.shapes import keys_at
from trueup.enforce.rehearsal.scenarios import broken_scenarios
from trueup.kernel.finding import Severity

# Written by the program, or by people in rare cases that the text tells of.
NOT_SHOWN = {"ranking"}


@pytest.fixture
def files(repository: Path) -> dict[str, str]:
    """The files on the page, by path."""
    page = (repository / "docs" / "reference" / "programme-format.md").read_text()
    return dict(re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", page, re.DOTALL))


def test_the_programme_on_the_page_has_no_errors(files: dict[str, str], tmp_path: Path) -> None:
    named = {"use-cases", "workflows", "scenarios"}
    assert set(files) == {"programme.yaml", *(f"{folder}/expense-approval.yaml" for folder in named)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    checked = read_programme(tmp_path, date(2018, 1, 10))
    assert broken_scenarios(checked.programme) == []
    findings = checked.findings
    assert [found for found in findings if found.severity is Severity.ERROR] == []
    assert [found.code for found in findings if found.waived is None] == []
    assert [found.code for found in findings if found.waived is not None] == ["KPI01"]


@pytest.mark.parametrize(
    ("model", "file"),
    [
        (ProgrammeFile, "programme.yaml"),
        (UseCase, "use-cases/expense-approval.yaml"),
        (Workflow, "workflows/expense-approval.yaml"),
        (Scenarios, "scenarios/expense-approval.yaml"),
    ],
)
def test_every_key_of_a_file_is_shown(files: dict[str, str], model: type[BaseModel], file: str) -> None:
    shown = set(re.findall(r"^(\w+):", files[file], re.MULTILINE))
    assert set(keys_at(model, ())) - NOT_SHOWN == shown

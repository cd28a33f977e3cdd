"""Whatever is missing from the files, or stands there instead, every rule still answers."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.declare.check.base_programme import FILES, TODAY, found
from trueup.declare.check.registry import PAGES
from trueup.kernel.finding import Finding

PARSED = {file: yaml.safe_load(text) for file, text in FILES.items() if file.endswith(".yaml")}
# What people write where something else belongs: nothing, nonsense, extremes.
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", " ", "x", 0, -1, 1e300, "0%", "100%", "0d", [], {}, [1, 2], "9999-12-31", "0001-01-01"]
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every key and list position inside."""
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path for key, item in inside for path in ((*here, key), *paths(item, (*here, key)))]


EVERY_PATH = [(file, *path) for file, value in PARSED.items() for path in paths(value)]


def holder(files: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """Return what holds the last step of a path; None where an earlier change has taken it away."""
    here: Any = files
    for step in path[:-1]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return None
    return here if isinstance(here, dict) else None


def read(root: Path, files: dict[str, Any], today: date = TODAY) -> list[Finding]:
    for file in FILES:
        (root / file).unlink(missing_ok=True)
    return found(root, {file: yaml.safe_dump(value) for file, value in files.items()}, today)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programme")


@pytest.mark.parametrize("path", EVERY_PATH, ids=lambda path: ".".join(map(str, path)))
def test_every_single_key_may_be_missing(path: tuple[Any, ...], folder: Path) -> None:
    files = copy.deepcopy(PARSED)
    here = holder(files, path)
    if here is None:
        return
    del here[path[-1]]
    assert {finding.code for finding in read(folder, files)} <= set(PAGES)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(EVERY_PATH), st.none() | STRANGE.map(lambda value: [value])), max_size=12))
def test_any_keys_may_be_missing_or_strange(
    folder: Path, changes: list[tuple[tuple[Any, ...], list[Any] | None]]
) -> None:
    files = copy.deepcopy(PARSED)
    for path, value in changes:
        here = holder(files, path)
        if here is not None and path[-1] in here:
            here.pop(path[-1]) if value is None else here.__setitem__(path[-1], value[0])
    assert {finding.code for finding in read(folder, files)} <= set(PAGES)


@pytest.mark.parametrize("today", [date.min, date.max])
def test_the_ends_of_the_calendar_are_days_too(today: date, folder: Path) -> None:
    assert {finding.code for finding in read(folder, PARSED, today)} <= {"KPI01"}


@pytest.mark.parametrize("broken", ["a: [\n", "\0"], ids=["syntax", "binary"])
@pytest.mark.parametrize("file", FILES)
def test_what_a_broken_file_would_have_said_is_not_called_missing(file: str, broken: str, tmp_path: Path) -> None:
    findings = found(tmp_path, {**FILES, file: broken})
    assert {finding.where.file for finding in findings} <= {file}

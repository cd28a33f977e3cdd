"""Nothing grows until nobody can hold it in their head, and nothing is switched off to get there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "trueup"
MODULES = sorted(SOURCE.rglob("*.py"))
BESIDE = [path for folder in ("bench", "studies", "docs") for path in (REPOSITORY / folder).glob("*.py")]
PROGRAMS = sorted([*BESIDE, REPOSITORY / "dev"])
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
PACKAGES = sorted({module.parent for module in MODULES})

MODULE_LINES = 400
TEST_LINES = 600
FUNCTION_LINES = 50
PUBLIC_METHODS = 15
PACKAGE_MODULES = 15
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base"}
SWITCHED_OFF = re.compile(r"#\s*(type:\s*ignore|pragma:\s*no\s*cover|mypy:|ruff:\s*noqa|pylint:)")
NOQA = re.compile(r"#\s*noqa\b(?P<rest>.*)")


def within(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_and_tests_stay_short() -> None:
    limits = [(path, MODULE_LINES) for path in (*MODULES, *PROGRAMS)] + [(path, TEST_LINES) for path in TESTS]
    counted = {within(path): (len(path.read_text("utf-8").splitlines()), most) for path, most in limits}
    assert {name: lines for name, (lines, most) in counted.items() if lines > most} == {}


def test_functions_stay_short() -> None:
    long = [
        f"{within(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in (*MODULES, *PROGRAMS, *TESTS)
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_classes_stay_narrow() -> None:
    wide = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                public = [member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
                count = sum(not member.name.startswith("_") for member in public)
                if count > PUBLIC_METHODS:
                    wide.append(f"{within(path)}:{node.lineno} {node.name}: {count}")
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize("package", PACKAGES, ids=within)
def test_a_package_holds_few_modules(package: Path) -> None:
    modules = [path.name for path in package.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= PACKAGE_MODULES, modules


def test_names_say_what_a_module_holds() -> None:
    assert [within(path) for path in (*MODULES, *TESTS) if path.stem in VAGUE] == []


def test_every_module_opens_with_its_thought() -> None:
    assert [within(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_nothing_is_switched_off() -> None:
    found = [
        f"{within(path)}:{number}"
        for path in (*MODULES, *PROGRAMS, *TESTS)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if SWITCHED_OFF.search(line)
    ]
    assert not found, "\n".join(found)


def test_an_exception_to_a_rule_gives_its_reason() -> None:
    unexplained = [
        f"{within(path)}:{number}"
        for path in (*MODULES, *PROGRAMS, *TESTS)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (noqa := NOQA.search(line)) and not re.fullmatch(r":\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s+-- \S.*", noqa["rest"])
    ]
    assert not unexplained, "\n".join(unexplained)


def test_test_files_have_names_of_their_own() -> None:
    """Reports name a test by its file; two files of one name are told apart by nobody."""
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert sorted({name for name in names if names.count(name) > 1}) == []

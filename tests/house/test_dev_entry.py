"""`./dev` needs nothing but Python, installs once, and installs again only when the lock's content has changed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

DEV = Path(__file__).resolve().parents[2] / "dev"


def run_dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-SE", DEV, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module, in a checkout of its own whose environment is made already."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("dev_entry", str(DEV))
    spec = spec_from_loader("dev_entry", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for lock in module.LOCKS.values():
        (tmp_path / lock).write_text("one==1.0\n")
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", f"{tmp_path}/.venv")
    monkeypatch.setattr(module, "PYTHON", f"{tmp_path}/.venv/bin/python")
    monkeypatch.setattr(module, "make_environment", lambda: None)
    return module


@pytest.fixture
def installed(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks that were installed, in order."""
    locks: list[str] = []
    monkeypatch.setattr(dev, "install", locks.append)
    return locks


def test_it_imports_the_standard_library_only() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(DEV.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_paths_mean_what_they_mean_where_the_caller_stands(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["attacks", "--data", "runs", "--decisions=/made/lines", "--data=../runs", "--json", "--data"]
    found = dev.from_here(given, "--data", "--decisions")
    beside = tmp_path.parent / "runs"
    made = ["--decisions=/made/lines", f"--data={beside}", "--json", "--data"]
    assert found == ["attacks", "--data", str(tmp_path / "runs"), *made]


def test_no_argument_lists_the_commands() -> None:
    listed = run_dev()
    assert listed.returncode == 0
    assert all(
        f"./dev {name}" in listed.stdout
        for name in ("demo", "test", "trueup", "check", "bench", "evidence", "docs", "lock")
    )


def test_an_unknown_command_is_a_usage_error_on_stderr() -> None:
    ran = run_dev("tset")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "./dev without arguments lists them" in ran.stderr


def test_it_can_be_started() -> None:
    assert os.access(DEV, os.X_OK)


def test_a_lock_is_installed_once(dev: ModuleType, installed: list[str]) -> None:
    dev.prepare("run")
    dev.prepare("run")
    assert installed == ["requirements.lock"]


def test_a_changed_lock_is_installed_again(dev: ModuleType, installed: list[str], tmp_path: Path) -> None:
    dev.prepare("run")
    (tmp_path / "requirements.lock").write_text("one==1.1\n")
    os.utime(tmp_path / "requirements.lock", (1, 1))
    dev.prepare("run")
    assert installed == ["requirements.lock", "requirements.lock"]


def test_a_lock_of_another_time_but_the_same_content_is_not(
    dev: ModuleType, installed: list[str], tmp_path: Path
) -> None:
    dev.prepare("run")
    os.utime(tmp_path / "requirements.lock", (1, 1))
    dev.prepare("run")
    assert installed == ["requirements.lock"]


def test_an_interrupted_installation_is_done_again(
    dev: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_lock: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dev, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dev.prepare("run")
    dev.prepare("run")
    assert installed == ["requirements.lock"]


def test_a_moved_checkout_finds_its_own_source(dev: ModuleType, installed: list[str], tmp_path: Path) -> None:
    dev.prepare("run")
    (path,) = tmp_path.rglob("trueup.pth")
    path.write_text("/elsewhere/src\n")
    stamp = tmp_path / ".venv" / "installed-run"
    stamp.write_text(stamp.read_text().replace(str(tmp_path), "/elsewhere"))
    dev.prepare("run")
    assert path.read_text() == f"{tmp_path}/src\n"
    assert installed == ["requirements.lock"]


def test_a_machine_without_ensurepip_is_told_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    (tmp_path / ".venv" / "bin" / "python").unlink()
    monkeypatch.setattr(dev, "PYTHON", f"{tmp_path}/.venv/bin/python")
    monkeypatch.setattr(dev, "VENV", f"{tmp_path}/.venv")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(dev.Stop, match="apt install python3-venv"):
        dev.make_environment()


def test_children_write_byte_code_and_see_nobody_elses_modules(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert not {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"} & set(dev.environment())

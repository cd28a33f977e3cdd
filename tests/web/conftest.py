"""One registered programme for all pages; tests that change it take a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.web.calling import ENVIRONMENT, Calling, write_called
from tests.web.consoles import Console, write_registered


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_registered(tmp_path_factory.mktemp("console") / "claims")


@pytest.fixture(scope="session")
def console(registered: Path) -> Console:
    return Console(registered)


@pytest.fixture(scope="session")
def browser(console: Console) -> TestClient:
    return console.inside()


@pytest.fixture
def copied(registered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(registered, tmp_path / "claims"))


@pytest.fixture(scope="session")
def called(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_called(tmp_path_factory.mktemp("called") / "claims")


@pytest.fixture
def api(called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Calling]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    made = Calling(Path(shutil.copytree(called, tmp_path / "claims")))
    yield made
    made.api.close()

"""One registered programme for all pages; tests that change it take a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

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

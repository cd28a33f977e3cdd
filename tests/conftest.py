"""What every test may ask for: the command line, real data where there is any, and long runs only on request."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.ledger.postgres_server import running_server
from tests.running import Run, run_trueup

REPOSITORY = Path(__file__).resolve().parent.parent

# A busy machine is not a failure, so nothing here has a deadline; in CI the same examples are drawn every time.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("house"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long runs out, unless they were asked for."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item.get_closest_marker("long") is None]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of logs that nobody here wrote: `TRUEUP_DATA`, else `../shared/data`; skips without TRUEUP_REAL=1."""
    if os.environ.get("TRUEUP_REAL") != "1":
        pytest.skip("real logs are read only with TRUEUP_REAL=1 (.ci/run sets it)")
    folder = Path(os.environ.get("TRUEUP_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no folder of real logs; name one in TRUEUP_DATA")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL that belongs to this run; started when a test first asks for it."""
    with running_server() as url:
        yield url


@pytest.fixture
def trueup() -> Run:
    """Call the command line in this process: `trueup("check", folder, "--json").data`."""
    return run_trueup


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:  # noqa: ARG001 -- pytest's signature
    """Name a case by its path's last part, so that no machine's folders stand in reports."""
    return val.name if isinstance(val, Path) else None


def pytest_report_header(config: pytest.Config) -> Sequence[str]:
    """Say at the top what this run leaves out."""
    real = "on" if os.environ.get("TRUEUP_REAL") == "1" else "off (TRUEUP_REAL=1 turns them on)"
    return [f"real logs: {real}; long runs: {'on' if config.getoption('--long') else 'off (--long)'}"]

"""A console over a small programme whose truth is known, with a clock that a test can move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.loop.pilots import write_programme
from tests.running import run_trueup
from trueup.web.api.app import Api
from trueup.web.app import create_app
from trueup.web.door import Door
from trueup.web.site import Site

WEEK_8 = datetime(2024, 5, 27, tzinfo=UTC)
PORT = 8377


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    at: datetime = WEEK_8

    def now(self) -> datetime:
        return self.at


@dataclass
class Console:
    """One run of the console, without a network."""

    root: Path
    clock: HandClock = field(default_factory=HandClock)
    door: Door = field(init=False)
    api: Api = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.door = Door(b"s" * 32, PORT, self.clock)
        site = Site(self.root, self.clock)
        self.api = Api(site, PORT)
        self.app = create_app(site, self.door, self.api)

    def stranger(self) -> TestClient:
        """A browser that has not opened the link."""
        return TestClient(self.app, base_url=f"http://127.0.0.1:{PORT}")

    def inside(self) -> TestClient:
        """A browser that has."""
        client = self.stranger()
        assert client.get(self.door.link).status_code == 200
        return client


def write_registered(root: Path) -> Path:
    """Write a programme with a randomised pilot, its log, its registered baseline and one saved review."""
    write_programme(root)
    assert run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    assert run_trueup("review", root, "--as-of", "2024-05-27").exit_code == 0
    return root
